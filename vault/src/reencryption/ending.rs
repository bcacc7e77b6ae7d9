//! The end of an operation: a last look at the database, then the end of the older keys.
//!
//! It promises that a key is destroyed only after this process has seen, since it was started, that
//! nothing hangs on it: a database may have been restored while the operation waited. From the
//! moment the destruction is written down it cannot be cancelled, and a crash only repeats it.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use tresor_proto::storage::{OperationRow, OperationStage, OperationState};
use uuid::Uuid;

use super::{
    rekeying::is_about_identifiers,
    step::{begin, tenant_of},
    targets,
};
use crate::{
    epoch_floor::{self, Floors},
    error::VaultError,
    operations::CensusUnderWay,
    registry::OperationRecord,
    store::StoreKey,
    vault::Vault,
};

/// The last looks under way, in memory only: a restart looks anew, at the database there is then.
#[derive(Debug, Default)]
pub(crate) struct LastLooks(Mutex<HashMap<Uuid, LastLook>>);

/// A last look under way.
#[derive(Debug)]
enum LastLook {
    /// For groups under older data keys.
    Groups(CensusUnderWay),
    /// For what is under older identifier keys, behind a row.
    Identifiers(StoreKey),
}

impl LastLooks {
    fn take(&self, id: Uuid) -> Option<LastLook> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&id)
    }

    fn keep(&self, id: Uuid, look: LastLook) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id, look);
    }
}

/// What a last look has seen.
enum Seen {
    /// Nothing so far, and not all of it.
    Part,
    /// Nothing.
    Nothing,
    /// What hangs on the older keys, or cannot be read.
    Something,
}

/// When the older keys of an operation may be destroyed, milliseconds since the epoch.
pub(crate) fn destroy_ms(row: &OperationRow) -> u64 {
    row.verified_ms.saturating_add(row.destroy_after_ms)
}

impl Vault {
    /// Takes an operation whose older keys nothing hangs on one step further, and whether it went on.
    pub(super) async fn end_older_keys(
        &self,
        record: &OperationRecord,
    ) -> Result<bool, VaultError> {
        let (mut row, now_ms) = (record.row.clone(), self.clock().now_ms());
        if now_ms < destroy_ms(&row) {
            return Ok(false);
        }
        row.updated_ms = now_ms;
        match self.last_look(record.id, &row).await? {
            Seen::Part => Ok(true),
            Seen::Something => {
                let operation = record.id;
                tracing::warn!(%operation, "records hang on older keys again: they are kept");
                // The floors of identifier keys are raised before anything is moved.
                let stage = match is_about_identifiers(&row) {
                    true => OperationStage::Counting,
                    false => OperationStage::Resealing,
                };
                begin(&mut row, stage);
                row.total = if stage == OperationStage::Counting { 0 } else { row.total };
                (row.verified_ms, row.destruction_begun_ms) = (0, 0);
                self.registry().update_operation(record, &row).await?;
                Ok(true)
            }
            Seen::Nothing => {
                row.destruction_begun_ms = now_ms;
                self.registry().update_operation(record, &row).await?;
                match is_about_identifiers(&row) {
                    true => self.destroy_identifiers(&row).await?,
                    false => self.destroy(&row).await?,
                }
                let begun = self.registry().operation(record.id).await?;
                row.set_state(OperationState::Done);
                let begun = begun.ok_or(VaultError::NotFound)?;
                self.registry().update_operation(&begun, &row).await?;
                tracing::info!(operation = %record.id, "the operation has ended");
                Ok(true)
            }
        }
    }

    /// Looks at a page more of the database.
    async fn last_look(&self, id: Uuid, row: &OperationRow) -> Result<Seen, VaultError> {
        let (tenant, targets) = (tenant_of(row)?, targets(&row.targets)?);
        let look = self.last_looks().take(id);
        if is_about_identifiers(row) {
            return self.last_look_for_older(id, row, look).await;
        }
        let mut look = match look {
            Some(LastLook::Groups(look)) => look,
            Some(LastLook::Identifiers(_)) | None => {
                CensusUnderWay::of(tenant, self.clock().now_ms())
            }
        };
        let is_last = self.count_page(&mut look).await?;
        let census = look.census();
        let hangs_on_older = census
            .groups
            .keys()
            .any(|(class, epoch)| targets.iter().any(|(of, target)| of == class && epoch < target));
        if census.damaged > 0 || hangs_on_older || !self.are_floors_at(row).await? {
            return Ok(Seen::Something);
        }
        if is_last {
            return Ok(Seen::Nothing);
        }
        self.last_looks().keep(id, LastLook::Groups(look));
        Ok(Seen::Part)
    }

    /// Looks at a page more for what is under older identifier keys.
    async fn last_look_for_older(
        &self,
        id: Uuid,
        row: &OperationRow,
        look: Option<LastLook>,
    ) -> Result<Seen, VaultError> {
        let after = match look {
            Some(LastLook::Identifiers(after)) => Some(after),
            Some(LastLook::Groups(_)) | None => None,
        };
        let (is_found, next) = self.look_for_older(row, after).await?;
        if is_found || !self.are_identifier_floors_at(row).await? {
            return Ok(Seen::Something);
        }
        let Some(next) = next else { return Ok(Seen::Nothing) };
        self.last_looks().keep(id, LastLook::Identifiers(next));
        Ok(Seen::Part)
    }

    /// Whether no write under the older keys is taken.
    async fn are_floors_at(&self, row: &OperationRow) -> Result<bool, VaultError> {
        let (tenant, targets) = (tenant_of(row)?, targets(&row.targets)?);
        let keys = targets.iter().map(|(class, _)| epoch_floor::key(*class)).collect();
        let rows = self.store(tenant).await?.read(keys).await?;
        let keyring = self.keyring(tenant).await?;
        let classes = targets.iter().map(|(class, _)| *class);
        let floors = classes.zip(rows.iter().map(Option::as_deref));
        let floors = Floors::read((tenant, &keyring.rows), floors)?;
        Ok(targets.iter().all(|(class, epoch)| floors.epoch(*class) >= *epoch))
    }
}
