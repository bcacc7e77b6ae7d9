//! `tresor ca`: makes a certificate authority, issues, renews, revokes and lists certificates.

mod issue;
mod list;
mod renew;
mod revoke;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use tresor_proto::TrustDomain;

use crate::{
    certificates::{AUTHORITY_CERTIFICATE, Branch, CertificateAuthority, ROOT_KEY},
    error::{CliError, Exit},
    session::Session,
};

/// Makes a certificate authority, issues, renews, revokes and lists certificates.
#[derive(Debug, Subcommand)]
pub(crate) enum CaCommand {
    /// Make an authority: a root, and a branch each for clients, services and operators
    #[command(after_help = "Example:\n  tresor ca init --dir ca --trust-domain tresor.example")]
    Init(Init),
    /// Issue a certificate for a service, an operator or a client
    #[command(subcommand)]
    Issue(issue::IssueCommand),
    /// Issue a certificate anew, with a new key
    Renew(renew::Renew),
    /// Revoke a certificate: servers refuse it as soon as they have the list
    Revoke(revoke::Revoke),
    /// Write the revocation lists anew
    Crl(revoke::Crl),
    /// List the certificates that were issued
    List(list::List),
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Directory of the authority
    #[arg(long, default_value = "ca")]
    dir: PathBuf,
    /// Domain the names of all certificates live in
    #[arg(long, value_name = "DOMAIN", default_value = "tresor.local", value_parser = trust_domain)]
    trust_domain: TrustDomain,
}

impl CaCommand {
    /// Runs it.
    pub(crate) fn run(self, session: &Session) -> Result<Exit, CliError> {
        match self {
            Self::Init(init) => init.run(session),
            Self::Issue(issue) => issue.run(session),
            Self::Renew(renew) => renew.run(session),
            Self::Revoke(revoke) => revoke.run(session),
            Self::Crl(crl) => crl.run(session),
            Self::List(list) => list.run(session),
        }
    }
}

impl Init {
    fn run(self, session: &Session) -> Result<Exit, CliError> {
        let authority = CertificateAuthority::create(&self.dir, self.trust_domain)?;
        let file = |name: &str| self.dir.join(name);
        let branches = Branch::ALL.map(|branch| {
            let certificate = file(&branch.certificate_file());
            let list = file(&branch.revocation_list_file());
            serde_json::json!({
                "branch": branch.name(), "certificate": certificate, "revocation_list": list,
            })
        });
        let certificate = file(AUTHORITY_CERTIFICATE);
        let domain = authority.trust_domain().as_str();
        let document = serde_json::json!({
            "certificate": certificate, "trust_domain": domain, "branches": branches,
        });
        session.output.give(&document, |output| {
            output.line(format!("authority for {domain}: {}", certificate.display()))?;
            for branch in Branch::ALL {
                let certificate = file(&branch.certificate_file());
                output.line(format!("  {:<10} {}", branch.name(), certificate.display()))?;
            }
            let root = file(ROOT_KEY);
            output.line(format!(
                "move {} off this machine, to where nobody reaches it: issuing does not need it",
                root.display()
            ))
        })?;
        Ok(Exit::Done)
    }
}

fn trust_domain(text: &str) -> Result<TrustDomain, &'static str> {
    TrustDomain::parse(text).ok_or("a trust domain is [a-z0-9.-]{1,63}")
}
