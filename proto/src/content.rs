use zeroize::Zeroize as _;

use crate::{ErrorCode, Failure, limits::VALUE_BYTES_MAX, storage, vault};

/// What a value is; bound into what seals it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContentType {
    /// UTF-8 text.
    Text,
    /// A JSON scalar, or an empty container, as its literal, so that `1.10` stays `1.10`.
    Json,
    /// Bytes.
    Binary,
}

impl ContentType {
    /// Its number at rest and in derivations.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Text => 1,
            Self::Json => 2,
            Self::Binary => 3,
        }
    }

    /// The content type of a number; `None` for an unknown one.
    #[must_use]
    pub fn from_code(code: i32) -> Option<Self> {
        [Self::Text, Self::Json, Self::Binary].into_iter().find(|t| i32::from(t.code()) == code)
    }
}

impl From<ContentType> for storage::ContentType {
    fn from(content_type: ContentType) -> Self {
        match content_type {
            ContentType::Text => Self::Text,
            ContentType::Json => Self::Json,
            ContentType::Binary => Self::Binary,
        }
    }
}

/// A value with its content type: personal data, wiped on drop, shown by nothing.
pub struct Content {
    content_type: ContentType,
    bytes: Vec<u8>,
}

impl Content {
    /// Makes a value; text and JSON must be UTF-8, and a JSON value a scalar.
    ///
    /// # Errors
    /// `too_large` above 64 KiB, `invalid_request` for bytes that are not of the type.
    pub fn new(content_type: ContentType, bytes: Vec<u8>) -> Result<Self, Failure> {
        let content = Self { content_type, bytes };
        if content.bytes.len() > VALUE_BYTES_MAX {
            return Err(Failure::new(ErrorCode::TooLarge, "a value is over 65536 bytes"));
        }
        match content.content_type {
            ContentType::Binary => Ok(content),
            ContentType::Text | ContentType::Json if content.as_text().is_none() => {
                Err(Failure::invalid("value", "the value is not UTF-8"))
            }
            ContentType::Json if !content.is_json_scalar() => {
                Err(Failure::invalid("value", "the value is not a JSON scalar"))
            }
            ContentType::Text | ContentType::Json => Ok(content),
        }
    }

    /// A text.
    ///
    /// # Errors
    /// `too_large` above 64 KiB.
    pub fn text(text: &str) -> Result<Self, Failure> {
        Self::new(ContentType::Text, text.as_bytes().to_vec())
    }

    /// What it is.
    #[must_use]
    pub fn content_type(&self) -> ContentType {
        self.content_type
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its text, or its JSON literal; `None` for bytes that are not UTF-8.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        core::str::from_utf8(&self.bytes).ok()
    }

    /// Whether there is nothing in it: white space, `null`, or an empty container.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        match self.content_type {
            ContentType::Text => self.as_text().is_some_and(|text| text.trim().is_empty()),
            ContentType::Json => matches!(self.as_text(), Some("null" | "{}" | "[]")),
            ContentType::Binary => self.bytes.is_empty(),
        }
    }

    /// Moves it into a message.
    #[must_use]
    pub fn into_wire(mut self) -> vault::Value {
        use vault::value::Content as Wire;
        let bytes = core::mem::take(&mut self.bytes);
        let text = |bytes| String::from_utf8(bytes).unwrap_or_default();
        let content = match self.content_type {
            ContentType::Text => Wire::Text(text(bytes)),
            ContentType::Json => Wire::Json(text(bytes)),
            ContentType::Binary => Wire::Binary(bytes),
        };
        vault::Value { content: Some(content) }
    }

    fn is_json_scalar(&self) -> bool {
        let value = serde_json::from_slice::<&serde_json::value::RawValue>(&self.bytes);
        value.is_ok_and(|raw| {
            let text = raw.get();
            let is_empty_container = matches!(text, "{}" | "[]");
            text.len() == self.bytes.len() && (is_empty_container || !text.starts_with(['{', '[']))
        })
    }
}

impl TryFrom<vault::Value> for Content {
    type Error = Failure;

    fn try_from(value: vault::Value) -> Result<Self, Failure> {
        use vault::value::Content as Wire;
        match value.content {
            Some(Wire::Text(text)) => Self::new(ContentType::Text, text.into_bytes()),
            Some(Wire::Json(json)) => Self::new(ContentType::Json, json.into_bytes()),
            Some(Wire::Binary(bytes)) => Self::new(ContentType::Binary, bytes),
            None => Err(Failure::invalid("value", "the value is missing")),
        }
    }
}

impl Drop for Content {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl core::fmt::Debug for Content {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Content")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_value_is_a_scalar_and_keeps_its_literal() {
        let literal = |text: &str| Content::new(ContentType::Json, text.as_bytes().to_vec());
        for text in ["1.10", "true", "null", "\"a\"", "-0", "1e400", "{}", "[]"] {
            assert_eq!(literal(text).unwrap().as_text(), Some(text));
        }
        for text in ["", "{ }", "[1]", "01", " 1", "1 ", "nul", "'a'"] {
            assert!(literal(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_value_over_its_limit_is_too_large() {
        assert!(Content::text(&"a".repeat(VALUE_BYTES_MAX)).is_ok());
        let failure = Content::text(&"a".repeat(VALUE_BYTES_MAX + 1)).unwrap_err();
        assert_eq!(failure.code(), ErrorCode::TooLarge);
    }
}
