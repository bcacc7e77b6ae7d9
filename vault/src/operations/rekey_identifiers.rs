//! Asks for the identifier keys of a tenant to be replaced.
//!
//! Nothing is made here: an operator has no class key. The customer lends a customer token for it,
//! and the operation makes the new keys, moves what hangs on the older ones and destroys these.

use tresor_proto::{
    DataClass, ErrorCode, Failure, TenantId, TenantRef,
    storage::{OperationKind, OperationRow, OperationStage, OperationState, OperationTarget},
};
use uuid::{Builder, Uuid};

use crate::{
    access::OperatorPermit,
    error::VaultError,
    reencryption::{is_about_identifiers, is_about_indexes},
    registry::OperationRecord,
    vault::Vault,
};

/// What other operators are told meanwhile.
const WORK: &str = "asking for new identifier keys";

/// What is to be replaced.
#[derive(Clone, Debug, Default)]
pub struct RekeyRequest {
    /// The classes; all when empty.
    pub classes: Vec<DataClass>,
    /// How long the older keys are kept once nothing hangs on them, milliseconds.
    pub destroy_after_ms: u64,
    /// Only say what would be done.
    pub is_dry_run: bool,
}

/// An identifier key that is to be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdentifierRekey {
    /// Its class.
    pub class: DataClass,
    /// Its version.
    pub old_version: u32,
    /// The version in its place.
    pub new_version: u32,
}

/// What is replaced, or would be.
#[derive(Clone, Debug)]
pub struct Rekeying {
    /// The tenant.
    pub tenant: TenantId,
    /// The keys, by class.
    pub keys: Vec<IdentifierRekey>,
    /// The operation; none in a dry run.
    pub operation: Option<Uuid>,
}

impl Vault {
    /// Asks for the identifier keys of a tenant to be replaced.
    ///
    /// # Errors
    /// `not_found` for an unknown tenant or one that has not enrolled; `conflict` when another
    /// operator changes keys, and while another operation replaces identifier keys of the tenant or
    /// builds indexes.
    pub async fn rekey_identifiers(
        &self,
        permit: &OperatorPermit,
        tenant: &TenantRef,
        request: &RekeyRequest,
    ) -> Result<Rekeying, VaultError> {
        let tenant = self.enrolled_tenant(tenant).await?;
        let _lease = match request.is_dry_run {
            true => None,
            false => {
                let (holder, now_ms) = (permit.name().as_str(), self.clock().now_ms());
                Some(self.registry().take_key_lease(holder, WORK, now_ms).await?)
            }
        };
        let under_way = self.operations_under_way(tenant).await?;
        let is_in_the_way = |record: &&OperationRecord| {
            is_about_identifiers(&record.row) || is_about_indexes(&record.row)
        };
        if let Some(other) = under_way.iter().find(is_in_the_way) {
            return Err(in_the_way(other));
        }
        let keys = self.keys_to_rekey(tenant, &request.classes).await?;
        let operation = match request.is_dry_run {
            true => None,
            false => Some(self.register_rekeying(tenant, &keys, request).await?),
        };
        if let Some(operation) = operation {
            let (service, count) = (permit.name(), keys.len());
            tracing::info!(%tenant, %service, %operation, count, "identifier keys are to be replaced");
        }
        Ok(Rekeying { tenant, keys, operation })
    }

    /// Refuses work on indexes while identifier keys are being replaced: once nothing hangs on the
    /// older ones it may begin.
    pub(super) async fn refuse_while_rekeying(&self, tenant: TenantId) -> Result<(), VaultError> {
        let under_way = self.operations_under_way(tenant).await?;
        let is_in_the_way = |record: &&OperationRecord| {
            is_about_identifiers(&record.row) && record.row.stage() != OperationStage::Destroying
        };
        under_way.iter().find(is_in_the_way).map_or(Ok(()), |other| Err(in_the_way(other)))
    }

    async fn keys_to_rekey(
        &self,
        tenant: TenantId,
        classes: &[DataClass],
    ) -> Result<Vec<IdentifierRekey>, VaultError> {
        let keyring = self.keyring(tenant).await?;
        let mut classes = match classes {
            [] => DataClass::ALL.to_vec(),
            classes => classes.to_vec(),
        };
        classes.sort_unstable();
        classes.dedup();
        let key = |class| {
            let old_version = keyring.keyring.newest_identifier_version(class);
            let new_version = old_version.checked_add(1).ok_or(VaultError::Internal)?;
            Ok(IdentifierRekey { class, old_version, new_version })
        };
        classes.into_iter().map(key).collect()
    }

    async fn register_rekeying(
        &self,
        tenant: TenantId,
        keys: &[IdentifierRekey],
        request: &RekeyRequest,
    ) -> Result<Uuid, VaultError> {
        let now_ms = self.clock().now_ms();
        let target = |key: &IdentifierRekey| OperationTarget {
            data_class: u32::from(key.class.code()),
            epoch: key.new_version,
        };
        let row = OperationRow {
            tenant: tenant.to_bytes().to_vec(),
            targets: keys.iter().map(target).collect(),
            state: OperationState::Open as i32,
            stage: OperationStage::Counting as i32,
            created_ms: now_ms,
            updated_ms: now_ms,
            destroy_after_ms: request.destroy_after_ms,
            kind: OperationKind::Identifiers as i32,
            ..OperationRow::default()
        };
        let mut random = [0; 10];
        self.entropy().fill(&mut random).map_err(|_| VaultError::Internal)?;
        let id = Builder::from_unix_timestamp_millis(now_ms, &random).into_uuid();
        self.registry().create_operation(id, &row).await?;
        Ok(id)
    }
}

fn in_the_way(other: &OperationRecord) -> VaultError {
    let what = match is_about_identifiers(&other.row) {
        true => "replaces identifier keys of the tenant",
        false => "builds indexes of the tenant",
    };
    let message = format!("operation {} {what}: let it end, or cancel it", other.id);
    Failure::new(ErrorCode::Conflict, message).into()
}
