//! `tresor keys token revoke`: after showing which, and asking; for the last that reads, by name.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use clap::Args;
use serde_json::json;
use tresor_proto::{CustomerTokenId, ErrorCode};

use super::{About, Asking, Desk, token_id};
use crate::{
    command::question::ask,
    error::{CliError, Exit},
    session::Session,
};

/// Ends a customer token.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor keys token revoke 0a1B2c3D4e5F6g7H8
  tresor keys token revoke 0a1B2c3D4e5F6g7H8 --dry-run
  tresor keys token revoke 0a1B2c3D4e5F6g7H8 --yes --confirm stadtwerke-burg

Its next request is refused. Where no other customer token reads one of its classes for as long, the
tenant's name is to be typed, or given with --confirm: nobody, the operator included, can read those
data then without the recovery token.")]
pub(crate) struct Revoke {
    /// Id of the customer token: what stands between its underscores
    #[arg(value_name = "ID", value_parser = token_id)]
    id: CustomerTokenId,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// The tenant's name, when it is the last that reads a class
    #[arg(long, value_name = "TENANT", default_value = "", hide_default_value = true)]
    confirm: String,
    /// Only show which would be revoked
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    #[command(flatten)]
    asking: Asking,
}

impl Revoke {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let desk = self.asking.desk(session)?;
        if !self.yes {
            let which = desk.find(self.id).await?;
            if self.dry_run {
                return which.would_be(session, "revoked");
            }
            ask(&format!("{} will end at once. Revoke?", which.in_words()), NOTHING)?;
        }
        let revoked = match self.revoke(&desk, &self.confirm).await {
            Err(error) if self.is_to_be_typed(&error) => {
                session.output.error(&error);
                self.revoke(&desk, &typed()?).await?
            }
            revoked => revoked?,
        };
        session
            .output
            .give(&json!({ "revoked": revoked }), |output| output.line(revoked.end_in_words()))?;
        Ok(Exit::Done)
    }

    /// Whether a person can still confirm.
    fn is_to_be_typed(&self, error: &CliError) -> bool {
        let is_last = error.violations().iter().any(|violation| violation.field == "confirmation");
        let is_asked = error.code() == Some(ErrorCode::Conflict) && is_last;
        is_asked && self.confirm.is_empty() && !self.yes && std::io::stdin().is_terminal()
    }

    async fn revoke(&self, desk: &Desk, confirmation: &str) -> Result<About, CliError> {
        let body = json!({ "confirmation": confirmation });
        desk.post(Some(&format!("{}:revoke", self.id)), &body).await
    }
}

const NOTHING: &str = "nothing was revoked";

fn typed() -> Result<String, CliError> {
    let mut out = std::io::stderr().lock();
    write!(out, "Type the tenant's name to revoke it all the same: ")?;
    out.flush()?;
    let mut name = String::new();
    std::io::stdin().lock().read_line(&mut name)?;
    match name.trim() {
        "" => Err(CliError::failed(NOTHING)),
        name => Ok(name.to_owned()),
    }
}
