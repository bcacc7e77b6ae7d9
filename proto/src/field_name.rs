use unicode_normalization::UnicodeNormalization as _;

use crate::{Failure, limits::FIELD_NAME_BYTES_MAX};

/// The name of a field: any printable text (real files say `Straße und Hausnr.`), brought to NFC,
/// at most 128 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldName(String);

impl FieldName {
    /// Parses a name.
    ///
    /// # Errors
    /// `invalid_request` for an empty, long or unprintable one. The name is not repeated.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let name: String = text.nfc().collect();
        if name.is_empty() || name.len() > FIELD_NAME_BYTES_MAX {
            return Err(Failure::invalid("field name", "a field's name has 1 to 128 bytes"));
        }
        if name.chars().any(char::is_control) {
            return Err(Failure::invalid("field name", "a field's name has a control character"));
        }
        Ok(Self(name))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl core::fmt::Display for FieldName {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_brought_to_nfc() {
        let decomposed = FieldName::parse("Stra\u{df}e A\u{308}").unwrap();
        assert_eq!(decomposed.as_str(), "Straße Ä");
    }

    #[test]
    fn empty_long_and_unprintable_names_are_refused() {
        for name in ["", "a\tb", "a\0", &"a".repeat(129)] {
            assert!(FieldName::parse(name).is_err(), "{name:?}");
        }
    }
}
