//! `POST /v1/screen`: a dry run. Verdicts for every field, nothing stored.
//!
//! It promises the same verdicts as an upload under the same policy, streamed in order, and that
//! nothing is forwarded. It relies on the parts of `upload`.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};
use futures::{Stream, StreamExt as _, stream};
use http::header;
use serde::Serialize;
use tresor_proto::{CollectionName, Failure, Policy};
use utoipa::ToSchema;

use crate::{
    client::Client,
    openapi::{CsvUpload, JsonUpload, NdJsonUpload, Refused, RefusedBody, RefusedName, bounds},
    policies::VersionedPolicy,
    problem::{Problem, Refusal},
    query::Parameters,
    routes::App,
    upload::{
        Batches, Fate, LastLine, Media, NDJSON, Packing, Rows, Screening, Summary, Verdict, to_line,
    },
};

/// Screens the records of an upload, and stores nothing.
#[utoipa::path(
    post, path = "/v1/screen", tag = "records",
    security(("mutual_tls" = [])),
    params(
        ScreenParameters,
        Packing,
    ),
    request_body(
        description = "As for an upload.",
        content(
            (JsonUpload = "application/json"),
            (NdJsonUpload = "application/x-ndjson"),
            (CsvUpload = "text/csv"),
        ),
    ),
    responses(
        (status = 200, description = "A line a row, then the summary.",
            body = ScreenLine, content_type = "application/x-ndjson"),
        Refused, RefusedBody, RefusedName,
    )
)]
pub(crate) async fn screen(
    State(app): State<App>,
    client: Client,
    parameters: Parameters,
    request: Request,
) -> Result<Response, Refusal> {
    client.confirm(&app.vault).await?;
    let policy = policy(&app, &client, parameters).await?;
    let media = Media::parse(request.headers())?;
    let (rows, _) = Rows::open(media, request.into_body(), 1);
    let summary = Summary::default().under(policy.version);
    let batches = Batches::new(rows);
    let run = DryRun { batches, screening: Screening::new(policy, None, true), summary };
    let headers = [(header::CONTENT_TYPE, NDJSON)];
    Ok((headers, Body::from_stream(run.begin().await?)).into_response())
}

/// What a client may ask of a dry run.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes what `policy` reads")]
struct ScreenParameters {
    /// The collection by whose policy to screen; without it nothing is declared.
    #[param(inline, value_type = Option<bounds::Collection>)]
    collection: String,
}

/// The collection's policy, or the one that declares nothing.
async fn policy(
    app: &App,
    client: &Client,
    mut parameters: Parameters,
) -> Result<Arc<VersionedPolicy>, Failure> {
    let collection = parameters.text("collection");
    parameters.finish()?;
    match collection {
        Some(name) => app.policies.fetch(client, &CollectionName::parse(&name)?).await,
        None => Ok(Arc::new(VersionedPolicy { version: 0, policy: Policy::default() })),
    }
}

/// A dry run under way.
struct DryRun {
    batches: Batches,
    screening: Screening,
    summary: Summary,
}

type Lines = Result<Bytes, Failure>;

impl DryRun {
    /// Screens the first batch; an upload that is refused as a whole is refused here.
    async fn begin(mut self) -> Result<impl Stream<Item = Lines>, Failure> {
        let (first, is_last) = self.lines().await?;
        let rest = stream::unfold((!is_last).then_some(self), async |run| {
            let mut run = run?;
            match run.lines().await {
                Ok((lines, is_last)) => Some((Ok(lines), (!is_last).then_some(run))),
                Err(failure) => Some((Ok(run.summary.to_line(&Err(failure)).into()), None)),
            }
        });
        Ok(stream::iter([Ok(first)]).chain(rest))
    }

    /// The lines of the next batch, and whether they are the last.
    async fn lines(&mut self) -> Result<(Bytes, bool), Failure> {
        let batch = self.batches.next().await;
        let rows = Arc::new(batch.rows);
        let is_nothing = rows.is_empty() && self.summary.is_empty();
        if let (true, Some(Err(failure))) = (is_nothing, &batch.end) {
            return Err(failure.clone());
        }
        let mut lines = Vec::new();
        for fate in self.screening.screen(&rows).await?.fates {
            lines.extend(self.line(&fate));
        }
        if let Some(end) = &batch.end {
            lines.extend(self.summary.to_line(end));
        }
        Ok((lines.into(), batch.end.is_some()))
    }

    fn line(&mut self, fate: &Fate) -> Vec<u8> {
        match &fate.outcome {
            Ok(counts) => self.summary.accept(*counts),
            Err(_) => self.summary.reject(),
        }
        to_line(&ScreenedRow {
            row: fate.row,
            line: fate.line,
            verdicts: fate.verdicts.as_deref(),
            problem: fate.outcome.as_ref().err().map(Problem::of),
        })
    }
}

/// A line of the answer to a dry run.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it describes the lines that are written one by one")]
enum ScreenLine<'a> {
    Row(ScreenedRow<'a>),
    Last(LastLine<'a>),
}

/// What a row was screened as.
#[derive(Serialize, ToSchema)]
struct ScreenedRow<'a> {
    row: u64,
    line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdicts: Option<&'a [Verdict]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem<'a>>,
}
