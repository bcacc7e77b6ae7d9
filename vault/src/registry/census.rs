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
    /// Rows by class and version of the identifier key they hang on: records by their entries of
    /// indexes that are declared, deterministic surrogates by their look-ups.
    pub identifiers: BTreeMap<(DataClass, u32), u64>,
    /// Rows that count or find surrogates and do not authenticate: no value hangs on them.
    pub damaged_side_rows: u64,
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
        let identifier = |((class, version), rows): (&(DataClass, u32), &u64)| {
            let (data_class, version) = (u32::from(class.code()), *version);
            storage::IdentifierCount { data_class, version, rows: *rows }
        };
        Self {
            begun_ms: census.begun_ms,
            ended_ms: census.ended_ms,
            records: census.records,
            damaged: census.damaged,
            epochs: census.groups.iter().map(count).collect(),
            index_entries: census.index_entries,
            surrogates: census.surrogates,
            identifiers: census.identifiers.iter().map(identifier).collect(),
            damaged_side_rows: census.damaged_side_rows,
        }
    }
}

impl TryFrom<storage::CensusRow> for Census {
    type Error = VaultError;

    fn try_from(row: storage::CensusRow) -> Result<Self, VaultError> {
        let class = |code| DataClass::from_code(code).ok_or(VaultError::Integrity);
        let count = |count: &storage::EpochCount| {
            Ok(((class(count.data_class)?, count.epoch), count.groups))
        };
        let identifier = |count: &storage::IdentifierCount| {
            Ok(((class(count.data_class)?, count.version), count.rows))
        };
        Ok(Self {
            begun_ms: row.begun_ms,
            ended_ms: row.ended_ms,
            records: row.records,
            damaged: row.damaged,
            groups: row.epochs.iter().map(count).collect::<Result<_, VaultError>>()?,
            index_entries: row.index_entries,
            surrogates: row.surrogates,
            identifiers: row
                .identifiers
                .iter()
                .map(identifier)
                .collect::<Result<_, VaultError>>()?,
            damaged_side_rows: row.damaged_side_rows,
        })
    }
}

fn census_key(tenant: TenantId) -> StoreKey {
    StoreKey::new(Keyspace::Census, tenant.to_bytes())
}
