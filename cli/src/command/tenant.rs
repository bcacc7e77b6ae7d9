//! `tresor tenant`: the operator's register of tenants.

mod delete;
mod limits;
mod page;
mod standing;
mod update;
mod user;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use tresor_proto::vault::{
    CreateTenantRequest, CreateTenantResponse, GetTenantRequest, ListTenantsRequest, PasswordRule,
    Tenant,
};

use delete::Delete;
use standing::{Standing, StandingFlags};
use update::Update;

use crate::{
    connection::ConnectionFlags,
    control_plane::ControlPlane,
    error::{CliError, Exit},
    output::{Output, printable},
    private_file::{Kept, Reserved},
    session::Session,
};

/// Registers tenants and looks at them.
#[derive(Debug, Subcommand)]
pub(crate) enum TenantCommand {
    /// Register a tenant; gives its one-time enrolment code
    #[command(after_help = "\
Examples:
  tresor tenant create stadtwerke-burg --allow 192.0.2.0/24 --code-file burg.code
  tresor tenant create stadtwerke-burg --allow 192.0.2.7 --allow 2001:db8::/48

The code is for the customer, who makes the keys with it: `tresor enrol`. Whoever has only the
code, or only the client certificate, cannot enrol.")]
    Create(Create),
    /// List all tenants
    List(List),
    /// Show one tenant
    Show(Show),
    /// Change a tenant's addresses, whether its clients show a password, and its limits
    Update(Update),
    /// Let nobody of a tenant in any more
    Suspend(StandingFlags),
    /// Let a suspended tenant in again
    Resume(StandingFlags),
    /// Delete a suspended tenant for good
    Delete(Delete),
    /// Look after the users of a tenant
    #[command(subcommand)]
    User(user::UserCommand),
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Name of the tenant, `[a-z][a-z0-9-]{1,62}`
    name: String,
    /// Source addresses its clients may come from; may be repeated
    #[arg(long, value_name = "CIDR", required = true)]
    allow: Vec<String>,
    /// Whether its clients show a user's password besides their certificate; they do unless told
    #[arg(long, value_enum)]
    password: Option<Password>,
    /// File to write the enrolment code to (mode 0600) instead of showing it
    #[arg(long, value_name = "FILE")]
    code_file: Option<PathBuf>,
    #[command(flatten)]
    connection: ConnectionFlags,
}

/// Whether clients show a password.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Password {
    /// They do.
    Required,
    /// They need not.
    NotRequired,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    connection: ConnectionFlags,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Name or id of the tenant
    tenant: String,
    #[command(flatten)]
    connection: ConnectionFlags,
}

impl TenantCommand {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        match self {
            Self::Create(create) => create.run(session).await,
            Self::List(list) => list.run(session).await,
            Self::Show(show) => show.run(session).await,
            Self::Update(update) => update.run(session).await,
            Self::Suspend(flags) => flags.run(Standing::Suspended, session).await,
            Self::Resume(flags) => flags.run(Standing::Served, session).await,
            Self::Delete(delete) => delete.run(session).await,
            Self::User(user) => user.run(session).await,
        }
    }
}

impl Create {
    async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let endpoint = self.connection.to_operator(session)?;
        let plane = ControlPlane::connect(&endpoint).await?;
        let code_file = self.code_file.as_deref().map(Reserved::create).transpose()?;
        let password_rule = self.password.map_or(PasswordRule::Unspecified, PasswordRule::from);
        let request = CreateTenantRequest {
            name: self.name,
            allowed_addresses: self.allow,
            password_rule: password_rule as i32,
        };
        let created = plane.tenants().create_tenant(request).await?.into_inner();
        let kept = Kept::new(code_file, &created.enrolment_code);
        show_created(&session.output, &created, kept.file())?;
        note_next(&session.output, &created, authority_dir(&endpoint.tls.authorities));
        kept.end()?;
        Ok(Exit::Done)
    }
}

fn show_created(
    output: &Output,
    created: &CreateTenantResponse,
    code_file: Option<&Path>,
) -> Result<(), CliError> {
    let tenant = created.tenant.clone().unwrap_or_default();
    let mut document = page::to_json(&tenant);
    let expires = moment(created.enrolment_expires);
    document["enrolment_expires"] = json!(expires);
    match code_file {
        Some(file) => document["code_file"] = json!(file),
        None => document["enrolment_code"] = json!(created.enrolment_code),
    }
    output.give(&document, |output| {
        output.line(format!("tenant {} is registered", printable(&tenant.name)))?;
        output.line(format!("  id                  {}", tenant.id))?;
        match code_file {
            Some(file) => output.line(format!("  enrolment code      in {}", file.display()))?,
            None => output.line(format!("  enrolment code      {}", created.enrolment_code))?,
        }
        output.line(format!("  the code works until {}", expires.unwrap_or_default()))?;
        output.line(format!("  addresses           {}", tenant.allowed_addresses.join(", ")))?;
        output.line(format!("  password            {}", page::password_rule(&tenant)))
    })
}

fn note_next(output: &Output, created: &CreateTenantResponse, authority_dir: &Path) {
    let tenant = created.tenant.clone().unwrap_or_default();
    output.note(format!(
        "next: `tresor ca issue client NAME --tenant {} --dir {} --out for-{}`; give certificate, \
         key and code to the customer",
        tenant.id,
        authority_dir.display(),
        printable(&tenant.name)
    ));
}

/// Where the authority is, if it is on this machine: beside the certificate this call went by.
fn authority_dir(certificate: &Path) -> &Path {
    let beside = certificate.parent().filter(|directory| directory.join("clients.key").exists());
    beside.filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("ca"))
}

impl List {
    async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let plane = ControlPlane::connect(&self.connection.to_operator(session)?).await?;
        let tenants = all(&plane).await?;
        let document = json!({ "tenants": tenants.iter().map(page::to_json).collect::<Vec<_>>() });
        session.output.give(&document, |output| {
            output
                .table(&["name", "id", "state", "created"], tenants.iter().map(|t| row(output, t)))
        })?;
        Ok(Exit::Done)
    }
}

/// All tenants, in the order of their names.
pub(super) async fn all(plane: &ControlPlane) -> Result<Vec<Tenant>, CliError> {
    let mut tenants = Vec::new();
    let mut request = ListTenantsRequest { page_size: 1_000, page_token: String::new() };
    loop {
        let page = plane.tenants().list_tenants(request.clone()).await?.into_inner();
        tenants.extend(page.tenants);
        if page.next_page_token.is_empty() {
            return Ok(tenants);
        }
        request.page_token = page.next_page_token;
    }
}

impl Show {
    async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let plane = ControlPlane::connect(&self.connection.to_operator(session)?).await?;
        let request = GetTenantRequest { tenant: self.tenant };
        let answer = plane.tenants().get_tenant(request).await?.into_inner();
        let tenant = answer.tenant.unwrap_or_default();
        let usage = limits::usage(&plane, &tenant.id).await?;
        let mut document = page::to_json(&tenant);
        document["usage"] = usage.as_ref().map(limits::to_json).into();
        session.output.give(&document, |output| {
            page::show(output, &tenant)?;
            usage.as_ref().map_or(Ok(()), |usage| limits::show(output, usage))
        })?;
        Ok(Exit::Done)
    }
}

fn row(output: &Output, tenant: &Tenant) -> Vec<comfy_table::Cell> {
    vec![
        printable(&tenant.name).into_owned().into(),
        tenant.id.as_str().into(),
        output.cell(page::tone(tenant), page::state(tenant)),
        moment(tenant.created).unwrap_or_default().into(),
    ]
}

impl From<Password> for PasswordRule {
    fn from(password: Password) -> Self {
        match password {
            Password::Required => Self::Required,
            Password::NotRequired => Self::NotRequired,
        }
    }
}

/// A time of the wire as text.
pub(super) fn moment(timestamp: Option<prost_types::Timestamp>) -> Option<String> {
    timestamp.map(|timestamp| timestamp.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_step_names_the_authority_in_use() {
        let directory = tempfile::tempdir().unwrap();
        let certificate = directory.path().join("ca.pem");
        assert_eq!(authority_dir(&certificate), Path::new("ca"));
        std::fs::write(directory.path().join("clients.key"), "").unwrap();
        assert_eq!(authority_dir(&certificate), directory.path());
    }
}
