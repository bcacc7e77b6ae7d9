//! `tresor screen`: looks for personal data in a file, on this machine.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use comfy_table::Cell;
use serde_json::{Value, json};
use tresor_proto::{Action, Policy};
use tresor_screening::{
    Column, policy_document,
    reader::{Charset, Format},
};

use super::collection::read_policy;
use crate::{
    error::{CliError, Exit},
    file_report::{FileReport, format_of},
    output::{Output, Tone, counted, printable},
    private_file::write_public,
    session::Session,
    transfer::{LATIN1_CSV, Media},
};

/// Looks for personal data in a file.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor screen customers.csv
  tresor screen customers.csv --propose customers.yaml
  tresor screen customers.csv --policy customers.yaml --output json

Nothing leaves this machine. An upload under the same policy gets the same verdicts.")]
pub(crate) struct ScreenCommand {
    /// File of records: .csv, .ndjson, .jsonl, .json
    file: PathBuf,
    /// Policy document to screen under; without it nothing is declared
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// File to write a proposed policy to
    #[arg(long, value_name = "FILE")]
    propose: Option<PathBuf>,
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
        let found = FileReport::of(&self.file, self.file_format()?, &policy)?;
        let columns = found.report.columns();
        let proposed = policy_document::write(&found.report.proposed_policy());
        let document = json!({
            "records": found.report.records(),
            "rejected": found.rejected,
            "columns": columns.iter().map(column_to_json).collect::<Vec<_>>(),
            "proposed_policy": proposed,
        });
        if let Some(path) = &self.propose {
            write_public(path, proposed.as_bytes())?;
            session.output.note(format!("proposed policy in {}", path.display()));
        }
        session.output.give(&document, |output| {
            show_columns(output, &columns)?;
            let records = found.report.records();
            let columns = counted(columns.len() as u64, "column");
            output.line(format!("{}, {columns}", counted(records, "record")))
        })?;
        Ok(conclude(&session.output, &found))
    }

    fn file_format(&self) -> Result<Format, CliError> {
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

fn conclude(output: &Output, found: &FileReport) -> Exit {
    let Some((line, reason)) = &found.first_rejected else {
        return Exit::Done;
    };
    output.note(format!("{} refused; line {line}: {reason}", found.rejected));
    if found.report.records() == 0 { Exit::Failed } else { Exit::SomeRejected }
}

/// Shows columns as a table.
pub(crate) fn show_columns(output: &Output, columns: &[Column]) -> Result<(), CliError> {
    let row = |column: &Column| {
        vec![
            Cell::new(printable(column.name.as_str())),
            Cell::new(column.info_type.map_or("", |info_type| info_type.as_str())),
            Cell::new(column.class.map_or("", |class| class.as_str())),
            output.cell(tone_of(column.action), column.action.as_str()),
            Cell::new(format!("{:.2}", column.confidence)),
            Cell::new(column.evidence.to_string()),
        ]
    };
    let header = ["field", "info type", "class", "action", "sure", "evidence"];
    output.table(&header, columns.iter().map(row))
}

/// A column as JSON.
pub(crate) fn column_to_json(column: &Column) -> Value {
    let findings = column
        .findings
        .iter()
        .map(|(info_type, count)| (info_type.as_str().to_owned(), json!(count)));
    json!({
        "name": column.name.as_str(),
        "info_type": column.info_type.map(|info_type| info_type.as_str()),
        "class": column.class.map(|class| class.as_str()),
        "action": column.action.as_str(),
        "confidence": (f64::from(column.confidence) * 1_000.0).round() / 1_000.0,
        "source": column.source.as_str(),
        "evidence": column.evidence.to_string(),
        "drift": column.drift.map(|drift| json!({
            "from": drift.from.map(|info_type| info_type.as_str()),
            "to": drift.to.map(|info_type| info_type.as_str()),
        })),
        "values": column.values,
        "findings": findings.collect::<serde_json::Map<_, _>>(),
    })
}

fn tone_of(action: Action) -> Tone {
    match action {
        Action::Seal | Action::Tokenize => Tone::Good,
        Action::Clear => Tone::Faint,
        Action::Drop | Action::Reject => Tone::Notable,
    }
}
