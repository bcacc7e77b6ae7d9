use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use crate::{
    Failure, Secret,
    crockford::digit,
    limits::{PASSWORD_BYTES_MAX, PASSWORD_BYTES_MIN},
};

/// The digits of a one-time password: 100 random bits.
const ONE_TIME_DIGITS: usize = 20;
/// Digits a group, so that it can be read out.
const GROUP_DIGITS: usize = 5;
/// What a code point may become in NFC, in bytes of each of its own (Unicode Standard Annex 15).
const NFC_GROWTH_MAX: usize = 3;

/// The password of a user: 12 to 128 bytes of UTF-8 in NFC, without control characters; wiped on
/// drop.
///
/// It has no `Clone`, `Display`, `Serialize`, `Deref`, `AsRef`, `PartialEq`; `Debug` prints the
/// type's name.
pub struct Password(Zeroizing<String>);

impl Password {
    /// Brings a text to NFC and checks it. The caller wipes its own copy.
    ///
    /// # Errors
    /// `invalid_request` with the reason; the text is not repeated.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let invalid = |description: &str| Err(Failure::invalid("password", description));
        if text.len() > NFC_GROWTH_MAX * PASSWORD_BYTES_MAX {
            return invalid("has at most 128 bytes");
        }
        // Room for all of it from the start: growing would leave copies behind.
        let mut normal = Zeroizing::new(String::with_capacity(NFC_GROWTH_MAX * text.len()));
        normal.extend(text.nfc());
        match normal.len() {
            ..PASSWORD_BYTES_MIN => invalid("has at least 12 bytes"),
            PASSWORD_BYTES_MIN..=PASSWORD_BYTES_MAX => match normal.chars().any(char::is_control) {
                true => invalid("has a control character"),
                false => Ok(Self(normal)),
            },
            _ => invalid("has at most 128 bytes"),
        }
    }

    /// Makes a one-time password of random bytes, of which it takes 100 bits: four groups of five
    /// digits of Crockford's base 32, lower case.
    #[must_use]
    pub fn one_time(random: &Secret<16>) -> Self {
        let number = u128::from_be_bytes(*random.expose_secret());
        let mut text = Zeroizing::new(String::with_capacity(ONE_TIME_DIGITS + GROUP_DIGITS));
        for at in 0..ONE_TIME_DIGITS {
            if at > 0 && at % GROUP_DIGITS == 0 {
                text.push('-');
            }
            text.push(digit(number >> (5 * at)));
        }
        Self(text)
    }

    /// The text, for hashing and for the one moment a one-time password is shown.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}

impl core::fmt::Debug for Password {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Password")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_one_time_password_is_a_password(random: [u8; 16]) {
            let made = Password::one_time(&Secret::from_slice(&random).unwrap());
            prop_assert_eq!(made.expose_secret().len(), 23);
            let parsed = Password::parse(made.expose_secret()).unwrap();
            prop_assert_eq!(parsed.expose_secret(), made.expose_secret());
        }

        #[test]
        fn every_of_its_100_bits_counts(random: [u8; 16], bit in 0..100usize) {
            let made = Password::one_time(&Secret::from_slice(&random).unwrap());
            let mut other = random;
            other[15 - bit / 8] ^= 1 << (bit % 8);
            let other = Password::one_time(&Secret::from_slice(&other).unwrap());
            prop_assert_ne!(made.expose_secret(), other.expose_secret());
        }
    }

    #[test]
    fn lengths_count_in_bytes_of_nfc() {
        for text in ["elevenbytes", "", "a\nbcdefghijkl", "a\0bcdefghijkl", &"a".repeat(129)] {
            assert!(Password::parse(text).is_err(), "{text:?}");
        }
        for text in ["twelve bytes", &"a".repeat(128), "käse und brot"] {
            assert_eq!(Password::parse(text).unwrap().expose_secret(), text);
        }
        // 64 letters of two code points each are 128 bytes once they are one.
        let apart = "a\u{308}".repeat(64);
        assert_eq!(Password::parse(&apart).unwrap().expose_secret(), "ä".repeat(64));
        assert!(Password::parse(&"a\u{308}".repeat(65)).is_err());
    }

    #[test]
    fn a_password_is_not_printed() {
        let password = Password::parse("correct horse battery").unwrap();
        assert_eq!(format!("{password:?}"), "Password");
        let refused = Password::parse("elevenbytes").unwrap_err();
        assert!(!format!("{refused:?}").contains("eleven"));
    }
}
