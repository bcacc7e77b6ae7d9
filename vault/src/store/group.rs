//! A group of changes that become one batch and one sync.
//!
//! It promises that changes take effect in order, each whole or not at all, and that a change sees
//! those before it; it relies on nobody else writing while it is built. What the changes look at is
//! read once and at once, then everything is decided in memory.

use std::collections::BTreeMap;

use super::engine::{Batch, Edit, Engine};
use super::{Change, Outcome, Precondition, StoreError, StoreKey, Write};

/// Changes decided so far, not yet written.
pub(super) struct Group<'engine> {
    engine: &'engine dyn Engine,
    /// Every row that a change of the group looks at or touches, by engine key.
    rows: BTreeMap<Vec<u8>, Row>,
}

/// What a row held before the group, and what the group makes of it, if it touches it.
struct Row {
    old: Option<Vec<u8>>,
    new: Option<Option<Vec<u8>>>,
}

impl<'engine> Group<'engine> {
    /// Reads what the changes look at or touch.
    pub(super) fn load<'changes>(
        engine: &'engine dyn Engine,
        changes: impl Iterator<Item = &'changes Change>,
    ) -> Result<Self, StoreError> {
        let mut keys: Vec<_> = changes.flat_map(keys_of).map(StoreKey::to_engine_key).collect();
        keys.sort_unstable();
        keys.dedup();
        let olds = engine.read(&keys)?;
        let rows = keys.into_iter().zip(olds).map(|(key, old)| (key, Row { old, new: None }));
        Ok(Self { engine, rows: rows.collect() })
    }

    /// Decides the changes of one caller, which were among those it was loaded for.
    pub(super) fn decide(&mut self, changes: Vec<Change>) -> Vec<Outcome> {
        changes.into_iter().map(|change| self.decide_one(change)).collect()
    }

    /// Writes and syncs what was decided.
    pub(super) fn commit(self) -> Result<(), StoreError> {
        let edit = |(key, row): (Vec<u8>, Row)| Some((key, Edit { old: row.old, new: row.new? }));
        let batch: Batch = self.rows.into_iter().filter_map(edit).collect();
        if batch.is_empty() { Ok(()) } else { self.engine.commit(batch) }
    }

    fn decide_one(&mut self, change: Change) -> Outcome {
        if !change.preconditions.iter().all(|precondition| self.holds(precondition)) {
            return Outcome::PreconditionFailed;
        }
        for write in change.writes {
            let (key, new) = match write {
                Write::Put(key, value) => (key, Some(value)),
                Write::Remove(key) => (key, None),
            };
            if let Some(row) = self.rows.get_mut(&key.to_engine_key()) {
                row.new = Some(new);
            }
        }
        Outcome::Applied
    }

    fn holds(&self, precondition: &Precondition) -> bool {
        match precondition {
            Precondition::Absent(key) => self.current(key).is_none(),
            Precondition::Present(key) => self.current(key).is_some(),
            Precondition::Unchanged(key, digest) => {
                self.current(key).is_some_and(|row| digest.is_of(row))
            }
        }
    }

    fn current(&self, key: &StoreKey) -> Option<&[u8]> {
        let row = self.rows.get(&key.to_engine_key())?;
        row.new.as_ref().unwrap_or(&row.old).as_deref()
    }
}

fn keys_of(change: &Change) -> impl Iterator<Item = &StoreKey> {
    let looked_at = change.preconditions.iter().map(|precondition| match precondition {
        Precondition::Absent(key)
        | Precondition::Present(key)
        | Precondition::Unchanged(key, _) => key,
    });
    looked_at.chain(change.writes.iter().map(Write::key))
}
