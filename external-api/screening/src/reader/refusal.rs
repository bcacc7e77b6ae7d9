//! Why a row or a whole upload is refused.
//!
//! It promises that no reason repeats a value: at most a field's name and numbers. It relies on
//! the one table of errors for the codes.

use std::io;

use tresor_proto::{ErrorCode, Failure, FieldName};

/// Why one row is refused; the rows behind it are read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// Its names and values are over the limit of a record.
    #[error("the record is over 262144 bytes")]
    RecordTooLarge,
    /// As it is written it is over twice the limit of a record.
    #[error("the row is over 524288 bytes")]
    RowTooLarge,
    /// A value is over its limit.
    #[error("a value is over 65536 bytes")]
    ValueTooLarge(FieldName),
    /// It has more fields than a record may have.
    #[error("the record has more than 256 fields")]
    TooManyFields,
    /// It has another number of columns than the header.
    #[error("the row has {found} columns, the header {expected}")]
    ColumnCount {
        /// Columns of the header.
        expected: usize,
        /// Columns of the row.
        found: usize,
    },
    /// A quoted value is not closed, or text follows the closing quote.
    #[error("a quote is not closed, or text follows the closing quote")]
    Quotes,
    /// It is not UTF-8.
    #[error("the row is not valid UTF-8")]
    NotUtf8,
    /// A value has a NUL character.
    #[error("a value has a NUL character")]
    Nul(FieldName),
    /// It is not JSON.
    #[error("the row is not valid JSON")]
    NotJson,
    /// It is JSON, but not an object.
    #[error("the row is not a JSON object")]
    NotAnObject,
    /// A key occurs twice in one object.
    #[error("a key occurs twice in one object")]
    DuplicateKey,
    /// Objects and arrays are nested deeper than 16.
    #[error("the record is nested deeper than 16")]
    TooDeep,
    /// A name is no field name.
    #[error("a field's name has 1 to 128 bytes and no control character")]
    FieldName,
    /// A name is itself personal data, and names are stored readable.
    #[error("the name of field {position} looks like personal data")]
    PersonalName {
        /// Which field, counted from 1 as they are flattened.
        position: usize,
    },
    /// It has no fields.
    #[error("the record has no fields")]
    NoFields,
}

impl RowError {
    /// Its code in the one table.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::RecordTooLarge
            | Self::RowTooLarge
            | Self::ValueTooLarge(_)
            | Self::TooManyFields => ErrorCode::TooLarge,
            Self::ColumnCount { .. }
            | Self::Quotes
            | Self::NotUtf8
            | Self::Nul(_)
            | Self::NotJson
            | Self::NotAnObject
            | Self::DuplicateKey
            | Self::TooDeep
            | Self::FieldName
            | Self::PersonalName { .. }
            | Self::NoFields => ErrorCode::InvalidRequest,
        }
    }
}

impl From<&RowError> for Failure {
    fn from(error: &RowError) -> Self {
        let failure = Self::new(error.code(), error.to_string());
        if let RowError::ValueTooLarge(name) | RowError::Nul(name) = error {
            return failure.with_violation(name.as_str(), error.to_string());
        }
        failure
    }
}

/// Why a whole upload is refused, or where it broke off.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is nothing to read.
    #[error("the upload is empty")]
    Empty,
    /// The header row of a CSV is over the limit of a record.
    #[error("the header row is over 262144 bytes")]
    HeaderTooLarge,
    /// The header row has more columns than a record may have fields.
    #[error("the header row has more than 256 columns")]
    HeaderTooWide,
    /// A quoted name of the header row is not closed, or text follows the closing quote.
    #[error("a quote of the header row is not closed, or text follows the closing quote")]
    HeaderQuotes,
    /// The header row is not UTF-8, and no other encoding is declared.
    #[error(
        "the header row is not valid UTF-8; ISO-8859-1 has to be declared, as \
         text/csv; charset=iso-8859-1"
    )]
    HeaderNotUtf8,
    /// A name of the header row has a tab, which parts no columns.
    #[error("the header row has a tab; columns are separated by ; or ,")]
    HeaderTab,
    /// A column's name is empty or no field name.
    #[error("column {column} of the header has no valid name")]
    HeaderName {
        /// Which column, counted from 1.
        column: usize,
    },
    /// A column's name is itself personal data, and names are stored readable.
    #[error("column {column} of the header looks like personal data; is the header row missing?")]
    HeaderPersonal {
        /// Which column, counted from 1.
        column: usize,
    },
    /// Two columns have the same name.
    #[error("column {column} of the header repeats a name")]
    HeaderDuplicate {
        /// The second of the two, counted from 1.
        column: usize,
    },
    /// A JSON upload is neither an object nor an array.
    #[error("the upload is neither a JSON object nor an array of objects")]
    NotRecords,
    /// A JSON upload stopped being JSON.
    #[error("the upload is not valid JSON at line {line}")]
    Broken {
        /// Where, counted from 1.
        line: usize,
    },
    /// The bytes could not be read to their end.
    #[error("the upload broke off")]
    Io(#[from] io::Error),
}

impl From<ReadError> for Failure {
    /// An I/O error that carries a [`Failure`] gives that one.
    fn from(error: ReadError) -> Self {
        let code = match &error {
            ReadError::HeaderTooLarge | ReadError::HeaderTooWide => ErrorCode::TooLarge,
            ReadError::Io(source) => {
                let inner = source.get_ref().and_then(|e| e.downcast_ref::<Self>());
                if let Some(failure) = inner {
                    return failure.clone();
                }
                ErrorCode::InvalidRequest
            }
            ReadError::Empty
            | ReadError::HeaderQuotes
            | ReadError::HeaderNotUtf8
            | ReadError::HeaderTab
            | ReadError::HeaderName { .. }
            | ReadError::HeaderPersonal { .. }
            | ReadError::HeaderDuplicate { .. }
            | ReadError::NotRecords
            | ReadError::Broken { .. } => ErrorCode::InvalidRequest,
        };
        Self::new(code, error.to_string())
    }
}
