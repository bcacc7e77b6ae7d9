//! The lowest version of a collection's policy that writes may be made under, and what is known of
//! its blind indexes, kept in the tenant's database.
//!
//! Whoever writes a record says in its change what the floor was when it was read; so once it is
//! raised, no write under an older policy, which may not know an index, is applied, however late it
//! comes. It relies on the preconditions of the store, and on the MAC of the row.
//!
//! Store key: `p ‖ collection`. A collection has no row before an index of it is built.

use prost::Message as _;
use tresor_proto::{
    CollectionName, TenantId,
    storage::{self, BuiltIndex},
};

use crate::{
    blind_index::IndexId,
    crypto_error::CryptoError,
    error::VaultError,
    row::{RowKeys, RowPlace},
    store::{Change, Keyspace, Precondition, RowDigest, StoreKey, Write},
};

/// The floor of a collection, as read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PolicyFloor {
    key: StoreKey,
    row: storage::PolicyFloor,
    /// What it was read from; `None` where there is none.
    digest: Option<RowDigest>,
}

/// The key of a collection's floor.
pub(crate) fn key(collection: &CollectionName) -> StoreKey {
    StoreKey::new(Keyspace::Meta, [b"p", collection.as_str().as_bytes()].concat())
}

impl PolicyFloor {
    /// The floor of a collection that has none.
    pub(crate) fn none(collection: &CollectionName) -> Self {
        Self { key: key(collection), row: storage::PolicyFloor::default(), digest: None }
    }

    /// Reads the floor of a collection.
    pub(crate) fn read(
        (tenant, keys): (TenantId, &RowKeys),
        collection: &CollectionName,
        row: Option<&[u8]>,
    ) -> Result<Self, VaultError> {
        let Some(row) = row else { return Ok(Self::none(collection)) };
        let key = key(collection);
        let message = keys.decode(RowPlace { tenant, key: &key }, row);
        let message = message.map_err(|CryptoError| VaultError::Integrity)?;
        let message = storage::PolicyFloor::decode(message).map_err(|_| VaultError::Integrity)?;
        Ok(Self { key, row: message, digest: Some(RowDigest::of(row)) })
    }

    /// Whether writes may be made under a version of the policy.
    pub(crate) fn admits(&self, policy_version: u64) -> bool {
        policy_version >= self.row.policy_version
    }

    /// Whether every record has its entries of an index that is declared since a version.
    pub(crate) fn is_complete(&self, index: IndexId, since: u64) -> bool {
        let mut built = self.row.built.iter();
        match built.find(|built| built.index == index.as_bytes()) {
            Some(built) => built.policy_version >= since,
            None => since == 1,
        }
    }

    /// Whether an index is not written.
    pub(crate) fn is_refused(&self, index: IndexId) -> bool {
        self.row.refused.iter().any(|refused| refused == index.as_bytes())
    }

    /// What a write asks of the store: that the floor is what was read.
    pub(crate) fn precondition(&self) -> Precondition {
        match &self.digest {
            None => Precondition::Absent(self.key.clone()),
            Some(digest) => Precondition::Unchanged(self.key.clone(), digest.clone()),
        }
    }

    /// The floor at a version of the policy at least.
    pub(crate) fn raised(mut self, policy_version: u64) -> Self {
        self.row.policy_version = self.row.policy_version.max(policy_version);
        self
    }

    /// The floor once an index is built for a version of the policy.
    pub(crate) fn with_built(mut self, index: IndexId, policy_version: u64) -> Self {
        self.row.built.retain(|built| built.index != index.as_bytes());
        self.row.built.push(BuiltIndex { index: index.as_bytes().to_vec(), policy_version });
        self
    }

    /// The floor once an index is refused, or is not any more.
    pub(crate) fn with_refused(mut self, index: IndexId, is_refused: bool) -> Self {
        self.row.refused.retain(|refused| refused != index.as_bytes());
        if is_refused {
            self.row.refused.push(index.as_bytes().to_vec());
        }
        // Whatever was written meanwhile has no entries: it is built for no version of the policy.
        self.with_built(index, 0)
    }

    /// The floor once what is known of an index holds for it under another key too, of which nothing
    /// is known yet.
    pub(crate) fn carried(mut self, from: IndexId, to: IndexId) -> Self {
        let is_known = self.row.built.iter().any(|built| built.index == to.as_bytes());
        if from == to || is_known {
            return self;
        }
        let is_refused = self.is_refused(from);
        let built = self.row.built.iter().find(|built| built.index == from.as_bytes());
        let version = built.map(|built| built.policy_version);
        if is_refused {
            self = self.with_refused(to, true);
        }
        match version {
            Some(version) => self.with_built(to, version),
            None => self,
        }
    }

    /// The change from what was read to what it is now.
    pub(crate) fn change(
        &self,
        (tenant, keys): (TenantId, &RowKeys),
    ) -> Result<Change, CryptoError> {
        let place = RowPlace { tenant, key: &self.key };
        let row = keys.encode(place, &self.row.encode_to_vec())?;
        let writes = vec![Write::Put(self.key.clone(), row)];
        Ok(Change { preconditions: vec![self.precondition()], writes })
    }
}
