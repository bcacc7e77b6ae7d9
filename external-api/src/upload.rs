//! `POST /v1/collections/{collection}/records`: rows in, results out, both as streams.
//!
//! It promises bounded memory whatever is uploaded, one result a row in order, each told when the
//! record is durable, and that a broken row never stops the rest. It relies on the reader, the
//! screening and the vault's `Ingest`, and keeps nothing of what passes through.

mod answer;
mod batches;
mod forward;
mod media;
mod rows;
mod screening;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use http::{HeaderMap, header};
use tresor_proto::{CollectionName, Failure, FieldName};

use self::{answer::Wanted, forward::Forward};
pub(crate) use self::{
    answer::{NDJSON, Summary, to_line},
    batches::Batches,
    media::Media,
    rows::Rows,
    screening::{Fate, Screening, Verdict},
};
use crate::{client::KeyHolder, problem::Refusal, query::Parameters, routes::App};

/// Answers that wait for the client to take them.
const ANSWERS_QUEUED_MAX: usize = 2;

/// The greatest number every reader of JSON takes exactly (RFC 8259 §6).
const ROW_NUMBER_MAX: u64 = 1 << 53;

/// Stores the records of an upload.
pub(crate) async fn upload(
    State(app): State<App>,
    holder: KeyHolder,
    Path(collection): Path<String>,
    parameters: Parameters,
    request: Request,
) -> Result<Response, Refusal> {
    let collection = CollectionName::parse(&collection)?;
    let wanted = options(parameters, request.headers())?;
    let media = Media::parse(request.headers())?;
    let policy = app.policies.fetch(holder.client(), &collection).await?;
    let (rows, shape) = Rows::open(media, request.into_body(), wanted.first_row);
    let (sender, answers) = tokio::sync::mpsc::channel(ANSWERS_QUEUED_MAX);
    let screening = Screening::new(policy, wanted.id_field.clone(), wanted.is_explained);
    let forward = Forward::new(app, holder, collection, screening);
    tokio::spawn(forward.run(Batches::new(rows), sender));
    answer::respond(answers, &shape, &wanted).await
}

fn options(mut parameters: Parameters, headers: &HeaderMap) -> Result<Wanted, Failure> {
    let is_explained = parameters.parsed("explain", "true or false", boolean)?;
    let is_rejected_only = parameters.parsed("results", "all or rejected", rejected_only)?;
    let description = "a field's name";
    let id_field =
        parameters.parsed("id_field", description, |text| FieldName::parse(text).ok())?;
    let first_row = parameters.parsed("first_row", "a number from 1 to 2^53", row_number)?;
    parameters.finish()?;
    Ok(Wanted {
        first_row: first_row.unwrap_or(1),
        is_explained: is_explained.unwrap_or_default(),
        is_rejected_only: is_rejected_only.unwrap_or_default(),
        is_lines: headers.get(header::ACCEPT).is_some_and(|accepted| accepted == NDJSON),
        id_field,
    })
}

fn boolean(text: &str) -> Option<bool> {
    text.parse().ok()
}

fn row_number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number| (1..=ROW_NUMBER_MAX).contains(number))
}

fn rejected_only(text: &str) -> Option<bool> {
    match text {
        "all" => Some(false),
        "rejected" => Some(true),
        _ => None,
    }
}
