//! Deletes records by id.

use std::collections::HashSet;

use tresor_proto::{CollectionName, RecordId};

use super::record_key;
use crate::{
    access::{Delete, Permit},
    error::VaultError,
    store::{Change, Outcome, Precondition, RowDigest, Store, StoreKey, Write},
    vault::Vault,
};

/// Rows read at once: 16 MiB at most.
const PART_ITEMS_MAX: usize = 64;
/// How often a record is tried when another change came between.
const ROUNDS_MAX: usize = 16;

type Deleted = Result<(), VaultError>;

impl Vault {
    /// Deletes records; one result an id, in order, once it is durable. A row that does not
    /// authenticate can be deleted too; an id that comes twice is not found the second time.
    ///
    /// # Errors
    /// For all: `storage_unavailable`. For one: `not_found`, `conflict` when other changes kept
    /// coming between.
    pub async fn delete(
        &self,
        permit: &Permit<Delete>,
        collection: &CollectionName,
        ids: &[RecordId],
    ) -> Result<Vec<Deleted>, VaultError> {
        let store = self.store(permit.tenant()).await?;
        let mut seen = HashSet::new();
        let mut results = Vec::with_capacity(ids.len());
        for part in ids.chunks(PART_ITEMS_MAX) {
            let keys: Vec<_> = part.iter().map(|id| record_key(collection, id)).collect();
            let is_first: Vec<bool> = keys.iter().map(|key| seen.insert(key.clone())).collect();
            let firsts = keys.into_iter().zip(&is_first).filter(|(_, is_first)| **is_first);
            let firsts = firsts.map(|(key, _)| key).collect();
            let mut deleted = delete_part(store.as_ref(), firsts).await?.into_iter();
            results.extend(is_first.into_iter().map(|is_first| match is_first {
                true => deleted.next().unwrap_or(Err(VaultError::Internal)),
                false => Err(VaultError::NotFound),
            }));
        }
        Ok(results)
    }
}

/// Deletes rows with different keys.
async fn delete_part(store: &dyn Store, keys: Vec<StoreKey>) -> Result<Vec<Deleted>, VaultError> {
    let mut results = vec![Err(VaultError::Conflict); keys.len()];
    for _ in 0..ROUNDS_MAX {
        let left: Vec<_> = places(&results, &VaultError::Conflict);
        if left.is_empty() {
            break;
        }
        let wanted: Vec<_> = left.iter().filter_map(|at| keys.get(*at).cloned()).collect();
        let rows = store.read(wanted.clone()).await?;
        let found: Vec<bool> = rows.iter().map(Option::is_some).collect();
        let changes =
            wanted.into_iter().zip(rows).filter_map(|(key, row)| Some(remove(key, &row?)));
        let mut outcomes = store.apply(changes.collect()).await?.into_iter();
        for (at, is_found) in left.into_iter().zip(found) {
            if let Some(result) = results.get_mut(at) {
                *result = settled(is_found.then(|| outcomes.next()));
            }
        }
    }
    Ok(results)
}

/// The places of the results that are this error.
fn places(results: &[Deleted], error: &VaultError) -> Vec<usize> {
    let is_this = |result: &Deleted| result.as_ref().is_err_and(|other| other == error);
    results.iter().enumerate().filter(|(_, result)| is_this(result)).map(|(at, _)| at).collect()
}

/// What became of a row: `None` when there was none.
fn settled(outcome: Option<Option<Outcome>>) -> Deleted {
    match outcome {
        None => Err(VaultError::NotFound),
        Some(Some(Outcome::Applied)) => Ok(()),
        Some(Some(Outcome::PreconditionFailed)) => Err(VaultError::Conflict),
        Some(None) => Err(VaultError::Internal),
    }
}

fn remove(key: StoreKey, row: &[u8]) -> Change {
    Change {
        preconditions: vec![Precondition::Unchanged(key.clone(), RowDigest::of(row))],
        writes: vec![Write::Remove(key)],
    }
}
