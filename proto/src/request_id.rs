use uuid::Uuid;

use crate::{Failure, limits::REQUEST_ID_BYTES_MAX};

/// The id of a request, for logs: visible ASCII without `"` and `\`, at most 64 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(String);

impl RequestId {
    /// Parses a caller's id.
    ///
    /// # Errors
    /// `invalid_request` for anything out of its alphabet or length.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let fits = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        if (1..=REQUEST_ID_BYTES_MAX).contains(&text.len()) && text.bytes().all(fits) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Failure::invalid("request_id", "a request id is 1 to 64 visible ASCII characters"))
        }
    }

    /// The id of a UUID.
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

impl core::fmt::Display for RequestId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.0)
    }
}
