//! What a dry run tells: rows as lines, and the report at the end.
//!
//! It promises the report that the command line gives of a file, under the same keys. It relies on
//! the screening crate to write it; the schemas here describe it.

use axum::{
    body::{Body, Bytes},
    response::{IntoResponse as _, Response},
};
use http::header;
use serde::Serialize;
use tresor_proto::Failure;
use tresor_screening::ReportDocument;
use utoipa::ToSchema;

use crate::{
    openapi::bounds,
    problem::Problem,
    upload::{Fate, ToldSummary, Verdict},
};

/// A line of the answer to a dry run.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it describes the lines that are written one by one")]
pub(super) enum ScreenLine<'a> {
    Row(ScreenedRow<'a>),
    Last(ScreenedWhole<'a>),
}

/// What a row was screened as.
#[derive(Serialize, ToSchema)]
pub(super) struct ScreenedRow<'a> {
    row: u64,
    line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdicts: Option<&'a [Verdict]>,
    /// The fields that would be stored readable though they look personal.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    flagged: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem<'a>>,
}

/// The last line.
#[derive(Serialize, ToSchema)]
pub(super) struct ScreenedWhole<'a> {
    pub(super) summary: ToldSummary<'a>,
    #[schema(value_type = Report)]
    pub(super) report: &'a ReportDocument,
}

/// The one document of `Accept: application/json`.
#[derive(Serialize, ToSchema)]
pub(super) struct ScreenedDocument<'a> {
    #[serde(flatten)]
    #[schema(value_type = Report)]
    pub(super) report: &'a ReportDocument,
    pub(super) summary: ToldSummary<'a>,
}

impl<'a> From<&'a Fate> for ScreenedRow<'a> {
    fn from(fate: &'a Fate) -> Self {
        Self {
            row: fate.row,
            line: fate.line,
            verdicts: fate.verdicts.as_deref(),
            flagged: if fate.outcome.is_ok() { &fate.flagged } else { &[] },
            problem: fate.outcome.as_ref().err().map(Problem::of),
        }
    }
}

impl ScreenedDocument<'_> {
    /// As it is answered.
    pub(super) fn into_response(self) -> Result<Response, Failure> {
        let failed = |_| tresor_proto::ErrorCode::Internal;
        let text = serde_json::to_vec(&self).map_err(failed)?;
        let headers = [(header::CONTENT_TYPE, super::JSON)];
        Ok((headers, Body::from(Bytes::from(text))).into_response())
    }
}

/// What was found, column by column.
#[derive(ToSchema)]
#[schema(as = ScreeningReport)]
#[expect(dead_code, reason = "it describes what the screening crate writes")]
struct Report {
    /// Rows that could be read.
    records: u64,
    /// Rows that could not.
    rejected: u64,
    /// Records that the policy refuses.
    rejected_by_policy: u64,
    /// The first 1,024 fields by name, in the order in which they first appeared.
    columns: Vec<Column>,
    /// What was found inside of texts, in all columns.
    #[schema(schema_with = bounds::type_counts)]
    in_text: u64,
    /// Values of fields beyond those columns.
    unlisted_values: u64,
    /// A policy document, YAML, that declares the columns as they were seen.
    proposed_policy: String,
}

#[derive(ToSchema)]
#[schema(as = ScreenedColumn)]
#[expect(dead_code, reason = "it describes what the screening crate writes")]
struct Column {
    name: String,
    info_type: Option<String>,
    class: Option<String>,
    /// The one that protects most among those taken.
    #[schema(schema_with = bounds::action)]
    action: String,
    /// How many values each is taken on.
    #[schema(schema_with = bounds::action_counts)]
    actions: u64,
    /// Values that the policy stores readable though they are personal.
    flagged: u64,
    confidence: f64,
    #[schema(schema_with = bounds::verdict_source)]
    source: String,
    /// The kind of reason, for programs.
    #[schema(schema_with = bounds::verdict_code)]
    code: String,
    /// The rule, the checksum or the word that decided, for people.
    evidence: String,
    drift: Option<Drift>,
    /// How many values there are, empty ones left out.
    values: u64,
    /// Masks of up to three values.
    #[schema(max_items = 3)]
    examples: Vec<String>,
    /// Values by info type, and what was found inside of texts.
    #[schema(schema_with = bounds::type_counts)]
    findings: u64,
    /// What was found inside of texts.
    #[schema(schema_with = bounds::type_counts)]
    in_text: u64,
}

/// That a column holds something else from some row on.
#[derive(ToSchema)]
#[schema(as = ColumnDrift)]
#[expect(dead_code, reason = "it describes what the screening crate writes")]
struct Drift {
    from: Option<String>,
    to: Option<String>,
}
