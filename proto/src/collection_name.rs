use crate::{Failure, limits::COLLECTION_NAME_BYTES_MAX};

/// The name of a collection, `[a-z][a-z0-9_-]{0,62}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CollectionName(String);

impl CollectionName {
    /// Parses a name.
    ///
    /// # Errors
    /// `invalid_request` for anything out of its alphabet or length.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let fits =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
        let is_valid = (1..=COLLECTION_NAME_BYTES_MAX).contains(&text.len())
            && text.as_bytes().first().is_some_and(u8::is_ascii_lowercase)
            && text.bytes().all(fits);
        if is_valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(Failure::invalid("collection", "a collection's name is [a-z][a-z0-9_-]{0,62}"))
        }
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl core::fmt::Display for CollectionName {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_to_their_alphabet() {
        for name in ["", "1a", "A", "a b", "a/b", "a\0", &"a".repeat(64)] {
            assert!(CollectionName::parse(name).is_err(), "{name}");
        }
        assert!(CollectionName::parse("c").is_ok());
        assert!(CollectionName::parse("customers_2026-q1").is_ok());
    }
}
