//! `tresor keys token`: the customer's own tokens: issue, rotate, revoke, list.
//!
//! It promises that a new customer token has a place to go before it is made, since it is shown
//! once, and that none is in an argument or a log. It relies on the vault for what may be granted.

mod about;
mod issue;
mod lend;
mod revoke;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tresor_proto::{CustomerToken, CustomerTokenId};
use zeroize::Zeroize as _;

use self::about::{About, show_all};
use crate::{
    command::question::ask,
    connection::CustomerFlags,
    error::{CliError, Exit},
    https::{Https, fetch},
    private_file::{Kept, Reserved},
    secret_input::CustomerTokenSource,
    session::Session,
};

const ROUTE: [&str; 3] = ["v1", "keys", "tokens"];

/// Looks after customer tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Issue a customer token, within the bounds of your own
    Issue(issue::Issue),
    /// Issue a customer token in place of another; both work for a while
    Rotate(Rotate),
    /// Lend your customer token to re-encryption, for a while
    Lend(lend::Lend),
    /// End a customer token at once
    Revoke(revoke::Revoke),
    /// List customer tokens, without their secrets
    List(List),
}

impl TokenCommand {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        match self {
            Self::Issue(issue) => issue.run(session).await,
            Self::Rotate(rotate) => rotate.run(session).await,
            Self::Lend(lend) => lend.run(session).await,
            Self::Revoke(revoke) => revoke.run(session).await,
            Self::List(list) => list.run(session).await,
        }
    }
}

/// Who asks.
#[derive(Debug, Args)]
struct Asking {
    #[command(flatten)]
    customer_token: CustomerTokenSource,
    #[command(flatten)]
    connection: CustomerFlags,
}

/// The way to the external API, with the customer token that asks.
struct Desk {
    https: Https,
    customer_token: CustomerToken,
}

impl Asking {
    fn desk(&self, session: &Session) -> Result<Desk, CliError> {
        let https = self.connection.https(session)?;
        Ok(Desk { https, customer_token: self.customer_token.read(session)? })
    }
}

impl Desk {
    async fn list(&self) -> Result<Vec<About>, CliError> {
        let request = self.https.request_with(Method::GET, &ROUTE, &self.customer_token)?;
        Ok(fetch::<Listed>(request).await?.customer_tokens)
    }

    async fn find(&self, id: CustomerTokenId) -> Result<About, CliError> {
        let id = id.to_string();
        let found = self.list().await?.into_iter().find(|about| about.id == id);
        found.ok_or_else(|| CliError::failed("there is no customer token of that id"))
    }

    /// Posts to the list, or to a call of one.
    async fn post<T: serde::de::DeserializeOwned>(
        &self,
        call: Option<&str>,
        body: &Value,
    ) -> Result<T, CliError> {
        let mut segments = ROUTE.to_vec();
        segments.extend(call);
        let request = self.https.request_with(Method::POST, &segments, &self.customer_token)?;
        fetch(request.json(body)).await
    }
}

#[derive(Deserialize)]
struct Listed {
    customer_tokens: Vec<About>,
}

/// A customer token that was made.
#[derive(Deserialize)]
struct Made {
    customer_token: String,
    issued: About,
    replaced: Option<About>,
}

impl Drop for Made {
    fn drop(&mut self) {
        self.customer_token.zeroize();
    }
}

/// Where a new customer token goes.
#[derive(Debug, Args)]
struct Destination {
    /// File to write the new customer token to (mode 0600); without it, it is shown on the terminal
    #[arg(long, value_name = "FILE", help_heading = "Secrets")]
    token_file: Option<PathBuf>,
}

impl Destination {
    /// Makes sure of the place before there is a secret to lose.
    fn reserve(&self) -> Result<Option<Reserved>, CliError> {
        use std::io::IsTerminal as _;
        if self.token_file.is_none() && !std::io::stdout().is_terminal() {
            return Err(CliError::usage("there is no terminal to show the customer token on")
                .advise("give --token-file FILE"));
        }
        self.token_file.as_deref().map(Reserved::create).transpose()
    }

    /// Keeps what was made, and shows what is known of it.
    fn keep(session: &Session, reserved: Option<Reserved>, made: &Made) -> Result<Exit, CliError> {
        let kept = Kept::new(reserved, &made.customer_token);
        let mut document = json!({ "issued": made.issued, "replaced": made.replaced });
        kept.tell(&mut document, "customer_token", &made.customer_token);
        session.output.give(&document, |output| {
            output.line(format!("customer token {} is issued", made.issued.id))?;
            made.issued.show(output)?;
            if let Some(replaced) = &made.replaced {
                output.line(replaced.end_in_words())?;
            }
            output.line(kept.line("customer token", &made.customer_token))?;
            output.note("keep it in a safe place: it is kept nowhere else");
            Ok(())
        })?;
        kept.end()?;
        Ok(Exit::Done)
    }
}

/// Lists customer tokens.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor keys token list
  tresor keys token list --output json")]
pub(crate) struct List {
    #[command(flatten)]
    asking: Asking,
}

impl List {
    async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let listed = self.asking.desk(session)?.list().await?;
        let document = json!({ "customer_tokens": listed });
        session.output.give(&document, |output| show_all(output, &listed))?;
        Ok(Exit::Done)
    }
}

/// Issues a customer token in place of another.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor keys token rotate 0a1B2c3D4e5F6g7H8 --token-file new.token
  tresor keys token rotate 0a1B2c3D4e5F6g7H8 --token-file new.token --overlap 1d
  tresor keys token rotate 0a1B2c3D4e5F6g7H8 --token-file new.token --overlap 0

The new one has the same bounds. The old one goes on for the overlap, 7 days unless given, and then
ends by itself; with --overlap 0 it ends at once: do that when it may be known to others.")]
pub(crate) struct Rotate {
    /// Id of the customer token: what stands between its underscores
    #[arg(value_name = "ID", value_parser = token_id)]
    id: CustomerTokenId,
    /// How long the old one goes on: 0, 12h, 7d; at most 90d
    #[arg(long, value_name = "TIME", value_parser = overlap)]
    overlap: Option<u32>,
    #[command(flatten)]
    destination: Destination,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Only show what would be rotated
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    #[command(flatten)]
    asking: Asking,
}

impl Rotate {
    async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let desk = self.asking.desk(session)?;
        if !self.yes {
            let old = desk.find(self.id).await?;
            if self.dry_run {
                return old.would_be(session, "replaced");
            }
            if self.overlap == Some(0) {
                ask(&format!("{} ends at once. Rotate?", old.in_words()), "nothing was rotated")?;
            }
        }
        let reserved = self.destination.reserve()?;
        let body = match self.overlap {
            Some(seconds) => json!({ "overlap_seconds": seconds }),
            None => json!({}),
        };
        let made: Made = desk.post(Some(&format!("{}:rotate", self.id)), &body).await?;
        Destination::keep(session, reserved, &made)
    }
}

fn token_id(text: &str) -> Result<CustomerTokenId, &'static str> {
    CustomerTokenId::parse(text)
        .ok_or("an id has 17 letters and digits; never give the token itself")
}

/// Seconds of a time like `7d`, `12h` or `0`.
fn overlap(text: &str) -> Result<u32, &'static str> {
    let units = [("d", 24 * 60 * 60), ("h", 60 * 60), ("m", 60), ("s", 1), ("", 1)];
    let found = units.into_iter().find_map(|(unit, seconds)| {
        let number = text.strip_suffix(unit)?.parse::<u32>().ok()?;
        number.checked_mul(seconds)
    });
    found.ok_or("a number with d, h, m or s")
}

/// A path as it is shown.
fn shown_path(path: Option<&Path>) -> String {
    path.map_or_else(|| "the terminal".to_owned(), |path| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overlap_is_a_number_with_a_unit() {
        let seconds = ["0", "90s", "5m", "12h", "7d"].map(|text| overlap(text).ok());
        assert_eq!(seconds, [Some(0), Some(90), Some(300), Some(43_200), Some(604_800)]);
        for text in ["", "d", "-1d", "1w", "99999999d"] {
            assert!(overlap(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_customer_token_is_not_taken_for_an_id() {
        let text = "trsr_14fhprYCYlTyUewFx_EHaKB2qyjGii2QpQPwpQat5bqPfpaJ2HRtLYCZ2jm4i4ORhGB";
        assert!(token_id(text).is_err());
        assert!(token_id("14fhprYCYlTyUewFx").is_ok());
    }
}
