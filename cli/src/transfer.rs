//! Uploads as streams: the file, or the rest of it, goes out while the results come in.
//!
//! It promises bounded memory, whatever the file's size: one chunk out, one result line in. Every
//! row's result is handed to an observer in order; a broken-off upload is an error that says how
//! many rows were acknowledged before.

use std::path::{Path, PathBuf};

use futures::{StreamExt as _, TryStreamExt as _};
use reqwest::{Method, RequestBuilder, Response, header};
use serde::Deserialize;
use tokio_util::{
    codec::{FramedRead, LinesCodec},
    io::StreamReader,
};
use tresor_proto::{CollectionName, CustomerToken};
use tresor_screening::reader::{Charset, Format};

mod checkpoint;
mod draft;
mod layout;
mod part;
mod pseudonymous;
mod repeats;
mod resumable;

pub(crate) use self::{
    checkpoint::{Checkpoint, Destination, FileMark, START_OVER, write_whole},
    layout::Layout,
    part::{Part, reader},
    pseudonymous::{Extent, Pseudonymous, place_of},
    repeats::check_ids,
    resumable::{Ledger, Resumable, Totals},
};
use crate::{
    error::CliError,
    https::{Https, Problem, send, unanswered},
    key_versions::KeyVersions,
};

/// The type of a CSV file of older office programs.
pub(crate) const LATIN1_CSV: &str = "text/csv; charset=iso-8859-1";
/// Bytes of a result line, verdicts of 256 fields included.
const LINE_BYTES_MAX: usize = 1024 * 1024;

/// The header that names an upload or a batch.
pub(crate) const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// What to upload, and where.
#[derive(Clone)]
pub(crate) struct Upload<'a> {
    /// The file.
    pub(crate) file: &'a Path,
    /// What is in it.
    pub(crate) media: Media,
    /// Where it goes.
    pub(crate) collection: &'a CollectionName,
    /// The field whose value becomes the record's id.
    pub(crate) id_field: Option<&'a str>,
    /// The rows to send.
    pub(crate) part: Part,
    /// Whether each result brings the record with what stands in for its personal data.
    pub(crate) is_pseudonymous: bool,
    /// Whether each result brings the verdicts of screening.
    pub(crate) is_explained: bool,
    /// The name under which the server recognises rows it has stored already.
    pub(crate) idempotency_key: Option<String>,
    /// The only version of the policy under which rows are to be stored.
    pub(crate) policy_version: Option<u64>,
}

/// The type and coding of a file, as HTTP names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Media {
    /// `Content-Type`.
    pub(crate) content_type: &'static str,
    /// `Content-Encoding`.
    pub(crate) encoding: Option<&'static str>,
}

/// What becomes known while an upload runs.
pub(crate) enum Event {
    /// So many more bytes of the file have been read.
    Sent(u64),
    /// A row has its result.
    Row(Box<RowResult>),
}

/// The result of one row.
#[derive(Debug, Deserialize)]
pub(crate) struct RowResult {
    /// Counted from 1.
    pub(crate) row: u64,
    /// Where it begins in the file.
    pub(crate) line: Option<u64>,
    /// The record's id, when stored.
    pub(crate) id: Option<String>,
    /// Whether it was replaced: nothing that stood in for its fields is told.
    #[serde(default)]
    pub(crate) superseded: bool,
    /// The record with what stands in for its personal data, when asked for.
    pub(crate) pseudonymous: Option<serde_json::Map<String, serde_json::Value>>,
    /// What screening said of its fields, when asked for.
    pub(crate) verdicts: Option<serde_json::Value>,
    /// By field, the version of the key that made its surrogate, when that hangs on one.
    #[serde(default)]
    pub(crate) key_versions: KeyVersions,
    /// Why it was not stored.
    pub(crate) problem: Option<Problem>,
    /// The problem as it came.
    #[serde(skip)]
    pub(crate) problem_document: Option<serde_json::Value>,
}

/// The last line of every upload.
#[derive(Clone, Debug, Default, Deserialize, serde::Serialize)]
#[serde(default)]
pub(crate) struct Summary {
    /// Whether the whole file was read.
    pub(crate) complete: bool,
    /// Records stored.
    pub(crate) accepted: u64,
    /// Records refused.
    pub(crate) rejected: u64,
    /// Fields sealed, over all stored records.
    pub(crate) fields_sealed: u64,
    /// Fields stored readable.
    pub(crate) fields_clear: u64,
    /// Those of them that look personal.
    pub(crate) fields_flagged: u64,
    /// Fields not stored.
    pub(crate) fields_dropped: u64,
    /// Fields sealed for which there is a surrogate.
    pub(crate) fields_tokenized: u64,
    /// Why the upload broke off.
    #[serde(skip_serializing)]
    pub(crate) problem: Option<Problem>,
}

/// Uploads and reports to `observe`; what `observe` fails with ends the upload.
pub(crate) async fn upload(
    https: &Https,
    customer_token: &CustomerToken,
    upload: &Upload<'_>,
    observe: &mut (dyn FnMut(Event) -> Result<(), CliError> + Send),
) -> Result<Summary, CliError> {
    let (sent, mut sent_bytes) = tokio::sync::mpsc::unbounded_channel();
    let body = upload.part.open(upload.file, upload.media.encoding, sent).await?;
    let request = request(https, customer_token, upload)?;
    let mut lines = lines_of(send(request.body(body)).await?);
    let mut acknowledged = 0;
    while let Some(line) = lines.next().await {
        let line = line.map_err(|error| broken_off(acknowledged, &error.to_string()))?;
        while let Ok(bytes) = sent_bytes.try_recv() {
            observe(Event::Sent(bytes))?;
        }
        match Line::parse(&line)? {
            Line::Row(row) => {
                acknowledged = row.row;
                observe(Event::Row(row))?;
            }
            Line::Summary(summary) => return Ok(summary),
        }
    }
    Err(broken_off(acknowledged, "the answer has no last line"))
}

fn request(
    https: &Https,
    customer_token: &CustomerToken,
    upload: &Upload<'_>,
) -> Result<RequestBuilder, CliError> {
    let segments = ["v1", "collections", upload.collection.as_str(), "records"];
    let mut request = https.request_with(Method::POST, &segments, customer_token)?;
    request = request.header(header::CONTENT_TYPE, upload.media.content_type);
    // One JSON object would be answered by itself, without a summary.
    request = request.header(header::ACCEPT, "application/x-ndjson");
    if let Some(encoding) = upload.part.encoding(upload.media.encoding) {
        request = request.header(header::CONTENT_ENCODING, encoding);
    }
    if let Some(key) = &upload.idempotency_key {
        request = request.header(IDEMPOTENCY_KEY, format!("\"{key}\""));
    }
    if let Some(id_field) = upload.id_field {
        request = request.query(&[("id_field", id_field)]);
    }
    if upload.is_pseudonymous {
        request = request.query(&[("pseudonymous", "true")]);
    }
    if upload.is_explained {
        request = request.query(&[("explain", "true")]);
    }
    if let Some(version) = upload.policy_version {
        request = request.query(&[("policy_version", version)]);
    }
    if upload.part.first_row() > 1 {
        request = request.query(&[("first_row", upload.part.first_row())]);
    }
    Ok(request)
}

/// The version of the policy by which records of a collection are screened now. Nothing is stored.
pub(crate) async fn policy_version(
    https: &Https,
    collection: &CollectionName,
) -> Result<u64, CliError> {
    let request = https.request(Method::POST, &["v1", "screen"]);
    let request = request.query(&[("collection", collection.as_str())]);
    let request = request.header(header::CONTENT_TYPE, "application/x-ndjson");
    let mut lines = lines_of(send(request.body("{}\n")).await?);
    while let Some(line) = lines.next().await {
        let line = line.map_err(|error| broken_off(0, &error.to_string()))?;
        let line: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
        if let Some(version) = line["summary"]["policy_version"].as_u64() {
            return Ok(version);
        }
    }
    Err(CliError::failed("the server does not tell the version of the collection's policy"))
}

type Lines = std::pin::Pin<
    Box<dyn futures::Stream<Item = Result<String, tokio_util::codec::LinesCodecError>> + Send>,
>;

fn lines_of(response: Response) -> Lines {
    let bytes = response.bytes_stream();
    let bytes = bytes.map_err(|error| std::io::Error::other(unanswered(&error).to_string()));
    let codec = LinesCodec::new_with_max_length(LINE_BYTES_MAX);
    Box::pin(FramedRead::new(StreamReader::new(bytes), codec))
}

fn broken_off(acknowledged: u64, why: &str) -> CliError {
    CliError::failed(format!("the upload broke off after row {acknowledged}: {why}"))
        .advise("rows acknowledged before are stored; the rest is not known to be")
        .passing()
        .reached()
}

enum Line {
    Row(Box<RowResult>),
    Summary(Summary),
}

impl Line {
    fn parse(line: &str) -> Result<Self, CliError> {
        let unreadable = |_| CliError::failed("a line of the server's answer cannot be read");
        let mut document: serde_json::Value = serde_json::from_str(line).map_err(unreadable)?;
        if let Some(summary) = document.get_mut("summary") {
            return serde_json::from_value(summary.take()).map(Self::Summary).map_err(unreadable);
        }
        let problem_document = document.get("problem").cloned();
        let mut row: Box<RowResult> = serde_json::from_value(document).map_err(unreadable)?;
        row.problem_document = problem_document;
        Ok(Self::Row(row))
    }
}

impl Media {
    /// What a file's name says is in it; `None` when it says nothing known.
    pub(crate) fn of(file: &Path) -> Option<Self> {
        let (encoding, bare) = match extension(file).as_deref() {
            Some("gz") => (Some("gzip"), file.with_extension("")),
            Some("zst") => (Some("zstd"), file.with_extension("")),
            _ => (None, PathBuf::from(file)),
        };
        let content_type = match extension(&bare).as_deref() {
            Some("csv" | "tsv" | "txt") => "text/csv",
            Some("ndjson" | "jsonl") => "application/x-ndjson",
            Some("json") => "application/json",
            _ => return None,
        };
        Some(Self { content_type, encoding })
    }

    /// As the reader names the type.
    pub(crate) fn format(self) -> Format {
        match self.content_type {
            "text/csv" => Format::Csv(Charset::Utf8),
            LATIN1_CSV => Format::Csv(Charset::Latin1),
            "application/x-ndjson" => Format::NdJson,
            _ => Format::Json,
        }
    }
}

fn extension(file: &Path) -> Option<String> {
    file.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn media(name: &str) -> Option<(&'static str, Option<&'static str>)> {
        Media::of(Path::new(name)).map(|media| (media.content_type, media.encoding))
    }

    #[test]
    fn a_file_s_name_tells_its_type() {
        assert_eq!(media("a.csv"), Some(("text/csv", None)));
        assert_eq!(media("a.CSV.gz"), Some(("text/csv", Some("gzip"))));
        assert_eq!(media("a.ndjson.zst"), Some(("application/x-ndjson", Some("zstd"))));
        assert_eq!(media("a.json"), Some(("application/json", None)));
        assert_eq!(media("a.xlsx"), None);
    }

    #[test]
    fn a_refused_row_keeps_its_problem_as_it_came() {
        let line = r#"{"row":2,"line":3,"status":"rejected","problem":{"code":"too_large",
            "title":"over a limit","detail":"a value is over 65536 bytes"}}"#;
        let Line::Row(row) = Line::parse(line).unwrap() else { panic!("a row") };
        assert_eq!((row.row, row.line), (2, Some(3)));
        assert_eq!(row.problem.unwrap().code, "too_large");
        assert_eq!(row.problem_document.unwrap()["title"], "over a limit");
    }

    #[test]
    fn the_last_line_is_the_summary() {
        let line = r#"{"summary":{"complete":true,"accepted":5,"rejected":1,"fields_sealed":9,
            "fields_clear":2,"fields_dropped":0}}"#;
        let Line::Summary(summary) = Line::parse(line).unwrap() else { panic!("a summary") };
        assert!(summary.complete);
        assert_eq!((summary.accepted, summary.rejected), (5, 1));
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(Line::parse("<html>").is_err());
        assert!(Line::parse("{}").is_err());
    }
}
