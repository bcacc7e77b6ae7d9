//! Parts of an address beside each other.
//!
//! It promises that a number is a house number or a postcode only where a street or a town stands
//! beside it. It relies on the common orders: street, number, postcode, town.

use tresor_proto::InfoType;

use super::Row;
use crate::{
    gazetteer,
    proper_name::{is_capitalised, is_house_number, is_like_street},
};

impl Row<'_, '_> {
    pub(super) fn compare_places(&mut self) {
        for index in 0..self.len() {
            if !self.is_open(index) && !self.is_postcode_by_name(index) {
                continue;
            }
            let text = self.text(index);
            if text.len() > 12 || !text.bytes().any(|b| b.is_ascii_digit()) {
                continue;
            }
            if is_house_number(text) && self.is_open(index) {
                self.house_number(index);
            }
            if let Some(form) = Form::of(text) {
                self.postcode(index, form);
            }
        }
    }

    /// A house number stands after its street.
    fn house_number(&mut self, index: usize) {
        let Some(street) = index.checked_sub(1) else {
            return;
        };
        let is_street = self.info_type(street) == Some(InfoType::Street)
            || (self.is_open(street) && is_like_street(self.text(street)));
        if is_street {
            self.tell(street, InfoType::Street, "street: a house number follows");
            self.tell(index, InfoType::HouseNumber, "house number: after a street");
        }
    }

    /// A postcode stands beside its town, or after a street and a number.
    fn postcode(&mut self, index: usize, form: Form) {
        let follows_street = index.checked_sub(1).is_some_and(|before| self.is_street_part(before));
        let town = self.beside(index).find(|beside| self.is_town(*beside, form, follows_street));
        if town.is_some_and(|town| self.is_known_town(town)) {
            self.street_before(index);
        }
        if let Some(town) = town {
            self.tell(town, InfoType::City, "city: a postcode beside it");
        }
        if town.is_some() || (follows_street && form != Form::FourDigits) {
            self.tell(index, InfoType::Postcode, "postcode: beside a town or a street");
        }
    }

    /// Before a postcode and its town: a number after capitalised words, whatever they are.
    fn street_before(&mut self, postcode: usize) {
        let (Some(number), Some(street)) = (postcode.checked_sub(1), postcode.checked_sub(2))
        else {
            return;
        };
        let is_street = self.is_unknown(street) && are_capitalised(self.text(street));
        let is_number = self.is_unknown(number) && is_house_number(self.text(number));
        if is_street && is_number {
            self.tell(street, InfoType::Street, "street: number, postcode and town follow");
            self.tell(number, InfoType::HouseNumber, "house number: before a postcode and a town");
        }
    }

    /// A town of the list that is a word or a name, too, beside a street or where the name of the
    /// person stands elsewhere.
    pub(super) fn compare_towns(&mut self) {
        for index in 0..self.len() {
            let info_type = self.info_type(index);
            let is_name = matches!(info_type, Some(InfoType::FirstName | InfoType::LastName));
            if !(is_name || self.is_unknown(index)) || !self.is_open(index) {
                continue;
            }
            let is_placed = self.is_beside_street(index) && !self.is_beside_name(index);
            if !(is_placed || is_name) || !is_town(self.text(index)) {
                continue;
            }
            if is_placed {
                self.tell(index, InfoType::City, "city: known town beside a street");
            } else if self.has_name_elsewhere(index) {
                self.tell(index, InfoType::City, "city: known town, the name stands elsewhere");
            }
        }
    }

    fn is_beside_name(&self, index: usize) -> bool {
        let names = [InfoType::PersonName, InfoType::FirstName, InfoType::LastName];
        let mut types = self.beside(index).filter_map(|beside| self.info_type(beside));
        types.any(|info_type| names.contains(&info_type))
    }

    fn is_beside_street(&self, index: usize) -> bool {
        let mut beside = self.beside(index);
        beside.any(|beside| self.is_street_part(beside))
    }

    /// Whether a field that is not beside this one holds the name of a person.
    fn has_name_elsewhere(&self, index: usize) -> bool {
        let is_name = |other: &usize| {
            let names = [InfoType::PersonName, InfoType::FirstName, InfoType::LastName];
            self.info_type(*other).is_some_and(|info_type| names.contains(&info_type))
        };
        let is_sure = |other: &usize| {
            *other != index && is_name(other) && !gazetteer::look_up(self.text(*other)).is_town()
        };
        !self.beside(index).any(|beside| is_name(&beside)) && (0..self.len()).any(|i| is_sure(&i))
    }

    fn is_known_town(&self, index: usize) -> bool {
        self.info_type(index) == Some(InfoType::City)
            || gazetteer::look_up(town_of(self.text(index))).is_town()
    }

    fn is_postcode_by_name(&self, index: usize) -> bool {
        self.info_type(index) == Some(InfoType::Postcode)
    }

    fn is_street_part(&self, index: usize) -> bool {
        let part = self.info_type(index);
        let parts = [InfoType::Street, InfoType::HouseNumber, InfoType::StreetAddress];
        part.is_some_and(|part| parts.contains(&part))
    }

    /// A town by its name's field, by the list, or by standing where a town stands.
    fn is_town(&self, index: usize, form: Form, follows_street: bool) -> bool {
        if self.info_type(index) == Some(InfoType::City) {
            return true;
        }
        let text = self.text(index);
        if !self.is_open(index) || !are_capitalised(text) {
            return false;
        }
        let is_name = matches!(
            self.info_type(index),
            None | Some(
                InfoType::FirstName
                    | InfoType::LastName
                    | InfoType::FreeText
                    | InfoType::PersonName
            )
        );
        let is_sure_place = follows_street || form == Form::Letters;
        is_name && (is_sure_place || gazetteer::look_up(town_of(text)).is_town())
    }
}

/// What a postcode looks like.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Dutch or British: hardly anything else.
    Letters,
    FiveDigits,
    FourDigits,
}

impl Form {
    fn of(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("D-").unwrap_or(text);
        let is_number = digits.bytes().all(|b| b.is_ascii_digit());
        match digits.len() {
            5 if is_number => Some(Self::FiveDigits),
            4 if is_number && !digits.starts_with('0') => Some(Self::FourDigits),
            6..=8 if !is_number => {
                crate::validators::postcode(text).is_some().then_some(Self::Letters)
            }
            _ => None,
        }
    }
}

/// Whether a text is a town of the list.
fn is_town(text: &str) -> bool {
    are_capitalised(text) && gazetteer::look_up(town_of(text)).is_town()
}

/// `Halle (Saale)` is `Halle`.
fn town_of(text: &str) -> &str {
    text.split(" (").next().unwrap_or(text)
}

/// Words that begin with a capital, with small ones between them: `Bad Soden am Taunus`.
fn are_capitalised(text: &str) -> bool {
    let mut words = text.split([' ', '/', '(']).filter(|word| !word.is_empty());
    let has_first = text.len() <= 48
        && words.next().is_some_and(|word| is_capitalised(word) || word.starts_with('\''));
    let is_plain = !text.bytes().any(|b| b.is_ascii_digit());
    has_first && is_plain && words.clone().count() <= 4
}
