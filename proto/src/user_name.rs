use crate::limits::USER_NAME_BYTES_MAX;

/// The name of a tenant's user, `[a-z][a-z0-9._-]{0,62}`. It may be a person's, so it is never
/// logged: it has no `Display`, and `Debug` prints the type's name.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserName(String);

impl UserName {
    /// Parses a name; `None` for anything out of its alphabet or length.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-')
        };
        let is_valid = text.len() <= USER_NAME_BYTES_MAX
            && text.as_bytes().first().is_some_and(u8::is_ascii_lowercase)
            && text.bytes().all(fits);
        is_valid.then(|| Self(text.to_owned()))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl core::fmt::Debug for UserName {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("UserName")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_names_keep_to_their_alphabet() {
        for name in ["", "1a", ".a", "A1", "a b", "ä1", "a:b", "a@b", &"a".repeat(64)] {
            assert!(UserName::parse(name).is_none(), "{name}");
        }
        for name in ["a", "erika.mustermann", "plan_2-b", &"a".repeat(63)] {
            assert_eq!(UserName::parse(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn a_user_name_is_not_printed() {
        assert_eq!(format!("{:?}", UserName::parse("erika").unwrap()), "UserName");
    }
}
