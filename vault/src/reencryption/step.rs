//! One step of an operation: a page, the end of a scan, or the end of the older keys.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tresor_proto::{
    CollectionName, DataClass, TenantId, TenantRef,
    storage::{EpochFloor, OperationKind, OperationRow, OperationStage, OperationState},
};

use super::{
    indexing::is_about_indexes,
    rekeying::{is_about_identifiers, versions},
    scan::{RowWork, WorkKeys},
    targets,
};
use crate::{
    error::VaultError,
    operations::record_prefix,
    registry::{OperationRecord, Standing},
    sealed_rows::{self, SealedRow},
    store::{Keyspace, ScanRange, Store, StoreKey},
    vault::Vault,
};

/// Rows read at once: 16 MiB at most.
const PAGE_ROWS: usize = 64;
/// Damaged records that are listed.
const DAMAGED_LISTED_MAX: usize = 100;

/// What a step is done with.
struct Ground {
    tenant: TenantId,
    store: Arc<dyn Store>,
    work: RowWork,
}

impl Vault {
    /// Takes an operation one step further; a failure is told and tried again later.
    pub(super) async fn step_or_tell(&self, record: &OperationRecord) -> Option<Duration> {
        let stepped = match self.step(record).await {
            // An operator changed it meanwhile: what this page did is found done next time.
            Err(VaultError::Conflict) => Ok(true),
            stepped => stepped,
        };
        match stepped {
            Ok(is_further) => {
                is_further.then_some(self.paces().pause(record.id).unwrap_or_default())
            }
            Err(error) => {
                let code = error.code().as_str();
                tracing::warn!(operation = %record.id, code, "the operation cannot go on now");
                None
            }
        }
    }

    /// Whether the operation went on.
    async fn step(&self, record: &OperationRecord) -> Result<bool, VaultError> {
        let mut row = record.row.clone();
        if row.state() != OperationState::Open {
            self.paces().forget(record.id);
            return Ok(false);
        }
        if row.stage() == OperationStage::Destroying {
            return self.end_older_keys(record).await;
        }
        let now_ms = self.clock().now_ms();
        let Some(ground) = self.ground(&row).await? else {
            self.paces().forget(record.id);
            return Ok(false);
        };
        let visited = self.page(&ground, &mut row).await?;
        self.paces().count(record.id, visited, row.rate_max);
        row.updated_ms = now_ms;
        self.registry().update_operation(record, &row).await?;
        if row.state() != OperationState::Open {
            let (operation, state) = (record.id, row.state().as_str_name());
            tracing::info!(%operation, state, "the operation has ended");
        }
        Ok(true)
    }

    /// What a step is done with, when the tenant is served and all that is needed lent.
    async fn ground(&self, row: &OperationRow) -> Result<Option<Ground>, VaultError> {
        let tenant = tenant_of(row)?;
        if !self.is_served(tenant).await? {
            return Ok(None);
        }
        let keyring = self.keyring(tenant).await?;
        let mut lent = BTreeMap::new();
        for (class, epoch) in targets(&row.targets)? {
            let now_ms = self.clock().now_ms();
            let loan = self.loans().of(&keyring.keyring, class, now_ms);
            // Identifier keys are made by the operation itself.
            let is_made = is_about_identifiers(row)
                || keyring.keyring.newest_epoch(class).is_ok_and(|newest| newest >= epoch);
            let Some(loan) = loan.filter(|_| is_made) else {
                return Ok(None);
            };
            lent.insert(class, loan);
        }
        let store = self.store(tenant).await?;
        if row.kind() == OperationKind::Unspecified {
            return Ok(Some(Ground { tenant, store, work: RowWork::Reseal(WorkKeys::Lent(lent)) }));
        }
        // Values that were sealed before the policy named their class lie under others.
        for class in DataClass::ALL {
            let loan = self.loans().of(&keyring.keyring, class, self.clock().now_ms());
            lent.extend(loan.map(|loan| (class, loan)));
        }
        let keys = WorkKeys::Lent(lent);
        let work = match is_about_identifiers(row) {
            true => RowWork::Rekey(keys, Arc::new(versions(row)?)),
            false => RowWork::Index(keys, Arc::new(self.index_work(row).await?)),
        };
        Ok(Some(Ground { tenant, store, work }))
    }

    /// Whether anybody of a tenant is let in: for others nothing is opened.
    async fn is_served(&self, tenant: TenantId) -> Result<bool, VaultError> {
        let record = self.registry().tenant(&TenantRef::Id(tenant)).await?;
        Ok(record.is_some_and(|record| record.standing == Standing::Served))
    }

    /// Whether an operation that is open can go on now: its keys are made, and lent.
    pub(crate) async fn is_ready(&self, row: &OperationRow) -> Result<bool, VaultError> {
        Ok(self.ground(row).await?.is_some())
    }

    /// Does a page of the scan, or what comes at its end. Gives how many records it was at.
    async fn page(&self, ground: &Ground, row: &mut OperationRow) -> Result<usize, VaultError> {
        let limit = match row.rate_max {
            0 => PAGE_ROWS,
            rate => PAGE_ROWS.min(usize::try_from(rate).unwrap_or(PAGE_ROWS)),
        };
        let rows = next_rows(ground.store.as_ref(), row, limit).await?;
        let Some((last, _)) = rows.last() else {
            match row.kind() {
                OperationKind::Unspecified => self.end_of_scan(ground, row).await?,
                OperationKind::Index => self.end_of_index_scan(&ground.store, row).await?,
                OperationKind::Identifiers => {
                    let place = (ground.tenant, ground.store.as_ref());
                    self.end_of_identifier_scan(place, ground.work.keys(), row).await?;
                }
            }
            return Ok(0);
        };
        row.cursor = sealed_rows::cursor(last);
        let visited = rows.len();
        let count = u64::try_from(visited).unwrap_or(u64::MAX);
        if row.stage() == OperationStage::Counting {
            row.total += count;
        } else {
            self.work_on(ground, row, rows).await?;
            row.done += count;
        }
        Ok(visited)
    }

    async fn work_on(
        &self,
        ground: &Ground,
        row: &mut OperationRow,
        rows: Vec<SealedRow>,
    ) -> Result<(), VaultError> {
        let place = (ground.tenant, ground.store.as_ref());
        let report = self.work_page(place, &ground.work, rows).await?;
        row.resealed += report.resealed;
        row.left += report.resealed + report.unsettled;
        row.damaged += u64::try_from(report.damaged.len()).unwrap_or(u64::MAX);
        let room = DAMAGED_LISTED_MAX.saturating_sub(row.damaged_records.len());
        row.damaged_records.extend(report.damaged.iter().take(room).map(shown));
        Ok(())
    }

    async fn end_of_scan(&self, ground: &Ground, row: &mut OperationRow) -> Result<(), VaultError> {
        match row.stage() {
            OperationStage::Unspecified | OperationStage::Removing => {
                return Err(VaultError::Integrity);
            }
            OperationStage::Counting => begin(row, OperationStage::Resealing),
            OperationStage::Resealing => {
                let place = (ground.tenant, ground.store.as_ref());
                let floor = |(class, epoch)| (class, EpochFloor { epoch, identifier_version: 0 });
                let floors = targets(&row.targets)?.into_iter().map(floor).collect();
                self.raise_floors(place, floors).await?;
                begin(row, OperationStage::Verifying);
            }
            OperationStage::Verifying if row.damaged > 0 => {
                row.set_state(OperationState::NeedsAttention);
            }
            OperationStage::Verifying if row.left > 0 => begin(row, OperationStage::Verifying),
            OperationStage::Verifying | OperationStage::Destroying => {
                row.set_stage(OperationStage::Destroying);
                row.verified_ms = self.clock().now_ms();
            }
        }
        Ok(())
    }

    /// Destroys the data keys below the targets.
    pub(super) async fn destroy(&self, row: &OperationRow) -> Result<(), VaultError> {
        let (tenant, targets) = (tenant_of(row)?, targets(&row.targets)?);
        let (keyrings, now_ms) = (self.keyrings_arc(), self.clock().now_ms());
        let destroy = move || {
            let destroyed = keyrings.edit(tenant, |keyring| {
                let below =
                    |(class, epoch): &(_, u32)| keyring.destroy_data_keys(*class, *epoch, now_ms);
                let destroyed: usize = targets.iter().map(below).map(|epochs| epochs.len()).sum();
                // A crash came after the keyring was written: there is nothing left to write.
                if destroyed == 0 { Err(VaultError::NotFound) } else { Ok(destroyed) }
            });
            match destroyed {
                Err(VaultError::NotFound) => Ok(0),
                destroyed => destroyed,
            }
        };
        let destroyed = self.key_worker().run(destroy).await??;
        tracing::info!(%tenant, count = destroyed, "data keys are destroyed");
        Ok(())
    }
}

/// The tenant of an operation.
pub(crate) fn tenant_of(row: &OperationRow) -> Result<TenantId, VaultError> {
    let bytes = row.tenant.as_slice().try_into().map_err(|_| VaultError::Integrity)?;
    Ok(TenantId::from_bytes(bytes))
}

/// The next rows that an operation is about.
async fn next_rows(
    store: &dyn Store,
    row: &OperationRow,
    limit: usize,
) -> Result<Vec<SealedRow>, VaultError> {
    let after = sealed_rows::place(row);
    if !is_about_indexes(row) {
        return Ok(sealed_rows::scan(store, after.as_ref(), limit).await?);
    }
    let collection = CollectionName::parse(&row.collection).map_err(|_| VaultError::Integrity)?;
    let (keyspace, prefix) = (Keyspace::Records, record_prefix(&collection));
    let range = ScanRange { keyspace, prefix, after: after.map(|after| after.key) };
    let rows = store.scan(range, limit).await?.into_iter();
    Ok(rows.map(|row| (StoreKey::new(keyspace, row.key), row.value)).collect())
}

/// Begins a scan.
pub(crate) fn begin(row: &mut OperationRow, stage: OperationStage) {
    row.set_stage(stage);
    row.cursor.clear();
    (row.done, row.left, row.damaged) = (0, 0, 0);
    row.damaged_records.clear();
}

/// A record's key as text, and a surrogate's id; a key that is none is shown as far as it can be.
fn shown(key: &StoreKey) -> String {
    if key.keyspace == Keyspace::Surrogates {
        let id = key.key.iter().skip(1).map(|byte| format!("{byte:02x}"));
        return format!("surrogates/{}", id.collect::<String>());
    }
    String::from_utf8_lossy(&key.key).replace('\0', "/")
}
