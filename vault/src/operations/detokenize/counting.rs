//! Asks what is counted of surrogates before they are shown, and counts uses, durably.
//!
//! The count is a row of its own. A change counts one use over what was read, and only as long as
//! the surrogate is there; so of uses that come at once none is lost, and none is beyond the last. Where
//! only the holders are counted, or nothing is shown, it is read, and nothing is written.

use std::sync::Arc;

use tresor_proto::storage;

use super::{
    batch::{Batch, Bound, Counted},
    discloser::Discloser,
};
use crate::{
    error::VaultError,
    operations::{put, sight::Sight},
    store::{Change, Precondition, StoreKey, Write},
    surrogate::{
        expiry, holders,
        rows::{SurrogateRows, count_key, row_key},
    },
    vault::Vault,
};

impl Vault {
    /// Shows what was opened, as far as its count lets it; counts its uses. What is counted when it
    /// fails stays shown.
    pub(super) async fn count_uses(
        &self,
        discloser: &Discloser,
        batch: &mut Batch,
    ) -> Result<(), VaultError> {
        let mut turn = None;
        for round in 0..put::ROUNDS_MAX {
            let counted: Vec<Counted> = batch.opened().copied().collect();
            if counted.is_empty() {
                break;
            }
            if round > 0 && turn.is_none() {
                // Others count in the same rows.
                turn = Some(self.turns().take(discloser.tenant).await);
            } else if round > 0 {
                tokio::time::sleep(put::PAUSE * round).await;
            }
            let keys: Vec<StoreKey> = counted.iter().flat_map(keys).collect();
            let (store, mut sight) = (self.store(discloser.tenant).await?, Sight::default());
            sight.add(&keys, store.read(keys.clone()).await?);
            let (holder, tenant) = (Arc::clone(&discloser.holder), discloser.tenant);
            let now_ms = discloser.now_ms;
            let count = move || {
                let rows = SurrogateRows { tenant, keys: &holder.keyring().rows };
                count_all(&counted, &mut sight, rows, now_ms)
            };
            let changes = batch.count(self.key_worker().run(count).await?);
            batch.settle(store.apply(changes).await?);
        }
        Ok(())
    }
}

fn keys(Counted { id, .. }: &Counted) -> [StoreKey; 2] {
    let key = row_key(id);
    [count_key(&key), key]
}

/// The changes that count a use each, in order; none for those of which no use is counted.
fn count_all(
    counted: &[Counted],
    sight: &mut Sight,
    rows: SurrogateRows<'_>,
    now_ms: u64,
) -> Vec<Result<Option<Change>, VaultError>> {
    let count = |counted| {
        let change = count(counted, sight, rows, now_ms)?;
        change.iter().for_each(|change| sight.note(change));
        Ok(change)
    };
    counted.iter().map(count).collect()
}

/// The change that counts a use, where uses are counted.
fn count(
    counted: &Counted,
    sight: &Sight,
    rows: SurrogateRows<'_>,
    now_ms: u64,
) -> Result<Option<Change>, VaultError> {
    let Counted { id, bound } = counted;
    let [count_key, key] = keys(counted);
    if sight.row(&key).is_none() {
        return Err(VaultError::NotFound);
    }
    // It is written with the surrogate: who removes it wants more uses or time than there are.
    let row = sight.row(&count_key).ok_or(VaultError::Integrity)?;
    let count: storage::SurrogateCount = rows.decode(&count_key, row)?;
    let uses_max = match bound {
        Bound::Uses(uses_max) | Bound::Left(uses_max) => u64::from(*uses_max),
        Bound::Holders if holders::end_ms(&count).is_some_and(|end_ms| end_ms <= now_ms) => {
            return Err(VaultError::Gone);
        }
        Bound::Holders => return Ok(None),
    };
    let left = uses_max.saturating_sub(count.uses);
    if left == 0 {
        return Err(VaultError::Gone);
    }
    if matches!(bound, Bound::Left(_)) {
        return Ok(None);
    }
    let preconditions = vec![Precondition::Present(key), sight.unchanged(&count_key)];
    let next = storage::SurrogateCount { uses: count.uses.saturating_add(1), ..count };
    let mut writes = vec![rows.put(count_key, &next)?];
    if left == 1 {
        writes.push(Write::Put(expiry::entry(now_ms, id), Vec::new()));
    }
    Ok(Some(Change { preconditions, writes }))
}
