//! Drivers, riders and rides of a mobility platform.

use tresor_proto::InfoType as T;

use super::{Entry, Form, note};
use crate::{harmless, identifiers as id, names::Language};

pub(super) const FORMS: &[Form] = &[
    Form { name: "mobility de", language: Language::German, fields: GERMAN },
    Form { name: "mobility nl", language: Language::Dutch, fields: DUTCH },
    Form { name: "mobility fr", language: Language::French, fields: FRENCH },
    Form { name: "mobility en", language: Language::English, fields: ENGLISH },
];

const GERMAN: &[Entry] = &[
    ("fahrer", Some(T::PersonName), |p, _| format!("{}, {}", p.last, p.first)),
    ("fahrer_mobil", Some(T::PhoneNumber), |p, _| p.phone.clone()),
    ("fahrgast_email", Some(T::EmailAddress), |p, _| p.email.clone()),
    ("abholadresse", Some(T::StreetAddress), |p, _| p.address()),
    ("start_koordinaten", Some(T::LocationCoordinates), |_, r| id::coordinates(r)),
    ("kfz_kennzeichen", Some(T::LicensePlateNumber), |p, _| p.plate.clone()),
    ("fahrgestellnummer", Some(T::VehicleIdentificationNumber), |_, r| id::vin(r)),
    ("kreditkarte", Some(T::CreditCardNumber), |_, r| id::card(r)),
    ("iban_auszahlung", Some(T::IbanCode), |p, _| p.iban.clone()),
    ("bic", Some(T::SwiftCode), |p, r| id::bic(p.language, r)),
    ("fahrzeugmodell", None, |_, r| harmless::one_of("Golf VIII;Zoe R135;ID.3;Corsa Electric", r)),
    ("strecke_km", None, |_, r| format!("{},{}", r.below(90), r.below(10))),
    ("fahrpreis", None, |_, r| format!("{},{:02} €", r.below(90), r.below(100))),
    ("akkustand", None, |_, r| format!("{} %", r.below(101))),
    ("buchung_status", None, |_, r| harmless::one_of("gebucht;aktiv;beendet;storniert", r)),
    ("startzeit", None, |_, r| harmless::timestamp(r)),
    ("sitzplaetze", None, |_, r| (1 + r.below(8)).to_string()),
    ("hinweis_fahrer", Some(T::FreeText), note),
];

const DUTCH: &[Entry] = &[
    ("bestuurder", Some(T::PersonName), |p, _| p.name()),
    ("tel_bestuurder", Some(T::PhoneNumber), |p, _| p.phone.clone()),
    ("email_reiziger", Some(T::EmailAddress), |p, _| p.email.clone()),
    ("ophaaladres", Some(T::StreetAddress), |p, _| p.address()),
    ("coordinaten", Some(T::LocationCoordinates), |_, r| id::coordinates(r)),
    ("kenteken", Some(T::LicensePlateNumber), |p, _| p.plate.clone()),
    ("chassisnummer", Some(T::VehicleIdentificationNumber), |_, r| id::vin(r)),
    ("creditcardnummer", Some(T::CreditCardNumber), |_, r| id::card(r)),
    ("rekeningnummer", Some(T::IbanCode), |p, _| p.iban.clone()),
    ("merk_model", None, |_, r| harmless::one_of("Golf VIII;Zoe R135;ID.3;Corsa Electric", r)),
    ("afstand_km", None, |_, r| format!("{},{}", r.below(90), r.below(10))),
    ("ritprijs", None, |_, r| format!("{},{:02}", r.below(90), r.below(100))),
    ("accu_niveau", None, |_, r| format!("{} %", r.below(101))),
    ("status", None, |_, r| harmless::one_of("gepland;actief;voltooid", r)),
    ("begintijd", None, |_, r| harmless::timestamp(r)),
    ("toelichting", Some(T::FreeText), note),
];

const FRENCH: &[Entry] = &[
    ("conducteur", Some(T::PersonName), |p, _| format!("{} {}", p.last.to_uppercase(), p.first)),
    ("tel_conducteur", Some(T::PhoneNumber), |p, _| p.phone.clone()),
    ("email_passager", Some(T::EmailAddress), |p, _| p.email.clone()),
    ("adresse_depart", Some(T::StreetAddress), |p, _| p.address()),
    ("coordonnees_gps", Some(T::LocationCoordinates), |_, r| id::coordinates(r)),
    ("immatriculation", Some(T::LicensePlateNumber), |p, _| p.plate.clone()),
    ("numero_chassis", Some(T::VehicleIdentificationNumber), |_, r| id::vin(r)),
    ("carte_bancaire", Some(T::CreditCardNumber), |_, r| id::card(r)),
    ("iban", Some(T::IbanCode), |p, _| p.iban.clone()),
    ("modele_vehicule", None, |_, r| harmless::one_of("Golf VIII;Zoe R135;ID.3;Corsa Electric", r)),
    ("distance_km", None, |_, r| format!("{},{}", r.below(90), r.below(10))),
    ("prix_course", None, |_, r| format!("{},{:02} €", r.below(90), r.below(100))),
    ("niveau_batterie", None, |_, r| format!("{} %", r.below(101))),
    ("statut", None, |_, r| harmless::one_of("réservée;en cours;terminée", r)),
    ("heure_depart", None, |_, r| harmless::timestamp(r)),
    ("remarques", Some(T::FreeText), note),
];

const ENGLISH: &[Entry] = &[
    ("Driver Name", Some(T::PersonName), |p, _| p.name()),
    ("Driver Mobile", Some(T::PhoneNumber), |p, _| p.phone.clone()),
    ("Rider Email", Some(T::EmailAddress), |p, _| p.email.clone()),
    ("Pickup Address", Some(T::StreetAddress), |p, _| p.address()),
    ("Pickup Location (lat/lng)", Some(T::LocationCoordinates), |_, r| id::coordinates(r)),
    ("Vehicle Reg", Some(T::LicensePlateNumber), |p, _| p.plate.clone()),
    ("VIN", Some(T::VehicleIdentificationNumber), |_, r| id::vin(r)),
    ("Card Number", Some(T::CreditCardNumber), |_, r| id::card(r)),
    ("Payout IBAN", Some(T::IbanCode), |p, _| p.iban.clone()),
    ("Vehicle Model", None, |_, r| harmless::one_of("Golf VIII;Zoe R135;ID.3;Model 3", r)),
    ("Distance (mi)", None, |_, r| format!("{}.{}", r.below(90), r.below(10))),
    ("Fare", None, |_, r| format!("£{}.{:02}", r.below(90), r.below(100))),
    ("Battery %", None, |_, r| r.below(101).to_string()),
    ("Trip Status", None, |_, r| harmless::one_of("booked;active;completed;cancelled", r)),
    ("Start Time", None, |_, r| harmless::timestamp(r)),
    ("Seats", None, |_, r| (1 + r.below(8)).to_string()),
    ("Driver Notes", Some(T::FreeText), note),
];
