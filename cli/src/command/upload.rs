//! `tresor upload`: streams a file of records through the external API.
//!
//! Rows that are refused do not stop the rest; they are written beside the file with their line and
//! reason, never with their values.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tresor_screening::reader::{Charset, Format};

use super::{get::Target, screen::CharsetFlag};
use crate::{
    error::{CliError, Exit},
    https::Https,
    output::{Output, Tone},
    session::Session,
    transfer::{Event, Media, RowResult, Summary, Upload, upload},
};

/// Uploads a file of records.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor upload customers.csv --collection customers
  tresor upload customers.ndjson.gz --collection customers --id-field order_number

CSV needs a header row; `;` or `,` is found out. Rows that are refused are listed in
FILE.rejects.ndjson, by line and reason; the rest is stored, and the exit code is 3.")]
pub(crate) struct UploadCommand {
    /// File of records: .csv, .ndjson, .jsonl, .json; also with .gz or .zst
    file: PathBuf,
    #[command(flatten)]
    target: Target,
    /// Type of the file, when its name does not tell
    #[arg(long, value_enum)]
    format: Option<FileFormat>,
    /// Character set of a CSV file
    #[arg(long, value_enum, default_value = "utf-8")]
    charset: CharsetFlag,
    /// Field whose value becomes the record's id; the vault makes one when not given
    #[arg(long, value_name = "NAME")]
    id_field: Option<String>,
    /// File to write every row's result to (NDJSON): line, and id or reason
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
}

/// Type of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FileFormat {
    /// Rows under a header row
    Csv,
    /// A JSON object a line
    Ndjson,
    /// One JSON object, or an array of them
    Json,
}

impl UploadCommand {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let media = self.media()?;
        let https = Https::new(&self.target.connection.to_customer(session)?)?;
        let customer_token = self.target.customer_token.read(session)?;
        let progress = Progress::start(&self.file)?;
        let mut lists = Lists {
            rejects: RowList::of_rejects(&self.file),
            results: self.results.clone().map(RowList::at),
        };
        let job = Upload {
            file: &self.file,
            media,
            collection: &self.target.collection,
            id_field: self.id_field.as_deref(),
        };
        let mut observe = |event| {
            progress.advance(&event);
            match event {
                Event::Row(row) => lists.add(&row),
                Event::Sent(_) => Ok(()),
            }
        };
        let summary = upload(&https, &customer_token, &job, &mut observe).await;
        progress.finish();
        let rejects_file = lists.finish()?;
        conclude(&session.output, summary?, rejects_file.as_deref())
    }

    fn media(&self) -> Result<Media, CliError> {
        let by_name = Media::of(&self.file);
        let mut media = match (self.format, by_name) {
            (Some(format), by_name) => Media {
                content_type: format.content_type(),
                encoding: by_name.and_then(|media| media.encoding),
            },
            (None, Some(media)) => media,
            (None, None) => {
                return Err(CliError::usage("the file's name does not tell its type")
                    .advise("give --format csv, ndjson or json"));
            }
        };
        match (self.charset, media.content_type) {
            (CharsetFlag::Utf8, _) => {}
            (CharsetFlag::Latin1, "text/csv") => {
                media.content_type = "text/csv; charset=iso-8859-1";
            }
            (CharsetFlag::Latin1, _) => return Err(CliError::usage("JSON is always UTF-8")),
        }
        Ok(media)
    }
}

impl FileFormat {
    fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv",
            Self::Ndjson => "application/x-ndjson",
            Self::Json => "application/json",
        }
    }

    /// As the reader names it.
    pub(crate) fn to_reader(self, charset: Charset) -> Format {
        match self {
            Self::Csv => Format::Csv(charset),
            Self::Ndjson => Format::NdJson,
            Self::Json => Format::Json,
        }
    }
}

fn conclude(
    output: &Output,
    summary: Summary,
    rejects_file: Option<&Path>,
) -> Result<Exit, CliError> {
    let mut document = json!(summary);
    document["rejects_file"] = json!(rejects_file);
    output.give(&document, |output| show(output, &summary, rejects_file))?;
    if let Some(problem) = summary.problem {
        return Err(problem.into_error());
    }
    Ok(match (summary.accepted, summary.rejected) {
        _ if !summary.complete => Exit::Failed,
        (_, 0) => Exit::Done,
        (0, _) => Exit::Failed,
        _ => Exit::SomeRejected,
    })
}

fn show(output: &Output, summary: &Summary, rejects_file: Option<&Path>) -> Result<(), CliError> {
    let accepted = format!("{} records stored", summary.accepted);
    output.line(output.paint(Tone::Good, &accepted))?;
    let (sealed, clear) = (summary.fields_sealed, summary.fields_clear);
    output.line(format!(
        "  {sealed} fields sealed, {clear} stored readable, {} dropped",
        summary.fields_dropped
    ))?;
    if summary.rejected > 0 {
        let rejected = format!("{} rows refused", summary.rejected);
        output.line(output.paint(Tone::Bad, &rejected))?;
    }
    match rejects_file {
        Some(file) => output.line(format!("  lines and reasons in {}", file.display())),
        None => Ok(()),
    }
}

/// A progress bar over the file's bytes, with the rows acknowledged; silent without a terminal.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Begins a bar.
    pub(crate) fn start(file: &Path) -> Result<Self, CliError> {
        let size = std::fs::metadata(file).map_err(|error| CliError::file("read", file, &error));
        let template = "{bar:32} {bytes}/{total_bytes}  {msg} rows  {bytes_per_sec}  {eta}";
        let style = ProgressStyle::with_template(template);
        let bar = ProgressBar::new(size?.len()).with_message("0");
        Ok(Self(style.map(|style| bar.clone().with_style(style)).unwrap_or(bar)))
    }

    /// Moves it on.
    pub(crate) fn advance(&self, event: &Event) {
        match event {
            Event::Sent(bytes) => self.0.inc(*bytes),
            // Every row would cost more than the row itself.
            Event::Row(row) if row.row % 64 == 0 => self.0.set_message(row.row.to_string()),
            Event::Row(_) => {}
        }
    }

    /// Takes it off the screen.
    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

/// What is written down of an upload's rows.
struct Lists {
    rejects: RowList,
    results: Option<RowList>,
}

impl Lists {
    fn add(&mut self, row: &RowResult) -> Result<(), CliError> {
        if row.problem.is_some() {
            self.rejects.add(row)?;
        }
        self.results.as_mut().map_or(Ok(()), |results| results.add(row))
    }

    /// Gives the file of the refused rows, if there are any.
    fn finish(self) -> Result<Option<PathBuf>, CliError> {
        self.results.map(RowList::finish).transpose()?;
        self.rejects.finish()
    }
}

/// A file with a line for each of some rows, made with the first of them.
struct RowList {
    path: PathBuf,
    file: Option<BufWriter<File>>,
}

impl RowList {
    fn at(path: PathBuf) -> Self {
        Self { path, file: None }
    }

    /// The list of refused rows.
    fn of_rejects(file: &Path) -> Self {
        let mut path = file.as_os_str().to_owned();
        path.push(".rejects.ndjson");
        Self::at(path.into())
    }

    fn add(&mut self, row: &RowResult) -> Result<(), CliError> {
        let entry = match &row.problem_document {
            Some(problem) => json!({ "row": row.row, "line": row.line, "problem": problem }),
            None => json!({ "row": row.row, "line": row.line, "id": row.id }),
        };
        let path = self.path.clone();
        let failed = |error: std::io::Error| CliError::file("write", &path, &error);
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(BufWriter::new(create(&self.path).map_err(failed)?)),
        };
        writeln!(file, "{entry}").map_err(failed)
    }

    fn finish(self) -> Result<Option<PathBuf>, CliError> {
        let Some(mut file) = self.file else {
            return Ok(None);
        };
        file.flush().map_err(|error| CliError::file("write", &self.path, &error))?;
        Ok(Some(self.path))
    }
}

/// Replaces the list of an earlier upload of the same file.
fn create(path: &Path) -> std::io::Result<File> {
    File::options().write(true).create(true).truncate(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejected() -> RowResult {
        let problem = json!({ "code": "invalid_request", "title": "invalid request" });
        RowResult {
            row: 2,
            line: Some(3),
            id: None,
            problem: serde_json::from_value(problem.clone()).ok(),
            problem_document: Some(problem),
        }
    }

    #[test]
    fn refused_rows_are_listed_beside_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let mut rejects = RowList::of_rejects(&directory.path().join("a.csv"));
        rejects.add(&rejected()).unwrap();
        let path = rejects.finish().unwrap().unwrap();
        assert_eq!(path, directory.path().join("a.csv.rejects.ndjson"));
        let text = std::fs::read_to_string(path).unwrap();
        let entry: serde_json::Value = serde_json::from_str(text.trim()).unwrap();
        assert_eq!((&entry["line"], &entry["row"]), (&json!(3), &json!(2)));
        assert_eq!(entry["problem"]["code"], "invalid_request");
    }

    #[test]
    fn without_refused_rows_there_is_no_file() {
        let directory = tempfile::tempdir().unwrap();
        let rejects = RowList::of_rejects(&directory.path().join("a.csv"));
        assert_eq!(rejects.finish().unwrap(), None);
        assert_eq!(directory.path().read_dir().unwrap().count(), 0);
    }
}
