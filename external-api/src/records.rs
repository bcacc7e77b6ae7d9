//! Reading and deleting records.
//!
//! It promises masked answers unless more is asked for, and nested JSON as it was uploaded. It
//! relies on the vault for what a customer token may see.

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde_json::{Value, json};
use tresor_proto::{
    CollectionName, Failure, RecordId, Reveal,
    limits::PAGE_ITEMS_MAX,
    vault::{self, DeleteRequest, GetRequest, ListRequest},
};

use crate::{client::KeyHolder, problem::Refusal, query::Parameters, routes::App};

mod json;

/// Reads one record.
pub(crate) async fn get(
    State(app): State<App>,
    holder: KeyHolder,
    Path((collection, id)): Path<(String, String)>,
    mut parameters: Parameters,
) -> Result<Response, Refusal> {
    let reveal = reveal(&mut parameters)?;
    parameters.finish()?;
    let request = GetRequest {
        context: Some(holder.context()),
        collection: CollectionName::parse(&collection)?.as_str().to_owned(),
        ids: vec![RecordId::parse(&id)?.as_str().to_owned()],
        reveal: vault::Reveal::from(reveal) as i32,
        fields: Vec::new(),
    };
    let found = app.vault.get(request).await?;
    Ok(Json(json::record(found)?).into_response())
}

/// Reads a page of records.
pub(crate) async fn list(
    State(app): State<App>,
    holder: KeyHolder,
    Path(collection): Path<String>,
    mut parameters: Parameters,
) -> Result<Response, Refusal> {
    let reveal = reveal(&mut parameters)?;
    let page_size = parameters.parsed("page_size", "a number from 1 to 1000", page_size)?;
    let page_token = parameters.text("page_token").unwrap_or_default();
    parameters.finish()?;
    let request = ListRequest {
        context: Some(holder.context()),
        collection: CollectionName::parse(&collection)?.as_str().to_owned(),
        page_size: page_size.unwrap_or_default(),
        page_token,
        reveal: vault::Reveal::from(reveal) as i32,
        fields: Vec::new(),
    };
    let page = app.vault.list(request).await?;
    let records: Vec<Value> = page.results.into_iter().map(json::item).collect();
    let next = Some(page.next_page_token).filter(|next| !next.is_empty());
    Ok(Json(json!({"records": records, "next_page_token": next})).into_response())
}

/// Deletes one record.
pub(crate) async fn delete(
    State(app): State<App>,
    holder: KeyHolder,
    Path((collection, id)): Path<(String, String)>,
    parameters: Parameters,
) -> Result<StatusCode, Refusal> {
    parameters.finish()?;
    let request = DeleteRequest {
        context: Some(holder.context()),
        collection: CollectionName::parse(&collection)?.as_str().to_owned(),
        ids: vec![RecordId::parse(&id)?.as_str().to_owned()],
    };
    match app.vault.delete(request).await?.status {
        None => Ok(StatusCode::NO_CONTENT),
        Some(status) => Err(Failure::from_item_status(&status).into()),
    }
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
