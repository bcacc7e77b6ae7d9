//! `POST /v1/enrol`: the customer trades its one-time code for its customer token and its recovery
//! token.
//!
//! It promises that the customer token is in this one answer and nowhere else. It relies on the
//! vault to make the keys and to compare code and certificate.

use axum::{
    Json,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tresor_proto::{EnrolmentCode, Failure, RefusalReason, vault::EnrolRequest};
use utoipa::ToSchema;
use zeroize::ZeroizeOnDrop;

use crate::{
    client::Client,
    openapi::{Refused, RefusedEnrolment},
    problem::Refusal,
    routes::App,
    small_body,
};

/// The code.
#[derive(Deserialize, ZeroizeOnDrop, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EnrolRequest)]
struct Request {
    /// `tre_…`, as the operator handed it over.
    enrolment_code: String,
}

/// What a customer needs from now on.
#[derive(Serialize, ZeroizeOnDrop, ToSchema)]
#[schema(as = Enrolled)]
struct Answer {
    tenant_id: String,
    tenant_name: String,
    /// The only copy.
    customer_token: String,
    /// The only copy, to be kept offline: it can only issue another customer token.
    recovery_token: String,
}

/// Enrols the client's tenant.
#[utoipa::path(
    post, path = "/v1/enrol", tag = "keys",
    security(("mutual_tls" = [])),
    request_body(content = Request, description = "At most 4096 bytes."),
    responses(
        (status = 201, description = "The customer token, this once.", body = Answer),
        Refused,
        RefusedEnrolment,
    )
)]
pub(crate) async fn enrol(
    State(app): State<App>,
    client: Client,
    body: Body,
) -> Result<Response, Refusal> {
    let code = read(body).await?;
    let enrolled = client.ask(|context| {
        app.vault.enrol(EnrolRequest {
            context: Some(context),
            enrolment_code: code.expose_text().as_str().to_owned(),
        })
    });
    let enrolled = enrolled.await?;
    let answer = Answer {
        tenant_id: enrolled.tenant_id,
        tenant_name: enrolled.tenant_name,
        customer_token: enrolled.customer_token,
        recovery_token: enrolled.recovery_token,
    };
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

async fn read(body: Body) -> Result<EnrolmentCode, Failure> {
    let request: Request = small_body::read(body).await?;
    let code = EnrolmentCode::parse(&request.enrolment_code);
    code.ok_or_else(|| RefusalReason::EnrolmentCodeWrong.into())
}
