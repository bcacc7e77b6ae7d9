//! `/v1/keys/tokens`: the customer's own keys: issue, rotate, revoke, lend, list.
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
use serde::{Serialize, de::DeserializeOwned};
use tresor_proto::{
    CustomerTokenId, ErrorCode, Failure,
    vault::{CustomerTokenServiceListRequest, IssueRequest, RequestContext},
};

use crate::{
    client::KeyHolder,
    openapi::{Refused, RefusedChange, RefusedKey, RefusedName, RefusedSize, bounds},
    problem::Refusal,
    query::Parameters,
    routes::App,
    small_body,
    vault::{Vault, malformed},
};

mod json;
mod loan;

pub(crate) use json::STATES;
pub(crate) use loan::{LIFETIME_DEFAULT_SECONDS, OPERATION_STATES};

/// Where the calls are routed: the router cannot tell `{id}:rotate` from `{id}:revoke`.
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
    let listed = holder.ask(|context| {
        let request = CustomerTokenServiceListRequest { context: Some(context) };
        app.vault.list_customer_tokens(request)
    });
    let listed = listed.await?.customer_tokens;
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
    let order = order.into_wire()?;
    let answer = holder.ask(|context| {
        let request = IssueRequest { context: Some(context), ..order.clone() };
        app.vault.issue_customer_token(request)
    });
    let answer = answer.await?;
    let issued = json::about(answer.issued.ok_or_else(malformed)?)?;
    let issued = json::Issued { customer_token: answer.customer_token, issued };
    Ok((StatusCode::CREATED, Json(issued)).into_response())
}

/// Rotates, revokes or lends; told as three operations.
#[utoipa::path(post, path = CALLS)]
pub(crate) async fn call(
    State(app): State<App>,
    holder: KeyHolder,
    Path(call): Path<String>,
    parameters: Parameters,
    body: Body,
) -> Result<Response, Refusal> {
    parameters.finish()?;
    let unknown = || Failure::from(ErrorCode::NotFound);
    let (id, verb) = call.split_once(':').ok_or_else(unknown)?;
    let id = CustomerTokenId::parse(id).ok_or_else(unknown)?;
    let call = Call { vault: app.vault, holder, id, body };
    match verb {
        "rotate" => rotate(call).await,
        "revoke" => revoke(call).await,
        "lend" => lend(call).await,
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
pub(crate) async fn rotate(call: Call) -> Result<Response, Refusal> {
    Ok((StatusCode::CREATED, call.make::<json::Rotation>().await?).into_response())
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
pub(crate) async fn revoke(call: Call) -> Result<Response, Refusal> {
    Ok(call.make::<json::Revocation>().await?.into_response())
}

/// Lends the customer token that is shown to long work, for a while: its class keys stay in the
/// vault's memory, and nothing else of it. Tells how far the work is.
#[utoipa::path(
    post, path = "/v1/keys/tokens/{id}:lend", tag = "keys", operation_id = "lend_customer_token",
    security(("mutual_tls" = [], "customer_token" = [])),
    params(("id" = inline(bounds::TokenId), Path, description = "The one that is shown.")),
    request_body(content = loan::Loan, description = "At most 4096 bytes."),
    responses(
        (status = 200, description = "What is lent, and to what.", body = loan::Lent),
        Refused, RefusedName, RefusedKey, RefusedSize,
    )
)]
pub(crate) async fn lend(call: Call) -> Result<Response, Refusal> {
    Ok(call.make::<loan::Loan>().await?.into_response())
}

/// A call on one customer token.
pub(crate) struct Call {
    vault: Vault,
    holder: KeyHolder,
    id: CustomerTokenId,
    body: Body,
}

/// What the body of a call asks for.
trait Asked: DeserializeOwned {
    /// What the vault is asked.
    type Request;
    /// What is answered.
    type Answer: Serialize;

    /// As the vault is asked, on behalf of somebody, about one customer token.
    fn to_wire(&self, context: RequestContext, id: String) -> Result<Self::Request, Failure>;

    /// Asks the vault.
    fn ask(
        vault: &Vault,
        request: Self::Request,
    ) -> impl Future<Output = Result<Self::Answer, Failure>> + Send;
}

impl Call {
    async fn make<T: Asked>(self) -> Result<Json<T::Answer>, Refusal> {
        let asked: T = small_body::read(self.body).await?;
        let answer = self.holder.ask(async |context| {
            let request = asked.to_wire(context, self.id.to_string())?;
            T::ask(&self.vault, request).await
        });
        Ok(Json(answer.await?))
    }
}
