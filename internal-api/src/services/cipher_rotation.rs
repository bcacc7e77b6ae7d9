//! One rotation of cipher keys: a page of tenants after the other, each answered when it is done.
//!
//! It promises that nothing goes on once the caller is gone or the process shuts down: what is not
//! answered was not begun, but for the page under way.

use tonic::Status;
use tresor_proto::{
    Failure, TenantId, TenantName, TenantRef,
    vault::{CipherKeyRotation, RotateCipherKeyRequest, RotateCipherKeyResponse},
};
use tresor_vault::{
    CipherKeyReplacement, KeyWork, OperatorPermit, Tenant, TenantState, VaultError,
};

use super::step_stream::{Steps, Stop};
use crate::{context::parse_tenant, convert::time::to_timestamp, gate::Gate};

/// What another operator is told meanwhile.
const WORK: &str = "replacing cipher keys";
/// Tenants of one answer.
const PAGE_TENANTS: usize = 64;

/// Whose cipher keys are replaced.
pub(super) enum Scope {
    /// One tenant's.
    One(TenantRef),
    /// Those of all who have enrolled.
    All,
}

/// A rotation under way.
pub(super) struct CipherRotation {
    gate: Gate,
    intent: Intent,
    next: Option<Next>,
}

/// Whether it is only shown.
enum Intent {
    Show(OperatorPermit),
    Replace(KeyWork),
}

/// What comes next.
enum Next {
    /// The one tenant.
    Tenant(Tenant),
    /// A page of all tenants, after this name.
    Page(Option<TenantName>),
}

impl Scope {
    pub(super) fn from_wire(request: &RotateCipherKeyRequest) -> Result<Self, Failure> {
        match (request.tenant.as_str(), request.all_tenants) {
            ("", true) => Ok(Self::All),
            ("", false) => Err(Failure::invalid("tenant", "a tenant, or all tenants")),
            (_, true) => Err(Failure::invalid("all_tenants", "not together with a tenant")),
            (tenant, false) => Ok(Self::One(parse_tenant("tenant", tenant)?)),
        }
    }
}

impl CipherRotation {
    /// A rotation that has not begun yet; a tenant that does not exist is refused here.
    pub(super) async fn new(
        gate: Gate,
        permit: OperatorPermit,
        scope: Scope,
        request: &RotateCipherKeyRequest,
    ) -> Result<Self, VaultError> {
        let next = match scope {
            Scope::One(tenant) => Next::Tenant(gate.vault()?.tenant(&permit, &tenant).await?),
            Scope::All => Next::Page(None),
        };
        let intent = match request.dry_run {
            true => Intent::Show(permit),
            false => {
                let work = gate.vault()?.begin_key_work(permit, WORK).await?;
                Intent::Replace(work.on_compromised_keys(request.compromised))
            }
        };
        Ok(Self { gate, intent, next: Some(next) })
    }

    async fn page(&mut self, next: Next) -> Result<RotateCipherKeyResponse, Failure> {
        let tenants = match next {
            Next::Tenant(tenant) => vec![tenant],
            Next::Page(after) => self.enrolled_after(after.as_ref()).await?,
        };
        let ids: Vec<_> = tenants.iter().map(|tenant| tenant.id).collect();
        let outcomes = self.outcomes(&ids).await?;
        let rotations = tenants.iter().zip(outcomes).map(|(tenant, outcome)| CipherKeyRotation {
            tenant_id: tenant.id.to_string(),
            tenant_name: tenant.name.as_str().to_owned(),
            ..outcome
        });
        Ok(RotateCipherKeyResponse { rotations: rotations.collect() })
    }

    async fn enrolled_after(
        &mut self,
        after: Option<&TenantName>,
    ) -> Result<Vec<Tenant>, VaultError> {
        let permit = self.intent.permit();
        let page = self.gate.vault()?.tenants(permit, after, PAGE_TENANTS).await?;
        self.next = page.next.and_then(|name| TenantName::parse(&name)).map(Some).map(Next::Page);
        let has_keys =
            |tenant: &Tenant| tenant.enrolled_ms.is_some() && tenant.state != TenantState::Deleting;
        Ok(page.items.into_iter().filter(has_keys).collect())
    }

    async fn outcomes(
        &mut self,
        tenants: &[TenantId],
    ) -> Result<Vec<CipherKeyRotation>, VaultError> {
        let vault = self.gate.vault()?;
        match &mut self.intent {
            Intent::Show(permit) => {
                let versions = vault.cipher_key_versions(permit, tenants).await;
                Ok(versions.into_iter().map(planned).collect())
            }
            Intent::Replace(work) => {
                let replaced = vault.rotate_cipher_keys(work, tenants).await?;
                Ok(replaced.into_iter().map(done).collect())
            }
        }
    }
}

impl Steps for CipherRotation {
    type Answer = RotateCipherKeyResponse;

    /// One answer a page.
    async fn step(&mut self, stop: &mut Stop) -> Result<Option<RotateCipherKeyResponse>, Status> {
        match self.next.take() {
            Some(next) => stop.or(async { Ok(Some(self.page(next).await?)) }).await,
            None => Ok(None),
        }
    }
}

impl Intent {
    fn permit(&self) -> &OperatorPermit {
        match self {
            Self::Show(permit) => permit,
            Self::Replace(work) => work.permit(),
        }
    }
}

fn planned(version: Result<u32, VaultError>) -> CipherKeyRotation {
    match version {
        Ok(version) => CipherKeyRotation {
            old_version: version,
            new_version: version.saturating_add(1),
            ..CipherKeyRotation::default()
        },
        Err(error) => failed(error),
    }
}

fn done(outcome: Result<CipherKeyReplacement, VaultError>) -> CipherKeyRotation {
    match outcome {
        Ok(replacement) => CipherKeyRotation {
            old_version: replacement.old_version,
            new_version: replacement.new_version,
            replaced: Some(to_timestamp(replacement.replaced_ms)),
            ..CipherKeyRotation::default()
        },
        Err(error) => failed(error),
    }
}

fn failed(error: VaultError) -> CipherKeyRotation {
    let error = Some(Failure::from(error).to_item_status());
    CipherKeyRotation { error, ..CipherKeyRotation::default() }
}
