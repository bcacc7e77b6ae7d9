//! `tresor ca`: makes a certificate authority and issues certificates for services and clients.

use std::{net::IpAddr, path::PathBuf};

use clap::{Args, Subcommand, value_parser};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};
use tresor_proto::{CertificateName, ClientName, ServiceName, TenantId, TrustDomain};

use crate::{
    certificates::{AUTHORITY_CERTIFICATE, CertificateAuthority, IssuedFiles, Subject, Validity},
    error::{CliError, Exit},
    private_file::make_private_directory,
    session::Session,
};

/// Makes a certificate authority and issues certificates.
#[derive(Debug, Subcommand)]
pub(crate) enum CaCommand {
    /// Make an authority: ca.pem and ca.key
    #[command(after_help = "Example:\n  tresor ca init --dir ca --trust-domain tresor.example")]
    Init(Init),
    /// Issue a certificate for a service or a client
    #[command(subcommand)]
    Issue(IssueCommand),
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

#[derive(Debug, Subcommand)]
pub(crate) enum IssueCommand {
    /// For a service: it may answer and call
    #[command(after_help = "\
Examples:
  tresor ca issue service internal-api --dns vault.example --ip 192.0.2.7
  tresor ca issue service edge --dns api.example
  tresor ca issue service operator")]
    Service(IssueService),
    /// For a client of a tenant: it may only call
    #[command(after_help = "\
Example:
  tresor ca issue client planner --tenant 0192f0c1-2d3e-7f40-8a5b-6c7d8e9fa0b1 --days 90")]
    Client(IssueClient),
}

#[derive(Debug, Args)]
pub(crate) struct IssueService {
    /// Name of the service, as its role is configured
    #[arg(value_parser = service_name)]
    name: ServiceName,
    /// Host name it answers to; may be repeated
    #[arg(long, value_name = "NAME")]
    dns: Vec<String>,
    /// Address it answers at; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    ip: Vec<IpAddr>,
    #[command(flatten)]
    how: How,
}

#[derive(Debug, Args)]
pub(crate) struct IssueClient {
    /// Name of the client
    #[arg(value_parser = client_name)]
    name: ClientName,
    /// Id of the tenant it belongs to, from `tresor tenant create`
    #[arg(long, value_name = "UUID", value_parser = tenant_id)]
    tenant: TenantId,
    #[command(flatten)]
    how: How,
}

/// Where a certificate goes and how long it works.
#[derive(Debug, Args)]
struct How {
    /// Directory of the authority
    #[arg(long, default_value = "ca")]
    dir: PathBuf,
    /// Directory the files are written to; the authority's when not given
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Days it works
    #[arg(long, value_name = "N", default_value = "365", value_parser = value_parser!(u16).range(1..=3650))]
    days: u16,
    /// Start of validity, RFC 3339; for tests of expiry
    #[arg(long, hide = true, value_parser = moment, requires = "not_after")]
    not_before: Option<OffsetDateTime>,
    /// End of validity, RFC 3339; for tests of expiry
    #[arg(long, hide = true, value_parser = moment, requires = "not_before")]
    not_after: Option<OffsetDateTime>,
}

impl CaCommand {
    /// Runs it.
    pub(crate) fn run(self, session: &Session) -> Result<Exit, CliError> {
        match self {
            Self::Init(init) => init.run(session),
            Self::Issue(IssueCommand::Service(issue)) => issue.run(session),
            Self::Issue(IssueCommand::Client(issue)) => issue.run(session),
        }
    }
}

impl Init {
    fn run(self, session: &Session) -> Result<Exit, CliError> {
        let authority = CertificateAuthority::create(&self.dir, self.trust_domain)?;
        let certificate = self.dir.join(AUTHORITY_CERTIFICATE);
        let domain = authority.trust_domain().as_str();
        let document = serde_json::json!({ "certificate": certificate, "trust_domain": domain });
        session.output.give(&document, |output| {
            output.line(format!("authority for {domain}: {}", certificate.display()))?;
            output.line("its key, ca.key beside it, belongs on a machine nobody else uses")
        })?;
        Ok(Exit::Done)
    }
}

impl IssueService {
    fn run(self, session: &Session) -> Result<Exit, CliError> {
        let file_name = self.name.as_str().to_owned();
        let name = CertificateName::Service(self.name);
        let subject = Subject { name, dns_names: self.dns, addresses: self.ip };
        self.how.issue(session, &subject, &file_name)
    }
}

impl IssueClient {
    fn run(self, session: &Session) -> Result<Exit, CliError> {
        let file_name = self.name.as_str().to_owned();
        let name = CertificateName::Client { tenant: self.tenant, client: self.name };
        let subject = Subject { name, dns_names: Vec::new(), addresses: Vec::new() };
        self.how.issue(session, &subject, &file_name)
    }
}

impl How {
    fn issue(self, session: &Session, subject: &Subject, name: &str) -> Result<Exit, CliError> {
        let validity = self.validity()?;
        let authority = CertificateAuthority::open(&self.dir)?;
        let directory = self.out.as_ref().unwrap_or(&self.dir);
        make_private_directory(directory)?;
        let files = authority.issue(subject, validity, directory, name)?;
        let uri = subject.name.to_uri(authority.trust_domain());
        show(session, &files, &uri, validity)?;
        Ok(Exit::Done)
    }

    fn validity(&self) -> Result<Validity, CliError> {
        match (self.not_before, self.not_after) {
            (Some(not_before), Some(not_after)) if not_before < not_after => {
                Ok(Validity { not_before, not_after })
            }
            (Some(_), Some(_)) => Err(CliError::usage("--not-before is not before --not-after")),
            _ => Ok(Validity::lasting(Duration::days(self.days.into()))),
        }
    }
}

fn show(
    session: &Session,
    files: &IssuedFiles,
    uri: &str,
    validity: Validity,
) -> Result<(), CliError> {
    let not_after = validity.not_after.format(&Rfc3339).unwrap_or_default();
    let document = serde_json::json!({
        "name": uri, "certificate": files.certificate, "key": files.key, "not_after": not_after,
    });
    session.output.give(&document, |output| {
        output.line(format!("certificate for {uri}, until {}", validity.not_after.date()))?;
        output.line(format!("  certificate  {}", files.certificate.display()))?;
        output.line(format!("  key          {}", files.key.display()))
    })
}

fn trust_domain(text: &str) -> Result<TrustDomain, &'static str> {
    TrustDomain::parse(text).ok_or("a trust domain is [a-z0-9.-]{1,63}")
}

fn service_name(text: &str) -> Result<ServiceName, &'static str> {
    let is_free = text != "ca";
    ServiceName::parse(text).filter(|_| is_free).ok_or("a name is [a-z0-9-]{1,63} and not `ca`")
}

fn client_name(text: &str) -> Result<ClientName, &'static str> {
    let is_free = text != "ca";
    ClientName::parse(text).filter(|_| is_free).ok_or("a name is [a-z0-9-]{1,63} and not `ca`")
}

fn tenant_id(text: &str) -> Result<TenantId, &'static str> {
    TenantId::parse(text).ok_or("a tenant's id is a UUID in lower case")
}

fn moment(text: &str) -> Result<OffsetDateTime, &'static str> {
    OffsetDateTime::parse(text, &Rfc3339).map_err(|_| "not a time such as 2026-01-31T12:00:00Z")
}
