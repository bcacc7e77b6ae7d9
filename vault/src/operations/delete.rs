//! Deletes records by id.

use tresor_proto::{CollectionName, RecordId};

use super::record_key;
use crate::{
    access::{Delete, Permit},
    error::VaultError,
    store::{Change, Outcome, Precondition, StoreKey, Write},
    vault::Vault,
};

impl Vault {
    /// Deletes records; one result an id, in order, once it is durable. A row that does not
    /// authenticate can be deleted too.
    ///
    /// # Errors
    /// For all: `storage_unavailable`. For one: `not_found`, `conflict` when another change came
    /// between.
    pub async fn delete(
        &self,
        permit: &Permit<Delete>,
        collection: &CollectionName,
        ids: &[RecordId],
    ) -> Result<Vec<Result<(), VaultError>>, VaultError> {
        let store = self.store(permit.tenant()).await?;
        let keys: Vec<_> = ids.iter().map(|id| record_key(collection, id)).collect();
        let rows = store.read(keys.clone()).await?;
        let found: Vec<bool> = rows.iter().map(Option::is_some).collect();
        let changes = keys.into_iter().zip(rows).filter_map(|(key, row)| Some(remove(key, row?)));
        let mut outcomes = store.apply(changes.collect()).await?.into_iter();
        let result = |is_found: bool| match is_found.then(|| outcomes.next()) {
            None => Err(VaultError::NotFound),
            Some(Some(Outcome::Applied)) => Ok(()),
            Some(Some(Outcome::PreconditionFailed)) => Err(VaultError::Conflict),
            Some(None) => Err(VaultError::Internal),
        };
        Ok(found.into_iter().map(result).collect())
    }
}

fn remove(key: StoreKey, row: Vec<u8>) -> Change {
    Change {
        preconditions: vec![Precondition::Unchanged(key.clone(), row)],
        writes: vec![Write::Remove(key)],
    }
}
