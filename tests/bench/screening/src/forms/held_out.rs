//! Members of a housing association: forms that were written when screening had seen the others.
//!
//! It promises field names that no list of words was made after: what is missed here is counted, and
//! stays missed until somebody comes upon it elsewhere.

use tresor_proto::InfoType as T;

use super::{Entry, Form, note};
use crate::{harmless, identifiers as id, names::Language};

pub(super) const FORMS: &[Form] = &[
    Form { name: "housing de", language: Language::German, fields: GERMAN },
    Form { name: "housing nl", language: Language::Dutch, fields: DUTCH },
    Form { name: "housing fr", language: Language::French, fields: FRENCH },
    Form { name: "housing en", language: Language::English, fields: ENGLISH },
];

const GERMAN: &[Entry] = &[
    ("MITGLIED_NACHNAME", Some(T::LastName), |p, _| p.last.clone()),
    ("MITGLIED_RUFNAME", Some(T::FirstName), |p, _| p.first.clone()),
    ("Anschrift Objekt", Some(T::StreetAddress), |p, _| p.address()),
    ("Tel.-Nr. tagsüber", Some(T::PhoneNumber), |p, _| p.phone.clone()),
    ("Mail dienstlich", Some(T::EmailAddress), |p, _| p.email.clone()),
    ("geb. am", Some(T::DateOfBirth), |p, _| p.birth.clone()),
    ("Lastschrift-IBAN", Some(T::IbanCode), |p, _| p.iban.clone()),
    ("Stellplatz Kfz-Kz.", Some(T::LicensePlateNumber), |p, _| p.plate.clone()),
    ("Wasserzähler-Nr", Some(T::MeterId), |p, r| id::meter(p.language, r)),
    ("Wohnfläche m2", None, |_, r| format!("{},{}", 30 + r.below(120), r.below(100))),
    ("Kaltmiete", None, |_, r| format!("{},00", 300 + r.below(900))),
    ("Geschoss", None, |_, r| harmless::one_of("EG;1. OG;2. OG;DG", r)),
    ("Heizart", None, |_, r| harmless::one_of("Fernwärme;Gas;Wärmepumpe", r)),
    ("Letzte Wartung", None, |_, r| harmless::day(r)),
    ("Aufzug ja/nein", None, |_, r| harmless::one_of("ja;nein", r)),
    ("Sonstiges", Some(T::FreeText), note),
];

const DUTCH: &[Entry] = &[
    ("huurder_achternaam", Some(T::LastName), |p, _| p.last.clone()),
    ("huurder_roepnaam", Some(T::FirstName), |p, _| p.first.clone()),
    ("adres woning", Some(T::StreetAddress), |p, _| p.address()),
    ("tel. overdag", Some(T::PhoneNumber), |p, _| p.phone.clone()),
    ("e-mail werk", Some(T::EmailAddress), |p, _| p.email.clone()),
    ("geboren op", Some(T::DateOfBirth), |p, _| p.birth.clone()),
    ("IBAN incasso", Some(T::IbanCode), |p, _| p.iban.clone()),
    ("parkeerplaats kenteken", Some(T::LicensePlateNumber), |p, _| p.plate.clone()),
    ("watermeter nr", Some(T::MeterId), |p, r| id::meter(p.language, r)),
    ("woonoppervlak m2", None, |_, r| format!("{},{}", 30 + r.below(120), r.below(100))),
    ("kale huur", None, |_, r| format!("{},00", 300 + r.below(900))),
    ("verdieping", None, |_, r| r.below(12).to_string()),
    ("verwarming", None, |_, r| harmless::one_of("stadsverwarming;gas;warmtepomp", r)),
    ("laatste onderhoud", None, |_, r| harmless::day(r)),
    ("lift ja/nee", None, |_, r| harmless::one_of("ja;nee", r)),
    ("overig", Some(T::FreeText), note),
];

const FRENCH: &[Entry] = &[
    ("NOM_LOCATAIRE", Some(T::LastName), |p, _| p.last.clone()),
    ("PRENOM_USUEL", Some(T::FirstName), |p, _| p.first.clone()),
    ("adresse du logement", Some(T::StreetAddress), |p, _| p.address()),
    ("tél. bureau", Some(T::PhoneNumber), |p, _| p.phone.clone()),
    ("mail pro", Some(T::EmailAddress), |p, _| p.email.clone()),
    ("né(e) le", Some(T::DateOfBirth), |p, _| p.birth.clone()),
    ("IBAN prélèvement", Some(T::IbanCode), |p, _| p.iban.clone()),
    ("plaque véhicule", Some(T::LicensePlateNumber), |p, _| p.plate.clone()),
    ("n° compteur eau", Some(T::MeterId), |p, r| id::meter(p.language, r)),
    ("surface m2", None, |_, r| format!("{},{}", 30 + r.below(120), r.below(100))),
    ("loyer hors charges", None, |_, r| format!("{},00", 300 + r.below(900))),
    ("étage", None, |_, r| r.below(12).to_string()),
    ("chauffage", None, |_, r| harmless::one_of("collectif;gaz;électrique", r)),
    ("dernier entretien", None, |_, r| harmless::day(r)),
    ("ascenseur", None, |_, r| harmless::one_of("oui;non", r)),
    ("divers", Some(T::FreeText), note),
];

const ENGLISH: &[Entry] = &[
    ("tenant_family_name", Some(T::LastName), |p, _| p.last.clone()),
    ("tenant_given_name", Some(T::FirstName), |p, _| p.first.clone()),
    ("property_addr", Some(T::StreetAddress), |p, _| p.address()),
    ("work_tel_no", Some(T::PhoneNumber), |p, _| p.phone.clone()),
    ("contact_e_mail", Some(T::EmailAddress), |p, _| p.email.clone()),
    ("birth_dt", Some(T::DateOfBirth), |p, _| p.birth.clone()),
    ("direct_debit_iban", Some(T::IbanCode), |p, _| p.iban.clone()),
    ("parking_car_reg_no", Some(T::LicensePlateNumber), |p, _| p.plate.clone()),
    ("water_meter_no", Some(T::MeterId), |p, r| id::meter(p.language, r)),
    ("floor_area_sqm", None, |_, r| format!("{}.{}", 30 + r.below(120), r.below(100))),
    ("monthly_rent", None, |_, r| format!("{}.00", 300 + r.below(900))),
    ("floor", None, |_, r| r.below(12).to_string()),
    ("heating_type", None, |_, r| harmless::one_of("district;gas;heat pump", r)),
    ("last_service", None, |_, r| harmless::day(r)),
    ("has_lift", None, |_, r| harmless::one_of("Y;N", r)),
    ("other_info", Some(T::FreeText), note),
];
