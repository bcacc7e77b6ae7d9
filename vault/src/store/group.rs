//! A group of changes that become one batch and one sync.
//!
//! It promises that changes take effect in order, each whole or not at all, and that a change sees
//! those before it; it relies on nobody else writing while it is built.

use super::engine::{Batch, Engine};
use super::{Change, Outcome, Precondition, StoreError, StoreKey, Write};

/// Changes decided so far, not yet written.
pub(super) struct Group<'engine> {
    engine: &'engine dyn Engine,
    batch: Batch,
}

impl<'engine> Group<'engine> {
    pub(super) fn new(engine: &'engine dyn Engine) -> Self {
        Self { engine, batch: Batch::new() }
    }

    /// Decides the changes of one caller.
    pub(super) fn decide(&mut self, changes: Vec<Change>) -> Result<Vec<Outcome>, StoreError> {
        changes.into_iter().map(|change| self.decide_one(change)).collect()
    }

    /// Writes and syncs what was decided.
    pub(super) fn commit(self) -> Result<(), StoreError> {
        if self.batch.is_empty() { Ok(()) } else { self.engine.commit(self.batch) }
    }

    fn decide_one(&mut self, change: Change) -> Result<Outcome, StoreError> {
        for precondition in &change.preconditions {
            if !self.holds(precondition)? {
                return Ok(Outcome::PreconditionFailed);
            }
        }
        for write in change.writes {
            match write {
                Write::Put(key, value) => self.batch.insert(key.to_engine_key(), Some(value)),
                Write::Remove(key) => self.batch.insert(key.to_engine_key(), None),
            };
        }
        Ok(Outcome::Applied)
    }

    fn holds(&self, precondition: &Precondition) -> Result<bool, StoreError> {
        Ok(match precondition {
            Precondition::Absent(key) => self.current(key)?.is_none(),
            Precondition::Unchanged(key, digest) => {
                self.current(key)?.is_some_and(|row| digest.is_of(&row))
            }
        })
    }

    fn current(&self, key: &StoreKey) -> Result<Option<Vec<u8>>, StoreError> {
        let key = key.to_engine_key();
        match self.batch.get(&key) {
            Some(decided) => Ok(decided.clone()),
            None => self.engine.read(&key),
        }
    }
}
