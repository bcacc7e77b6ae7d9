//! Values of technical fields that are of the person whom the record is about: a name that stands in
//! the e-mail address, the user's name.
//!
//! It promises to say no more than that nobody knows: such a value may be a status all the same. It
//! relies on e-mail addresses and user names being made of the names of people.

use tresor_proto::InfoType;

use super::Row;
use crate::{
    Evidence,
    detection::unknown,
    field_name::words::{fold_long, fold_short},
};

/// Letters of the shortest name that is looked for.
const NAME_LETTERS_MIN: usize = 3;

/// Bytes of the longest name.
const NAME_BYTES_MAX: usize = 40;

impl Row<'_, '_> {
    pub(super) fn compare_technical(&mut self) {
        for user in 0..self.len() {
            if self.info_type(user).is_some_and(is_of_user) {
                let name = self.text(user).split('@').next();
                self.doubt_parts_of(name.unwrap_or_default());
            }
        }
    }

    /// Seals what technical fields hold of the name of a user.
    fn doubt_parts_of(&mut self, name: &str) {
        for index in 0..self.len() {
            if !self.is_believed(index) || !is_made_of(name, self.text(index)) {
                continue;
            }
            let verdict = self.plan.verdict(&unknown(self.text(index)));
            if let Some(believed) = self.verdicts.get_mut(index) {
                *believed = verdict;
            }
        }
    }

    /// Whether a field is taken for harmless because its name says so, and holds letters.
    fn is_believed(&self, index: usize) -> bool {
        let evidence = self.verdicts.get(index).map(|verdict| &verdict.evidence);
        matches!(evidence, Some(Evidence::Technical { .. }))
            && self.text(index).starts_with(char::is_alphabetic)
            && (NAME_LETTERS_MIN..=NAME_BYTES_MAX).contains(&self.text(index).len())
    }
}

/// Whether values of a type begin with what a user is called.
fn is_of_user(info_type: InfoType) -> bool {
    matches!(info_type, InfoType::EmailAddress | InfoType::Username)
}

/// Whether a user's name is a text, or has one of its words for a part.
fn is_made_of(name: &str, text: &str) -> bool {
    if name.eq_ignore_ascii_case(text) {
        return true;
    }
    // A name has no digits.
    let mut words = text.split([' ', ',', '-']).filter(|word| word.len() >= NAME_LETTERS_MIN);
    let parts = || name.split(['.', '_', '-', '+']);
    !text.bytes().any(|b| b.is_ascii_digit())
        && words.any(|word| parts().any(|part| is_part(part, word)))
}

/// Whether a part of a user's name is a word: `krueger67` is `Krüger`, `mgarcia` is `Garcia`.
fn is_part(part: &str, word: &str) -> bool {
    let part = part.trim_end_matches(|c: char| c.is_ascii_digit());
    let last = |text: &str| text.bytes().next_back().map(|b| b.to_ascii_lowercase());
    // Most words are told apart by their last letter; an umlaut there ends as any letter.
    let may_be = last(part) == last(word) || last(word).is_none_or(|b| !b.is_ascii());
    if !may_be || part.len() < NAME_LETTERS_MIN {
        return false;
    }
    let without_initial = part.get(1..).filter(|rest| rest.len() > NAME_LETTERS_MIN);
    let is_either = |word: &str| {
        part.eq_ignore_ascii_case(word)
            || without_initial.is_some_and(|rest| rest.eq_ignore_ascii_case(word))
    };
    let is_folded = || is_either(&fold_long(word)) || is_either(&fold_short(word));
    is_either(word) || (!word.is_ascii() && is_folded())
}
