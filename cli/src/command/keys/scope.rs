//! Whose keys a command is about.

use clap::Args;
use tresor_proto::vault::{GetKeyStatusRequest, GetKeyStatusResponse, TenantKeyStatus};

use crate::{control_plane::ControlPlane, error::CliError};

/// One tenant, or all.
#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Scope {
    /// Name or id of the tenant
    #[arg(long)]
    pub(super) tenant: Option<String>,
    /// All tenants whose customers have enrolled
    #[arg(long)]
    pub(super) all: bool,
}

impl Scope {
    /// All tenants.
    pub(super) fn all() -> Self {
        Self { tenant: None, all: true }
    }

    /// Its tenants that have keys, or would if their keyring could be read.
    pub(super) async fn enrolled(
        &self,
        plane: &ControlPlane,
    ) -> Result<Vec<TenantKeyStatus>, CliError> {
        let status = key_status(plane, self.tenant.as_deref()).await?;
        let has_keys = |tenant: &TenantKeyStatus| tenant.damaged || !tenant.keys.is_empty();
        Ok(status.tenants.into_iter().filter(has_keys).collect())
    }
}

/// The keys of one tenant, or of the vault and all tenants.
pub(super) async fn key_status(
    plane: &ControlPlane,
    tenant: Option<&str>,
) -> Result<GetKeyStatusResponse, CliError> {
    let tenant = tenant.unwrap_or_default().to_owned();
    let mut request = GetKeyStatusRequest { tenant, page_size: 1_000, page_token: String::new() };
    let mut status = GetKeyStatusResponse::default();
    loop {
        let page = plane.keys().get_key_status(request.clone()).await?.into_inner();
        status.tenants.extend(page.tenants);
        status.system_keys = page.system_keys;
        if page.next_page_token.is_empty() {
            return Ok(status);
        }
        request.page_token = page.next_page_token;
    }
}
