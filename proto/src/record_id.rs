use uuid::Uuid;

use crate::{Failure, limits::RECORD_ID_BYTES_MAX};

/// The id of a record, `[A-Za-z0-9._~-]{1,128}`: the caller's, or a UUIDv7 made by the vault.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId(String);

impl RecordId {
    /// Parses an id.
    ///
    /// # Errors
    /// `invalid_request` for anything out of its alphabet or length.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte);
        if (1..=RECORD_ID_BYTES_MAX).contains(&text.len()) && text.bytes().all(fits) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Failure::invalid("id", "a record's id is [A-Za-z0-9._~-]{1,128}"))
        }
    }

    /// The id of a UUID, lower case with hyphens.
    #[must_use]
    pub fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid.as_hyphenated().to_string())
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl core::fmt::Display for RecordId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_keep_to_their_alphabet() {
        for id in ["", "a b", "a/b", "ä", "a\n", &"a".repeat(129)] {
            assert!(RecordId::parse(id).is_err(), "{id}");
        }
        assert!(RecordId::parse("A-03405927").is_ok());
    }
}
