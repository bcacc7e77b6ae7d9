//! Customers of a utility: electricity, gas, water.

use tresor_proto::InfoType as T;

use super::{Entry, Form, note};
use crate::{harmless, identifiers as id, names::Language};

pub(super) const FORMS: &[Form] = &[
    Form { name: "utilities de", language: Language::German, fields: GERMAN },
    Form { name: "utilities nl", language: Language::Dutch, fields: DUTCH },
    Form { name: "utilities fr", language: Language::French, fields: FRENCH },
    Form { name: "utilities en", language: Language::English, fields: ENGLISH },
];

const GERMAN: &[Entry] = &[
    ("Anrede", Some(T::Title), |p, r| p.salutation(r)),
    ("Vorname", Some(T::FirstName), |p, _| p.first.clone()),
    ("Name", Some(T::LastName), |p, _| p.last.clone()),
    ("Strasse", Some(T::Street), |p, _| p.street.clone()),
    ("HausNr.", Some(T::HouseNumber), |p, _| p.house.clone()),
    ("PLZ", Some(T::Postcode), |p, _| p.postcode.clone()),
    ("Ort", Some(T::City), |p, _| p.town.clone()),
    ("Tel. privat", Some(T::PhoneNumber), |p, _| p.phone.clone()),
    ("E-Mail", Some(T::EmailAddress), |p, _| p.email.clone()),
    ("Geb.-Datum", Some(T::DateOfBirth), |p, _| p.birth.clone()),
    ("IBAN", Some(T::IbanCode), |p, _| p.iban.clone()),
    ("Kontoinhaber", Some(T::PersonName), |p, _| p.name()),
    ("Steuer-ID", Some(T::GermanyTaxpayerIdentificationNumber), |p, r| {
        id::government(p.language, r)
    }),
    ("Zählpunkt", Some(T::MeterId), |p, r| id::meter(p.language, r)),
    ("Ablesestand HT", None, |_, r| r.below(99_999).to_string()),
    ("Abschlag (EUR)", None, |_, r| format!("{},00", 20 + r.below(300))),
    ("Ableseart", None, |_, r| harmless::one_of("Selbstablesung;Fernauslesung;Schätzung", r)),
    ("Lieferbeginn", None, |_, r| harmless::day(r)),
    ("Tarif", None, |_, r| harmless::one_of("Grundversorgung;Klassik;Natur 24;Wärmestrom", r)),
    ("Mahnstufe", None, |_, r| r.below(4).to_string()),
    ("Zuletzt geändert", None, |_, r| harmless::timestamp(r)),
    ("Vorgangs-ID", None, |_, r| harmless::uuid(r)),
    ("Bemerkung", Some(T::FreeText), note),
];

const DUTCH: &[Entry] = &[
    ("aanhef", Some(T::Title), |p, r| p.salutation(r)),
    ("Voornaam", Some(T::FirstName), |p, _| p.first.clone()),
    ("Achternaam", Some(T::LastName), |p, _| p.last.clone()),
    ("Straatnaam", Some(T::Street), |p, _| p.street.clone()),
    ("Huisnr", Some(T::HouseNumber), |p, _| p.house.clone()),
    ("Postcode", Some(T::Postcode), |p, _| p.postcode.clone()),
    ("Woonplaats", Some(T::City), |p, _| p.town.clone()),
    ("Telefoonnummer", Some(T::PhoneNumber), |p, _| p.phone.clone()),
    ("E-mailadres", Some(T::EmailAddress), |p, _| p.email.clone()),
    ("Geb.datum", Some(T::DateOfBirth), |p, _| p.birth.clone()),
    ("IBAN rekeninghouder", Some(T::IbanCode), |p, _| p.iban.clone()),
    ("BSN", Some(T::NetherlandsBsnNumber), |p, r| id::government(p.language, r)),
    ("EAN-code", Some(T::MeterId), |p, r| id::meter(p.language, r)),
    ("Meterstand hoog", None, |_, r| r.below(99_999).to_string()),
    ("Termijnbedrag", None, |_, r| format!("{},00", 20 + r.below(300))),
    ("Productgroep", None, |_, r| harmless::one_of("Stroom;Gas;Dual fuel;Teruglevering", r)),
    ("Ingangsdatum levering", None, |_, r| harmless::day(r)),
    ("Tariefsoort", None, |_, r| harmless::one_of("Enkel;Dubbel;Dynamisch", r)),
    ("Aangemaakt op", None, |_, r| harmless::timestamp(r)),
    ("Opmerkingen", Some(T::FreeText), note),
];

const FRENCH: &[Entry] = &[
    ("Civilité", Some(T::Title), |p, r| p.salutation(r)),
    ("Prénom", Some(T::FirstName), |p, _| p.first.clone()),
    ("Nom", Some(T::LastName), |p, _| p.last.clone()),
    ("Adresse (ligne 1)", Some(T::StreetAddress), |p, _| p.street_line()),
    ("Code postal", Some(T::Postcode), |p, _| p.postcode.clone()),
    ("Ville", Some(T::City), |p, _| p.town.clone()),
    ("Tél. portable", Some(T::PhoneNumber), |p, _| p.phone.clone()),
    ("Adresse e-mail", Some(T::EmailAddress), |p, _| p.email.clone()),
    ("Date de naissance", Some(T::DateOfBirth), |p, _| p.birth.clone()),
    ("IBAN", Some(T::IbanCode), |p, _| p.iban.clone()),
    ("Titulaire du compte", Some(T::PersonName), |p, _| p.name()),
    ("N° sécurité sociale", Some(T::FranceNir), |p, r| id::government(p.language, r)),
    ("Matricule compteur", Some(T::MeterId), |p, r| id::meter(p.language, r)),
    ("Index relevé", None, |_, r| r.below(99_999).to_string()),
    ("Mensualité (€)", None, |_, r| format!("{},00", 20 + r.below(300))),
    ("Option tarifaire", None, |_, r| harmless::one_of("Base;Heures Creuses;Tempo", r)),
    ("Puissance souscrite", None, |_, r| format!("{} kVA", 3 * (1 + r.below(6)))),
    ("Date de mise en service", None, |_, r| harmless::day(r)),
    ("Créé le", None, |_, r| harmless::timestamp(r)),
    ("Commentaire", Some(T::FreeText), note),
];

const ENGLISH: &[Entry] = &[
    ("Title", Some(T::Title), |p, r| p.salutation(r)),
    ("Forename", Some(T::FirstName), |p, _| p.first.clone()),
    ("Surname", Some(T::LastName), |p, _| p.last.clone()),
    ("Address Line 1", Some(T::StreetAddress), |p, _| p.street_line()),
    ("Post Town", Some(T::City), |p, _| p.town.clone()),
    ("Postcode", Some(T::Postcode), |p, _| p.postcode.clone()),
    ("Home Tel", Some(T::PhoneNumber), |p, _| p.phone.clone()),
    ("Email Address", Some(T::EmailAddress), |p, _| p.email.clone()),
    ("DOB", Some(T::DateOfBirth), |p, _| p.birth.clone()),
    ("IBAN", Some(T::IbanCode), |p, _| p.iban.clone()),
    ("NI Number", Some(T::UkNationalInsuranceNumber), |p, r| id::government(p.language, r)),
    ("NHS Number", Some(T::UkNationalHealthServiceNumber), |_, r| id::nhs(r)),
    ("Meter Serial Number", Some(T::MeterId), |p, r| id::meter(p.language, r)),
    ("Last Reading", None, |_, r| r.below(99_999).to_string()),
    ("Monthly Amount", None, |_, r| format!("{}.00", 20 + r.below(300))),
    ("Tariff Name", None, |_, r| harmless::one_of("Standard Variable;Economy 7;Go Electric", r)),
    ("Supply Start Date", None, |_, r| harmless::day(r)),
    ("Smart Meter?", None, |_, r| harmless::one_of("Yes;No", r)),
    ("Created At", None, |_, r| harmless::timestamp(r)),
    ("Agent Notes", Some(T::FreeText), note),
];
