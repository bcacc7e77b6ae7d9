//! Contacts and devices of a messaging platform.

use tresor_proto::InfoType as T;

use super::{Entry, Form, note};
use crate::{harmless, identifiers as id, names::Language, people::Person};

pub(super) const FORMS: &[Form] = &[
    Form { name: "messaging de", language: Language::German, fields: GERMAN },
    Form { name: "messaging nl", language: Language::Dutch, fields: DUTCH },
    Form { name: "messaging fr", language: Language::French, fields: FRENCH },
    Form { name: "messaging en", language: Language::English, fields: ENGLISH },
];

fn user(person: &Person) -> String {
    person.email.split('@').next().unwrap_or_default().to_owned()
}

const GERMAN: &[Entry] = &[
    ("anzeigename", Some(T::PersonName), |p, _| p.name()),
    ("benutzername", Some(T::Username), |p, _| user(p)),
    ("handynummer", Some(T::PhoneNumber), |p, _| p.phone.clone()),
    ("mailadresse", Some(T::EmailAddress), |p, _| p.email.clone()),
    ("geburtstag", Some(T::DateOfBirth), |p, _| p.birth.clone()),
    ("wohnort", Some(T::City), |p, _| p.town.clone()),
    ("letzte_ip", Some(T::IpAddress), |_, r| id::ip(r)),
    ("imei", Some(T::DeviceId), |_, r| id::imei(r)),
    ("geraetetyp", None, |_, r| harmless::one_of("Pixel 9;Galaxy S24;iPhone 15;Fairphone 5", r)),
    ("app_version", None, |_, r| format!("{}.{}.{}", r.below(9), r.below(30), r.below(9))),
    ("sprache", None, |_, r| harmless::one_of("de;en;tr;pl", r)),
    ("zuletzt_online", None, |_, r| harmless::timestamp(r)),
    ("nachrichten_anzahl", None, |_, r| r.below(90_000).to_string()),
    ("push_aktiv", None, |_, r| harmless::one_of("true;false", r)),
    ("kanal_id", None, |_, r| harmless::uuid(r)),
    ("nachricht", Some(T::FreeText), note),
];

const DUTCH: &[Entry] = &[
    ("weergavenaam", Some(T::PersonName), |p, _| p.name()),
    ("gebruikersnaam", Some(T::Username), |p, _| user(p)),
    ("mobiel", Some(T::PhoneNumber), |p, _| p.phone.clone()),
    ("mailadres", Some(T::EmailAddress), |p, _| p.email.clone()),
    ("geboortedatum", Some(T::DateOfBirth), |p, _| p.birth.clone()),
    ("woonplaats", Some(T::City), |p, _| p.town.clone()),
    ("ip_adres", Some(T::IpAddress), |_, r| id::ip(r)),
    ("mac_adres", Some(T::MacAddress), |_, r| id::mac(r)),
    ("toesteltype", None, |_, r| harmless::one_of("Pixel 9;Galaxy S24;iPhone 15;Fairphone 5", r)),
    ("app_versie", None, |_, r| format!("{}.{}.{}", r.below(9), r.below(30), r.below(9))),
    ("taal", None, |_, r| harmless::one_of("nl;en;fr;de", r)),
    ("laatst_gewijzigd", None, |_, r| harmless::timestamp(r)),
    ("aantal_berichten", None, |_, r| r.below(90_000).to_string()),
    ("meldingen_actief", None, |_, r| harmless::one_of("true;false", r)),
    ("bericht", Some(T::FreeText), note),
];

const FRENCH: &[Entry] = &[
    ("nom_complet", Some(T::PersonName), |p, _| p.name()),
    ("identifiant", Some(T::Username), |p, _| user(p)),
    ("telephone_mobile", Some(T::PhoneNumber), |p, _| p.phone.clone()),
    ("courriel", Some(T::EmailAddress), |p, _| p.email.clone()),
    ("date_naissance", Some(T::DateOfBirth), |p, _| p.birth.clone()),
    ("ville_residence", Some(T::City), |p, _| p.town.clone()),
    ("adresse_ip", Some(T::IpAddress), |_, r| id::ip(r)),
    ("adresse_mac", Some(T::MacAddress), |_, r| id::mac(r)),
    ("appareil", None, |_, r| harmless::one_of("Pixel 9;Galaxy S24;iPhone 15;Fairphone 5", r)),
    ("version_application", None, |_, r| format!("{}.{}.{}", r.below(9), r.below(30), r.below(9))),
    ("langue", None, |_, r| harmless::one_of("fr;en;de", r)),
    ("derniere_connexion", None, |_, r| harmless::timestamp(r)),
    ("nombre_messages", None, |_, r| r.below(90_000).to_string()),
    ("notifications_actives", None, |_, r| harmless::one_of("oui;non", r)),
    ("message", Some(T::FreeText), note),
];

const ENGLISH: &[Entry] = &[
    ("displayName", Some(T::PersonName), |p, _| p.name()),
    ("userName", Some(T::Username), |p, _| user(p)),
    ("phoneNumber", Some(T::PhoneNumber), |p, _| p.phone.clone()),
    ("emailAddress", Some(T::EmailAddress), |p, _| p.email.clone()),
    ("dateOfBirth", Some(T::DateOfBirth), |p, _| p.birth.clone()),
    ("homeTown", Some(T::City), |p, _| p.town.clone()),
    ("lastSeenIp", Some(T::IpAddress), |_, r| id::ip(r)),
    ("imei", Some(T::DeviceId), |_, r| id::imei(r)),
    ("deviceModel", None, |_, r| harmless::one_of("Pixel 9;Galaxy S24;iPhone 15;Fairphone 5", r)),
    ("appVersion", None, |_, r| format!("{}.{}.{}", r.below(9), r.below(30), r.below(9))),
    ("locale", None, |_, r| harmless::one_of("en-GB;en-US;fr-FR", r)),
    ("lastSeen", None, |_, r| harmless::timestamp(r)),
    ("messageCount", None, |_, r| r.below(90_000).to_string()),
    ("pushEnabled", None, |_, r| harmless::one_of("true;false", r)),
    ("channelId", None, |_, r| harmless::uuid(r)),
    ("fileName", None, |_, r| format!("IMG_{}.jpg", r.below(10_000))),
    ("messageText", Some(T::FreeText), note),
];
