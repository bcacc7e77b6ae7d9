//! Bodies that hold a few words, not records.
//!
//! It promises to read no more than 4096 bytes and to keep what it could not parse to itself. An
//! empty body stands for an empty object.

use axum::body::{Body, to_bytes};
use serde::de::DeserializeOwned;
use tresor_proto::{ErrorCode, Failure};

/// Bytes of a body: some names and the JSON around them.
const BODY_BYTES_MAX: usize = 4 * 1024;

/// Reads a body.
///
/// # Errors
/// `too_large`, or `invalid_request` for what is not as described.
pub(crate) async fn read<T: DeserializeOwned>(body: Body) -> Result<T, Failure> {
    let too_large = |_| Failure::new(ErrorCode::TooLarge, "the request is over 4096 bytes");
    let bytes = to_bytes(body, BODY_BYTES_MAX).await.map_err(too_large)?;
    let text = if bytes.is_empty() { &b"{}"[..] } else { &bytes };
    serde_json::from_slice(text)
        .map_err(|_| Failure::invalid("body", "not the JSON object this route takes"))
}
