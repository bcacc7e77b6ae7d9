//! `POST /v1/screen`: a dry run. Verdicts for every field and a report, nothing stored.
//!
//! It promises the same verdicts as an upload under the same policy, streamed in order, and that
//! nothing is forwarded. It relies on the parts of `upload`.

mod told;

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};
use futures::{Stream, StreamExt as _, stream};
use http::{HeaderMap, HeaderValue, header};
use tresor_proto::{CollectionName, Failure, Policy};
use tresor_screening::Report;

use self::told::{ScreenLine, ScreenedDocument, ScreenedRow, ScreenedWhole};
use crate::{
    client::Client,
    openapi::{CsvUpload, JsonUpload, NdJsonUpload, Refused, RefusedBody, RefusedName, bounds},
    policies::VersionedPolicy,
    problem::Refusal,
    query::{Parameters, boolean},
    routes::App,
    upload::{
        Batches, Fate, Media, NDJSON, Packing, Rows, Screening, Summary, rejected_only, to_line,
    },
};

/// The content type of the one document.
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Screens the records of an upload, and stores nothing.
///
/// With `Accept: application/json` the answer is the report alone, as one document; otherwise there
/// is a line a row, in order, and the report in the last line.
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
        (status = 200, description = "A line a row, then summary and report; or the report alone.",
            content(
                (ScreenLine = "application/x-ndjson"),
                (ScreenedDocument = "application/json"),
            )),
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
    let wanted = options(parameters, request.headers())?;
    let policy = policy(&app, &client, wanted.collection.as_ref()).await?;
    let media = Media::parse(request.headers())?;
    let (rows, _) = Rows::open(media, request.into_body(), 1);
    let run = DryRun {
        batches: Batches::new(rows),
        summary: Summary::default().under(policy.version),
        report: Report::under(&policy.policy),
        screening: Screening::new(policy, None, wanted.is_explained),
        is_rejected_only: wanted.is_rejected_only,
    };
    if wanted.is_document {
        return Ok(run.document().await?);
    }
    let headers = [(header::CONTENT_TYPE, NDJSON)];
    Ok((headers, Body::from_stream(run.begin().await?)).into_response())
}

/// What a client may ask of a dry run.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes what `options` reads")]
struct ScreenParameters {
    /// The collection by whose policy to screen; without it nothing is declared.
    #[param(inline, value_type = Option<bounds::Collection>)]
    collection: String,
    /// Tells the verdicts with each row, which it does unless this is `false`.
    explain: Option<bool>,
    /// Which rows are told.
    #[param(inline, value_type = Option<bounds::Results>)]
    results: String,
}

/// What a client wants to be told.
struct Wanted {
    collection: Option<CollectionName>,
    is_explained: bool,
    is_rejected_only: bool,
    /// Whether the report is all that is told.
    is_document: bool,
}

fn options(mut parameters: Parameters, headers: &HeaderMap) -> Result<Wanted, Failure> {
    let collection = parameters.text("collection");
    let is_explained = parameters.parsed("explain", "true or false", boolean)?;
    let is_rejected_only = parameters.parsed("results", "all or rejected", rejected_only)?;
    parameters.finish()?;
    let is_document = headers.get(header::ACCEPT).is_some_and(|accepted| accepted == JSON);
    Ok(Wanted {
        collection: collection.as_deref().map(CollectionName::parse).transpose()?,
        is_explained: is_explained.unwrap_or(true) && !is_document,
        is_rejected_only: is_rejected_only.unwrap_or_default(),
        is_document,
    })
}

/// The collection's policy, or the one that declares nothing.
async fn policy(
    app: &App,
    client: &Client,
    collection: Option<&CollectionName>,
) -> Result<Arc<VersionedPolicy>, Failure> {
    match collection {
        Some(name) => app.policies.fetch(client, name).await,
        None => Ok(Arc::new(VersionedPolicy { version: 0, policy: Policy::default() })),
    }
}

/// A dry run under way.
struct DryRun {
    batches: Batches,
    screening: Screening,
    summary: Summary,
    report: Report,
    is_rejected_only: bool,
}

type Lines = Result<Bytes, Failure>;

/// What became of some rows, and how the run ended when they are the last.
struct Step {
    fates: Vec<Fate>,
    end: Option<Result<(), Failure>>,
}

impl DryRun {
    /// Screens everything and tells the report alone.
    async fn document(mut self) -> Result<Response, Failure> {
        let end = loop {
            if let Some(end) = self.step().await?.end {
                break end;
            }
        };
        let (report, summary) = (&self.report.document(), self.summary.told(&end));
        ScreenedDocument { report, summary }.into_response()
    }

    /// Screens the first batch; an upload that is refused as a whole is refused here.
    async fn begin(mut self) -> Result<impl Stream<Item = Lines>, Failure> {
        let (first, is_last) = self.lines().await?;
        let rest = stream::unfold((!is_last).then_some(self), async |run| {
            let mut run = run?;
            match run.lines().await {
                Ok((lines, is_last)) => Some((Ok(lines), (!is_last).then_some(run))),
                Err(failure) => Some((Ok(run.last_line(&Err(failure)).into()), None)),
            }
        });
        Ok(stream::iter([Ok(first)]).chain(rest))
    }

    /// The lines of the next batch, and whether they are the last.
    async fn lines(&mut self) -> Result<(Bytes, bool), Failure> {
        let Step { fates, end } = self.step().await?;
        let is_told = |fate: &&Fate| !self.is_rejected_only || fate.outcome.is_err();
        let told = fates.iter().filter(is_told).map(|fate| to_line(&ScreenedRow::from(fate)));
        let mut lines = told.collect::<Vec<_>>().concat();
        if let Some(end) = &end {
            lines.extend(self.last_line(end));
        }
        Ok((lines.into(), end.is_some()))
    }

    /// Screens the next batch.
    async fn step(&mut self) -> Result<Step, Failure> {
        let batch = self.batches.next().await;
        let is_nothing = batch.rows.is_empty() && self.summary.is_empty();
        if let (true, Some(Err(failure))) = (is_nothing, &batch.end) {
            return Err(failure.clone());
        }
        let report = core::mem::take(&mut self.report);
        let (screened, report) = self.screening.report(batch.rows, report).await?;
        self.report = report;
        for fate in &screened.fates {
            match &fate.outcome {
                Ok(counts) => self.summary.accept(*counts),
                Err(_) => self.summary.reject(),
            }
        }
        Ok(Step { fates: screened.fates, end: batch.end })
    }

    fn last_line(&self, end: &Result<(), Failure>) -> Vec<u8> {
        let report = &self.report.document();
        to_line(&ScreenedWhole { summary: self.summary.told(end), report })
    }
}
