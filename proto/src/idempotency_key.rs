use crate::{Failure, limits::IDEMPOTENCY_KEY_BYTES_MAX};

/// A caller's name for a write: repeated under the same name, it is done once.
///
/// Visible ASCII without `"` and `\`, at most 128 bytes, so that it is the same with and without
/// the quotes that HTTP puts around it. It may hang on what is uploaded, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Parses a caller's key.
    ///
    /// # Errors
    /// `invalid_request` for anything out of its alphabet or length.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let fits = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        if (1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&text.len()) && text.bytes().all(fits) {
            Ok(Self(text.to_owned()))
        } else {
            let description =
                r#"an idempotency key is 1 to 128 visible ASCII characters without " and \"#;
            Err(Failure::invalid("idempotency_key", description))
        }
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl core::fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("IdempotencyKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_to_their_alphabet_and_length() {
        for key in ["", "a b", "a\"b", "a\\b", "ä", "a\n", &"a".repeat(129)] {
            assert!(IdempotencyKey::parse(key).is_err(), "{key}");
        }
        for key in ["8e03978e-40d5-43e8-bc93-6894a57f9324", "!", &"a".repeat(128)] {
            assert_eq!(IdempotencyKey::parse(key).unwrap().as_str(), key);
        }
    }
}
