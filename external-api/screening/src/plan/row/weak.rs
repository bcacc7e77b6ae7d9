//! Numbers whose form alone says too little, in the record of a person.
//!
//! It promises to take a number for a telephone's or a meter's only beside two kinds of personal
//! values. It relies on the rules of these numbers having been asked about the form.

use tresor_proto::InfoType;

use super::Row;
use crate::validators;

impl Row<'_, '_> {
    pub(super) fn compare_weak(&mut self) {
        if !self.is_about_somebody() {
            return;
        }
        for index in 0..self.len() {
            if !self.is_unknown(index) || self.is_harmless(index) {
                continue;
            }
            let text = self.text(index);
            if (5..=24).contains(&text.len())
                && let Some((info_type, rule)) = self.weak(text)
            {
                self.tell(index, info_type, rule);
            }
        }
    }

    /// What a number is in the record of a person.
    fn weak(&self, text: &str) -> Option<(InfoType, &'static str)> {
        let first = text.bytes().next()?;
        if first.is_ascii_uppercase() {
            return self.weak_code(text);
        }
        match () {
            () if !matches!(first, b'0'..=b'9' | b'(') || text.len() < 8 => None,
            () if validators::national_phone(text).is_some() => {
                Some((InfoType::PhoneNumber, "phone: national notation, beside a person"))
            }
            () if validators::checked_ean18(text).is_some() => {
                Some((InfoType::MeterId, "meter: EAN-18, check digit ok, beside a person"))
            }
            () if text.len() == 16 && validators::card(text).is_some() => {
                Some((InfoType::CreditCardNumber, "card: issuer, Luhn ok, beside a person"))
            }
            () if text.len() == 11 && validators::tax_id(text).is_some() => Some((
                InfoType::GermanyTaxpayerIdentificationNumber,
                "tax id: ISO 7064 mod 11,10 ok, beside a person",
            )),
            () if text.len() == 15
                && matches!(first, b'1' | b'2')
                && validators::nir(text).is_some() =>
            {
                Some((InfoType::FranceNir, "nir: key ok, beside a person"))
            }
            () if validators::imei(text).is_some() => {
                Some((InfoType::DeviceId, "imei: Luhn ok, beside a person"))
            }
            () => None,
        }
    }

    fn weak_code(&self, text: &str) -> Option<(InfoType, &'static str)> {
        // Words are neither; both begin with capitals only, or one and a blank.
        if text.as_bytes().get(1).is_some_and(u8::is_ascii_lowercase) {
            return None;
        }
        if validators::spaced_plate(text).is_some() {
            return Some((InfoType::LicensePlateNumber, "licence plate: beside a person"));
        }
        let country = validators::bic_country(text)?;
        let mut ibans = (0..self.len()).filter(|i| self.info_type(*i) == Some(InfoType::IbanCode));
        let is_same = ibans.any(|iban| self.text(iban).as_bytes().get(..2) == Some(country));
        is_same.then_some((InfoType::SwiftCode, "bic: country of the IBAN beside it"))
    }

    /// Whether two kinds of values speak of a person.
    fn is_about_somebody(&self) -> bool {
        let mut kinds =
            (0..self.len()).filter_map(|index| self.info_type(index)).filter(is_of_person);
        let first = kinds.next();
        first.is_some_and(|first| kinds.any(|other| other != first))
    }
}

fn is_of_person(info_type: &InfoType) -> bool {
    [
        InfoType::PersonName,
        InfoType::FirstName,
        InfoType::LastName,
        InfoType::EmailAddress,
        InfoType::DateOfBirth,
        InfoType::StreetAddress,
        InfoType::Street,
        InfoType::Postcode,
        InfoType::IbanCode,
    ]
    .contains(info_type)
}
