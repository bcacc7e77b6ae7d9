//! Bodies that are held whole: a few words, or a batch of values.
//!
//! It promises to read no more than 4096 bytes of the one and 4 MiB of the other, and to keep what
//! it could not parse to itself. An empty body stands for an empty object.

use axum::body::{Body, to_bytes};
use serde::de::DeserializeOwned;
use tresor_proto::{ErrorCode, Failure, limits::MESSAGE_BYTES_MAX};

/// Bytes of a body: some names and the JSON around them.
const BODY_BYTES_MAX: usize = 4 * 1024;

/// Reads a body of a few words.
///
/// # Errors
/// `too_large`, or `invalid_request` for what is not as described.
pub(crate) async fn read<T: DeserializeOwned>(body: Body) -> Result<T, Failure> {
    read_up_to(BODY_BYTES_MAX, body).await
}

/// Reads a body that holds a batch of values.
///
/// # Errors
/// The same.
pub(crate) async fn read_batch<T: DeserializeOwned>(body: Body) -> Result<T, Failure> {
    read_up_to(MESSAGE_BYTES_MAX, body).await
}

async fn read_up_to<T: DeserializeOwned>(bytes_max: usize, body: Body) -> Result<T, Failure> {
    let message = || format!("the request is over {bytes_max} bytes");
    let too_large = |_| Failure::new(ErrorCode::TooLarge, message());
    let bytes = to_bytes(body, bytes_max).await.map_err(too_large)?;
    let text = if bytes.is_empty() { &b"{}"[..] } else { &bytes };
    serde_json::from_slice(text)
        .map_err(|_| Failure::invalid("body", "not the JSON object this route takes"))
}
