//! Bodies that are held whole: a few words, or a batch of values.
//!
//! It promises to read no more than 4096 bytes of the one and 4 MiB of the other, and to keep what
//! it could not parse to itself. An empty body stands for an empty object.

use axum::body::{Body, to_bytes};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
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
    serde_json::from_slice(text).map_err(|error| refusal(&error))
}

/// Where a body is not what it should be; what stands there is not told.
fn refusal(error: &serde_json::Error) -> Failure {
    let what = match error.classify() {
        Category::Data => "a name or value is missing, unknown or of another type",
        Category::Eof => "the text ends too early",
        Category::Syntax | Category::Io => "this is no JSON",
    };
    let (line, column) = (error.line(), error.column());
    let place =
        format!("not the JSON object this route takes: {what}, line {line} column {column}");
    Failure::invalid("body", place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "it is only read")]
    struct Order {
        number: u8,
    }

    async fn refused(body: &'static str) -> String {
        let failure = read::<Order>(Body::from(body)).await.unwrap_err();
        failure.violations()[0].description.clone()
    }

    #[tokio::test]
    async fn a_body_is_refused_by_its_place_and_without_what_it_says() {
        for (body, expected) in [
            ("{\"number\":1,\n\"name\":\"Erika\"}", "another type, line 2 column 6"),
            ("{\"number\":\"Erika\"}", "another type, line 1 column 17"),
            ("{\"number\":1", "ends too early, line 1 column 11"),
            ("{\"number\":Erika}", "no JSON, line 1 column 11"),
            ("", "another type, line 1 column 2"),
        ] {
            let told = refused(body).await;
            assert!(told.ends_with(expected) && !told.contains("Erika"), "{body}: {told}");
        }
    }
}
