//! Sealing and opening by themselves, with no thread, queue or store around them.
//!
//! These are the ceilings that the benchmarks compare the whole with; the work is that of `put`
//! and `get` exactly. They rely on a permit, like everything that touches keys.

use std::sync::Arc;

use tresor_proto::{CollectionName, Policy, RecordId};

use super::{Rules, Sealer, batch::Batch, round::Round, sealer::PartRows};
use crate::{
    access::{Permit, Read, Write},
    epoch_floor::Floors,
    error::VaultError,
    mask::FieldMasks,
    operations::reveal::Reader,
    policy_floor::PolicyFloor,
    record::{NewRecord, RevealedRecord, View},
    store::Change,
    vault::Vault,
};

/// Seals records into the changes that `put` would hand to the store.
pub struct SealLoop(Sealer);

/// Opens rows into the records that `get` would give.
pub struct OpenLoop(Reader);

impl Vault {
    /// The bare work of `put`.
    #[must_use]
    pub fn seal_loop(&self, permit: &Permit<Write>, collection: CollectionName) -> SealLoop {
        SealLoop(Sealer {
            tenant: permit.tenant(),
            collection,
            policy_version: 1,
            indexes: Arc::default(),
            holder: permit.holder().clone(),
            cache: self.unlocked_cache(),
            entropy: self.entropy_arc(),
            now_ms: self.clock().now_ms(),
        })
    }

    /// The bare work of `get`.
    ///
    /// # Errors
    /// `forbidden` when the customer token may not see as much as asked.
    pub fn open_loop(&self, permit: &Permit<Read>, view: &View) -> Result<OpenLoop, VaultError> {
        Ok(OpenLoop(self.reader(permit, view, FieldMasks::default())?))
    }
}

impl SealLoop {
    /// Seals new records under the default policy, one change each.
    ///
    /// # Errors
    /// `internal` when there is no randomness.
    pub fn seal(&self, records: Vec<NewRecord>) -> Result<Vec<Change>, VaultError> {
        let (policy, rows) = (Policy::default(), vec![None; records.len()]);
        let policy_floor = PolicyFloor::none(&self.0.collection);
        let rows = PartRows { rows, floors: Floors::default(), policy: policy_floor };
        let records = records.into_iter().map(Ok).collect();
        let rules = Rules::new(&policy, false);
        let mut batch = Batch::new(records, &rules, self.0.now_ms, self.0.entropy.as_ref())?;
        let (mut round, part) = (Round::default(), 0..batch.len());
        self.0.seal_part(&mut batch, &mut round, part, &rows)?;
        Ok(round.take())
    }
}

impl OpenLoop {
    /// Opens one row.
    ///
    /// # Errors
    /// `integrity` when it does not authenticate.
    pub fn open(&self, id: &RecordId, row: &[u8]) -> Result<RevealedRecord, VaultError> {
        self.0.record(id, row)
    }
}

impl core::fmt::Debug for SealLoop {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SealLoop")
    }
}

impl core::fmt::Debug for OpenLoop {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("OpenLoop")
    }
}
