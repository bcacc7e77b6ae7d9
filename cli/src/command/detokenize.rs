//! `tresor detokenize`: the same file with values, or their masks, in the places of surrogates.

use clap::Args;
use serde_json::json;

use super::{
    exchanged::{Asked, FileFlags, FormerForm},
    get::RevealFlag,
};
use crate::{
    error::{CliError, Exit},
    exchange::Direction,
    session::Session,
};

/// Writes the same file with values, or their masks, in the places of surrogates.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor detokenize surrogates.txt --reveal plain --out names.txt
  tresor detokenize out.csv --column iban --out masked.csv
  tresor detokenize out.csv --column card --info-type CREDIT_CARD_NUMBER --reveal plain --out in.csv

A surrogate never shows more than it was made for. One that is refused leaves its place empty; line
and reason are in FILE.detokenize.rejects.ndjson, and the exit code is 3. Format-preserving surrogates do not
say what they were made for: name --info-type, --format where one was chosen, and --key-version where
identifier keys have been replaced since.")]
pub(crate) struct DetokenizeCommand {
    #[command(flatten)]
    file: FileFlags,
    /// How much to show
    #[arg(long, value_enum, default_value = "masked")]
    reveal: RevealFlag,
    #[command(flatten)]
    form: FormerForm,
}

impl DetokenizeCommand {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let mut options = self.form.options();
        options.insert("reveal".to_owned(), json!(self.reveal.as_str()));
        let asked = Asked { direction: Direction::Detokenize, options, expires: None };
        self.file.exchange(asked, session).await
    }
}
