//! User names, which are made of the names of people.
//!
//! It promises to take a word in small letters for one only when it holds a name that stands in
//! another field, or a known first and last name. It relies on names having been found before.

use tresor_proto::InfoType;

use super::Row;
use crate::proper_name::is_user_name;

/// Letters of the shortest name that is looked for.
const NAME_LETTERS_MIN: usize = 3;

impl Row<'_, '_> {
    pub(super) fn compare_users(&mut self) {
        for index in 0..self.len() {
            let may_be = self.is_unknown(index) && !self.is_harmless(index);
            if !may_be || !is_user_like(self.text(index)) {
                continue;
            }
            let text = self.text(index);
            if is_user_name(text) || (0..self.len()).any(|other| self.names(other, text)) {
                self.tell(index, InfoType::Username, "user name: holds the name of a person");
            }
        }
    }

    /// Whether a field holds a name, or an e-mail address, of which the text is made.
    fn names(&self, index: usize, text: &str) -> bool {
        use InfoType::{EmailAddress, FirstName, LastName, PersonName};
        let value = self.text(index);
        match self.info_type(index) {
            Some(EmailAddress) => value.split('@').next() == Some(text),
            Some(FirstName | LastName | PersonName) => {
                let mut words = value.split([' ', ',', '-']);
                words.any(|word| word.len() >= NAME_LETTERS_MIN && holds(text, word))
            }
            _ => false,
        }
    }
}

/// Small letters, digits and what joins them: `petra.wolf`, `bos29`.
fn is_user_like(text: &str) -> bool {
    let is_sign = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
    let letters = || text.bytes().filter(u8::is_ascii_lowercase).count();
    (4..=40).contains(&text.len()) && text.bytes().all(is_sign) && letters() >= NAME_LETTERS_MIN
}

/// Whether a text in small letters holds a word in any letters.
fn holds(text: &str, word: &str) -> bool {
    let mut windows = text.as_bytes().windows(word.len());
    windows.any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}
