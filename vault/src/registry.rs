//! The registry: tenants, their users and the policies of their collections, in a store like any
//! other.
//!
//! Its rows carry a MAC under the system's metadata key, bound to their place, so that a database
//! writer can neither flip a policy to clear nor widen an address list.

mod census;
mod collections;
mod deletions;
mod info_types;
mod key_lease;
mod operations;
#[cfg(test)]
mod tampering;
mod tenants;
mod users;
mod verified;

use std::sync::Arc;

use prost::Message;
use tresor_proto::TenantId;

pub use census::Census;
pub use collections::Collection;
pub(crate) use key_lease::KeyLease;
pub(crate) use operations::OperationRecord;
pub(crate) use tenants::{Enrolment, TenantRecord};
pub use tenants::{Standing, Tenant, TenantState};
pub use users::User;
pub(crate) use users::UserRecord;
use verified::{Verified, VerifiedRows};

use crate::{
    error::VaultError,
    keyring::Keyrings,
    row::RowPlace,
    store::{Change, Outcome, Precondition, RowDigest, Store, StoreKey, Write},
};

/// The registry's rows belong to no tenant's database.
const NO_TENANT: TenantId = TenantId::from_bytes([0; 16]);

/// The registry of a vault.
pub(crate) struct Registry {
    store: Arc<dyn Store>,
    verified: Arc<VerifiedRows>,
    keyrings: Arc<Keyrings>,
    held: key_lease::Held,
    adding_user: tokio::sync::Mutex<()>,
    putting_policy: tokio::sync::Mutex<()>,
}

/// A row as read: its message, and its digest for the precondition of a change.
struct Row<M> {
    message: M,
    digest: RowDigest,
}

impl Registry {
    /// The registry in `store`.
    pub(crate) fn new(store: Arc<dyn Store>, keyrings: Arc<Keyrings>) -> Self {
        Self {
            store,
            verified: Arc::default(),
            keyrings,
            held: key_lease::Held::default(),
            adding_user: tokio::sync::Mutex::default(),
            putting_policy: tokio::sync::Mutex::default(),
        }
    }

    /// Closes its store.
    pub(crate) async fn close(&self) -> Result<(), VaultError> {
        Ok(self.store.close().await?)
    }

    async fn read<M: Message + Default>(
        &self,
        key: StoreKey,
    ) -> Result<Option<Row<M>>, VaultError> {
        let Some(row) = self.verified(key).await? else {
            return Ok(None);
        };
        let message = M::decode(&row.message[..]).map_err(|_| VaultError::Integrity)?;
        Ok(Some(Row { message, digest: row.digest.clone() }))
    }

    async fn verified(&self, key: StoreKey) -> Result<Option<Arc<Verified>>, VaultError> {
        let changes = match self.verified.find(&key) {
            Ok(row) => return Ok(Some(row)),
            Err(changes) => changes,
        };
        let Some(row) = self.store.read(vec![key.clone()]).await?.pop().flatten() else {
            return Ok(None);
        };
        let message = self.authentic(&key, &row)?.to_vec();
        let row = Arc::new(Verified { message, digest: RowDigest::of(&row) });
        self.verified.keep(key, &row, changes);
        Ok(Some(row))
    }

    fn decode<M: Message + Default>(&self, key: &StoreKey, row: &[u8]) -> Result<M, VaultError> {
        M::decode(self.authentic(key, row)?).map_err(|_| VaultError::Integrity)
    }

    fn authentic<'row>(&self, key: &StoreKey, row: &'row [u8]) -> Result<&'row [u8], VaultError> {
        let place = RowPlace { tenant: NO_TENANT, key };
        self.keyrings.registry().decode(place, row).map_err(|_| VaultError::Integrity)
    }

    fn put(&self, key: StoreKey, message: &impl Message) -> Result<Write, VaultError> {
        let place = RowPlace { tenant: NO_TENANT, key: &key };
        let row = self.keyrings.registry().encode(place, &message.encode_to_vec());
        Ok(Write::Put(key, row.map_err(|_| VaultError::Internal)?))
    }

    /// Applies one change; `Err(Conflict)` when a precondition does not hold. It runs in a task of
    /// its own: a caller that goes away ends neither the change nor what is said of it.
    async fn apply(
        &self,
        preconditions: Vec<Precondition>,
        writes: Vec<Write>,
    ) -> Result<(), VaultError> {
        let keys: Vec<_> = writes.iter().map(|write| write.key().clone()).collect();
        let (store, verified) = (Arc::clone(&self.store), Arc::clone(&self.verified));
        let applied = tokio::spawn(async move {
            verified.begin_change(&keys);
            let outcomes = store.apply(vec![Change { preconditions, writes }]).await;
            verified.end_change(&keys);
            outcomes
        });
        match applied.await.map_err(|_| VaultError::Internal)??.first() {
            Some(Outcome::Applied) => Ok(()),
            Some(Outcome::PreconditionFailed) => Err(VaultError::Conflict),
            None => Err(VaultError::Internal),
        }
    }
}
