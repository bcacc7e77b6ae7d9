//! Shows long operations to operators, who pause, resume and cancel them.

use std::time::Duration;

use tresor_proto::{
    DataClass, TenantId, TenantRef,
    storage::{OperationKind, OperationRow, OperationStage, OperationState},
};
use uuid::Uuid;

use crate::{
    access::OperatorPermit,
    error::VaultError,
    record::Page,
    reencryption::{
        self, begin, destroy_ms, is_about_indexes, is_reencryption, targets, tenant_of,
    },
    registry::OperationRecord,
    vault::Vault,
};

/// How often a change is tried when the operation went on in between.
const ROUNDS_MAX: usize = 16;

/// Long work on a tenant's records, as operators see it.
#[derive(Clone, Debug)]
pub struct KeyOperation {
    /// Its id.
    pub id: Uuid,
    /// What it does.
    pub kind: KeyOperationKind,
    /// The tenant.
    pub tenant: TenantId,
    /// The classes that are needed, each with the epoch below which nothing is to be left; 0 where
    /// it is not about epochs.
    pub targets: Vec<(DataClass, u32)>,
    /// Where it is.
    pub state: KeyOperationState,
    /// When it was asked for, milliseconds since the epoch.
    pub created_ms: u64,
    /// When it last went on, milliseconds since the epoch.
    pub updated_ms: u64,
    /// Records there were when they were counted.
    pub total: u64,
    /// Records this stage has been at.
    pub done: u64,
    /// Groups sealed anew, or records whose entries were written.
    pub resealed: u64,
    /// Records a second, while it runs.
    pub rate: Option<f64>,
    /// Records a second at most; 0 for no limit.
    pub rate_max: u32,
    /// When the older keys are destroyed, once that is known, milliseconds since the epoch.
    pub destroy_ms: Option<u64>,
    /// Damaged records the last scan found.
    pub damaged: u64,
    /// The first of them, `collection/record`.
    pub damaged_records: Vec<String>,
}

impl KeyOperation {
    /// When its stage ends at its rate, milliseconds since the epoch.
    #[must_use]
    pub fn estimated_end_ms(&self) -> Option<u64> {
        let left = self.total.saturating_sub(self.done);
        #[allow(clippy::cast_precision_loss, reason = "an estimate")]
        let seconds = left as f64 / self.rate.filter(|rate| *rate > 0.0)?;
        let left = Duration::try_from_secs_f64(seconds).ok()?;
        self.updated_ms.checked_add(u64::try_from(left.as_millis()).ok()?)
    }
}

/// What an operation does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyOperationKind {
    /// Seals records anew and destroys the older data keys.
    Reencryption,
    /// Replaces identifier keys; the epochs of the targets are their versions.
    Identifiers,
    /// Builds blind indexes over the records of a collection.
    Index {
        /// The collection.
        collection: String,
        /// The fields.
        fields: Vec<String>,
        /// Those of them that have too few values to be indexed.
        refused: Vec<String>,
    },
}

/// Where an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyOperationState {
    /// Waits for the customer to write or to lend a customer token.
    PendingCustomer,
    /// Counts the records.
    Counting,
    /// Seals anew.
    Resealing,
    /// Writes entries of indexes.
    Indexing,
    /// Takes away the entries of indexes that are refused.
    Removing,
    /// Moves indexes and look-ups under the newest identifier keys.
    Moving,
    /// Scans until nothing hangs on an older epoch, or every entry is there.
    Verifying,
    /// Waits for the time to destroy the older keys.
    Destroying,
    /// Paused by an operator.
    Paused,
    /// Done, but for damaged records, or fields with too few values to be indexed.
    NeedsAttention,
    /// Done; the older keys are destroyed.
    Done,
    /// Ended by an operator.
    Cancelled,
}

impl Vault {
    /// Gives one operation.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn key_operation(
        &self,
        _permit: &OperatorPermit,
        id: Uuid,
    ) -> Result<KeyOperation, VaultError> {
        let record = self.registry().operation(id).await?.ok_or(VaultError::NotFound)?;
        self.show_operation(&record).await
    }

    /// Gives up to `limit` operations after `after`: first those that may go on, then those that
    /// have ended; of one tenant only, when it is named.
    ///
    /// # Errors
    /// `not_found` for an unknown tenant.
    pub async fn key_operations(
        &self,
        _permit: &OperatorPermit,
        tenant: Option<&TenantRef>,
        after: Option<(bool, Uuid)>,
        limit: usize,
    ) -> Result<Page<KeyOperation>, VaultError> {
        let tenant = match tenant {
            Some(tenant) => {
                Some(self.registry().tenant(tenant).await?.ok_or(VaultError::NotFound)?.id)
            }
            None => None,
        };
        let mut items = Vec::new();
        let (first, mut after) = match after {
            Some((has_ended, id)) => (has_ended, Some(id)),
            None => (false, None),
        };
        for has_ended in [false, true].into_iter().filter(|part| *part >= first) {
            loop {
                let records = self.registry().operations(has_ended, after, limit).await?;
                let Some(last) = records.last() else { break };
                after = Some(last.id);
                for record in &records {
                    if tenant.is_none_or(|id| tenant_of(&record.row) == Ok(id)) {
                        items.push(self.show_operation(record).await?);
                        if items.len() == limit {
                            let next = format!("{}.{}", u8::from(has_ended), record.id);
                            return Ok(Page { items, next: Some(next) });
                        }
                    }
                }
            }
            after = None;
        }
        Ok(Page { items, next: None })
    }

    /// Pauses an operation.
    ///
    /// # Errors
    /// `not_found`; `conflict` when it cannot be paused (any more).
    pub async fn pause_key_operation(
        &self,
        permit: &OperatorPermit,
        id: Uuid,
    ) -> Result<KeyOperation, VaultError> {
        let pause = |row: &mut OperationRow| {
            let is_open = matches!(row.state(), OperationState::Open | OperationState::Paused);
            let may = is_open && row.destruction_begun_ms == 0;
            if may {
                row.set_state(OperationState::Paused);
            }
            may
        };
        self.change_operation(permit, id, "paused", pause).await
    }

    /// Lets an operation go on. One that needs attention scans all anew; indexes that were refused are
    /// tried again.
    ///
    /// # Errors
    /// `not_found`; `conflict` when it has ended.
    pub async fn resume_key_operation(
        &self,
        permit: &OperatorPermit,
        id: Uuid,
    ) -> Result<KeyOperation, VaultError> {
        let resume = |row: &mut OperationRow| {
            if row.state() == OperationState::NeedsAttention {
                let is_anew = is_about_indexes(row);
                row.refused_fields.clear();
                row.total = if is_anew { 0 } else { row.total };
                begin(
                    row,
                    if is_anew { OperationStage::Counting } else { OperationStage::Verifying },
                );
            }
            row.set_state(OperationState::Open);
            true
        };
        self.change_operation(permit, id, "resumed", resume).await
    }

    /// Ends an operation. Data keys that are due and not replaced yet are not due any more, unless
    /// another operation waits for them; those that were replaced stay so, and the older ones are
    /// kept.
    ///
    /// # Errors
    /// `not_found`; `conflict` when it has ended, or the older keys are being destroyed.
    pub async fn cancel_key_operation(
        &self,
        permit: &OperatorPermit,
        id: Uuid,
    ) -> Result<KeyOperation, VaultError> {
        let cancel = |row: &mut OperationRow| {
            let may = row.destruction_begun_ms == 0;
            if may {
                row.set_state(OperationState::Cancelled);
            }
            may
        };
        let cancelled = self.change_operation(permit, id, "cancelled", cancel).await?;
        let tenant = cancelled.tenant;
        let targets = self.needed_by_no_other(&cancelled).await?;
        let keyrings = self.keyrings_arc();
        let unmark = move || {
            let unmarked = keyrings.edit(tenant, |keyring| {
                let mut unmark = |(class, epoch): &(DataClass, u32)| {
                    keyring.unmark_data_key(*class, epoch.saturating_sub(1))
                };
                let count = targets.iter().filter(|target| unmark(target)).count();
                if count == 0 { Err(VaultError::NotFound) } else { Ok(()) }
            });
            match unmarked {
                Err(VaultError::NotFound) => Ok(()),
                unmarked => unmarked,
            }
        };
        self.key_worker().run(unmark).await??;
        Ok(cancelled)
    }

    /// The targets of an ended operation that no other waits for.
    async fn needed_by_no_other(
        &self,
        ended: &KeyOperation,
    ) -> Result<Vec<(DataClass, u32)>, VaultError> {
        if ended.kind != KeyOperationKind::Reencryption {
            return Ok(Vec::new());
        }
        let mut targets = ended.targets.clone();
        let under_way = self.operations_under_way(ended.tenant).await?;
        for other in under_way.iter().filter(|other| is_reencryption(&other.row)) {
            let needed = reencryption::targets(&other.row.targets)?;
            targets.retain(|target| !needed.contains(target));
        }
        Ok(targets)
    }

    async fn change_operation(
        &self,
        permit: &OperatorPermit,
        id: Uuid,
        what: &'static str,
        change: impl Fn(&mut OperationRow) -> bool,
    ) -> Result<KeyOperation, VaultError> {
        self.change_row(id, change).await?;
        let (operation, service) = (id, permit.name());
        tracing::info!(%operation, %service, state = what, "operation changed");
        self.key_operation(permit, id).await
    }

    /// Changes an operation, also while it goes on; `conflict` when the change is refused.
    pub(super) async fn change_row(
        &self,
        id: Uuid,
        change: impl Fn(&mut OperationRow) -> bool,
    ) -> Result<(), VaultError> {
        for _ in 0..ROUNDS_MAX {
            let record = self.registry().operation(id).await?.ok_or(VaultError::NotFound)?;
            let mut row = record.row.clone();
            if has_ended(&row) || !change(&mut row) {
                return Err(VaultError::Conflict);
            }
            row.updated_ms = self.clock().now_ms();
            match self.registry().update_operation(&record, &row).await {
                Err(VaultError::Conflict) => {}
                changed => return changed,
            }
        }
        Err(VaultError::Overloaded)
    }

    pub(super) async fn show_operation(
        &self,
        record: &OperationRecord,
    ) -> Result<KeyOperation, VaultError> {
        let OperationRecord { id, row, .. } = record;
        let state = self.operation_state(row).await?;
        let is_running = matches!(
            state,
            KeyOperationState::Counting
                | KeyOperationState::Resealing
                | KeyOperationState::Indexing
                | KeyOperationState::Removing
                | KeyOperationState::Moving
                | KeyOperationState::Verifying
        );
        let is_verified = row.verified_ms > 0 && !is_about_indexes(row);
        Ok(KeyOperation {
            id: *id,
            kind: kind(row),
            tenant: tenant_of(row)?,
            targets: targets(&row.targets)?,
            state,
            created_ms: row.created_ms,
            updated_ms: row.updated_ms,
            total: row.total,
            done: row.done,
            resealed: row.resealed,
            rate: self.paces().rate(*id).filter(|_| is_running),
            rate_max: row.rate_max,
            destroy_ms: is_verified.then(|| destroy_ms(row)),
            damaged: row.damaged,
            damaged_records: row.damaged_records.clone(),
        })
    }

    async fn operation_state(&self, row: &OperationRow) -> Result<KeyOperationState, VaultError> {
        Ok(match (row.state(), row.stage()) {
            (OperationState::Unspecified, _) => return Err(VaultError::Integrity),
            (OperationState::Paused, _) => KeyOperationState::Paused,
            (OperationState::NeedsAttention, _) => KeyOperationState::NeedsAttention,
            (OperationState::Done, _) => KeyOperationState::Done,
            (OperationState::Cancelled, _) => KeyOperationState::Cancelled,
            (OperationState::Open, OperationStage::Destroying) => KeyOperationState::Destroying,
            (OperationState::Open, stage) => match (self.is_ready(row).await?, stage) {
                (false, _) => KeyOperationState::PendingCustomer,
                (true, OperationStage::Verifying) => KeyOperationState::Verifying,
                (true, OperationStage::Removing) => KeyOperationState::Removing,
                (true, OperationStage::Resealing) => match row.kind() {
                    OperationKind::Unspecified => KeyOperationState::Resealing,
                    OperationKind::Index => KeyOperationState::Indexing,
                    OperationKind::Identifiers => KeyOperationState::Moving,
                },
                (true, _) => KeyOperationState::Counting,
            },
        })
    }
}

fn kind(row: &OperationRow) -> KeyOperationKind {
    match row.kind() {
        OperationKind::Unspecified => KeyOperationKind::Reencryption,
        OperationKind::Identifiers => KeyOperationKind::Identifiers,
        OperationKind::Index => KeyOperationKind::Index {
            collection: row.collection.clone(),
            fields: row.fields.clone(),
            refused: row.refused_fields.clone(),
        },
    }
}

fn has_ended(row: &OperationRow) -> bool {
    matches!(row.state(), OperationState::Done | OperationState::Cancelled)
}
