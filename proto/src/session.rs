use zeroize::Zeroizing;

use crate::limits::SESSION_BYTES_MAX;

/// The session of a user who has logged in, as text: made and checked by the vault, carried by the
/// edge. A secret, wiped on drop.
///
/// It has no `Clone`, `Display`, `Serialize`, `Deref`, `AsRef`, `PartialEq`; `Debug` prints the
/// type's name.
pub struct Session(Zeroizing<String>);

impl Session {
    /// Takes a text that may be a session: 1 to 512 characters of base64url; `None` for any other.
    #[must_use]
    pub fn parse(text: Zeroizing<String>) -> Option<Self> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let is_valid = (1..=SESSION_BYTES_MAX).contains(&text.len()) && text.bytes().all(fits);
        is_valid.then_some(Self(text))
    }

    /// The text.
    #[must_use]
    pub fn expose_text(&self) -> &str {
        &self.0
    }
}

impl core::fmt::Debug for Session {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Session")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<Session> {
        Session::parse(Zeroizing::new(text.to_owned()))
    }

    #[test]
    fn only_short_base64url_may_be_a_session() {
        for text in ["", "a b", "a=", "a+", "a/", "ä", &"a".repeat(513)] {
            assert!(parse(text).is_none(), "{text:?}");
        }
        assert_eq!(parse("aZ9-_").unwrap().expose_text(), "aZ9-_");
        assert_eq!(format!("{:?}", parse("aZ9-_").unwrap()), "Session");
    }
}
