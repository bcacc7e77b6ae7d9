//! `tresor ca issue`.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand, value_parser};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};
use tresor_proto::{CertificateName, ClientName, ServiceName, TenantId};
use zeroize::Zeroizing;

use crate::{
    certificates::{Branch, CertificateAuthority, IssuedFiles, RESERVED_NAMES, Subject, Validity},
    error::{CliError, Exit},
    private_file::make_private_directory,
    secret_input::PasswordSource,
    session::Session,
};

#[derive(Debug, Subcommand)]
pub(crate) enum IssueCommand {
    /// For a service: it may answer, and call the data plane
    #[command(after_help = "\
Examples:
  tresor ca issue service internal-api --dns vault.example --ip 192.0.2.7
  tresor ca issue service edge --dns api.example")]
    Service(IssueService),
    /// For an operator: it may call the control plane
    #[command(after_help = "Example:\n  tresor ca issue operator anna --days 90")]
    Operator(IssueOperator),
    /// For a client of a tenant: it may call the external API
    #[command(after_help = "\
Examples:
  tresor ca issue client planner --tenant 0192f0c1-2d3e-7f40-8a5b-6c7d8e9fa0b1 --days 90
  tresor ca issue client planner --tenant 0192f0c1-2d3e-7f40-8a5b-6c7d8e9fa0b1 --pkcs12")]
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
pub(crate) struct IssueOperator {
    /// Name of the operator, as its role is configured
    #[arg(value_parser = service_name)]
    name: ServiceName,
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
pub(super) struct How {
    /// Directory of the authority
    #[arg(long, default_value = "ca")]
    pub(super) dir: PathBuf,
    /// Directory the files are written to; the authority's when not given
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Days it works
    #[arg(long, value_name = "N", default_value = "365", value_parser = value_parser!(u16).range(1..=3650))]
    days: u16,
    /// Write certificate, chain and key as one PKCS#12 file too, under a password
    #[arg(long)]
    pkcs12: bool,
    #[command(flatten)]
    password: PasswordSource,
    /// Start of validity, RFC 3339; for tests of expiry
    #[arg(long, hide = true, value_parser = moment, requires = "not_after")]
    not_before: Option<OffsetDateTime>,
    /// End of validity, RFC 3339; for tests of expiry
    #[arg(long, hide = true, value_parser = moment, requires = "not_before")]
    not_after: Option<OffsetDateTime>,
}

impl IssueCommand {
    pub(super) fn run(self, session: &Session) -> Result<Exit, CliError> {
        match self {
            Self::Service(issue) => issue.run(session),
            Self::Operator(issue) => issue.run(session),
            Self::Client(issue) => issue.run(session),
        }
    }
}

impl IssueService {
    fn run(self, session: &Session) -> Result<Exit, CliError> {
        let file_name = self.name.as_str().to_owned();
        let name = CertificateName::Service(self.name);
        let branch = Branch::Services;
        let subject = Subject { name, branch, dns_names: self.dns, addresses: self.ip };
        self.how.issue(session, &subject, &file_name)
    }
}

impl IssueOperator {
    fn run(self, session: &Session) -> Result<Exit, CliError> {
        let file_name = self.name.as_str().to_owned();
        let name = CertificateName::Service(self.name);
        self.how.issue(session, &Subject::caller(name, Branch::Operators), &file_name)
    }
}

impl IssueClient {
    fn run(self, session: &Session) -> Result<Exit, CliError> {
        let file_name = self.name.as_str().to_owned();
        let name = CertificateName::Client { tenant: self.tenant, client: self.name };
        self.how.issue(session, &Subject::caller(name, Branch::Clients), &file_name)
    }
}

impl How {
    /// Issues a certificate and shows it.
    pub(super) fn issue(
        &self,
        session: &Session,
        subject: &Subject,
        file_name: &str,
    ) -> Result<Exit, CliError> {
        let validity = self.validity()?;
        let authority = CertificateAuthority::open(&self.dir)?;
        let password = self.password()?;
        let directory = self.directory();
        make_private_directory(directory)?;
        let password = password.as_deref().map(String::as_str);
        let files = authority.issue(subject, validity, (directory, file_name), password)?;
        let uri = subject.name.to_uri(authority.trust_domain());
        show(session, &files, &uri, validity)?;
        Ok(Exit::Done)
    }

    /// Where the files go.
    pub(super) fn directory(&self) -> &Path {
        self.out.as_ref().unwrap_or(&self.dir)
    }

    fn password(&self) -> Result<Option<Zeroizing<String>>, CliError> {
        self.pkcs12.then(|| self.password.read()).transpose()
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
        "name": uri, "certificate": files.certificate, "key": files.key, "pkcs12": files.pkcs12,
        "not_after": not_after,
    });
    session.output.give(&document, |output| {
        output.line(format!("certificate for {uri}, until {}", validity.not_after.date()))?;
        output.line(format!("  certificate  {}", files.certificate.display()))?;
        output.line(format!("  key          {}", files.key.display()))?;
        match &files.pkcs12 {
            Some(path) => output.line(format!("  PKCS#12      {}", path.display())),
            None => Ok(()),
        }
    })
}

fn is_free(name: &str) -> bool {
    !RESERVED_NAMES.contains(&name)
}

fn service_name(text: &str) -> Result<ServiceName, &'static str> {
    ServiceName::parse(text).filter(|_| is_free(text)).ok_or(NOT_A_NAME)
}

fn client_name(text: &str) -> Result<ClientName, &'static str> {
    ClientName::parse(text).filter(|_| is_free(text)).ok_or(NOT_A_NAME)
}

const NOT_A_NAME: &str =
    "a name is [a-z0-9-]{1,63} and none of `ca`, `clients`, `services`, `operators`";

fn tenant_id(text: &str) -> Result<TenantId, &'static str> {
    TenantId::parse(text).ok_or("a tenant's id is a UUID in lower case")
}

fn moment(text: &str) -> Result<OffsetDateTime, &'static str> {
    OffsetDateTime::parse(text, &Rfc3339).map_err(|_| "not a time such as 2026-01-31T12:00:00Z")
}
