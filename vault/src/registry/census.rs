//! The last census of each tenant: what was found to hang on its keys, and when.

use std::collections::BTreeMap;

use tresor_proto::{DataClass, TenantId, storage};

use super::{Registry, deletions::kept};
use crate::{
    error::VaultError,
    store::{Keyspace, StoreKey},
};

/// What hangs on the keys of a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// When the count began, milliseconds since the epoch.
    pub begun_ms: u64,
    /// When it ended, milliseconds since the epoch.
    pub ended_ms: u64,
    /// Records that authenticate.
    pub records: u64,
    /// Rows that do not: what they hang on is not known.
    pub damaged: u64,
    /// Sealed groups by class and epoch of their data key.
    pub groups: BTreeMap<(DataClass, u32), u64>,
    /// Entries of blind indexes.
    pub index_entries: u64,
    /// Surrogates that authenticate and have a row of their own.
    pub surrogates: u64,
}

impl Registry {
    /// Keeps a census in place of the one before.
    pub(crate) async fn put_census(
        &self,
        tenant: TenantId,
        census: &Census,
    ) -> Result<(), VaultError> {
        let row = storage::CensusRow::from(census);
        self.apply(kept(tenant).into(), vec![self.put(census_key(tenant), &row)?]).await
    }

    /// The last census of a tenant, if one was taken.
    pub(crate) async fn census(&self, tenant: TenantId) -> Result<Option<Census>, VaultError> {
        let row = self.read::<storage::CensusRow>(census_key(tenant)).await?;
        row.map(|row| Census::try_from(row.message)).transpose()
    }
}

impl From<&Census> for storage::CensusRow {
    fn from(census: &Census) -> Self {
        let count = |((class, epoch), groups): (&(DataClass, u32), &u64)| storage::EpochCount {
            data_class: u32::from(class.code()),
            epoch: *epoch,
            groups: *groups,
        };
        Self {
            begun_ms: census.begun_ms,
            ended_ms: census.ended_ms,
            records: census.records,
            damaged: census.damaged,
            epochs: census.groups.iter().map(count).collect(),
            index_entries: census.index_entries,
            surrogates: census.surrogates,
        }
    }
}

impl TryFrom<storage::CensusRow> for Census {
    type Error = VaultError;

    fn try_from(row: storage::CensusRow) -> Result<Self, VaultError> {
        let count = |count: &storage::EpochCount| {
            let class = DataClass::from_code(count.data_class).ok_or(VaultError::Integrity)?;
            Ok(((class, count.epoch), count.groups))
        };
        Ok(Self {
            begun_ms: row.begun_ms,
            ended_ms: row.ended_ms,
            records: row.records,
            damaged: row.damaged,
            groups: row.epochs.iter().map(count).collect::<Result<_, VaultError>>()?,
            index_entries: row.index_entries,
            surrogates: row.surrogates,
        })
    }
}

fn census_key(tenant: TenantId) -> StoreKey {
    StoreKey::new(Keyspace::Census, tenant.to_bytes())
}
