//! `tresor tokenize`: the same file with surrogates in the places of values.

use clap::{Args, ValueEnum, value_parser};
use prost_types::{Duration, Timestamp};
use serde_json::{Map, json};
use time::OffsetDateTime;

use super::{
    exchanged::{Asked, FileFlags, FormatFlag},
    get::RevealFlag,
    parse,
};
use crate::{
    error::{CliError, Exit},
    exchange::Direction,
    session::Session,
};

/// Writes the same file with surrogates in the places of values.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor tokenize names.txt --info-type LAST_NAME --out surrogates.txt
  tresor tokenize customers.csv --column iban --info-type IBAN_CODE --kind deterministic --out out.csv
  tresor tokenize cards.csv --column card --info-type CREDIT_CARD_NUMBER --kind format-preserving \\
      --out out.csv
  cut -f 3 table | tresor tokenize - --info-type CITY --expires 30d --reveal masked

A value that is refused leaves its place empty; line and reason are in
FILE.tokenize.rejects.ndjson, and the exit code is 3. With --out, the same command goes on where a run
broke off, and no value gets a second surrogate.

Format-preserving surrogates hang on a key that can be replaced. The end tells its version: keep it, it
takes it to renew them, and to detokenize them once there is a newer one. A file is of one version; when
keys are replaced meanwhile the run stops, and --restart writes the file anew.")]
pub(crate) struct TokenizeCommand {
    #[command(flatten)]
    file: FileFlags,
    /// How surrogates are made
    #[arg(long, value_enum, default_value = "random")]
    kind: KindFlag,
    /// What format-preserving surrogates look like; that of the info type unless given
    #[arg(long, value_enum)]
    format: Option<FormatFlag>,
    /// How much they ever show. Not of format-preserving ones
    #[arg(long, value_enum, default_value = "plain")]
    reveal: RevealFlag,
    /// How long they are good for, like 12h or 30d; for ever unless given. Only of random ones
    #[arg(long, value_name = "SPAN", value_parser = parse::lasting_span)]
    expires: Option<Duration>,
    /// How often each may be traded for its value or mask; as often as asked unless given. Only of
    /// random ones
    #[arg(long, value_name = "NUMBER", value_parser = value_parser!(u32).range(1..))]
    uses: Option<u32>,
    /// Also of a type with few values, like GENDER, where equal values have equal surrogates: whoever
    /// may tokenize learns them by trying, and equal surrogates show how often each occurs
    #[arg(long)]
    forced: bool,
}

/// How surrogates are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum KindFlag {
    /// Another one each time
    Random,
    /// The same one for the same value
    Deterministic,
    /// One that looks like the value
    FormatPreserving,
}

impl TokenizeCommand {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        if !self.file.has_info_type() {
            return Err(CliError::usage("missing: --info-type").advise(
                "it says which class of keys locks the values; FREE_TEXT if nothing fits",
            ));
        }
        let mut options = Map::new();
        options.insert("kind".to_owned(), json!(self.kind.as_str()));
        options.insert("reveal".to_owned(), json!(self.reveal.as_str()));
        if let Some(format) = self.format {
            options.insert("format".to_owned(), json!(format.as_str()));
        }
        if let Some(uses) = self.uses {
            options.insert("uses".to_owned(), json!(uses));
        }
        if self.forced {
            options.insert("forced".to_owned(), json!(true));
        }
        let expires = self.expires.map(|span| from_now(&span));
        let asked = Asked { direction: Direction::Tokenize, options, expires };
        self.file.exchange(asked, session).await
    }
}

impl KindFlag {
    fn as_str(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Deterministic => "deterministic",
            Self::FormatPreserving => "format-preserving",
        }
    }
}

fn from_now(span: &Duration) -> String {
    let seconds = OffsetDateTime::now_utc().unix_timestamp().saturating_add(span.seconds);
    Timestamp { seconds, nanos: 0 }.to_string()
}
