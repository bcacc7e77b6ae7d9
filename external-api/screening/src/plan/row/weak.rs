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
            let text = self.text(index);
            if !text.starts_with(|c: char| c.is_ascii_digit() || c == '(')
                || !self.is_unknown(index)
            {
                continue;
            }
            if validators::national_phone(text).is_some() {
                self.tell(
                    index,
                    InfoType::PhoneNumber,
                    "phone: national notation, beside a person",
                );
            } else if validators::checked_ean18(text).is_some() {
                self.tell(
                    index,
                    InfoType::MeterId,
                    "meter: EAN-18, check digit ok, beside a person",
                );
            }
        }
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
