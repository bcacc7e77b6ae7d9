//! Reading and deleting records.
//!
//! It promises masked answers unless more is asked for, and nested JSON as it was uploaded. It
//! relies on the vault for what a customer token may see.

use axum::{
    Json,
    extract::{Path, State},
};
use http::StatusCode;
use tresor_proto::{
    CollectionName, Failure, RecordId, Reveal,
    limits::PAGE_ITEMS_MAX,
    vault::{self, DeleteRequest, GetRequest, ListRequest},
};

use crate::{
    client::KeyHolder,
    openapi::{Refused, RefusedChange, RefusedKey, RefusedName, bounds},
    problem::Refusal,
    query::{CollectionPath, Parameters, RecordPath},
    routes::App,
};

mod json;
pub(crate) mod search;

pub(crate) use json::field_state;

/// Reads one record.
#[utoipa::path(
    get, path = "/v1/collections/{collection}/records/{id}", tag = "records",
    security(("mutual_tls" = [], "customer_token" = [])),
    params(RecordPath, Reading),
    responses(
        (status = 200, description = "The record.", body = json::Record),
        Refused, RefusedName, RefusedKey,
    )
)]
pub(crate) async fn get(
    State(app): State<App>,
    holder: KeyHolder,
    Path(path): Path<RecordPath>,
    mut parameters: Parameters,
) -> Result<Json<json::Record>, Refusal> {
    let reveal = reveal(&mut parameters)?;
    parameters.finish()?;
    let collection = CollectionName::parse(&path.collection)?;
    let id = RecordId::parse(&path.id)?;
    let found = holder.ask(|context| {
        app.vault.get(GetRequest {
            context: Some(context),
            collection: collection.as_str().to_owned(),
            ids: vec![id.as_str().to_owned()],
            reveal: vault::Reveal::from(reveal) as i32,
            fields: Vec::new(),
        })
    });
    Ok(Json(json::record(found.await?)?))
}

/// Reads a page of records.
#[utoipa::path(
    get, path = "/v1/collections/{collection}/records", tag = "records",
    security(("mutual_tls" = [], "customer_token" = [])),
    params(CollectionPath, Paging),
    responses(
        (status = 200, description = "A page, in the order of ids.", body = json::Page),
        Refused, RefusedName, RefusedKey,
    )
)]
pub(crate) async fn list(
    State(app): State<App>,
    holder: KeyHolder,
    Path(path): Path<CollectionPath>,
    mut parameters: Parameters,
) -> Result<Json<json::Page>, Refusal> {
    let reveal = reveal(&mut parameters)?;
    let page_size = parameters.parsed("page_size", "a number from 1 to 1000", page_size)?;
    let page_token = parameters.text("page_token").unwrap_or_default();
    parameters.finish()?;
    let collection = CollectionName::parse(&path.collection)?;
    let page = holder.ask(|context| {
        app.vault.list(ListRequest {
            context: Some(context),
            collection: collection.as_str().to_owned(),
            page_size: page_size.unwrap_or_default(),
            page_token: page_token.clone(),
            reveal: vault::Reveal::from(reveal) as i32,
            fields: Vec::new(),
        })
    });
    let page = page.await?;
    Ok(Json(json::Page {
        records: page.results.into_iter().map(json::item).collect(),
        next_page_token: Some(page.next_page_token).filter(|next| !next.is_empty()),
    }))
}

/// Deletes one record.
#[utoipa::path(
    delete, path = "/v1/collections/{collection}/records/{id}", tag = "records",
    security(("mutual_tls" = [], "customer_token" = [])),
    params(RecordPath),
    responses(
        (status = 204, description = "It is gone."),
        Refused, RefusedName, RefusedChange,
    )
)]
pub(crate) async fn delete(
    State(app): State<App>,
    holder: KeyHolder,
    Path(path): Path<RecordPath>,
    parameters: Parameters,
) -> Result<StatusCode, Refusal> {
    parameters.finish()?;
    let collection = CollectionName::parse(&path.collection)?;
    let id = RecordId::parse(&path.id)?;
    let deleted = holder.ask(|context| {
        app.vault.delete(DeleteRequest {
            context: Some(context),
            collection: collection.as_str().to_owned(),
            ids: vec![id.as_str().to_owned()],
        })
    });
    match deleted.await?.status {
        None => Ok(StatusCode::NO_CONTENT),
        Some(status) => Err(Failure::from_item_status(&status).into()),
    }
}

/// What a reader may ask for.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes what `get` reads")]
struct Reading {
    /// How much is shown.
    #[param(inline, value_type = Option<bounds::Shown>)]
    reveal: String,
}

/// What a reader of a page may ask for.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes what `list` reads")]
struct Paging {
    /// How much is shown.
    #[param(inline, value_type = Option<bounds::Shown>)]
    reveal: String,
    /// How many records a page holds at most.
    #[param(inline, value_type = Option<bounds::PageSize>)]
    page_size: u32,
    /// The `next_page_token` of the page before.
    page_token: Option<String>,
}

fn reveal(parameters: &mut Parameters) -> Result<Reveal, Failure> {
    let description = "one of: redacted, masked, plain";
    let reveal = parameters.parsed("reveal", description, Reveal::from_text)?;
    Ok(reveal.unwrap_or_default())
}

fn page_size(text: &str) -> Option<u32> {
    let size = text.parse::<u32>().ok()?;
    let is_allowed = size >= 1 && usize::try_from(size).is_ok_and(|size| size <= PAGE_ITEMS_MAX);
    is_allowed.then_some(size)
}
