//! The rows of a CSV as columns of bytes.
//!
//! It promises to hold at most one row and one chunk, and to find back to the next line when a row
//! is broken. It relies on `csv-core` to part the columns.

use std::io::{self, Read};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use tresor_proto::limits::{RECORD_BYTES_MAX, RECORD_FIELDS_MAX};
use zeroize::Zeroizing;

use super::super::{ROW_BYTES_MAX, ReadError, RowError};

const BOM: &[u8] = b"\xEF\xBB\xBF";
const CHUNK_BYTES: usize = 64 * 1024;

/// The columns of one row, unquoted.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a> {
    bytes: &'a [u8],
    ends: &'a [usize],
}

impl<'a> Columns<'a> {
    /// How many there are.
    pub(super) fn len(self) -> usize {
        self.ends.len()
    }

    /// The columns, in order.
    pub(super) fn iter(self) -> impl Iterator<Item = &'a [u8]> {
        let starts = core::iter::once(0).chain(self.ends.iter().copied());
        let bounds = starts.zip(self.ends.iter().copied());
        bounds.map(move |(start, end)| self.bytes.get(start..end).unwrap_or_default())
    }
}

/// Parts a CSV into rows.
pub(super) struct Rows<R> {
    input: R,
    /// What is read and not yet behind us; the row being read begins at `start`.
    buffer: Zeroizing<Vec<u8>>,
    start: usize,
    /// Where `start` is in the whole input.
    begin: Begin,
    delimiter: u8,
    core: Reader,
    columns: Zeroizing<Vec<u8>>,
    ends: Vec<usize>,
}

/// Where a row begins.
#[derive(Clone, Copy)]
pub(super) struct Begin {
    /// The line, counted from 1.
    pub(super) line: u64,
    /// The bytes before it.
    pub(super) offset: u64,
}

/// How reading one row came out: where its bytes end, and how much of `columns` and `ends` is it.
struct Parsed {
    end: usize,
    bytes: usize,
    count: usize,
}

impl<R: Read> Rows<R> {
    /// Reads as far as the end of the first row, to find the delimiter.
    pub(super) fn open(input: R) -> Result<Self, ReadError> {
        let mut rows = Self {
            input,
            buffer: Zeroizing::new(Vec::with_capacity(ROW_BYTES_MAX + CHUNK_BYTES)),
            start: 0,
            begin: Begin { line: 1, offset: 0 },
            delimiter: b';',
            core: Reader::new(),
            columns: Zeroizing::new(vec![0; RECORD_BYTES_MAX + 1]),
            ends: vec![0; RECORD_FIELDS_MAX + 2],
        };
        while rows.buffer.len() < BOM.len() && rows.fill()? {}
        if rows.buffer.starts_with(BOM) {
            rows.advance(BOM.len());
        }
        let delimiter = rows.find_delimiter()?;
        rows.part_by(delimiter);
        Ok(rows)
    }

    /// What parts its columns.
    pub(super) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// The bytes before what is read next.
    pub(super) fn offset(&self) -> u64 {
        self.begin.offset
    }

    /// The delimiter that parts the first row into more columns.
    fn find_delimiter(&mut self) -> io::Result<u8> {
        let mut widest = (0, b';');
        for delimiter in [b';', b','] {
            self.part_by(delimiter);
            self.skip_empty_lines()?;
            let count = match self.parse()? {
                Ok(parsed) => parsed.count,
                Err(RowError::TooManyFields) => RECORD_FIELDS_MAX + 1,
                Err(_) => 0,
            };
            if count > widest.0 {
                widest = (count, delimiter);
            }
        }
        Ok(widest.1)
    }

    fn part_by(&mut self, delimiter: u8) {
        self.delimiter = delimiter;
        self.core = ReaderBuilder::new().delimiter(delimiter).build();
    }

    /// The next row and where it begins; `None` at the end.
    #[allow(clippy::type_complexity, reason = "a name for it would say less")]
    pub(super) fn next(
        &mut self,
    ) -> Result<Option<(Begin, Result<Columns<'_>, RowError>)>, ReadError> {
        self.skip_empty_lines()?;
        if self.start == self.buffer.len() {
            return Ok(None);
        }
        let begin = self.begin;
        match self.parse()? {
            Ok(parsed) => {
                self.advance(parsed.end);
                Ok(Some((begin, Ok(self.columns(&parsed)))))
            }
            Err(error) => {
                self.skip_line()?;
                Ok(Some((begin, Err(error))))
            }
        }
    }

    /// Parses the row that begins at `start`, into `columns` and `ends`.
    fn parse(&mut self) -> io::Result<Result<Parsed, RowError>> {
        self.begin_row();
        let (mut at, mut bytes, mut count) = (0, 0, 0);
        loop {
            if self.start + at == self.buffer.len() {
                if at > ROW_BYTES_MAX {
                    return Ok(Err(RowError::RowTooLarge));
                }
                if !self.fill()? && self.is_within_quotes() {
                    return Ok(Err(RowError::Quotes));
                }
            }
            let (result, read, written, ended) = self.core.read_record(
                self.buffer.get(self.start + at..).unwrap_or_default(),
                self.columns.get_mut(bytes..).unwrap_or_default(),
                self.ends.get_mut(count..).unwrap_or_default(),
            );
            (at, bytes, count) = (at + read, bytes + written, count + ended);
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => return Ok(Err(RowError::RecordTooLarge)),
                ReadRecordResult::OutputEndsFull => return Ok(Err(RowError::TooManyFields)),
                ReadRecordResult::Record | ReadRecordResult::End => break,
            }
        }
        let end = self.start + at;
        let parsed = Parsed { end, bytes, count };
        Ok(self.check_quotes(&parsed).map(|()| parsed))
    }

    /// Begins a row with a line end, which the parser skips: else it would take a byte order mark off
    /// the front of every row, or take one at the end of a chunk for the end of the row.
    fn begin_row(&mut self) {
        self.core.reset();
        self.core.read_record(b"\n", &mut [0], &mut [0]);
    }

    /// Whether a line feed would go into a quoted value.
    fn is_within_quotes(&self) -> bool {
        let (mut output, mut ends) = ([0; 2], [0; 2]);
        let (result, ..) = (self.core.clone()).read_record(b"\n", &mut output, &mut ends);
        matches!(result, ReadRecordResult::InputEmpty)
    }

    /// Refuses a row in which text follows a closing quote: most likely a stray quote took the
    /// rows behind it for a part of its value.
    fn check_quotes(&self, parsed: &Parsed) -> Result<(), RowError> {
        let row = self.buffer.get(self.start..parsed.end).unwrap_or_default();
        if !row.contains(&b'"') {
            return Ok(());
        }
        let mut rest = row;
        for column in self.columns(parsed).iter() {
            rest = strip_column(rest, column).ok_or(RowError::Quotes)?;
            rest = match rest.split_first() {
                None => rest,
                Some((end, rest)) if [self.delimiter, b'\r', b'\n'].contains(end) => rest,
                Some(_) => return Err(RowError::Quotes),
            };
        }
        Ok(())
    }

    fn columns(&self, parsed: &Parsed) -> Columns<'_> {
        Columns {
            bytes: self.columns.get(..parsed.bytes).unwrap_or_default(),
            ends: self.ends.get(..parsed.count).unwrap_or_default(),
        }
    }

    /// Steps forward to `end`.
    fn advance(&mut self, end: usize) {
        let passed = self.buffer.get(self.start..end).unwrap_or_default();
        self.begin.line += passed.iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
        self.begin.offset += passed.len() as u64;
        self.start = end;
    }

    /// Steps behind line ends; afterwards a row begins at `start`, or nothing is left.
    pub(super) fn skip_empty_lines(&mut self) -> io::Result<()> {
        while self.start < self.buffer.len() || self.fill()? {
            match self.buffer.get(self.start) {
                Some(b'\n' | b'\r') => self.advance(self.start + 1),
                _ => break,
            }
        }
        Ok(())
    }

    /// Steps to the end of the line, whatever it holds.
    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let rest = self.buffer.get(self.start..).unwrap_or_default();
            if let Some(at) = rest.iter().position(|byte| b"\r\n".contains(byte)) {
                self.advance(self.start + at);
                return Ok(());
            }
            self.advance(self.buffer.len());
            if !self.fill()? {
                return Ok(());
            }
        }
    }

    /// Reads another chunk, after throwing away what is behind `start`; `false` at the end.
    fn fill(&mut self) -> io::Result<bool> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let held = self.buffer.len();
        self.buffer.resize(held + CHUNK_BYTES, 0);
        let chunk = self.buffer.get_mut(held..).unwrap_or_default();
        let read = loop {
            match self.input.read(chunk) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.buffer.truncate(held + *read.as_ref().unwrap_or(&0));
        Ok(read? > 0)
    }
}

/// Takes a column as it is written off the front of a row.
fn strip_column<'a>(row: &'a [u8], column: &[u8]) -> Option<&'a [u8]> {
    let Some(quoted) = row.strip_prefix(b"\"") else {
        return row.strip_prefix(column);
    };
    let mut rest = quoted;
    for byte in column {
        rest = match byte {
            b'"' => rest.strip_prefix(b"\"\"")?,
            _ => rest.strip_prefix(&[*byte])?,
        };
    }
    rest.strip_prefix(b"\"")
}
