//! Names of people beside each other, or repeated in the full name or the e-mail address.
//!
//! It promises a second sign from another field for whatever it takes for a name. It relies on the
//! list of names and on records that say a name twice.

use tresor_proto::InfoType;

use super::Row;
use crate::{gazetteer, proper_name::is_capitalised, shape::trimmed};

/// Bytes of the longest full name: two names and a comma between them.
const FULL_NAME_BYTES_MAX: usize = 2 * NAME_BYTES_MAX + 2;

/// Bytes of the longest name.
const NAME_BYTES_MAX: usize = 40;

/// Letters of the shortest name that is looked for in an e-mail address.
const MAIL_NAME_LETTERS_MIN: usize = 4;

impl Row<'_, '_> {
    pub(super) fn compare_people(&mut self) {
        for index in 0..self.len() {
            match self.info_type(index) {
                Some(InfoType::FirstName) => self.last_name_beside(index),
                Some(InfoType::EmailAddress) => self.names_in_mail(index),
                None | Some(InfoType::PersonName | InfoType::FreeText) => self.full_name(index),
                Some(_) => {}
            }
        }
    }

    /// A capitalised word beside a first name, when some list has it.
    fn last_name_beside(&mut self, index: usize) {
        let last = self.beside(index).find(|beside| self.may_be_last_name(*beside));
        if let Some(last) = last {
            self.tell(last, InfoType::LastName, "name: beside a first name");
        }
    }

    fn may_be_last_name(&self, index: usize) -> bool {
        let of_type = matches!(
            self.info_type(index),
            None | Some(InfoType::LastName | InfoType::City | InfoType::FreeText)
        );
        let is_placed = self.is_beside_place(index);
        let is_known = || {
            let text = self.text(index);
            let word = text.rsplit(' ').next().unwrap_or_default();
            let entry = gazetteer::look_up(word);
            is_name_like(text) && (entry.is_last_name() || entry.is_town())
        };
        self.is_open(index) && of_type && !is_placed && is_known()
    }

    /// Whether a postcode or a house number stands beside a field.
    fn is_beside_place(&self, index: usize) -> bool {
        let places = [InfoType::Postcode, InfoType::HouseNumber];
        let mut types = self.beside(index).filter_map(|beside| self.info_type(beside));
        types.any(|info_type| places.contains(&info_type))
    }

    /// `Uphus, Gerrit` beside `Gerrit` and `Uphus`: what is said twice is a name.
    fn full_name(&mut self, index: usize) {
        let text = self.text(index);
        let is_name = |c: char| c.is_alphabetic() || matches!(c, '\'' | '’');
        if !text.starts_with(is_name) || text.len() > FULL_NAME_BYTES_MAX {
            return;
        }
        let comma = text.split_once(',').map(|(last, first)| (trimmed(first), last));
        let parts = comma.or_else(|| text.split_once(' '));
        let Some((first, last)) = parts.filter(|(f, l)| is_name_like(f) && is_name_like(l)) else {
            return;
        };
        let find =
            |part| (0..self.len()).find(|other| *other != index && self.text(*other) == part);
        let (Some(first), Some(last)) = (find(first), find(last)) else {
            return;
        };
        self.tell(index, InfoType::PersonName, "name: its parts stand in other fields");
        self.tell(first, InfoType::FirstName, "name: part of a full name in another field");
        self.tell(last, InfoType::LastName, "name: part of a full name in another field");
    }

    /// `anna.schmidt@…` beside `Schmidt`.
    fn names_in_mail(&mut self, index: usize) {
        let local = self.text(index).split('@').next().unwrap_or_default();
        for part in local.split(['.', '_', '-', '+']) {
            let part = part.trim_end_matches(|c: char| c.is_ascii_digit());
            if part.len() < MAIL_NAME_LETTERS_MIN {
                continue;
            }
            let named = (0..self.len())
                .find(|other| self.is_unknown(*other) && self.is_written(*other, part));
            if let Some(named) = named {
                self.tell(named, InfoType::LastName, "name: part of the e-mail address");
            }
        }
    }

    fn is_written(&self, index: usize, part: &str) -> bool {
        let text = self.text(index);
        text.len() == part.len() && is_capitalised(text) && text.eq_ignore_ascii_case(part)
    }
}

/// One to four words, the last one with a capital: `Anna`, `van der Meer`.
fn is_name_like(text: &str) -> bool {
    let last = || text.rsplit(' ').next().unwrap_or_default();
    let is_sign = |c: char| c.is_alphabetic() || matches!(c, '-' | '\'' | '’' | '.');
    let is_word = |word: &str| word.chars().all(is_sign);
    text.len() <= NAME_BYTES_MAX
        && is_capitalised(last())
        && text.split(' ').count() <= 4
        && text.split(' ').all(is_word)
}
