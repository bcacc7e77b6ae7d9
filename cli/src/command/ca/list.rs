//! `tresor ca list`.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::{
    certificates::{CertificateAuthority, Issued, Standing},
    error::{CliError, Exit},
    output::{Output, Tone},
    session::Session,
};

/// A valid certificate that ends within so many days is shown as such.
const SOON: Duration = Duration::days(30);

/// Lists the certificates that were issued.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tresor ca list --expiring 30d")]
pub(crate) struct List {
    /// Directory of the authority
    #[arg(long, default_value = "ca")]
    dir: PathBuf,
    /// Only those that end within so many days, as `30d`
    #[arg(long, value_name = "DAYS", value_parser = days)]
    expiring: Option<Duration>,
    /// Expired and revoked ones too
    #[arg(long, conflicts_with = "expiring")]
    all: bool,
}

impl List {
    pub(super) fn run(self, session: &Session) -> Result<Exit, CliError> {
        let authority = CertificateAuthority::open(&self.dir)?;
        let now = OffsetDateTime::now_utc();
        let is_shown = |one: &&Issued| match (self.all, self.expiring) {
            (true, _) => true,
            (false, Some(within)) => {
                one.standing(now) == Standing::Valid && one.not_after - now < within
            }
            (false, None) => one.standing(now) == Standing::Valid,
        };
        let ledger = authority.ledger()?;
        let shown: Vec<_> = ledger.issued().iter().filter(is_shown).cloned().collect();
        let document = json!({
            "certificates": shown.iter().map(|one| to_json(one, now)).collect::<Vec<_>>(),
        });
        session.output.give(&document, |output| table(output, &shown, now))?;
        Ok(Exit::Done)
    }
}

/// Shows certificates to people, before a question.
pub(super) fn show(session: &Session, certificates: &[Issued]) -> Result<(), CliError> {
    if session.output.is_json() {
        return Ok(());
    }
    table(&session.output, certificates, OffsetDateTime::now_utc())
}

fn table(output: &Output, certificates: &[Issued], now: OffsetDateTime) -> Result<(), CliError> {
    let rows = certificates.iter().map(|one| {
        let (tone, state) = state(one, now);
        vec![
            one.name.as_str().into(),
            output.cell(tone, state),
            one.not_after.date().to_string().into(),
            one.serial.as_str().into(),
        ]
    });
    output.table(&["name", "state", "until", "serial"], rows)
}

fn state(one: &Issued, now: OffsetDateTime) -> (Tone, &'static str) {
    match one.standing(now) {
        Standing::Revoked => (Tone::Bad, "revoked"),
        Standing::Expired => (Tone::Faint, "expired"),
        Standing::Valid if one.not_after - now < SOON => (Tone::Notable, "expiring"),
        Standing::Valid => (Tone::Good, "valid"),
    }
}

fn to_json(one: &Issued, now: OffsetDateTime) -> Value {
    let mut document = json!(one);
    document["standing"] = json!(one.standing(now));
    document
}

fn days(text: &str) -> Result<Duration, &'static str> {
    let days = text.strip_suffix('d').unwrap_or(text).parse::<u16>();
    days.map(|days| Duration::days(days.into())).map_err(|_| "a number of days, such as 30d")
}
