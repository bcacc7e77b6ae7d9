//! `/v1/keys/tokens`: the customer's own keys: issue, rotate, revoke, list.
//!
//! It promises that a customer token is in the one answer that made it and nowhere else. It relies
//! on the vault for who may do what to which.

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::StatusCode;
use tresor_proto::{
    CustomerTokenId, ErrorCode, Failure,
    vault::{CustomerTokenServiceListRequest, IssueRequest, RevokeRequest, RotateRequest},
};

use crate::{
    client::KeyHolder,
    openapi::{Refused, RefusedChange, RefusedKey, RefusedName, RefusedSize, bounds},
    problem::Refusal,
    query::Parameters,
    routes::App,
    small_body,
    vault::malformed,
};

mod json;

pub(crate) use json::STATES;

/// Where `rotate` and `revoke` are routed: the router cannot tell `{id}:rotate` from `{id}:revoke`.
const CALLS: &str = "/v1/keys/tokens/{call}";

/// Takes out of the document what is told by its parts.
pub(crate) fn describe(document: &mut utoipa::openapi::OpenApi) {
    document.paths.paths.shift_remove(CALLS);
}

/// Lists the tenant's customer tokens, without their secrets.
#[utoipa::path(
    get, path = "/v1/keys/tokens", tag = "keys", operation_id = "list_customer_tokens",
    security(("mutual_tls" = [], "customer_token" = [])),
    responses((status = 200, description = "All of them, oldest first.", body = json::List), Refused)
)]
pub(crate) async fn list(
    State(app): State<App>,
    holder: KeyHolder,
    parameters: Parameters,
) -> Result<Json<json::List>, Refusal> {
    parameters.finish()?;
    let request = CustomerTokenServiceListRequest { context: Some(holder.context()) };
    let listed = app.vault.list_customer_tokens(request).await?.customer_tokens;
    let customer_tokens = listed.into_iter().map(json::about).collect::<Result<_, _>>()?;
    Ok(Json(json::List { customer_tokens }))
}

/// Issues a customer token that opens, does and lasts no more than the one that asks.
#[utoipa::path(
    post, path = "/v1/keys/tokens", tag = "keys", operation_id = "issue_customer_token",
    security(("mutual_tls" = [], "customer_token" = [])),
    request_body(content = json::Order, description = "At most 4096 bytes."),
    responses(
        (status = 201, description = "The customer token, this once.", body = json::Issued),
        Refused, RefusedKey, RefusedSize,
    )
)]
pub(crate) async fn issue(
    State(app): State<App>,
    holder: KeyHolder,
    parameters: Parameters,
    body: Body,
) -> Result<Response, Refusal> {
    parameters.finish()?;
    let order: json::Order = small_body::read(body).await?;
    let request = IssueRequest { context: Some(holder.context()), ..order.into_wire()? };
    let answer = app.vault.issue_customer_token(request).await?;
    let issued = json::about(answer.issued.ok_or_else(malformed)?)?;
    let issued = json::Issued { customer_token: answer.customer_token, issued };
    Ok((StatusCode::CREATED, Json(issued)).into_response())
}

/// Rotates or revokes; told as two operations.
#[utoipa::path(post, path = CALLS)]
pub(crate) async fn call(
    app: State<App>,
    holder: KeyHolder,
    Path(call): Path<String>,
    parameters: Parameters,
    body: Body,
) -> Result<Response, Refusal> {
    parameters.finish()?;
    let unknown = || Failure::from(ErrorCode::NotFound);
    let (id, verb) = call.split_once(':').ok_or_else(unknown)?;
    let id = CustomerTokenId::parse(id).ok_or_else(unknown)?;
    match verb {
        "rotate" => rotate(app, holder, id, body).await,
        "revoke" => revoke(app, holder, id, body).await,
        _ => Err(unknown().into()),
    }
}

/// Issues a customer token in place of another, with the same bounds; both work for a while.
#[utoipa::path(
    post, path = "/v1/keys/tokens/{id}:rotate", tag = "keys", operation_id = "rotate_customer_token",
    security(("mutual_tls" = [], "customer_token" = [])),
    params(("id" = inline(bounds::TokenId), Path, description = "Which one.")),
    request_body(content = json::Rotation, description = "At most 4096 bytes."),
    responses(
        (status = 201, description = "The new customer token, this once.", body = json::Rotated),
        Refused, RefusedName, RefusedKey, RefusedSize,
    )
)]
pub(crate) async fn rotate(
    State(app): State<App>,
    holder: KeyHolder,
    id: CustomerTokenId,
    body: Body,
) -> Result<Response, Refusal> {
    let rotation: json::Rotation = small_body::read(body).await?;
    let request = RotateRequest {
        context: Some(holder.context()),
        id: id.to_string(),
        overlap: rotation.overlap(),
    };
    let answer = app.vault.rotate_customer_token(request).await?;
    let rotated = json::Rotated {
        customer_token: answer.customer_token,
        issued: json::about(answer.issued.ok_or_else(malformed)?)?,
        replaced: json::about(answer.replaced.ok_or_else(malformed)?)?,
    };
    Ok((StatusCode::CREATED, Json(rotated)).into_response())
}

/// Revokes a customer token: it is refused from the next request on.
#[utoipa::path(
    post, path = "/v1/keys/tokens/{id}:revoke", tag = "keys", operation_id = "revoke_customer_token",
    security(("mutual_tls" = [], "customer_token" = [])),
    params(("id" = inline(bounds::TokenId), Path, description = "Which one.")),
    request_body(content = json::Revocation, description = "At most 4096 bytes."),
    responses(
        (status = 200, description = "It, as it is now.", body = json::About),
        Refused, RefusedName, RefusedChange, RefusedSize,
    )
)]
pub(crate) async fn revoke(
    State(app): State<App>,
    holder: KeyHolder,
    id: CustomerTokenId,
    body: Body,
) -> Result<Response, Refusal> {
    let revocation: json::Revocation = small_body::read(body).await?;
    let request = RevokeRequest {
        context: Some(holder.context()),
        id: id.to_string(),
        confirmation: revocation.confirmation.unwrap_or_default(),
    };
    let revoked = app.vault.revoke_customer_token(request).await?.revoked;
    Ok(Json(json::about(revoked.ok_or_else(malformed)?)?).into_response())
}
