//! Problems (RFC 9457): how a failure looks over HTTP.
//!
//! It promises that every answer of status 400 and above is a problem document, whoever made it,
//! with the request's id. It relies on [`Failure`], whose texts name no value.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use tresor_proto::{ErrorCode, Failure, RefusalReason, RequestId};
use utoipa::ToSchema;

use crate::openapi::bounds;

/// A refused request. The document is written by [`document`], which knows the request's id.
pub(crate) struct Refusal(Failure);

impl<F: Into<Failure>> From<F> for Refusal {
    fn from(failure: F) -> Self {
        Self(failure.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        refuse(status(self.0.code()), self.0)
    }
}

/// A refusal with a status of its own.
pub(crate) fn refuse(status: StatusCode, failure: Failure) -> Response {
    let mut response = status.into_response();
    response.extensions_mut().insert(failure);
    response
}

/// Why a response refuses, before [`document`] has told the caller less.
pub(crate) fn reason(response: &Response) -> Option<RefusalReason> {
    response.extensions().get::<Failure>()?.reason()
}

/// Turns a refusal, or an error of the framework, into a problem document.
pub(crate) fn document(mut response: Response, request_id: &RequestId) -> Response {
    let is_error = response.status().is_client_error() || response.status().is_server_error();
    let failure = match response.extensions_mut().remove::<Failure>() {
        Some(failure) => failure,
        None if is_error => Failure::from(code(response.status())),
        None => return response,
    };
    let problem = Problem {
        request_id: Some(request_id.as_str()),
        kind: Some(format!("urn:tresor:problem:{}", failure.code())),
        status: Some(response.status().as_u16()),
        ..Problem::of(&failure)
    };
    let json = serde_json::to_vec(&problem).unwrap_or_default();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    let media_type = HeaderValue::from_static("application/problem+json");
    headers.insert(header::CONTENT_TYPE, media_type);
    if let Some(delay) = failure.retry_after() {
        let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response.map(|_| Body::from(json))
}

/// What is wrong, in an answer of its own or in the line of a row.
#[derive(Serialize, ToSchema)]
pub(crate) struct Problem<'a> {
    /// `urn:tresor:problem:` and the code.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    kind: Option<String>,
    #[schema(schema_with = bounds::error_code)]
    code: &'static str,
    title: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    status: Option<u16>,
    detail: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    violations: Vec<Violation<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    request_id: Option<&'a str>,
}

#[derive(Serialize, ToSchema)]
struct Violation<'a> {
    field: &'a str,
    description: &'a str,
}

impl<'a> Problem<'a> {
    /// The problem of one row or of an upload.
    pub(crate) fn of(failure: &'a Failure) -> Self {
        let violation = |violation: &'a tresor_proto::Violation| Violation {
            field: &violation.field,
            description: &violation.description,
        };
        Self {
            kind: None,
            code: failure.code().as_str(),
            title: failure.code().title(),
            status: None,
            detail: failure.message(),
            violations: failure.violations().iter().map(violation).collect(),
            request_id: None,
        }
    }
}

fn status(code: ErrorCode) -> StatusCode {
    StatusCode::from_u16(code.to_http()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The code of an error that the framework found.
fn code(status: StatusCode) -> ErrorCode {
    match status.as_u16() {
        404 => ErrorCode::NotFound,
        413 => ErrorCode::TooLarge,
        415 => ErrorCode::UnsupportedMediaType,
        503 => ErrorCode::Overloaded,
        400..=499 => ErrorCode::InvalidRequest,
        _ => ErrorCode::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn told(response: Response) -> (Response<()>, serde_json::Value) {
        let id = RequestId::parse("r-1").unwrap();
        let (parts, body) = document(response, &id).into_parts();
        let bytes = axum::body::to_bytes(body, 4096).await.unwrap();
        let response = Response::from_parts(parts, ());
        (response, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    #[tokio::test]
    async fn a_refusal_becomes_a_problem_document() {
        let failure = Failure::invalid("id", "not an id");
        let (response, json) = told(Refusal::from(failure).into_response()).await;
        assert_eq!(response.status(), 400);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let expected = serde_json::json!({
            "type": "urn:tresor:problem:invalid_request", "code": "invalid_request",
            "title": "invalid request", "status": 400, "detail": "invalid request",
            "violations": [{"field": "id", "description": "not an id"}], "request_id": "r-1",
        });
        assert_eq!(json, expected);
    }

    #[tokio::test]
    async fn an_overload_says_when_to_come_back() {
        let (response, _) = told(Refusal::from(ErrorCode::Overloaded).into_response()).await;
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["retry-after"], "1");
    }

    #[tokio::test]
    async fn errors_of_the_framework_become_problems_too() {
        let (response, json) = told(StatusCode::METHOD_NOT_ALLOWED.into_response()).await;
        assert_eq!((response.status().as_u16(), &json["status"]), (405, &405.into()));
        assert_eq!(json["code"], "invalid_request");
    }

    #[tokio::test]
    async fn other_answers_stay_as_they_are() {
        let (response, json) = told("{\"a\":1}".into_response()).await;
        assert_eq!((response.status().as_u16(), &json["a"]), (200, &1.into()));
    }
}
