use std::borrow::Cow;

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

/// The names of what a nested value lies in, the nearest first: of `/a/b/0`, a pointer (RFC 6901),
/// `/a/b` and then `a`, since a record's own key is named by itself.
pub(crate) fn enclosing(name: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let is_pointer = name.starts_with('/');
    let ends = name.rmatch_indices('/').filter(move |(end, _)| is_pointer && *end > 0);
    ends.filter_map(|(end, _)| name.get(..end)).map(|pointer| {
        let key = pointer.strip_prefix('/').filter(|key| !key.contains('/'));
        key.and_then(own_name).unwrap_or(Cow::Borrowed(pointer))
    })
}

/// The name of a record's own key, given as in a pointer; none if the pointer is its name, too.
fn own_name(key: &str) -> Option<Cow<'_, str>> {
    let name = key.replace("~1", "/").replace("~0", "~");
    (!name.is_empty() && !name.starts_with('/')).then_some(Cow::Owned(name))
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
    fn a_nested_value_lies_in_what_its_pointer_leads_through() {
        let enclosing = |name| enclosing(name).map(Cow::into_owned).collect::<Vec<_>>();
        assert_eq!(enclosing("/a/b/0"), ["/a/b", "a"]);
        assert_eq!(enclosing("/a~1b~01/0"), ["a/b~1"]);
        assert_eq!(enclosing("/~1a/0"), ["/~1a"]);
        assert_eq!(enclosing("//0"), ["/"]);
        for own in ["a", "a/b", "/a", "/"] {
            assert_eq!(enclosing(own), [""; 0], "{own}");
        }
    }

    #[test]
    fn empty_long_and_unprintable_names_are_refused() {
        for name in ["", "a\tb", "a\0", &"a".repeat(129)] {
            assert!(FieldName::parse(name).is_err(), "{name:?}");
        }
    }
}
