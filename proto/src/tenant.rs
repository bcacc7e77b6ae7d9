use uuid::Uuid;

/// The id of a tenant: a UUID, 16 bytes in derivations, lower-case hyphenated text elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantId(Uuid);

/// The name of a tenant, `[a-z][a-z0-9-]{1,62}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantName(String);

/// A tenant as a caller names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TenantRef {
    /// By id.
    Id(TenantId),
    /// By name.
    Name(TenantName),
}

impl TenantId {
    /// An id from its 16 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// Its 16 bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.into_bytes()
    }

    /// Parses the canonical text form only: lower case, with hyphens.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let id = Self(Uuid::try_parse(text).ok()?);
        (id.to_string() == text).then_some(id)
    }
}

impl core::fmt::Display for TenantId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl TenantName {
    /// Parses a name; `None` for anything out of its alphabet or length.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let is_valid = (2..=63).contains(&text.len())
            && text.as_bytes().first().is_some_and(u8::is_ascii_lowercase)
            && text.bytes().all(fits)
            && TenantId::parse(text).is_none();
        is_valid.then(|| Self(text.to_owned()))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl core::fmt::Display for TenantName {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TenantRef {
    /// Parses an id or a name. The two never overlap: a name that reads as an id is no name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let id = TenantId::parse(text).map(Self::Id);
        id.or_else(|| TenantName::parse(text).map(Self::Name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_never_reads_as_an_id() {
        let id = "a192f0c1-2d3e-7f40-8a5b-6c7d8e9fa0b1";
        assert!(TenantName::parse(id).is_none());
        assert!(matches!(TenantRef::parse(id), Some(TenantRef::Id(_))));
    }

    #[test]
    fn names_keep_to_their_alphabet() {
        for name in ["a", "1a", "-a", "A1", "a_b", "ä1", &"a".repeat(64)] {
            assert!(TenantName::parse(name).is_none(), "{name}");
        }
        assert!(TenantName::parse("stadtwerke-burg").is_some());
    }
}
