//! The count of a deterministic surrogate in one change: how many fields hold it, and until when.
//!
//! It promises that a surrogate goes with the last field that holds it, unless somebody asked for it
//! without a record. Of a count that does not authenticate nothing is believed and nothing is
//! written: the change goes on, and the surrogate stays until it is deleted itself.

use tresor_proto::{SurrogateId, storage};

use crate::{
    error::VaultError,
    operations::sight::Sight,
    store::{Change, Precondition, StoreKey, Write},
    surrogate::{
        holders::{self, HolderEnd},
        rows::{SurrogateRows, count_key, row_key},
    },
};

/// What is counted of one surrogate.
pub(super) struct Counted {
    /// Where it is looked up.
    look_up: StoreKey,
    /// As it was; `None` when there was none, or it does not authenticate.
    before: Option<storage::SurrogateCount>,
    /// As it is without the fields that hold it no more.
    after: storage::SurrogateCount,
    /// When the records end whose fields hold it now.
    added: Vec<HolderEnd>,
    origin: Origin,
}

/// Where a count comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// Its surrogate is made in the same change.
    Made,
    Seen,
    Damaged,
}

impl Counted {
    /// That of a surrogate which is made in the same change.
    pub(super) fn made(look_up: StoreKey) -> Self {
        let (after, origin) = (holders::NOBODY, Origin::Made);
        Self { look_up, before: None, after, added: Vec::new(), origin }
    }

    /// That of a surrogate which is there.
    pub(super) fn seen(
        id: &SurrogateId,
        look_up: StoreKey,
        rows: SurrogateRows<'_>,
        sight: &Sight,
    ) -> Self {
        let key = count_key(&row_key(id));
        let before = match sight.row(&key) {
            Some(row) => rows.decode(&key, row).map(Some),
            None if is_held(id, rows, sight) => Err(VaultError::Integrity),
            None => Ok(None),
        };
        let origin = if before.is_ok() { Origin::Seen } else { Origin::Damaged };
        let before: Option<storage::SurrogateCount> = before.unwrap_or_default();
        // Without a count it was asked for without a record, and stays.
        let pinned = storage::SurrogateCount { is_pinned: true, ..holders::NOBODY };
        let after = before.unwrap_or(pinned);
        Self { look_up, before, after, added: Vec::new(), origin }
    }

    /// One field more holds it. It is counted after those that are gone, so that the only record which
    /// holds it, when it is replaced, leaves nothing of its end before.
    pub(super) fn add(&mut self, end: HolderEnd) {
        self.added.push(end);
    }

    /// One field less holds it.
    pub(super) fn remove(&mut self, end: HolderEnd) {
        holders::remove(&mut self.after, end);
    }

    /// Adds to a change what becomes of it, or of its surrogate.
    pub(super) fn settle(
        mut self,
        id: &SurrogateId,
        rows: SurrogateRows<'_>,
        (sight, change): (&Sight, &mut Change),
    ) -> Result<(), VaultError> {
        let (key, count_key) = (row_key(id), count_key(&row_key(id)));
        if self.origin != Origin::Made {
            change.preconditions.push(Precondition::Present(key.clone()));
            change.preconditions.push(sight.unchanged(&count_key));
        }
        if self.origin == Origin::Damaged {
            return Ok(());
        }
        self.added.iter().for_each(|end| holders::add(&mut self.after, *end));
        if self.after.references == 0 && !self.after.is_pinned {
            // Its look-up may move meanwhile.
            change.preconditions.push(sight.unchanged(&key));
            change.writes.extend([key, count_key, self.look_up].map(Write::Remove));
        } else if self.before.as_ref() != Some(&self.after) {
            change.writes.push(rows.put(count_key, &self.after)?);
        }
        Ok(())
    }
}

/// Whether a surrogate was made for a record, with its count, as far as that can be told.
fn is_held(id: &SurrogateId, rows: SurrogateRows<'_>, sight: &Sight) -> bool {
    let key = row_key(id);
    let row = sight.row(&key).map(|row| rows.decode::<storage::Surrogate>(&key, row));
    row.and_then(Result::ok).is_none_or(|row| row.is_held)
}
