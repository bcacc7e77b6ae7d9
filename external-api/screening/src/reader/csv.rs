//! Reads CSV (RFC 4180) with a header row, delimited by `;` or `,`.
//!
//! It promises that a stray quote costs one line, not the rest of the file: a row whose quotes do
//! not match is refused, and reading goes on with the line behind it. It relies on `csv-core`,
//! which always finds *a* parse; this module checks that it is the one that was meant.

mod rows;

use std::{collections::HashSet, io::Read, sync::Arc};

use encoding_rs::WINDOWS_1252;
use tresor_proto::{Content, ContentType, FieldName, limits::RECORD_FIELDS_MAX};

use self::rows::{Columns, Rows};
use super::{
    Charset, ReadError, Record, Row, RowError, Sink, check_size,
    flatten::{content, top_level_name},
};
use crate::telling_name::is_personal_itself;

/// Reads the header and all rows of `input`.
pub(super) fn read(
    charset: Charset,
    input: impl Read,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    let mut rows = Rows::open(input)?;
    let header = match rows.next()? {
        None => return Err(ReadError::Empty),
        Some((_, Err(RowError::Quotes))) => return Err(ReadError::HeaderQuotes),
        Some((_, Err(RowError::TooManyFields))) => return Err(ReadError::HeaderTooWide),
        Some((_, Err(_))) => return Err(ReadError::HeaderTooLarge),
        Some((_, Ok(columns))) => header(charset, columns)?,
    };
    let mut number = 0;
    while let Some((begin, columns)) = rows.next()? {
        number += 1;
        let row = Row {
            number,
            line: begin.line,
            offset: begin.offset,
            result: columns.and_then(|columns| record(charset, &header, columns)),
        };
        if sink(row).is_break() {
            break;
        }
    }
    Ok(())
}

/// What stands before the rows of a CSV, for whoever writes one like it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CsvHead {
    /// What parts the columns.
    pub delimiter: u8,
    /// How many columns there are.
    pub columns: usize,
    /// The bytes before the first row: the header with its end of line, and blank lines about it.
    pub bytes: u64,
}

/// Reads the header of a CSV.
///
/// # Errors
/// When there is none, or its quotes do not match.
pub fn csv_head(input: impl Read) -> Result<CsvHead, ReadError> {
    let mut rows = Rows::open(input)?;
    let columns = match rows.next()? {
        None => return Err(ReadError::Empty),
        Some((_, Err(_))) => return Err(ReadError::HeaderQuotes),
        Some((_, Ok(columns))) => columns.len(),
    };
    rows.skip_empty_lines()?;
    Ok(CsvHead { delimiter: rows.delimiter(), columns, bytes: rows.offset() })
}

fn header(charset: Charset, columns: Columns<'_>) -> Result<Arc<[FieldName]>, ReadError> {
    if columns.len() > RECORD_FIELDS_MAX {
        return Err(ReadError::HeaderTooWide);
    }
    let mut seen = HashSet::new();
    let mut names = Vec::new();
    for (at, bytes) in columns.iter().enumerate() {
        let column = at + 1;
        let text = decode(charset, bytes).ok_or(ReadError::HeaderNotUtf8)?;
        if text.contains('\t') {
            return Err(ReadError::HeaderTab);
        }
        let is_blank = text.trim().is_empty();
        let name = FieldName::parse(&top_level_name(&text))
            .ok()
            .filter(|_| !is_blank)
            .ok_or(ReadError::HeaderName { column })?;
        if is_personal_itself(&name) {
            return Err(ReadError::HeaderPersonal { column });
        }
        if !seen.insert(name.clone()) {
            return Err(ReadError::HeaderDuplicate { column });
        }
        names.push(name);
    }
    Ok(names.into())
}

fn record(
    charset: Charset,
    header: &Arc<[FieldName]>,
    columns: Columns<'_>,
) -> Result<Record, RowError> {
    if columns.len() != header.len() {
        return Err(RowError::ColumnCount { expected: header.len(), found: columns.len() });
    }
    let value = |(name, bytes): (&FieldName, &[u8])| -> Result<Content, RowError> {
        let text = decode(charset, bytes).ok_or(RowError::NotUtf8)?;
        content(name, ContentType::Text, text.into_bytes())
    };
    let values = header.iter().zip(columns.iter()).map(value);
    let values = values.collect::<Result<Vec<_>, _>>()?;
    check_size(header, &values)?;
    Ok(Record { names: Arc::clone(header), values })
}

/// Decodes a value; delimiters, quotes and line ends are ASCII in both encodings.
fn decode(charset: Charset, bytes: &[u8]) -> Option<String> {
    match charset {
        Charset::Utf8 => core::str::from_utf8(bytes).ok().map(str::to_owned),
        Charset::Latin1 => WINDOWS_1252
            .decode_without_bom_handling_and_without_replacement(bytes)
            .map(std::borrow::Cow::into_owned),
    }
}
