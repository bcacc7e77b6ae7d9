//! The rules of single info types: checksums, grammars and ranges.
//!
//! Each promises to answer in time linear in the value's length, without allocating and without
//! panicking, whatever the bytes are. They rely on nothing but the bytes; which of them is asked is
//! decided elsewhere.

mod banking;
mod by_name;
mod by_type;
mod check_digits;
mod compact;
pub(crate) mod date;
mod germany;
mod government;
mod meter;
mod network;
mod phone;
mod place;
mod vehicle;

pub(crate) use banking::{bank_account, bic, bic_country, card, grouped_card, iban};
pub(crate) use by_name::passes;
pub(crate) use by_type::{Check, check, is_telling};
pub(crate) use date::{birth, birth_candidate};
pub(crate) use germany::{
    driver_licence, health_insurance, identity_document, social_security, tax_id,
};
pub(crate) use government::{bsn, distinct_nino, grouped_nir, nhs, nino, nir, passport};
pub(crate) use meter::{checked_ean18, distinct_meter, melo, meter_id};
pub(crate) use network::{email, imei, ip, mac, url, uuid};
pub(crate) use phone::{international_phone, national_phone, phone};
pub(crate) use place::{age, coordinate, coordinates, house_number, postcode};
pub(crate) use vehicle::{distinct_plate, known_vin, plate, spaced_plate, vin};
