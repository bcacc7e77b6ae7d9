//! Long operations in the registry: those that go on or may, and those that have ended.
//!
//! Store key: `0 ‖ id` while it may go on, `1 ‖ id` once it has ended. Ids sort by the time they
//! were made.

use tresor_proto::storage::{OperationRow, OperationState};
use uuid::Uuid;

use super::{Registry, Row, deletions::kept};
use crate::{
    error::VaultError,
    reencryption::tenant_of,
    store::{Keyspace, Precondition, RowDigest, ScanRange, StoreKey, Write},
};

/// A long operation as read.
#[derive(Clone, Debug)]
pub(crate) struct OperationRecord {
    pub(crate) id: Uuid,
    pub(crate) row: OperationRow,
    digest: RowDigest,
}

impl Registry {
    /// Registers an operation.
    pub(crate) async fn create_operation(
        &self,
        id: Uuid,
        row: &OperationRow,
    ) -> Result<(), VaultError> {
        let key = key(id, row.state());
        let write = self.put(key.clone(), row)?;
        let preconditions = [&kept(tenant_of(row)?)[..], &[Precondition::Absent(key)]].concat();
        self.apply(preconditions, vec![write]).await
    }

    /// An operation by id.
    pub(crate) async fn operation(&self, id: Uuid) -> Result<Option<OperationRecord>, VaultError> {
        for state in [OperationState::Open, OperationState::Done] {
            if let Some(Row { message: row, digest }) = self.read(key(id, state)).await? {
                return Ok(Some(OperationRecord { id, row, digest }));
            }
        }
        Ok(None)
    }

    /// Up to `limit` operations after `after`: those that may go on, or those that have ended.
    pub(crate) async fn operations(
        &self,
        has_ended: bool,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<OperationRecord>, VaultError> {
        let prefix = vec![u8::from(has_ended)];
        let after = after.map(|id| [&prefix[..], id.as_bytes()].concat());
        let range = ScanRange { keyspace: Keyspace::Operations, prefix, after };
        let mut records = Vec::new();
        for found in self.store.scan(range, limit).await? {
            let id = found.key.get(1..).and_then(|id| Uuid::from_slice(id).ok());
            let id = id.ok_or(VaultError::Integrity)?;
            let key = StoreKey::new(Keyspace::Operations, found.key);
            let row = self.decode(&key, &found.value)?;
            records.push(OperationRecord { id, row, digest: RowDigest::of(&found.value) });
        }
        Ok(records)
    }

    /// Writes an operation over what was read; `conflict` when it has changed in between.
    pub(crate) async fn update_operation(
        &self,
        record: &OperationRecord,
        row: &OperationRow,
    ) -> Result<(), VaultError> {
        let (old, new) = (key(record.id, record.row.state()), key(record.id, row.state()));
        let unchanged = Precondition::Unchanged(old.clone(), record.digest.clone());
        let mut writes = vec![self.put(new.clone(), row)?];
        if old != new {
            writes.push(Write::Remove(old));
        }
        self.apply(vec![unchanged], writes).await
    }
}

fn key(id: Uuid, state: OperationState) -> StoreKey {
    let has_ended = matches!(state, OperationState::Done | OperationState::Cancelled);
    let key = [&[u8::from(has_ended)], &id.as_bytes()[..]].concat();
    StoreKey::new(Keyspace::Operations, key)
}
