//! The header that names a request: `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header).
//!
//! It promises that a key is the same in quotes, as the draft has it, and bare, as most clients
//! send it. It relies on the alphabet of keys, which has no quotes.

use http::{HeaderMap, HeaderName, HeaderValue};
use tresor_proto::{Failure, IdempotencyKey};

use crate::openapi::bounds;

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");

/// How a client names its request.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it describes what `key` reads")]
pub(crate) struct Repeating {
    /// Names the request: repeated with the same key within 24 hours, it does what is missing.
    #[param(rename = "Idempotency-Key", inline, value_type = Option<bounds::RepeatKey>)]
    idempotency_key: String,
}

/// The key of a request, if it has one.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Failure> {
    let mut values = headers.get_all(HEADER).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => parse(value).map(Some),
        (Some(_), Some(_)) => Err(Failure::invalid("idempotency_key", "is given twice")),
    }
}

fn parse(value: &HeaderValue) -> Result<IdempotencyKey, Failure> {
    let text = value.to_str().unwrap_or_default();
    let quoted = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    IdempotencyKey::parse(quoted.unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Option<Option<IdempotencyKey>> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HEADER, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        key(&headers).ok()
    }

    #[test]
    fn a_key_is_the_same_bare_and_in_quotes() {
        let expected = Some(IdempotencyKey::parse("8e03978e-40d5").ok());
        assert_eq!(read(&["8e03978e-40d5"]), expected);
        assert_eq!(read(&["\"8e03978e-40d5\""]), expected);
        assert_eq!(read(&[]), Some(None));
    }

    #[test]
    fn anything_but_one_well_formed_key_is_refused() {
        for values in [&[""][..], &["\"\""], &["\""], &["a b"], &["\"a"], &["ü"], &["a", "a"]] {
            assert_eq!(read(values), None, "{values:?}");
        }
    }
}
