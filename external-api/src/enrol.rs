//! `POST /v1/enrol`: the customer trades its one-time code for its customer token.
//!
//! It promises that the customer token is in this one answer and nowhere else. It relies on the
//! vault to make the keys and to compare code and certificate.

use axum::{
    Json,
    body::{Body, to_bytes},
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tresor_proto::{EnrolmentCode, ErrorCode, Failure, vault::EnrolRequest};
use zeroize::ZeroizeOnDrop;

use crate::{client::Client, problem::Refusal, routes::App};

/// Bytes of the request: a code and the JSON around it.
const BODY_BYTES_MAX: usize = 4 * 1024;

#[derive(Deserialize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct Request {
    enrolment_code: String,
}

#[derive(Serialize, ZeroizeOnDrop)]
struct Answer {
    tenant_id: String,
    tenant_name: String,
    customer_token: String,
}

/// Enrols the client's tenant.
pub(crate) async fn enrol(
    State(app): State<App>,
    client: Client,
    body: Body,
) -> Result<Response, Refusal> {
    let code = read(body).await?;
    let request = EnrolRequest {
        context: Some(client.context()),
        enrolment_code: code.expose_text().as_str().to_owned(),
    };
    let enrolled = app.vault.enrol(request).await?;
    let answer = Answer {
        tenant_id: enrolled.tenant_id,
        tenant_name: enrolled.tenant_name,
        customer_token: enrolled.customer_token,
    };
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

async fn read(body: Body) -> Result<EnrolmentCode, Failure> {
    let too_large = |_| Failure::new(ErrorCode::TooLarge, "the request is over 4096 bytes");
    let bytes = to_bytes(body, BODY_BYTES_MAX).await.map_err(too_large)?;
    let request = serde_json::from_slice::<Request>(&bytes);
    let expected = |_| Failure::invalid("body", "expected {\"enrolment_code\": \"tre_…\"}");
    let code = EnrolmentCode::parse(&request.map_err(expected)?.enrolment_code);
    code.ok_or_else(|| ErrorCode::Unauthenticated.into())
}
