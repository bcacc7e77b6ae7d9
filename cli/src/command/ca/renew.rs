//! `tresor ca renew`.

use clap::Args;
use time::OffsetDateTime;
use tresor_proto::{CertificateName, TrustDomain};

use super::issue::How;
use crate::{
    certificates::{CertificateAuthority, Issued, Standing, Subject},
    error::{CliError, Exit},
    session::Session,
};

/// Issues a certificate anew: the same names, a new key, from now on.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tresor ca renew planner --out for-stadtwerke-burg --days 90
The old one works until it expires or is revoked, so that there is time to change over.")]
pub(crate) struct Renew {
    /// Name of its files, its URI, or its serial number
    #[arg(value_name = "NAME")]
    which: String,
    #[command(flatten)]
    how: How,
}

impl Renew {
    pub(super) fn run(self, session: &Session) -> Result<Exit, CliError> {
        let authority = CertificateAuthority::open(&self.how.dir)?;
        let old = newest(authority.ledger()?.issued(), &self.which)?;
        let subject = subject_of(&old, authority.trust_domain())?;
        self.how.issue(session, &subject, &old.file)
    }
}

/// The newest certificate that is meant, of one owner, and not revoked.
fn newest(issued: &[Issued], which: &str) -> Result<Issued, CliError> {
    let now = OffsetDateTime::now_utc();
    let meant = issued.iter().filter(|one| one.is_meant_by(which));
    let meant: Vec<_> = meant.filter(|one| one.standing(now) != Standing::Revoked).collect();
    let Some(newest) = meant.last() else {
        return Err(CliError::failed("no certificate of that name or number is there to renew")
            .advise("`tresor ca list --all` shows all; a revoked one is issued, not renewed"));
    };
    if meant.iter().any(|one| one.name != newest.name) {
        return Err(CliError::failed("several owners have certificates of that name")
            .advise("give the URI or the serial number; `tresor ca list` shows them"));
    }
    Ok((*newest).clone())
}

fn subject_of(old: &Issued, trust_domain: &TrustDomain) -> Result<Subject, CliError> {
    let name = CertificateName::parse(&old.name, trust_domain);
    let name = name.ok_or_else(|| CliError::failed("the list of certificates is damaged"))?;
    let (dns_names, addresses) = (old.dns_names.clone(), old.addresses.clone());
    Ok(Subject { name, branch: old.branch, dns_names, addresses })
}
