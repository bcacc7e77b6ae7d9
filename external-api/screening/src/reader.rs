//! Reads uploads: CSV, NDJSON, a JSON object or a JSON array, into rows, one after the other.
//!
//! It promises bounded memory whatever comes, that a broken row is refused alone with its line and
//! a reason that repeats nothing of its content, and that reading goes on behind it. It relies on
//! `csv-core`, `serde_json` and `encoding_rs` for the formats, and on its caller for where the
//! bytes come from.

mod csv;
mod flatten;
mod json;
mod ndjson;
mod refusal;
mod unflatten;

use std::{borrow::Cow, io::Read, ops::ControlFlow, sync::Arc};

use encoding_rs::WINDOWS_1252;
use tresor_proto::{Content, FieldName, limits::RECORD_BYTES_MAX};

pub use self::{
    csv::{CsvHead, csv_head},
    refusal::{ReadError, RowError},
    unflatten::{to_json, unflatten},
};

/// Bytes of a row as it is written: twice a record, since JSON and CSV escape what they quote.
const ROW_BYTES_MAX: usize = 2 * RECORD_BYTES_MAX;

/// How an upload is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A header row, then rows; the delimiter is `;` or `,`, whichever parts the header more often.
    Csv(Charset),
    /// A JSON object a line.
    NdJson,
    /// One JSON object, or an array of objects.
    Json,
}

/// How the text of a CSV is encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8, checked.
    #[default]
    Utf8,
    /// ISO-8859-1, read as the WHATWG reads that label: as windows-1252, its superset in print.
    Latin1,
}

impl Charset {
    /// Encodes a text; `None` when it has characters that the encoding does not.
    #[must_use]
    pub fn encode(self, text: &str) -> Option<Cow<'_, [u8]>> {
        match self {
            Self::Utf8 => Some(Cow::Borrowed(text.as_bytes())),
            Self::Latin1 => {
                let (bytes, _, has_unmappable) = WINDOWS_1252.encode(text);
                (!has_unmappable).then_some(bytes)
            }
        }
    }
}

/// One row of an upload.
#[derive(Debug)]
pub struct Row {
    /// Counted from 1; a header is not a row.
    pub number: u64,
    /// The line it begins on, counted from 1.
    pub line: u64,
    /// The bytes before it. Those before the first row, followed by those from any other row on, read
    /// as the rest of the upload: a header or the bracket of an array stands before the first row.
    pub offset: u64,
    /// The record, or why it is refused.
    pub result: Result<Record, RowError>,
}

/// A record as it was read: as many names as values, each name once.
#[derive(Debug)]
pub struct Record {
    /// The names; rows with the same ones share them.
    pub names: Arc<[FieldName]>,
    /// The values.
    pub values: Vec<Content>,
}

/// Where rows go; `Break` ends the reading.
type Sink<'a> = dyn FnMut(Row) -> ControlFlow<()> + 'a;

/// Reads all rows of `input` into `sink`, until the end or until the sink breaks.
///
/// # Errors
/// When the upload as a whole is refused or breaks off; what came before has reached the sink.
pub fn read(
    format: Format,
    input: impl Read,
    sink: &mut dyn FnMut(Row) -> ControlFlow<()>,
) -> Result<(), ReadError> {
    match format {
        Format::Csv(charset) => csv::read(charset, input, sink),
        Format::NdJson => ndjson::read(input, sink),
        Format::Json => json::read(input, sink),
    }
}

/// Checks a record's size as the sum of its names and values.
fn check_size(names: &[FieldName], values: &[Content]) -> Result<(), RowError> {
    let names: usize = names.iter().map(|name| name.as_str().len()).sum();
    let values: usize = values.iter().map(|value| value.as_bytes().len()).sum();
    if names + values > RECORD_BYTES_MAX {
        return Err(RowError::RecordTooLarge);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
