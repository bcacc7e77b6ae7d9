//! Marks data keys as due, and asks for the re-encryption of what hangs on them.
//!
//! Nothing is made here: an operator has no class key. The next request of a customer that writes
//! makes the new data keys, or the customer who lends a customer token for the work.

use tresor_proto::{DataClass, RefusalReason, TenantId, TenantRef, storage::RotationReason};
use uuid::Uuid;

use crate::{
    access::OperatorPermit,
    error::VaultError,
    keyring::{RotationMark, TenantKeyring},
    vault::Vault,
};

/// What other operators are told meanwhile.
const WORK: &str = "marking data keys as due";

/// What is to be replaced, and how.
#[derive(Clone, Debug)]
pub struct RotationRequest {
    /// The classes; all when empty.
    pub classes: Vec<DataClass>,
    /// Whether the keys are believed known to others.
    pub is_compromised: bool,
    /// Records a second at most; 0 for no limit.
    pub rate_max: u32,
    /// How long the older keys are kept once nothing hangs on them, milliseconds.
    pub destroy_after_ms: u64,
    /// Only say what would be done.
    pub is_dry_run: bool,
}

/// A data key that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataKeyMark {
    /// Its class.
    pub class: DataClass,
    /// The epoch to be replaced.
    pub epoch: u32,
    /// Since when it is due, milliseconds since the epoch.
    pub due_ms: u64,
}

/// What was marked.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// The tenant.
    pub tenant: TenantId,
    /// What is due.
    pub marks: Vec<DataKeyMark>,
    /// The operation that re-encrypts; none in a dry run.
    pub operation: Option<Uuid>,
}

impl Vault {
    /// Marks the data keys of a tenant as due.
    ///
    /// # Errors
    /// `not_found` for an unknown tenant or one that has not enrolled; `conflict` when another
    /// operator changes keys; `storage_unavailable` when the keyring cannot be written.
    pub async fn mark_data_keys_due(
        &self,
        permit: &OperatorPermit,
        tenant: &TenantRef,
        request: &RotationRequest,
    ) -> Result<Rotation, VaultError> {
        let tenant = self.enrolled_tenant(tenant).await?;
        let reason = match request.is_compromised {
            true => RotationReason::Compromised,
            false => RotationReason::Requested,
        };
        let _lease = match request.is_dry_run {
            true => None,
            false => {
                let (holder, now_ms) = (permit.name().as_str(), self.clock().now_ms());
                Some(self.registry().take_key_lease(holder, WORK, now_ms).await?)
            }
        };
        self.mark_tenant((permit, reason), tenant, request).await
    }

    /// Marks the data keys of a tenant, by somebody, for a reason; whoever calls it has the lease.
    pub(super) async fn mark_tenant(
        &self,
        (permit, reason): (&OperatorPermit, RotationReason),
        tenant: TenantId,
        request: &RotationRequest,
    ) -> Result<Rotation, VaultError> {
        let marks = self.mark_due(tenant, reason, request).await?;
        let operation = match request.is_dry_run {
            true => None,
            false => Some(self.ask_for_reencryption(tenant, &marks, request).await?),
        };
        if let Some(operation) = operation {
            let (service, count) = (permit.name(), marks.len());
            tracing::info!(%tenant, %service, %operation, count, "data keys are due");
        }
        let to_public = |RotationMark { class, epoch, due_ms, .. }: RotationMark| DataKeyMark {
            class,
            epoch,
            due_ms,
        };
        Ok(Rotation { tenant, marks: marks.into_iter().map(to_public).collect(), operation })
    }

    /// The id of a tenant that has keys.
    pub(super) async fn enrolled_tenant(&self, tenant: &TenantRef) -> Result<TenantId, VaultError> {
        let record = self.registry().tenant(tenant).await?.ok_or(VaultError::NotFound)?;
        match self.keyring(record.id).await {
            Ok(_) => Ok(record.id),
            Err(VaultError::Denied(RefusalReason::TenantNotEnrolled)) => Err(VaultError::NotFound),
            Err(error) => Err(error),
        }
    }

    async fn mark_due(
        &self,
        tenant: TenantId,
        reason: RotationReason,
        request: &RotationRequest,
    ) -> Result<Vec<RotationMark>, VaultError> {
        let now_ms = self.clock().now_ms();
        let classes = match request.classes.as_slice() {
            [] => DataClass::ALL.to_vec(),
            classes => classes.to_vec(),
        };
        let mark = move |keyring: &mut TenantKeyring| {
            let mark = |class: &DataClass| keyring.mark_data_key(*class, now_ms, reason);
            let marks = classes.iter().map(mark).collect::<Result<Vec<_>, _>>();
            marks.map_err(|_| VaultError::Internal)
        };
        let (keyrings, is_dry_run) = (self.keyrings_arc(), request.is_dry_run);
        let marked = move || match is_dry_run {
            true => mark(&mut keyrings.copy(tenant)?),
            false => keyrings.edit(tenant, mark),
        };
        self.key_worker().run(marked).await?
    }
}
