//! The size of a request's header section.
//!
//! It promises that a section over the limit is refused with a problem document. It relies on hyper
//! to read no more than [`READ_BYTES_MAX`] and 100 headers: beyond, hyper answers a bare 431 itself,
//! before any of our code has seen a request.

use axum::{extract::Request, middleware::Next, response::Response};
use http::StatusCode;
use tresor_proto::{ErrorCode, Failure, limits::HTTP_HEADER_BYTES_MAX};

use crate::problem;

/// What is read of a header section, so that one over the limit can be told so.
pub(crate) const READ_BYTES_MAX: usize = 4 * HTTP_HEADER_BYTES_MAX;

/// What stands around a name and its value: colon, space and line end.
const FRAME_BYTES: usize = 4;

/// Refuses a request whose header section is over the limit.
pub(crate) async fn measure(request: Request, next: Next) -> Response {
    if bytes(&request) <= HTTP_HEADER_BYTES_MAX {
        return next.run(request).await;
    }
    let message = "the request's header section is over 16384 bytes";
    let failure = Failure::new(ErrorCode::TooLarge, message);
    problem::refuse(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, failure)
}

/// The section as HTTP/1.1 would write it.
fn bytes(request: &Request) -> usize {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    let fields = request.headers().iter();
    let fields = fields.map(|(name, value)| name.as_str().len() + value.len() + FRAME_BYTES);
    target + fields.sum::<usize>()
}
