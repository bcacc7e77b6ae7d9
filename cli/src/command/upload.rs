//! `tresor upload`: streams a file of records through the external API.
//!
//! Rows that are refused do not stop the rest; they are written beside the file with their line and
//! reason, never with their values.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::json;
use tresor_screening::reader::{Charset, Format};

use super::{get::Target, screen::CharsetFlag};
use crate::{
    error::{CliError, Exit},
    https::Https,
    output::{Output, Tone, counted},
    progress::Progress,
    row_list::{RowList, RowLists},
    session::Session,
    transfer::{Event, Media, Summary, Upload, upload},
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
        let mut lists = RowLists {
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
    if summary.complete && summary.accepted == 0 && summary.rejected == 0 {
        return output.line("the file has no records; nothing was stored");
    }
    let accepted = format!("{} stored", counted(summary.accepted, "record"));
    output.line(output.paint(Tone::Good, &accepted))?;
    let (sealed, clear) = (summary.fields_sealed, summary.fields_clear);
    output.line(format!(
        "  {sealed} fields sealed, {clear} stored readable, {} dropped",
        summary.fields_dropped
    ))?;
    if summary.rejected > 0 {
        let rejected = format!("{} refused", counted(summary.rejected, "row"));
        output.line(output.paint(Tone::Bad, &rejected))?;
    }
    match rejects_file {
        Some(file) => output.line(format!("  lines and reasons in {}", file.display())),
        None => Ok(()),
    }
}
