//! What screening finds in a file, on this machine: nothing is sent or stored.
//!
//! It relies on the reader and the rules the external API uses, so its answer is what an upload
//! under the same policy would get.

use std::{fs::File, io::Read, ops::ControlFlow, path::Path, sync::Arc};

use tresor_proto::{FieldName, Policy};
use tresor_screening::{
    Comparison, Report, Screened, Screener, Value,
    reader::{Charset, Format, Record, Row, read},
};

use crate::{error::CliError, transfer::Media};

/// What was found.
pub(crate) struct FileReport {
    /// The columns, and how many rows cannot be read.
    pub(crate) report: Report,
    /// Line and reason of the first of those.
    pub(crate) first_rejected: Option<(u64, String)>,
}

/// The file's type as its name tells it, read as text in `charset`.
pub(crate) fn format_of(file: &Path, charset: Charset) -> Option<Format> {
    let media = Media::of(file).filter(|media| media.encoding.is_none())?;
    match media.content_type {
        "text/csv" => Some(Format::Csv(charset)),
        "application/x-ndjson" => Some(Format::NdJson),
        _ => Some(Format::Json),
    }
}

/// Whether there is a row in the file, readable or not.
#[cfg(feature = "dev")]
pub(crate) fn has_rows(file: &Path, format: Format) -> Result<bool, CliError> {
    let opened = open(file)?;
    let mut has_rows = false;
    let read = read(format, opened, &mut |_| {
        has_rows = true;
        ControlFlow::Break(())
    });
    match read {
        Ok(()) | Err(tresor_screening::reader::ReadError::Empty) => Ok(has_rows),
        Err(error) => Err(CliError::failed(format!("the file cannot be read: {error}"))),
    }
}

/// What is told of each record that can be read.
type Observer<'a> = dyn FnMut(&Arc<[FieldName]>, Screened<'_>) + 'a;

impl FileReport {
    /// Screens a file under `policy`.
    pub(crate) fn of(file: &Path, format: Format, policy: &Policy) -> Result<Self, CliError> {
        Self::read(open(file)?, format, policy, &mut |_, _| {})
    }

    /// The same, and what `policy` would do otherwise than the one before.
    pub(crate) fn compared(
        file: &Path,
        format: Format,
        before: &Policy,
        policy: &Policy,
    ) -> Result<(Self, Comparison), CliError> {
        let (mut comparison, mut earlier) = (Comparison::default(), Screener::new(before));
        let found = Self::read(open(file)?, format, policy, &mut |names, screened| {
            let before = earlier.screen(names, screened.values);
            comparison.observe(names, before.verdicts, screened.verdicts);
        })?;
        Ok((found, comparison))
    }

    fn read(
        input: impl Read,
        format: Format,
        policy: &Policy,
        observer: &mut Observer<'_>,
    ) -> Result<Self, CliError> {
        let mut found = Self { report: Report::under(policy), first_rejected: None };
        let mut screener = Screener::new(policy);
        let read = read(format, input, &mut |row| {
            found.observe(row, &mut screener, observer);
            ControlFlow::Continue(())
        });
        read.map_err(|error| CliError::failed(format!("the file cannot be read: {error}")))?;
        Ok(found)
    }

    fn observe(&mut self, row: Row, screener: &mut Screener<'_>, observer: &mut Observer<'_>) {
        match row.result {
            Ok(Record { names, values }) => {
                let values: Vec<_> = values.iter().map(Value::from).collect();
                let screened = screener.screen(&names, &values);
                self.report.observe(&names, screened);
                observer(&names, screened);
            }
            Err(error) => {
                self.report.reject();
                self.first_rejected.get_or_insert_with(|| (row.line, error.to_string()));
            }
        }
    }
}

fn open(file: &Path) -> Result<File, CliError> {
    File::open(file).map_err(|error| CliError::file("read", file, &error))
}

#[cfg(test)]
mod tests {
    use tresor_proto::Action;

    use super::*;

    fn report_of(csv: &str) -> FileReport {
        let format = Format::Csv(Charset::Utf8);
        FileReport::read(csv.as_bytes(), format, &Policy::default(), &mut |_, _| {}).unwrap()
    }

    #[test]
    fn columns_are_found_in_a_csv() {
        let found = report_of("email;zaehlerstand\na@example.org;17\nb@example.org;18\n");
        let columns = found.report.columns();
        assert_eq!(found.report.records(), 2);
        assert_eq!((columns[0].action, columns[1].action), (Action::Seal, Action::Clear));
    }

    #[test]
    fn broken_rows_are_counted_with_the_line_of_the_first() {
        let found = report_of("a;b\n1;2\n1;2;3\n4;5\n");
        let document = found.report.document();
        assert_eq!((document.records, document.rejected), (2, 1));
        assert_eq!(found.first_rejected.unwrap().0, 3);
    }
}
