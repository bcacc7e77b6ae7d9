//! Asks for the re-encryption of what hangs on marked data keys: a new operation, or the one that is
//! registered for the same targets already.
//!
//! It promises that no option is dropped: an operation that is joined takes over what is asked for,
//! and keys that several operations are to destroy are kept as long as the longest asks. Only keys
//! that others may know are not kept for somebody else's sake.

use tresor_proto::{
    TenantId,
    storage::{OperationRow, OperationStage, OperationState, OperationTarget},
};
use uuid::{Builder, Uuid};

use super::mark_data_keys::RotationRequest;
use crate::{
    error::VaultError,
    keyring::RotationMark,
    reencryption::{self, is_reencryption},
    registry::OperationRecord,
    vault::Vault,
};

/// Operations that may go on for one vault, and are looked through.
const OPEN_MAX: usize = 10_000;

impl Vault {
    /// Registers the operation, or lets the one with the same targets take over what is asked for.
    /// Gives its id.
    pub(super) async fn ask_for_reencryption(
        &self,
        tenant: TenantId,
        marks: &[RotationMark],
        request: &RotationRequest,
    ) -> Result<Uuid, VaultError> {
        let targets: Vec<_> = marks.iter().map(target).collect();
        let mut of_tenant = self.operations_under_way(tenant).await?;
        of_tenant.retain(|record| is_reencryption(&record.row));
        let (same, others): (Vec<_>, Vec<_>) =
            of_tenant.into_iter().partition(|record| record.row.targets == targets);
        let others: Vec<_> =
            others.into_iter().filter(|record| shares_keys(&record.row, &targets)).collect();
        let wait_ms = self.agree_on_wait(&others, request).await?;
        if let Some(same) = same.first() {
            let join = |row: &mut OperationRow| {
                join(row, request, wait_ms);
                true
            };
            self.change_row(same.id, join).await?;
            return Ok(same.id);
        }
        let now_ms = self.clock().now_ms();
        let mut random = [0; 10];
        self.entropy().fill(&mut random).map_err(|_| VaultError::Internal)?;
        let id = Builder::from_unix_timestamp_millis(now_ms, &random).into_uuid();
        let row = OperationRow {
            tenant: tenant.to_bytes().to_vec(),
            targets,
            state: OperationState::Open as i32,
            stage: OperationStage::Counting as i32,
            created_ms: now_ms,
            updated_ms: now_ms,
            rate_max: request.rate_max,
            destroy_after_ms: wait_ms,
            compromised: request.is_compromised,
            ..OperationRow::default()
        };
        self.registry().create_operation(id, &row).await?;
        Ok(id)
    }

    /// The operations of a tenant that may go on.
    pub(super) async fn operations_under_way(
        &self,
        tenant: TenantId,
    ) -> Result<Vec<OperationRecord>, VaultError> {
        let mut records = self.registry().operations(false, None, OPEN_MAX).await?;
        records.retain(|record| reencryption::tenant_of(&record.row) == Ok(tenant));
        Ok(records)
    }

    /// How long keys are kept that operations under way are to destroy too: the longest wait of all,
    /// which all take over.
    async fn agree_on_wait(
        &self,
        others: &[OperationRecord],
        request: &RotationRequest,
    ) -> Result<u64, VaultError> {
        let asked_ms = request.destroy_after_ms;
        if request.is_compromised {
            return Ok(asked_ms);
        }
        let waits = others.iter().map(|record| record.row.destroy_after_ms);
        let wait_ms = waits.max().unwrap_or_default().max(asked_ms);
        for other in others.iter().filter(|other| !other.row.compromised) {
            let lengthen = |row: &mut OperationRow| {
                let may = row.destruction_begun_ms == 0;
                row.destroy_after_ms = row.destroy_after_ms.max(wait_ms);
                may
            };
            match self.change_row(other.id, lengthen).await {
                // Its keys are gone, or it has ended.
                Ok(()) | Err(VaultError::Conflict | VaultError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(wait_ms)
    }
}

fn target(mark: &RotationMark) -> OperationTarget {
    let data_class = u32::from(mark.class.code());
    OperationTarget { data_class, epoch: mark.epoch.saturating_add(1) }
}

/// Whether an operation is to destroy keys that targets are for too.
fn shares_keys(row: &OperationRow, targets: &[OperationTarget]) -> bool {
    let is_in = |class: u32| targets.iter().any(|target| target.data_class == class);
    row.targets.iter().any(|target| is_in(target.data_class))
}

/// Takes over what is asked for. What others may know is kept no longer than asked for it.
fn join(row: &mut OperationRow, request: &RotationRequest, wait_ms: u64) {
    if request.rate_max > 0 {
        row.rate_max = request.rate_max;
    }
    row.destroy_after_ms = match (request.is_compromised, row.compromised) {
        (true, _) => wait_ms,
        (false, true) => row.destroy_after_ms,
        (false, false) => row.destroy_after_ms.max(wait_ms),
    };
    row.compromised |= request.is_compromised;
}
