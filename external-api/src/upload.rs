//! `POST /v1/collections/{collection}/records`: rows in, results out, both as streams.
//!
//! It promises bounded memory whatever is uploaded, one result a row in order, each told when the
//! record is durable, and that a broken row never stops the rest. It relies on the reader, the
//! screening and the vault's `Ingest`, and keeps nothing of what passes through.

mod answer;
mod batches;
mod columns;
mod forward;
mod ingest_stream;
mod media;
mod pseudonymous;
mod rows;
mod screening;

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use http::{HeaderMap, header};
use tresor_proto::{CollectionName, Failure, FieldName};

pub(crate) use self::{
    answer::{NDJSON, Summary, ToldSummary, to_line},
    batches::Batches,
    columns::Columns,
    media::{Media, Packing},
    rows::Rows,
    screening::{Fate, Screening, Verdict},
};
use self::{
    answer::{ToldRow, UploadLine, Wanted},
    forward::{Forward, Target},
};
use crate::{
    client::{Client, KeyHolder},
    idempotency::{self, Repeating},
    openapi::{
        CsvUpload, JsonUpload, NdJsonUpload, Refused, RefusedBody, RefusedName, RefusedRecord,
        bounds,
    },
    policies::VersionedPolicy,
    problem::Refusal,
    query::{CollectionPath, Parameters, boolean},
    routes::App,
};

/// Answers that wait for the client to take them.
const ANSWERS_QUEUED_MAX: usize = 2;

/// The greatest number every reader of JSON takes exactly (RFC 8259 §6).
pub(crate) const ROW_NUMBER_MAX: u64 = 1 << 53;

/// Stores the records of an upload.
///
/// One JSON object is answered as created or with a problem; with `Accept: application/x-ndjson`,
/// and for anything else, there is a line a row, in order, and the summary as the last line.
#[utoipa::path(
    post, path = "/v1/collections/{collection}/records", tag = "records",
    security(("mutual_tls" = [], "customer_token" = [])),
    params(
        CollectionPath,
        UploadParameters,
        Packing,
        Repeating,
    ),
    request_body(
        description = "Any number of records. A body that unpacks to more than 64 MiB and more than \
                       200 times its size is refused.",
        content(
            (JsonUpload = "application/json"),
            (NdJsonUpload = "application/x-ndjson"),
            (CsvUpload = "text/csv"),
        ),
    ),
    responses(
        (status = 200, description = "A line a row, each told when the record is durable.",
            body = UploadLine, content_type = "application/x-ndjson"),
        (status = 201, description = "The one record is stored.", body = ToldRow),
        Refused, RefusedBody, RefusedName, RefusedRecord,
    )
)]
pub(crate) async fn upload(
    State(app): State<App>,
    holder: KeyHolder,
    Path(path): Path<CollectionPath>,
    parameters: Parameters,
    request: Request,
) -> Result<Response, Refusal> {
    let collection = CollectionName::parse(&path.collection)?;
    let wanted = options(parameters, request.headers())?;
    let idempotency_key = idempotency::key(request.headers())?;
    let media = Media::parse(request.headers())?;
    let Wanted { is_pseudonymous, policy_version, .. } = wanted;
    let target = Target { collection, idempotency_key, is_pseudonymous, policy_version };
    let policy = policy(&app, holder.client(), &target).await?;
    let (rows, shape) = Rows::open(media, request.into_body(), wanted.first_row);
    let (sender, answers) = tokio::sync::mpsc::channel(ANSWERS_QUEUED_MAX);
    let columns = app.columns.of(holder.client().tenant(), target.collection.clone());
    let screening = Screening::new(policy, wanted.id_field.clone(), wanted.is_explained);
    let screening = screening.watched(columns);
    let forward = Forward::new(app, holder, target, screening);
    tokio::spawn(forward.run(Batches::new(rows), sender));
    answer::respond(answers, &shape, &wanted).await
}

/// The policy to screen by; what is kept of it may be older than what is asked for.
async fn policy(
    app: &App,
    client: &Client,
    target: &Target,
) -> Result<Arc<VersionedPolicy>, Failure> {
    let policy = app.policies.fetch(client, &target.collection).await?;
    if target.check(&policy).is_ok() {
        return Ok(policy);
    }
    let policy = app.policies.refetch(client, &target.collection).await?;
    target.check(&policy).map(|()| policy)
}

/// What a client may ask of an upload.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes what `options` reads")]
struct UploadParameters {
    /// Tells the verdicts with each row.
    explain: Option<bool>,
    /// Which rows are told.
    #[param(inline, value_type = Option<bounds::Results>)]
    results: String,
    /// The number of the first row, when an upload goes on with the rest of a file.
    #[param(inline, value_type = Option<bounds::RowNumber>)]
    first_row: u64,
    /// The field whose value becomes the record's id.
    #[param(inline, value_type = Option<bounds::IdField>)]
    id_field: String,
    /// Tells each stored record again, with surrogates and masks in the place of personal data.
    pseudonymous: Option<bool>,
    /// Stores rows under this version of the policy only, and ends with `conflict` when it is another.
    #[param(minimum = 1)]
    policy_version: Option<u64>,
}

fn options(mut parameters: Parameters, headers: &HeaderMap) -> Result<Wanted, Failure> {
    let is_explained = parameters.parsed("explain", "true or false", boolean)?;
    let is_pseudonymous = parameters.parsed("pseudonymous", "true or false", boolean)?;
    let is_rejected_only = parameters.parsed("results", "all or rejected", rejected_only)?;
    let description = "a field's name";
    let id_field =
        parameters.parsed("id_field", description, |text| FieldName::parse(text).ok())?;
    let first_row = parameters.parsed("first_row", "a number from 1 to 2^53", row_number)?;
    let policy_version = parameters.parsed("policy_version", "a number from 1", version)?;
    parameters.finish()?;
    Ok(Wanted {
        first_row: first_row.unwrap_or(1),
        is_explained: is_explained.unwrap_or_default(),
        is_pseudonymous: is_pseudonymous.unwrap_or_default(),
        is_rejected_only: is_rejected_only.unwrap_or_default(),
        is_lines: headers.get(header::ACCEPT).is_some_and(|accepted| accepted == NDJSON),
        id_field,
        policy_version,
    })
}

fn row_number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number| (1..=ROW_NUMBER_MAX).contains(number))
}

fn version(text: &str) -> Option<u64> {
    text.parse().ok().filter(|version| *version > 0)
}

/// Whether only refused rows are told.
pub(crate) fn rejected_only(text: &str) -> Option<bool> {
    match text {
        "all" => Some(false),
        "rejected" => Some(true),
        _ => None,
    }
}
