//! `tresor screen`: looks for personal data in a file, on this machine.

mod markup;
mod page;
mod table;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use tresor_proto::Policy;
use tresor_screening::reader::{Charset, Format};

use super::collection::read_policy;
use crate::{
    error::{CliError, Exit},
    file_report::{FileReport, format_of},
    output::Output,
    private_file::{write_private, write_public},
    session::Session,
    transfer::{LATIN1_CSV, Media},
};

pub(crate) use table::{show as show_report, show_columns};

/// Looks for personal data in a file.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor screen customers.csv
  tresor screen customers.csv --html report.html
  tresor screen customers.csv --propose customers.yaml
  tresor screen customers.csv --policy customers.yaml --output json

Nothing leaves this machine. An upload under the same policy gets the same verdicts. Examples are
masks, never values.")]
pub(crate) struct ScreenCommand {
    #[command(flatten)]
    sample: Sample,
    /// Policy document to screen under; without it nothing is declared
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// File to write a proposed policy to
    #[arg(long, value_name = "FILE")]
    propose: Option<PathBuf>,
    /// File to write the report to as a page for a browser or a printer
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// A file of records on this machine.
#[derive(Debug, Args)]
pub(crate) struct Sample {
    /// File of records: .csv, .ndjson, .jsonl, .json
    file: PathBuf,
    /// Type of the file, when its name does not tell
    #[arg(long, value_enum)]
    format: Option<super::upload::FileFormat>,
    /// Character set of a CSV file
    #[arg(long, value_enum, default_value = "utf-8")]
    charset: CharsetFlag,
}

/// Character set of a CSV file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CharsetFlag {
    /// UTF-8
    #[value(name = "utf-8")]
    Utf8,
    /// ISO 8859-1, as older office programs write it
    #[value(name = "iso-8859-1")]
    Latin1,
}

impl ScreenCommand {
    /// Runs it.
    pub(crate) fn run(self, session: &Session) -> Result<Exit, CliError> {
        let policy = self.policy.as_deref().map_or_else(|| Ok(Policy::default()), read_policy)?;
        let found = FileReport::of(self.sample.file(), self.sample.format()?, &policy)?;
        let document = found.report.document();
        if let Some(path) = &self.propose {
            write_public(path, document.proposed_policy.as_bytes())?;
            session.output.note(format!("proposed policy in {}", path.display()));
        }
        if let Some(path) = &self.html {
            let subject = page::Subject {
                file: self.sample.file(),
                policy: self.policy.as_deref(),
                screened: time::OffsetDateTime::now_utc(),
            };
            write_private(path, page::write(&subject, &document).as_bytes())?;
            session.output.note(format!("report in {}", path.display()));
        }
        session.output.give(&document, |output| table::show(output, &document))?;
        Ok(conclude(&session.output, &found, document.rejected))
    }
}

impl Sample {
    /// A file whose name tells its type.
    pub(super) fn of(file: &Path) -> Self {
        Self { file: file.to_owned(), format: None, charset: CharsetFlag::Utf8 }
    }

    /// Where it is.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// How it is written.
    pub(super) fn format(&self) -> Result<Format, CliError> {
        let charset = self.charset.into();
        let by_flag = self.format.map(|format| format.to_reader(charset));
        by_flag.or_else(|| format_of(&self.file, charset)).ok_or_else(|| {
            CliError::usage("the file's name does not tell its type")
                .advise("give --format csv, ndjson or json")
        })
    }
}

impl CharsetFlag {
    /// What is in a file that is written so.
    pub(super) fn applied_to(self, media: Media) -> Result<Media, CliError> {
        match (self, media.content_type) {
            (Self::Utf8, _) => Ok(media),
            (Self::Latin1, "text/csv") => Ok(Media { content_type: LATIN1_CSV, ..media }),
            (Self::Latin1, _) => Err(CliError::usage("JSON is always UTF-8")),
        }
    }
}

impl From<CharsetFlag> for Charset {
    fn from(flag: CharsetFlag) -> Self {
        match flag {
            CharsetFlag::Utf8 => Self::Utf8,
            CharsetFlag::Latin1 => Self::Latin1,
        }
    }
}

/// How a command that screened a file ended.
pub(super) fn conclude(output: &Output, found: &FileReport, rejected: u64) -> Exit {
    let Some((line, reason)) = &found.first_rejected else {
        return Exit::Done;
    };
    output.note(format!("{rejected} refused; line {line}: {reason}"));
    if found.report.records() == 0 { Exit::Failed } else { Exit::SomeRejected }
}
