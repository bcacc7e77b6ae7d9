//! What is known of the database in one round: rows as read, with the changes of the round on top.
//!
//! So an item sees what those before it in its batch will have done, and duplicates get one
//! surrogate. What it sees holds only if the changes before are applied; each change says so in its
//! preconditions.

use std::collections::{BTreeSet, HashMap};

use crate::store::{Change, Precondition, RowDigest, StoreKey, Write};

/// Rows by key; `None` where there is none.
#[derive(Default)]
pub(crate) struct Sight(HashMap<StoreKey, Option<Vec<u8>>>);

impl Sight {
    /// Adds rows as read, one a key.
    pub(crate) fn add(&mut self, keys: &[StoreKey], rows: Vec<Option<Vec<u8>>>) {
        self.0.extend(keys.iter().cloned().zip(rows));
    }

    /// Those of some keys of which nothing is known.
    pub(crate) fn unseen(&self, keys: Vec<StoreKey>) -> Vec<StoreKey> {
        let unseen: BTreeSet<_> =
            keys.into_iter().filter(|key| !self.0.contains_key(key)).collect();
        unseen.into_iter().collect()
    }

    /// Forgets everything: the changes of the round are done.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The row of a key.
    pub(crate) fn row(&self, key: &StoreKey) -> Option<&[u8]> {
        self.0.get(key)?.as_deref()
    }

    /// Whether a row was looked for and there is none.
    pub(crate) fn lacks(&self, key: &StoreKey) -> bool {
        matches!(self.0.get(key), Some(None))
    }

    /// That a row is what is seen.
    pub(crate) fn unchanged(&self, key: &StoreKey) -> Precondition {
        match self.row(key) {
            None => Precondition::Absent(key.clone()),
            Some(row) => Precondition::Unchanged(key.clone(), RowDigest::of(row)),
        }
    }

    /// Takes a change of this round for done.
    pub(crate) fn note(&mut self, change: &Change) {
        for write in &change.writes {
            match write {
                Write::Put(key, row) => self.0.insert(key.clone(), Some(row.clone())),
                Write::Remove(key) => self.0.insert(key.clone(), None),
            };
        }
    }
}
