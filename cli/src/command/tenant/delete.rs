//! `tresor tenant delete`: deletes a suspended tenant for good, after its name was typed once more.

use std::time::Duration;

use clap::Args;
use serde_json::json;
use tresor_proto::{
    ErrorCode,
    vault::{DeleteTenantRequest, DeleteTenantResponse, GetTenantRequest, Tenant},
};

use super::page;
use crate::{
    command::question::ask_for,
    connection::ConnectionFlags,
    control_plane::ControlPlane,
    error::{CliError, Exit},
    output::{Output, counted, printable},
    session::Session,
};

/// How often it is looked whether it is done.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);
/// How often at most; then it goes on without being watched.
const LOOKS_MAX: usize = 1_500;

/// Deletes a tenant for good.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor tenant suspend stadtwerke-burg
  tresor tenant delete stadtwerke-burg --dry-run
  tresor tenant delete stadtwerke-burg
  tresor tenant delete stadtwerke-burg --confirm stadtwerke-burg

Its keys are destroyed first, then its database and all else. No backup of the database opens any
more but with a backup of the keyrings of before. Once begun, nothing stops it; it goes on after a
restart.")]
pub(crate) struct Delete {
    /// Name or id of the tenant, which has to be suspended
    tenant: String,
    /// The tenant's name once more, instead of the question
    #[arg(long, value_name = "NAME")]
    confirm: Option<String>,
    /// Only show what would be deleted
    #[arg(long, conflicts_with = "confirm")]
    dry_run: bool,
    #[command(flatten)]
    connection: ConnectionFlags,
}

impl Delete {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let plane = ControlPlane::connect(&self.connection.to_operator(session)?).await?;
        let plan = self.ask_vault(&plane, None).await?;
        let tenant = plan.tenant.clone().unwrap_or_default();
        if self.dry_run {
            return conclude(&session.output, &plan, "would be deleted");
        }
        let confirmed = match &self.confirm {
            Some(name) => name.clone(),
            None => ask_for(&question(&plan), &tenant.name, "nothing was deleted")?,
        };
        self.ask_vault(&plane, Some(confirmed)).await?;
        let status = match wait_until_gone(&plane, &tenant).await? {
            true => "deleted",
            false => "is still being deleted",
        };
        conclude(&session.output, &plan, status)
    }

    /// Asks for the deletion, or without a name for what it would be.
    async fn ask_vault(
        &self,
        plane: &ControlPlane,
        confirmed: Option<String>,
    ) -> Result<DeleteTenantResponse, CliError> {
        let request = DeleteTenantRequest {
            tenant: self.tenant.clone(),
            dry_run: confirmed.is_none(),
            confirmed_name: confirmed.unwrap_or_default(),
        };
        Ok(plane.tenants().delete_tenant(request).await?.into_inner())
    }
}

fn question(plan: &DeleteTenantResponse) -> String {
    let name = plan.tenant.as_ref().map_or("", |tenant| tenant.name.as_str());
    format!(
        "{} will be deleted for good: its keys, {}.\nNobody brings it back. Type its \
         name to delete it",
        printable(name),
        belongings(plan)
    )
}

fn belongings(plan: &DeleteTenantResponse) -> String {
    let (users, collections) =
        (counted(plan.users, "user"), counted(plan.collections, "collection"));
    match plan.records {
        Some(records) => {
            format!("{users}, {collections} with {} (last census)", counted(records, "record"))
        }
        None => format!("{users}, {collections} with all records"),
    }
}

/// Waits until there is no such tenant any more; `false` when that takes too long.
async fn wait_until_gone(plane: &ControlPlane, tenant: &Tenant) -> Result<bool, CliError> {
    for _ in 0..LOOKS_MAX {
        let request = GetTenantRequest { tenant: tenant.id.clone() };
        match plane.tenants().get_tenant(request).await.map_err(CliError::from) {
            Err(error) if error.code() == Some(ErrorCode::NotFound) => return Ok(true),
            Err(error) => return Err(error.advise("the deletion has begun and goes on by itself")),
            Ok(_) => tokio::time::sleep(LOOK_INTERVAL).await,
        }
    }
    Ok(false)
}

fn conclude(output: &Output, plan: &DeleteTenantResponse, status: &str) -> Result<Exit, CliError> {
    let tenant = plan.tenant.clone().unwrap_or_default();
    let mut document = page::to_json(&tenant);
    document["status"] = json!(status);
    document["users"] = json!(plan.users);
    document["collections"] = json!(plan.collections);
    document["records"] = json!(plan.records);
    output.give(&document, |output| {
        let (name, belongings) = (printable(&tenant.name), belongings(plan));
        output.line(format!("tenant {name} {status}, with its keys, {belongings}"))
    })?;
    Ok(Exit::Done)
}
