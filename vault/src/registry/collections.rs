//! Collections in the registry: the newest policy under the name, every version beside it.

use std::collections::BTreeMap;

use tresor_proto::{CollectionName, FieldName, Policy, TenantId, storage};

use super::{Registry, Row, deletions::kept};
use crate::{
    blind_index::BlindIndex,
    error::VaultError,
    store::{Keyspace, Precondition, ScanRange, StoreKey},
};

/// Ends the name in the key of one version; no name contains it.
const VERSION_MARK: u8 = 0;
/// Collections of a tenant that a listing gives at most.
const LISTED_MAX: usize = 10_000;

/// A collection with one version of its policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    /// Its name.
    pub name: CollectionName,
    /// The version of its policy, counted from 1.
    pub policy_version: u64,
    /// Its policy.
    pub policy: Policy,
    /// When this version was put, milliseconds since the epoch.
    pub updated_ms: u64,
    /// Since which version every one has declared the blind index of a field just so.
    indexes_since: BTreeMap<FieldName, u64>,
}

impl Collection {
    /// Since which version of the policy the index of a field is declared as it is.
    pub(crate) fn index_since(&self, field: &FieldName) -> u64 {
        self.indexes_since.get(field).copied().unwrap_or(self.policy_version)
    }
}

impl Registry {
    /// Makes a collection, or gives it a new version of its policy.
    pub(crate) async fn put_collection(
        &self,
        tenant: TenantId,
        name: CollectionName,
        policy: Policy,
        now_ms: u64,
    ) -> Result<Collection, VaultError> {
        let _turn = self.putting_policy.lock().await;
        self.check_meanings(tenant, &name, &policy).await?;
        let newest = newest_key(tenant, &name);
        let row = self.read::<storage::CollectionRow>(newest.clone()).await?;
        let (before, precondition) = match row {
            None => (None, Precondition::Absent(newest.clone())),
            Some(Row { message, digest }) => {
                let before = to_collection(name.clone(), message)?;
                (Some(before), Precondition::Unchanged(newest.clone(), digest))
            }
        };
        let policy_version = before.as_ref().map_or(1, |before| before.policy_version + 1);
        let indexes_since = BTreeMap::new();
        let mut collection =
            Collection { name, policy_version, policy, updated_ms: now_ms, indexes_since };
        collection.indexes_since = indexes_since_before(&collection, before.as_ref());
        let row = to_row(&collection);
        let versioned = version_key(tenant, &collection.name, policy_version);
        let writes = vec![self.put(newest, &row)?, self.put(versioned, &row)?];
        self.apply([&kept(tenant)[..], &[precondition]].concat(), writes).await?;
        Ok(collection)
    }

    /// A collection with its newest policy, or with `policy_version`.
    pub(crate) async fn collection(
        &self,
        tenant: TenantId,
        name: &CollectionName,
        policy_version: Option<u64>,
    ) -> Result<Collection, VaultError> {
        let key = match policy_version {
            None => newest_key(tenant, name),
            Some(version) => version_key(tenant, name, version),
        };
        let row = self.read::<storage::CollectionRow>(key).await?.ok_or(VaultError::NotFound)?;
        to_collection(name.clone(), row.message)
    }

    /// All collections of a tenant, in the order of their names.
    pub(crate) async fn collections(
        &self,
        tenant: TenantId,
    ) -> Result<Vec<Collection>, VaultError> {
        let prefix = tenant.to_bytes().to_vec();
        let mut after = None;
        let mut collections = Vec::new();
        while collections.len() < LISTED_MAX {
            let range =
                ScanRange { keyspace: Keyspace::Collections, prefix: prefix.clone(), after };
            let Some(row) = self.store.scan(range, 1).await?.pop() else {
                break;
            };
            let name = row.key.get(prefix.len()..).unwrap_or_default();
            let name = core::str::from_utf8(name).map_err(|_| VaultError::Integrity)?;
            let name = CollectionName::parse(name).map_err(|_| VaultError::Integrity)?;
            let key = newest_key(tenant, &name);
            collections.push(to_collection(name, self.decode(&key, &row.value)?)?);
            // Skips the versions: they follow the name's own row and its mark.
            after = Some([&key.key[..], &[VERSION_MARK, 0xFF]].concat());
        }
        Ok(collections)
    }
}

/// Since when the indexes of a collection are declared as they are, given what it was before.
fn indexes_since_before(
    collection: &Collection,
    before: Option<&Collection>,
) -> BTreeMap<FieldName, u64> {
    let earlier = before.map(BlindIndex::all_of).unwrap_or_default();
    let since = |index: BlindIndex| {
        let before = before.filter(|_| earlier.contains(&index));
        let since = before.and_then(|before| before.indexes_since.get(&index.field).copied());
        (index.field, since.unwrap_or(collection.policy_version))
    };
    BlindIndex::all_of(collection).into_iter().map(since).collect()
}

fn to_row(collection: &Collection) -> storage::CollectionRow {
    let declared = |(field, since): (&FieldName, &u64)| storage::DeclaredIndex {
        field: field.as_str().to_owned(),
        since: *since,
    };
    storage::CollectionRow {
        policy_version: collection.policy_version,
        policy: Some((&collection.policy).into()),
        updated_ms: collection.updated_ms,
        indexes: collection.indexes_since.iter().map(declared).collect(),
    }
}

fn to_collection(
    name: CollectionName,
    row: storage::CollectionRow,
) -> Result<Collection, VaultError> {
    let policy = Policy::try_from(row.policy.ok_or(VaultError::Integrity)?);
    let since = |index: storage::DeclaredIndex| {
        let field = FieldName::parse(&index.field).map_err(|_| VaultError::Integrity)?;
        Ok((field, index.since))
    };
    Ok(Collection {
        name,
        policy_version: row.policy_version,
        policy: policy.map_err(|_| VaultError::Integrity)?,
        updated_ms: row.updated_ms,
        indexes_since: row.indexes.into_iter().map(since).collect::<Result<_, VaultError>>()?,
    })
}

fn newest_key(tenant: TenantId, name: &CollectionName) -> StoreKey {
    let key = [&tenant.to_bytes()[..], name.as_str().as_bytes()].concat();
    StoreKey::new(Keyspace::Collections, key)
}

fn version_key(tenant: TenantId, name: &CollectionName, version: u64) -> StoreKey {
    let mut key = newest_key(tenant, name);
    key.key.push(VERSION_MARK);
    key.key.extend_from_slice(&version.to_be_bytes());
    key
}
