//! Refusals, as the document tells them.
//!
//! It promises the one table of errors: every status it names has its codes from there. It relies
//! on `ErrorCode`.

use std::collections::BTreeMap;

use tresor_proto::{ErrorCode, Failure};
use utoipa::{
    IntoResponses,
    openapi::{
        ContentBuilder, Header, HeaderBuilder, ObjectBuilder, Ref, RefOr, Response,
        ResponseBuilder, schema::Type,
    },
};

type Responses = BTreeMap<String, RefOr<Response>>;

/// What every route that works may refuse with.
pub(crate) struct Refused;

/// What a route with a body may refuse with.
pub(crate) struct RefusedBody;

/// What a route that stores records may refuse with.
pub(crate) struct RefusedRecord;

/// What a route that opens records may refuse with.
pub(crate) struct RefusedKey;

/// What a route that changes records may refuse with.
pub(crate) struct RefusedChange;

/// What a route that finds things may refuse with.
pub(crate) struct RefusedName;

/// What a route with a small body may refuse with.
pub(crate) struct RefusedSize;

/// What enrolment may refuse with.
pub(crate) struct RefusedEnrolment;

/// What readiness may refuse with.
pub(crate) struct NotReady;

impl IntoResponses for Refused {
    fn responses() -> Responses {
        let mut responses = refusals(&[
            ErrorCode::InvalidRequest,
            ErrorCode::Unauthenticated,
            ErrorCode::Forbidden,
            ErrorCode::RateLimited,
            ErrorCode::Overloaded,
            ErrorCode::StorageUnavailable,
            ErrorCode::Locked,
            ErrorCode::DeadlineExceeded,
            ErrorCode::Integrity,
            ErrorCode::Internal,
        ]);
        let header = response(&[ErrorCode::TooLarge]);
        responses.insert("431".to_owned(), header);
        responses
    }
}

impl IntoResponses for RefusedBody {
    fn responses() -> Responses {
        refusals(&[ErrorCode::TooLarge, ErrorCode::UnsupportedMediaType])
    }
}

impl IntoResponses for RefusedRecord {
    fn responses() -> Responses {
        refusals(&[
            ErrorCode::Conflict,
            ErrorCode::AlreadyExists,
            ErrorCode::WrongKey,
            ErrorCode::RejectedByPolicy,
        ])
    }
}

impl IntoResponses for RefusedKey {
    fn responses() -> Responses {
        refusals(&[ErrorCode::WrongKey])
    }
}

impl IntoResponses for RefusedChange {
    fn responses() -> Responses {
        refusals(&[ErrorCode::Conflict])
    }
}

impl IntoResponses for RefusedName {
    fn responses() -> Responses {
        refusals(&[ErrorCode::NotFound, ErrorCode::Gone])
    }
}

impl IntoResponses for RefusedSize {
    fn responses() -> Responses {
        refusals(&[ErrorCode::TooLarge])
    }
}

impl IntoResponses for RefusedEnrolment {
    fn responses() -> Responses {
        refusals(&[ErrorCode::AlreadyExists, ErrorCode::TooLarge])
    }
}

impl IntoResponses for NotReady {
    fn responses() -> Responses {
        refusals(&[ErrorCode::Overloaded])
    }
}

/// One response a status, for all codes that have it.
fn refusals(codes: &[ErrorCode]) -> Responses {
    let mut by_status: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
    for code in codes {
        by_status.entry(code.to_http()).or_default().push(*code);
    }
    let responses = by_status.into_iter();
    responses.map(|(status, codes)| (status.to_string(), response(&codes))).collect()
}

fn response(codes: &[ErrorCode]) -> RefOr<Response> {
    let names: Vec<String> = codes.iter().map(|code| format!("`{code}`")).collect();
    let schema = Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let response = ResponseBuilder::new()
        .description(names.join(", "))
        .content("application/problem+json", content);
    if codes.contains(&ErrorCode::Unauthenticated) {
        return response.header("WWW-Authenticate", challenge()).build().into();
    }
    let is_delayed = |code: &ErrorCode| Failure::from(*code).retry_after().is_some();
    if !codes.iter().any(is_delayed) {
        return response.build().into();
    }
    let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).build();
    let header = HeaderBuilder::new()
        .schema(Some(seconds))
        .description(Some("Seconds after which it is worth another try."))
        .build();
    response.header("Retry-After", header).build().into()
}

fn challenge() -> Header {
    HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .description(Some("What a tenant's clients are asked for, where it requires a password."))
        .build()
}
