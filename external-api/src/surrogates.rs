//! `POST /v1/tokenize`, `POST /v1/detokenize`, `POST /v1/surrogates:renew`: batches of values for
//! surrogates, and back, and of surrogates for those in their places.
//!
//! It promises one result an item, in order, whatever is wrong with others, and masked values
//! unless more is asked for. It relies on the vault for what a customer token may, and for
//! surrogates that are durable before they are told.

use axum::{Json, body::Body, extract::State};
use http::HeaderMap;
use tresor_proto::IdempotencyKey;

use crate::{
    client::KeyHolder,
    idempotency::{self, Repeating},
    openapi::{Refused, RefusedSize},
    problem::Refusal,
    query::Parameters,
    routes::App,
    small_body,
};

mod detokenize;
mod issued;
mod named;
mod renew;
mod tokenize;
pub(crate) mod value;
mod words;

/// Gives surrogates for values.
#[utoipa::path(
    post, path = "/v1/tokenize", tag = "surrogates", operation_id = "tokenize",
    security(("mutual_tls" = [], "customer_token" = [])),
    params(Repeating),
    request_body(content = tokenize::Order, description = "At most 4 MiB."),
    responses(
        (status = 200, description = "A result for each item, in order.", body = issued::Answer),
        Refused, RefusedSize,
    )
)]
pub(crate) async fn tokenize(
    State(app): State<App>,
    holder: KeyHolder,
    parameters: Parameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<issued::Answer>, Refusal> {
    parameters.finish()?;
    let idempotency_key = idempotency::key(&headers)?;
    let order: tokenize::Order = small_body::read_batch(body).await?;
    let order = order.into_wire(idempotency_key.as_ref().map_or("", IdempotencyKey::as_str))?;
    let answer = holder.ask(|context| {
        let mut request = order.clone();
        request.context = Some(context);
        app.vault.tokenize(request)
    });
    Ok(Json(answer.await?.into()))
}

/// Gives the values of surrogates, or their masks.
#[utoipa::path(
    post, path = "/v1/detokenize", tag = "surrogates", operation_id = "detokenize",
    security(("mutual_tls" = [], "customer_token" = [])),
    request_body(content = detokenize::Order, description = "At most 4 MiB."),
    responses(
        (status = 200, description = "A result for each item, in order.", body = detokenize::Answer),
        Refused, RefusedSize,
    )
)]
pub(crate) async fn detokenize(
    State(app): State<App>,
    holder: KeyHolder,
    parameters: Parameters,
    body: Body,
) -> Result<Json<detokenize::Answer>, Refusal> {
    parameters.finish()?;
    let order: detokenize::Order = small_body::read_batch(body).await?;
    let order = order.into_wire()?;
    let answer = holder.ask(|context| {
        let mut request = order.clone();
        request.context = Some(context);
        app.vault.detokenize(request)
    });
    Ok(Json(detokenize::Answer::from_wire(answer.await?)))
}

/// Gives the surrogates that stand for the same values under the newest key.
#[utoipa::path(
    post, path = "/v1/surrogates:renew", tag = "surrogates", operation_id = "renewSurrogates",
    security(("mutual_tls" = [], "customer_token" = [])),
    request_body(content = renew::Order, description = "At most 4 MiB."),
    responses(
        (status = 200, description = "A result for each item, in order.", body = issued::Answer),
        Refused, RefusedSize,
    )
)]
pub(crate) async fn renew(
    State(app): State<App>,
    holder: KeyHolder,
    parameters: Parameters,
    body: Body,
) -> Result<Json<issued::Answer>, Refusal> {
    parameters.finish()?;
    let order: renew::Order = small_body::read_batch(body).await?;
    let order = order.into_wire()?;
    let answer = holder.ask(|context| {
        let mut request = order.clone();
        request.context = Some(context);
        app.vault.renew_surrogates(request)
    });
    Ok(Json(answer.await?.into()))
}
