//! The results of an upload as they are told.
//!
//! It promises one line a row in order and a summary as the last line, whatever happens. It relies
//! on the forwarding for their order.

use std::collections::BTreeMap;

use axum::{
    body::{Body, Bytes},
    response::{IntoResponse as _, Response},
};
use futures::{StreamExt as _, stream};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use tokio::sync::mpsc::Receiver;
use tokio_stream::wrappers::ReceiverStream;
use tresor_proto::{ErrorCode, Failure, FieldName, vault::StoredRecord};
use utoipa::ToSchema;

use super::{Verdict, rows::Shape, screening::Counts};
use crate::{
    openapi::bounds,
    problem::{Problem, Refusal},
};

/// The content type of streams of JSON lines.
pub(crate) const NDJSON: HeaderValue = HeaderValue::from_static("application/x-ndjson");

/// What a client wants to be told.
pub(super) struct Wanted {
    /// The number of the first row: who goes on with the rest of a file says which row that is.
    pub(super) first_row: u64,
    /// Whether verdicts are told.
    pub(super) is_explained: bool,
    /// Whether each stored record is told again, with surrogates and masks.
    pub(super) is_pseudonymous: bool,
    /// Whether only refused rows are told.
    pub(super) is_rejected_only: bool,
    /// Whether even one JSON object is answered with lines: `Accept: application/x-ndjson`.
    pub(super) is_lines: bool,
    /// The field whose value becomes the record's id.
    pub(super) id_field: Option<FieldName>,
    /// The one version of the policy under which rows are to be stored.
    pub(super) policy_version: Option<u64>,
}

/// What becomes known while an upload runs.
pub(super) enum Answer {
    /// The results of some rows, in order.
    Rows(Vec<RowResult>),
    /// The last answer.
    End(Summary, Result<(), Failure>),
}

/// The result of one row.
pub(super) struct RowResult {
    pub(super) row: u64,
    pub(super) line: u64,
    pub(super) outcome: Result<Stored, Failure>,
    pub(super) verdicts: Option<Vec<Verdict>>,
    /// The fields that are stored readable though they look personal.
    pub(super) flagged: Vec<String>,
}

/// What is told of a stored row.
pub(super) struct Stored {
    pub(super) record: StoredRecord,
    /// Surrogates by field.
    pub(super) surrogates: BTreeMap<String, String>,
    /// Versions of the keys that made those of them that are format-preserving.
    pub(super) key_versions: BTreeMap<String, u32>,
    /// The record with what stands in for its personal data, when asked for.
    pub(super) pseudonymous: Option<serde_json::Value>,
}

/// What an upload came to.
#[derive(Clone, Copy, Default, Serialize, ToSchema)]
pub(crate) struct Summary {
    /// Rows that were stored, or would have been.
    accepted: u64,
    /// Those of them that an earlier request with the same idempotency key stored.
    #[serde(skip_serializing_if = "is_zero")]
    replayed: u64,
    /// Those of them whose lines are told with `superseded`.
    #[serde(skip_serializing_if = "is_zero")]
    superseded: u64,
    /// Rows that were refused.
    rejected: u64,
    fields_sealed: u64,
    /// Those of them for which there is a surrogate.
    fields_tokenized: u64,
    fields_clear: u64,
    /// Those of them that look personal, which the policy only flags.
    #[serde(skip_serializing_if = "is_zero")]
    fields_flagged: u64,
    fields_dropped: u64,
    /// The version of the policy by which the last rows were screened.
    #[serde(skip_serializing_if = "is_zero")]
    policy_version: u64,
}

impl Summary {
    /// Says by which version of the policy the last rows were screened.
    pub(crate) fn under(self, policy_version: u64) -> Self {
        Self { policy_version, ..self }
    }

    /// Whether nothing was counted yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.accepted == 0 && self.rejected == 0
    }

    /// Counts an accepted row.
    pub(crate) fn accept(&mut self, counts: Counts) {
        self.accepted += 1;
        self.fields_sealed += counts.sealed;
        self.fields_tokenized += counts.tokenized;
        self.fields_clear += counts.clear;
        self.fields_flagged += counts.flagged;
        self.fields_dropped += counts.dropped;
    }

    /// Counts what is told of an accepted row's record.
    pub(super) fn count(&mut self, record: &StoredRecord) {
        self.replayed += u64::from(record.replayed);
        self.superseded += u64::from(record.superseded);
    }

    /// Counts a refused row.
    pub(crate) fn reject(&mut self) {
        self.rejected += 1;
    }

    /// The last line.
    pub(crate) fn to_line(self, end: &Result<(), Failure>) -> Vec<u8> {
        to_line(&LastLine { summary: self.told(end) })
    }

    /// What is told of an upload that ended so.
    pub(crate) fn told(self, end: &Result<(), Failure>) -> ToldSummary<'_> {
        ToldSummary {
            complete: end.is_ok(),
            counts: self,
            problem: end.as_ref().err().map(Problem::of),
        }
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The last line of an answer.
#[derive(Serialize, ToSchema)]
pub(super) struct LastLine<'a> {
    summary: ToldSummary<'a>,
}

/// What an upload or a dry run came to.
#[derive(Serialize, ToSchema)]
pub(crate) struct ToldSummary<'a> {
    /// Whether all rows were read.
    complete: bool,
    #[serde(flatten)]
    counts: Summary,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem<'a>>,
}

/// A line of the answer to an upload.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it describes the lines that are written one by one")]
pub(super) enum UploadLine<'a> {
    Row(ToldRow<'a>),
    Last(LastLine<'a>),
}

/// What became of a row.
#[derive(Serialize, ToSchema)]
#[schema(as = UploadedRow)]
pub(super) struct ToldRow<'a> {
    /// Counted from 1; a header is not a row.
    row: u64,
    /// The line it begins on.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    #[schema(pattern = "^(stored|rejected)$")]
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<u64>,
    /// Stored before, by an upload with the same idempotency key.
    #[serde(skip_serializing_if = "Option::is_none")]
    replayed: Option<bool>,
    /// Replaced by a later row of the same id, or, when it is replayed, replaced or deleted since:
    /// what stood in for its fields is not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    superseded: Option<bool>,
    /// The surrogates of its tokenized fields, by field.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = bounds::surrogates)]
    surrogates: Option<&'a BTreeMap<String, String>>,
    /// By field, the version of the key that made its surrogate; only of format-preserving ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = bounds::key_versions)]
    key_versions: Option<&'a BTreeMap<String, u32>>,
    /// The record with surrogates and masks in the place of personal data; what is dropped is null.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = bounds::record)]
    pseudonymous: Option<&'a serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdicts: Option<&'a [Verdict]>,
    /// The fields that are stored readable though they look personal.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    flagged: &'a [String],
}

impl RowResult {
    fn told(&self, line: Option<u64>) -> ToldRow<'_> {
        let stored = self.outcome.as_ref().ok();
        ToldRow {
            row: self.row,
            line,
            status: if stored.is_some() { "stored" } else { "rejected" },
            id: stored.map(|stored| stored.record.id.as_str()),
            revision: stored.map(|stored| stored.record.revision),
            replayed: stored.and_then(|stored| stored.record.replayed.then_some(true)),
            superseded: stored.and_then(|stored| stored.record.superseded.then_some(true)),
            surrogates: stored.map(|stored| &stored.surrogates).filter(|given| !given.is_empty()),
            key_versions: stored.map(|stored| &stored.key_versions).filter(|it| !it.is_empty()),
            pseudonymous: stored.and_then(|stored| stored.pseudonymous.as_ref()),
            problem: self.outcome.as_ref().err().map(Problem::of),
            verdicts: self.verdicts.as_deref(),
            flagged: if stored.is_some() { &self.flagged } else { &[] },
        }
    }
}

/// One line of JSON.
pub(crate) fn to_line(value: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(value).unwrap_or_default();
    line.push(b'\n');
    line
}

/// Begins the response as soon as the first answer says what it is.
pub(super) async fn respond(
    mut answers: Receiver<Answer>,
    shape: &Shape,
    wanted: &Wanted,
) -> Result<Response, Refusal> {
    let first = match answers.recv().await {
        // Refused as a whole, before any row: an ordinary problem.
        Some(Answer::End(_, Err(failure))) => return Err(failure.into()),
        Some(first) => first,
        None => return Err(ErrorCode::Internal.into()),
    };
    if shape.is_object() && !wanted.is_lines {
        return object(first);
    }
    let is_rejected_only = wanted.is_rejected_only;
    let answers = stream::iter([first]).chain(ReceiverStream::new(answers));
    let lines = answers.map(move |answer| Ok::<_, Failure>(lines(&answer, is_rejected_only)));
    let headers = [(header::CONTENT_TYPE, NDJSON)];
    Ok((headers, Body::from_stream(lines)).into_response())
}

/// The answer to one JSON object.
fn object(first: Answer) -> Result<Response, Refusal> {
    let result = match first {
        Answer::Rows(results) => results.into_iter().next(),
        Answer::End(..) => None,
    };
    let result = result.ok_or(ErrorCode::Internal)?;
    if let Err(failure) = result.outcome {
        return Err(failure.into());
    }
    Ok((StatusCode::CREATED, axum::Json(result.told(None))).into_response())
}

fn lines(answer: &Answer, is_rejected_only: bool) -> Bytes {
    match answer {
        Answer::Rows(results) => {
            let is_told = |result: &&RowResult| !is_rejected_only || result.outcome.is_err();
            let told = results.iter().filter(is_told);
            let lines = told.map(|result| to_line(&result.told(Some(result.line))));
            lines.collect::<Vec<_>>().concat().into()
        }
        Answer::End(summary, end) => summary.to_line(end).into(),
    }
}
