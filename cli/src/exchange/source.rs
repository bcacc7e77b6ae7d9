//! The file whose values are exchanged, read on a thread of its own, a batch ahead.
//!
//! It promises bounded memory whatever the file is, and that a row that cannot be read is refused
//! alone. It relies on the reader that the external API uses.

use std::{
    io::{BufRead as _, BufReader, Cursor, Read},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use tokio::sync::mpsc::{self, Receiver, Sender};
use tresor_proto::{Content, ErrorCode, Failure, limits::VALUE_BYTES_MAX};
use tresor_screening::reader::{Format, ReadError, Record, Row, read};

use super::{
    Column, Entry,
    batch::{Batch, Held},
};
use crate::{
    error::CliError,
    transfer::{Layout, Media, reader},
};

/// What is read of standard input to find out how it is laid out: more than a header may have.
const HEAD_BYTES: u64 = 1024 * 1024;
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// A value a line.
    Values,
    /// Records.
    Records(Media),
}

/// A file, and what of it is exchanged.
pub(crate) struct Source {
    /// The file; `None` for standard input.
    pub(crate) file: Option<PathBuf>,
    pub(crate) written: Written,
    pub(crate) columns: Vec<Column>,
    /// What an item's value is called.
    pub(crate) key: &'static str,
}

/// What is read of a file.
pub(crate) enum Portion {
    /// The next rows.
    Rows(Batch),
    /// The last portion.
    End(Result<(), CliError>),
}

type Input = Box<dyn Read + Send>;

impl Source {
    /// Finds out how the file is laid out, and begins to read it behind its first `rows` rows.
    pub(crate) async fn open(self, rows: u64) -> Result<(Layout, Receiver<Portion>), CliError> {
        let (layout, input) = match (&self.file, self.written) {
            (Some(file), Written::Values) => (Layout::Values, opened(file)?),
            (Some(file), Written::Records(media)) => {
                let layout = Layout::of(file, media).await?;
                (layout, Box::new(reader(file, media).await?) as Input)
            }
            (None, Written::Values) => (Layout::Values, Box::new(std::io::stdin()) as Input),
            (None, Written::Records(media)) => laid_out(media.format())?,
        };
        let (sender, portions) = mpsc::channel(1);
        let reading = Reading { source: self, sender, batch: Batch::default(), rows_left: rows };
        tokio::task::spawn_blocking(move || reading.run(input));
        Ok((layout, portions))
    }
}

fn opened(file: &Path) -> Result<Input, CliError> {
    let opened = std::fs::File::open(file);
    Ok(Box::new(opened.map_err(|error| CliError::file("read", file, &error))?))
}

/// Standard input, and how it is laid out.
fn laid_out(format: Format) -> Result<(Layout, Input), CliError> {
    let mut head = Vec::new();
    std::io::stdin().take(HEAD_BYTES).read_to_end(&mut head)?;
    let layout = Layout::read(format, head.as_slice(), head.as_slice());
    let layout = layout.map_err(|error| unreadable(&error))?;
    Ok((layout, Box::new(Cursor::new(head).chain(std::io::stdin()))))
}

fn unreadable(error: &ReadError) -> CliError {
    CliError::failed(format!("the file cannot be read: {error}"))
}

/// A file being read.
struct Reading {
    source: Source,
    sender: Sender<Portion>,
    batch: Batch,
    /// Rows that are left out.
    rows_left: u64,
}

impl Reading {
    fn run(mut self, input: Input) {
        let end = match self.source.written {
            Written::Values => read_lines(input, &mut |entry| self.add(entry)),
            Written::Records(media) => {
                // What one record of a JSON file lacks the next may have.
                let mut is_checked = !matches!(media.format(), Format::Csv(_));
                let mut missing = None;
                let read = read(media.format(), input, &mut |row| {
                    if let (false, Ok(record)) = (is_checked, &row.result) {
                        missing = self.missing(record);
                        is_checked = true;
                    }
                    if missing.is_some() {
                        return ControlFlow::Break(());
                    }
                    self.add(entry(row))
                });
                match (missing, read) {
                    (Some(name), _) => Err(no_column(&name)),
                    // A header without rows is a file without values.
                    (None, Ok(()) | Err(ReadError::Empty)) => Ok(()),
                    (None, Err(error)) => Err(unreadable(&error)),
                }
            }
        };
        let rest = std::mem::take(&mut self.batch);
        if !rest.entries.is_empty() && self.sender.blocking_send(Portion::Rows(rest)).is_err() {
            return;
        }
        // Nobody waits for it any more when the exchange has ended.
        let _ = self.sender.blocking_send(Portion::End(end));
    }

    fn add(&mut self, entry: Entry) -> ControlFlow<()> {
        if self.rows_left > 0 {
            self.rows_left -= 1;
            return ControlFlow::Continue(());
        }
        let Source { columns, key, .. } = &self.source;
        let Some(next) = self.batch.add(entry, columns, key) else {
            return ControlFlow::Continue(());
        };
        let full = std::mem::take(&mut self.batch);
        // An empty batch takes any row.
        self.batch.add(next, columns, key);
        match self.sender.blocking_send(Portion::Rows(full)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }

    /// The name of a column that is to be exchanged and not there.
    fn missing(&self, record: &Record) -> Option<String> {
        let columns = self.source.columns.iter().filter_map(|column| column.name.as_ref());
        let mut missing = columns.filter(|name| !record.names.contains(name));
        missing.next().map(|name| name.as_str().to_owned())
    }
}

fn no_column(name: &str) -> CliError {
    CliError::usage(format!("the file has no column {name}"))
}

fn entry(row: Row) -> Entry {
    let content = match row.result {
        Ok(record) => Held::Record(record, Vec::new()),
        Err(error) => Held::Nothing(Failure::from(&error)),
    };
    Entry { row: row.number, line: row.line, content }
}

/// Reads a value a line.
fn read_lines(
    input: Input,
    sink: &mut dyn FnMut(Entry) -> ControlFlow<()>,
) -> Result<(), CliError> {
    let mut input = BufReader::new(input);
    let (mut bytes, mut row) = (Vec::new(), 0);
    let bytes_max = u64::try_from(VALUE_BYTES_MAX + 2).unwrap_or(u64::MAX);
    loop {
        bytes.clear();
        if input.by_ref().take(bytes_max).read_until(b'\n', &mut bytes)? == 0 {
            return Ok(());
        }
        row += 1;
        let text = bytes.as_slice();
        let text = if row == 1 { text.strip_prefix(BOM).unwrap_or(text) } else { text };
        let (text, end) = parted(text);
        let mut value = core::str::from_utf8(text).ok().map_or_else(not_utf8, Content::text);
        if end.is_empty() && bytes.len() > VALUE_BYTES_MAX && input.skip_until(b'\n')? > 0 {
            value = Err(Failure::new(ErrorCode::TooLarge, "a value is over 65536 bytes"));
        }
        let content = value.map_or_else(Held::Nothing, |value| Held::Line(Some(value), end));
        if sink(Entry { row, line: row, content }).is_break() {
            return Ok(());
        }
    }
}

fn not_utf8() -> Result<Content, Failure> {
    Err(Failure::new(ErrorCode::InvalidRequest, "the line is not valid UTF-8"))
}

/// A line and its end.
fn parted(line: &[u8]) -> (&[u8], &'static str) {
    match line {
        [text @ .., b'\r', b'\n'] => (text, "\r\n"),
        [text @ .., b'\n'] => (text, "\n"),
        text => (text, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &[u8]) -> Vec<(u64, Option<String>, &'static str)> {
        let mut entries = Vec::new();
        let input = Box::new(Cursor::new(text.to_vec()));
        let read = read_lines(input, &mut |entry| {
            entries.push(match entry.content {
                Held::Line(value, end) => {
                    (entry.row, value.map(|it| it.as_text().unwrap().to_owned()), end)
                }
                Held::Nothing(_) | Held::Record(..) => (entry.row, None, ""),
            });
            ControlFlow::Continue(())
        });
        read.unwrap();
        entries
    }

    #[test]
    fn a_line_is_a_value_and_keeps_its_end() {
        let some = |text: &str| Some(text.to_owned());
        let expected = vec![(1, some("Erika"), "\r\n"), (2, some(""), "\n"), (3, some("a;b"), "")];
        assert_eq!(entries(b"\xEF\xBB\xBFErika\r\n\na;b"), expected);
        assert!(entries(b"").is_empty());
    }

    #[test]
    fn a_line_that_is_no_value_is_refused_alone() {
        let long = "x".repeat(200_000);
        let text = [b"\xFF\n", long.as_bytes(), b"\nBurg\n"].concat();
        let read: Vec<_> = entries(&text).into_iter().map(|(row, value, _)| (row, value)).collect();
        assert_eq!(read, [(1, None), (2, None), (3, Some("Burg".to_owned()))]);
        let most = "x".repeat(VALUE_BYTES_MAX);
        assert!(entries(format!("{most}\r\n").as_bytes())[0].1.is_some());
        assert!(entries(format!("{most}x\n").as_bytes())[0].1.is_none());
    }
}
