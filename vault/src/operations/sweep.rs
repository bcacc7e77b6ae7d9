//! The changes on the side of a write: what is outdated goes, twice as much as comes, so that it does
//! not pile up and no call waits for the removal of much.
//!
//! It promises that nothing goes which has not ended by its own row, and that what cannot be read is
//! looked at again. It relies on entries by day to
//! find what has, and costs a look at the first of them where there is nothing to do.

use std::sync::Arc;

use tresor_proto::{SurrogateId, TenantId, storage};

use super::name_surrogates::PART_ITEMS_MAX;
use crate::{
    access::TokenHolder,
    error::VaultError,
    idempotency,
    store::{Change, Precondition, RowDigest, Store, StoreKey, Write},
    surrogate::{
        expiry,
        rows::{Facts, SurrogateRows, count_key, row_key},
    },
    vault::Vault,
};

/// What is removed for each item that comes.
const SWEPT_PER_ITEM: usize = 2;
/// Ended surrogates removed by one call: records bring many each.
const ENDED_MAX: usize = 8_192;

/// Who writes.
pub(super) struct Sweeper<'a> {
    pub(super) tenant: TenantId,
    pub(super) holder: &'a Arc<TokenHolder>,
    pub(super) store: &'a dyn Store,
    pub(super) now_ms: u64,
}

/// What comes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Coming {
    /// Answers that are kept for who repeats the call.
    pub(super) keyed: usize,
    /// Surrogates with an end.
    pub(super) ending: usize,
}

/// An ended surrogate by its entry, with the rows that tell whether it has.
struct Ended {
    entry: StoreKey,
    id: SurrogateId,
    row: Option<Vec<u8>>,
    count: Option<Vec<u8>>,
}

impl Vault {
    /// What to remove while something is written.
    pub(super) async fn sweeps(
        &self,
        sweeper: &Sweeper<'_>,
        coming: Coming,
    ) -> Result<Vec<Change>, VaultError> {
        let mut changes = Vec::new();
        if coming.keyed > 0 {
            changes.push(sweep_answers(sweeper, coming.keyed).await?);
        }
        if coming.ending > 0 {
            changes.extend(self.sweep_ended(sweeper, coming.ending).await?);
        }
        changes.retain(|change| !change.writes.is_empty());
        Ok(changes)
    }

    async fn sweep_ended(
        &self,
        sweeper: &Sweeper<'_>,
        coming: usize,
    ) -> Result<Vec<Change>, VaultError> {
        let Sweeper { store, now_ms, .. } = *sweeper;
        // Mostly the first tells that there is nothing to do.
        if expiry::outdated(store.scan(expiry::first_ended(), 1).await?, now_ms).is_empty() {
            return Ok(Vec::new());
        }
        let count = coming.saturating_mul(SWEPT_PER_ITEM).min(ENDED_MAX);
        let first = store.scan(expiry::first_ended(), count).await?;
        let mut changes = Vec::new();
        for part in expiry::outdated(first, now_ms).chunks(PART_ITEMS_MAX) {
            changes.extend(self.removals(sweeper, part).await?);
        }
        Ok(changes)
    }

    /// The changes that remove those of a part that have ended.
    async fn removals(
        &self,
        sweeper: &Sweeper<'_>,
        part: &[(StoreKey, SurrogateId)],
    ) -> Result<Vec<Change>, VaultError> {
        let Sweeper { tenant, store, now_ms, .. } = *sweeper;
        let row_keys: Vec<_> = part.iter().map(|(_, id)| row_key(id)).collect();
        let mut counts = store.read(row_keys.iter().map(count_key).collect()).await?.into_iter();
        let rows = store.read(row_keys).await?;
        let ended = part.iter().cloned().zip(rows).map(|((entry, id), row)| Ended {
            entry,
            id,
            row,
            count: counts.next().flatten(),
        });
        let (ended, holder): (Vec<_>, _) = (ended.collect(), Arc::clone(sweeper.holder));
        let remove = move || {
            let rows = SurrogateRows { tenant, keys: &holder.keyring().rows };
            ended.into_iter().map(|it| it.removal(rows, now_ms)).collect()
        };
        self.key_worker().run(remove).await
    }
}

/// The change that removes outdated answers. Mostly the oldest tells that there is none.
async fn sweep_answers(sweeper: &Sweeper<'_>, coming: usize) -> Result<Change, VaultError> {
    let Sweeper { store, now_ms, .. } = *sweeper;
    let oldest = store.scan(idempotency::oldest(), 1).await?;
    let first = idempotency::sweep(oldest, now_ms);
    if first.writes.is_empty() {
        return Ok(first);
    }
    let oldest = store.scan(idempotency::oldest(), SWEPT_PER_ITEM * coming).await?;
    Ok(idempotency::sweep(oldest, now_ms))
}

impl Ended {
    /// The change that removes it, or only its entry when it has not ended or is gone. One that cannot
    /// be read stays, with an entry that has it looked at again in a month: the first entries are
    /// those that are looked at, and it would hold up those behind it.
    fn removal(self, rows: SurrogateRows<'_>, now_ms: u64) -> Change {
        let key = row_key(&self.id);
        let mut writes = vec![Write::Remove(self.entry.clone())];
        let mut preconditions = Vec::new();
        if let Some(row) = self.row.as_deref() {
            match self.has_ended(rows, row, now_ms) {
                Ok(true) => {
                    let unchanged = Precondition::Unchanged(key.clone(), RowDigest::of(row));
                    preconditions.push(unchanged);
                    writes.extend([Write::Remove(count_key(&key)), Write::Remove(key)]);
                }
                Ok(false) => {}
                Err(_) => writes.push(Write::Put(expiry::entry(now_ms, &self.id), Vec::new())),
            }
        }
        Change { preconditions, writes }
    }

    fn has_ended(
        &self,
        rows: SurrogateRows<'_>,
        row: &[u8],
        now_ms: u64,
    ) -> Result<bool, VaultError> {
        let key = row_key(&self.id);
        let message: storage::Surrogate = rows.decode(&key, row)?;
        let Facts { bounds, .. } = Facts::try_from(&message)?;
        if bounds.has_expired(now_ms) {
            return Ok(true);
        }
        let uses = match self.count.as_deref() {
            Some(count) => rows.decode::<storage::SurrogateCount>(&count_key(&key), count)?.uses,
            // It is written with a surrogate that has uses.
            None if bounds.uses_max != 0 => return Err(VaultError::Integrity),
            None => 0,
        };
        Ok(bounds.is_used_up(uses))
    }
}
