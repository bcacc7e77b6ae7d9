//! `tresor surrogates`: looks after surrogates that are kept elsewhere.

use clap::{Args, Subcommand};

use super::exchanged::{Asked, FileFlags, FormerForm};
use crate::{
    error::{CliError, Exit},
    exchange::Direction,
    session::Session,
};

/// Looks after surrogates.
#[derive(Debug, Subcommand)]
pub(crate) enum SurrogatesCommand {
    /// Write which surrogates stand in the places of older ones, when identifier keys are replaced
    Renew(RenewCommand),
}

/// Writes a map from the surrogates of a file to those under the newest key.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor surrogates renew meters.txt --info-type METER_ID --format digits --key-version 1 --out map.csv
  tresor surrogates renew out.csv --column card --info-type CREDIT_CARD_NUMBER --key-version 1

With --info-type it takes --key-version, the version of the key that made the surrogates, as `tresor
tokenize`, `tresor upload --out` and the API told it.
The map is a CSV with the columns `old` and `new`, a row for each surrogate of the file, in order; no
value is shown. Only format-preserving surrogates change: random and deterministic ones are their own
successors. It takes a customer token that may tokenize and detokenize and, where there are users, an
admin. What is refused is listed in FILE.renew.rejects.ndjson, by line and reason, and the exit code
is 3. With --out, the same command goes on where a run broke off.")]
pub(crate) struct RenewCommand {
    #[command(flatten)]
    file: FileFlags,
    #[command(flatten)]
    form: FormerForm,
}

impl SurrogatesCommand {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        match self {
            Self::Renew(command) => command.run(session).await,
        }
    }
}

impl RenewCommand {
    async fn run(self, session: &Session) -> Result<Exit, CliError> {
        if self.file.has_info_type() && !self.form.has_key_version() {
            return Err(CliError::usage("missing: --key-version").advise(
                "it is the version of the key that made the surrogates, which tokenizing told: under \
                 another one they stand for other values",
            ));
        }
        let asked =
            Asked { direction: Direction::Renew, options: self.form.options(), expires: None };
        self.file.exchange(asked, session).await
    }
}
