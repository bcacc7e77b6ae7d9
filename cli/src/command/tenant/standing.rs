//! `tresor tenant suspend` and `resume`: whether anybody of a tenant is let in.

use clap::Args;
use serde_json::json;
use tresor_proto::vault::{GetTenantRequest, ResumeTenantRequest, SuspendTenantRequest, Tenant};

use super::page;
use crate::{
    command::question::ask,
    connection::ConnectionFlags,
    control_plane::ControlPlane,
    error::{CliError, Exit},
    output::printable,
    session::Session,
};

/// Lets nobody of a tenant in, or everybody again.
#[derive(Debug, Args)]
pub(crate) struct StandingFlags {
    /// Name or id of the tenant
    tenant: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Only show the tenant as it is
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    #[command(flatten)]
    connection: ConnectionFlags,
}

/// What is to become of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nobody is let in.
    Suspended,
    /// Everybody is again.
    Served,
}

impl StandingFlags {
    /// Runs it.
    pub(super) async fn run(self, standing: Standing, session: &Session) -> Result<Exit, CliError> {
        let plane = ControlPlane::connect(&self.connection.to_operator(session)?).await?;
        let request = GetTenantRequest { tenant: self.tenant.clone() };
        let found = plane.tenants().get_tenant(request).await?.into_inner();
        let mut tenant = found.tenant.unwrap_or_default();
        if !self.dry_run {
            if !self.yes {
                standing.confirm(&tenant)?;
            }
            tenant = standing.set(&plane, &tenant.id).await?;
        }
        let mut document = page::to_json(&tenant);
        document["dry_run"] = json!(self.dry_run);
        session.output.give(&document, |output| {
            if self.dry_run {
                output.line(format!("{}\n", standing.meaning(&tenant)))?;
            }
            page::show(output, &tenant)
        })?;
        Ok(Exit::Done)
    }
}

impl Standing {
    fn meaning(self, tenant: &Tenant) -> String {
        let name = printable(&tenant.name);
        match self {
            Self::Suspended => format!(
                "nobody of {name} will be let in: clients and services are refused at once, open \
                 uploads end at their next batch, what customers have lent is given back; nothing \
                 is lost"
            ),
            Self::Served => format!("clients and services of {name} will be let in again"),
        }
    }

    fn confirm(self, tenant: &Tenant) -> Result<(), CliError> {
        let question = match self {
            Self::Suspended => format!("{}. Suspend?", self.meaning(tenant)),
            Self::Served => format!("{}. Resume?", self.meaning(tenant)),
        };
        ask(&question, "nothing was changed")
    }

    async fn set(self, plane: &ControlPlane, id: &str) -> Result<Tenant, CliError> {
        let tenant = id.to_owned();
        let answer = match self {
            Self::Suspended => {
                let request = SuspendTenantRequest { tenant };
                plane.tenants().suspend_tenant(request).await?.into_inner().tenant
            }
            Self::Served => {
                let request = ResumeTenantRequest { tenant };
                plane.tenants().resume_tenant(request).await?.into_inner().tenant
            }
        };
        Ok(answer.unwrap_or_default())
    }
}
