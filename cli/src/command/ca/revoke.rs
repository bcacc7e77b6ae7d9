//! `tresor ca revoke` and `tresor ca crl`.

use std::path::PathBuf;

use clap::{Args, value_parser};
use serde_json::json;
use time::OffsetDateTime;

use super::list;
use crate::{
    certificates::{Branch, CertificateAuthority, Issued, NEXT_UPDATE_DAYS, Standing},
    command::question::ask,
    error::{CliError, Exit},
    session::Session,
};

/// Revokes certificates.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor ca revoke planner --dry-run
  tresor ca revoke spiffe://tresor.local/tenant/0192f0c1-2d3e-7f40-8a5b-6c7d8e9fa0b1/client/planner
Then bring the revocation list to the machines whose configuration names it.")]
pub(crate) struct Revoke {
    /// Name of its files, its URI, or its serial number
    #[arg(value_name = "NAME")]
    which: String,
    /// Directory of the authority
    #[arg(long, default_value = "ca")]
    dir: PathBuf,
    /// Show what would be revoked, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

/// Writes the revocation lists anew, before they are outdated.
#[derive(Debug, Args)]
pub(crate) struct Crl {
    /// Directory of the authority
    #[arg(long, default_value = "ca")]
    dir: PathBuf,
    /// Days until the next list is due
    #[arg(long, value_name = "N", default_value_t = NEXT_UPDATE_DAYS, value_parser = value_parser!(u16).range(1..=3650))]
    days: u16,
}

impl Revoke {
    pub(super) fn run(self, session: &Session) -> Result<Exit, CliError> {
        let authority = CertificateAuthority::open(&self.dir)?;
        let mut ledger = authority.ledger()?;
        let meant = self.meant(ledger.issued())?;
        if !self.dry_run {
            if !self.yes {
                list::show(session, &meant)?;
                let count = meant.len();
                let question = format!("Revoke {count} certificate(s)? They never work again.");
                ask(&question, "nothing was revoked")?;
            }
            authority.revoke(&mut ledger, &meant)?;
        }
        self.tell(session, &meant)?;
        Ok(Exit::Done)
    }

    /// The valid certificates that are meant; of one owner, so that a short name never takes
    /// another tenant's client along.
    fn meant(&self, issued: &[Issued]) -> Result<Vec<Issued>, CliError> {
        let now = OffsetDateTime::now_utc();
        let known: Vec<_> = issued.iter().filter(|one| one.is_meant_by(&self.which)).collect();
        let Some(first) = known.first() else {
            return Err(CliError::failed("no certificate of that name or number was issued here")
                .advise("`tresor ca list --all` shows all; a foreign one goes on the deny list"));
        };
        if known.iter().any(|one| one.name != first.name) {
            return Err(CliError::failed("several owners have certificates of that name")
                .advise("give the URI or the serial number; `tresor ca list` shows them"));
        }
        let valid = known.into_iter().filter(|one| one.standing(now) == Standing::Valid);
        let valid: Vec<_> = valid.cloned().collect();
        if valid.is_empty() {
            return Err(CliError::failed("it is revoked or expired already"));
        }
        Ok(valid)
    }

    fn tell(&self, session: &Session, revoked: &[Issued]) -> Result<(), CliError> {
        let is_touched = |branch: &Branch| revoked.iter().any(|one| one.branch == *branch);
        let lists: Vec<_> = Branch::ALL
            .into_iter()
            .filter(is_touched)
            .map(|branch| self.dir.join(branch.revocation_list_file()))
            .collect();
        let document = json!({
            "dry_run": self.dry_run, "revoked": revoked, "revocation_lists": lists,
        });
        session.output.give(&document, |output| {
            let verb = if self.dry_run { "would be revoked" } else { "revoked" };
            for one in revoked {
                output.line(format!("{verb}: {}, serial {}", one.name, one.serial))?;
            }
            for list in &lists {
                output.line(format!("  bring {} to the servers that name it", list.display()))?;
            }
            Ok(())
        })
    }
}

impl Crl {
    pub(super) fn run(self, session: &Session) -> Result<Exit, CliError> {
        let authority = CertificateAuthority::open(&self.dir)?;
        let ledger = authority.ledger()?;
        for branch in Branch::ALL {
            authority.write_revocation_list(&ledger, branch, self.days)?;
        }
        let lists = Branch::ALL.map(|branch| self.dir.join(branch.revocation_list_file()));
        let document = json!({ "revocation_lists": lists, "days": self.days });
        session.output.give(&document, |output| {
            lists.iter().try_for_each(|list| {
                output.line(format!("{}: good for {} days", list.display(), self.days))
            })
        })?;
        Ok(Exit::Done)
    }
}
