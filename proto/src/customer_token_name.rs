use unicode_normalization::UnicodeNormalization as _;

use crate::{Failure, limits::CUSTOMER_TOKEN_NAME_BYTES_MAX};

/// What a customer calls one of its tokens: printable text, brought to NFC, at most 64 bytes; may
/// be empty. Metadata, not a secret, and not logged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomerTokenName(String);

impl CustomerTokenName {
    /// Parses a name.
    ///
    /// # Errors
    /// `invalid_request` for a long or unprintable one. The name is not repeated.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let name: String = text.nfc().collect();
        if name.len() > CUSTOMER_TOKEN_NAME_BYTES_MAX {
            return Err(Failure::invalid("name", "has at most 64 bytes"));
        }
        if name.chars().any(char::is_control) {
            return Err(Failure::invalid("name", "has a control character"));
        }
        Ok(Self(name))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_unprintable_names_are_refused() {
        assert_eq!(CustomerTokenName::parse("A\u{308}mter").unwrap().as_str(), "Ämter");
        assert_eq!(CustomerTokenName::parse("").unwrap(), CustomerTokenName::default());
        for name in ["a\tb", "a\0", &"a".repeat(65)] {
            assert!(CustomerTokenName::parse(name).is_err(), "{name:?}");
        }
    }
}
