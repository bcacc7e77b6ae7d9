//! Collections in the registry: the newest policy under the name, every version beside it.

use tresor_proto::{CollectionName, Policy, TenantId, storage};

use super::{Registry, Row, deletions::kept};
use crate::{
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
        let newest = newest_key(tenant, &name);
        let (policy_version, precondition) =
            match self.read::<storage::CollectionRow>(newest.clone()).await? {
                None => (1, Precondition::Absent(newest.clone())),
                Some(Row { message, digest }) => {
                    (message.policy_version + 1, Precondition::Unchanged(newest.clone(), digest))
                }
            };
        let wire = Some((&policy).into());
        let row = storage::CollectionRow { policy_version, policy: wire, updated_ms: now_ms };
        let versioned = version_key(tenant, &name, policy_version);
        let writes = vec![self.put(newest, &row)?, self.put(versioned, &row)?];
        self.apply([&kept(tenant)[..], &[precondition]].concat(), writes).await?;
        Ok(Collection { name, policy_version, policy, updated_ms: now_ms })
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

fn to_collection(
    name: CollectionName,
    row: storage::CollectionRow,
) -> Result<Collection, VaultError> {
    let policy = Policy::try_from(row.policy.ok_or(VaultError::Integrity)?);
    Ok(Collection {
        name,
        policy_version: row.policy_version,
        policy: policy.map_err(|_| VaultError::Integrity)?,
        updated_ms: row.updated_ms,
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
