//! The changes on the side: what is outdated goes, twice as much as comes, so that it does not pile
//! up and no call waits for the removal of much.

use std::sync::Arc;

use tresor_proto::{SurrogateId, storage};

use super::{batch::Batch, issuer::Issuer};
use crate::{
    error::VaultError,
    operations::put,
    store::{Change, Precondition, RowDigest, Store, StoreKey, Write},
    surrogate::{
        expiry,
        rows::{Facts, SurrogateRows, count_key, row_key},
    },
    vault::Vault,
};

/// Ended surrogates removed for each that has an end.
const SWEPT_PER_ITEM: usize = 2;

/// An ended surrogate by its entry, with the rows that tell whether it has.
struct Ended {
    entry: StoreKey,
    id: SurrogateId,
    row: Option<Vec<u8>>,
    count: Option<Vec<u8>>,
}

impl Vault {
    /// What to remove while a batch is issued.
    pub(super) async fn sweeps(
        &self,
        issuer: &Arc<Issuer>,
        store: &dyn Store,
        batch: &Batch,
    ) -> Result<Vec<Change>, VaultError> {
        let mut changes = Vec::new();
        if batch.keyed() > 0 {
            changes.push(put::sweep(store, batch.keyed(), issuer.now_ms).await?);
        }
        if batch.ending() > 0 {
            changes.extend(self.sweep_ended(issuer, store, batch.ending()).await?);
        }
        changes.retain(|change| !change.writes.is_empty());
        Ok(changes)
    }

    async fn sweep_ended(
        &self,
        issuer: &Arc<Issuer>,
        store: &dyn Store,
        coming: usize,
    ) -> Result<Vec<Change>, VaultError> {
        let now_ms = issuer.now_ms;
        // Mostly the first tells that there is nothing to do.
        if expiry::outdated(store.scan(expiry::first_ended(), 1).await?, now_ms).is_empty() {
            return Ok(Vec::new());
        }
        let first = store.scan(expiry::first_ended(), SWEPT_PER_ITEM * coming).await?;
        let outdated = expiry::outdated(first, now_ms);
        let row_keys: Vec<_> = outdated.iter().map(|(_, id)| row_key(id)).collect();
        let mut counts = store.read(row_keys.iter().map(count_key).collect()).await?.into_iter();
        let rows = store.read(row_keys).await?;
        let ended = outdated.into_iter().zip(rows).map(|((entry, id), row)| Ended {
            entry,
            id,
            row,
            count: counts.next().flatten(),
        });
        let (ended, issuer): (Vec<_>, _) = (ended.collect(), Arc::clone(issuer));
        let remove =
            move || ended.into_iter().map(|it| it.removal(issuer.rows(), now_ms)).collect();
        self.key_worker().run(remove).await
    }
}

impl Ended {
    /// The change that removes it, or only its entry when it has not ended, is gone, or cannot be
    /// read.
    fn removal(self, rows: SurrogateRows<'_>, now_ms: u64) -> Change {
        let key = row_key(&self.id);
        let entry = Write::Remove(self.entry.clone());
        let Some(row) = self.row.as_deref().filter(|row| self.has_ended(rows, row, now_ms)) else {
            return Change { preconditions: Vec::new(), writes: vec![entry] };
        };
        let preconditions = vec![Precondition::Unchanged(key.clone(), RowDigest::of(row))];
        let count = Write::Remove(count_key(&key));
        Change { preconditions, writes: vec![Write::Remove(key), count, entry] }
    }

    fn has_ended(&self, rows: SurrogateRows<'_>, row: &[u8], now_ms: u64) -> bool {
        let key = row_key(&self.id);
        let message = rows.decode::<storage::Surrogate>(&key, row).ok();
        let Some(facts) = message.and_then(|message| Facts::try_from(&message).ok()) else {
            return false;
        };
        let count = self.count.as_deref();
        let count = count.map(|row| rows.decode::<storage::SurrogateCount>(&count_key(&key), row));
        let uses = count.and_then(Result::ok).map_or(0, |count| count.uses);
        facts.bounds.has_expired(now_ms) || facts.bounds.is_used_up(uses)
    }
}
