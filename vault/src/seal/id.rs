//! The id of a seal: the operator's name for it, in the configuration and in the seal file.

/// Bytes of an id at most.
const BYTES_MAX: usize = 63;

/// A seal's id, `[a-z][a-z0-9-]{0,62}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SealId(String);

impl SealId {
    /// Parses an id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let begins = text.starts_with(|c: char| c.is_ascii_lowercase());
        let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let is_id = begins && text.len() <= BYTES_MAX && text.chars().all(is_allowed);
        is_id.then(|| Self(text.to_owned()))
    }

    /// The id of the passphrase seal that stands alone in a configuration.
    #[must_use]
    pub fn passphrase() -> Self {
        Self("passphrase".to_owned())
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl core::fmt::Display for SealId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_short_word() {
        assert_eq!(SealId::parse("hsm-1").unwrap().as_str(), "hsm-1");
        assert_eq!(SealId::parse("passphrase"), Some(SealId::passphrase()));
        for wrong in ["", "1hsm", "-hsm", "HSM", "h sm", "h_s", &"h".repeat(64)] {
            assert_eq!(SealId::parse(wrong), None, "{wrong}");
        }
    }
}
