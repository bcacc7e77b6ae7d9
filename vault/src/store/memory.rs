//! An engine in memory, for tests and throwaway use.
//!
//! It keeps every promise of an engine but the last: its rows end with the process.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{PoisonError, RwLock};

use super::engine::{Batch, Engine, KeyRange};
use super::{StoreError, StoreRow};

/// Rows in a tree.
#[derive(Default)]
pub(super) struct MemoryEngine {
    rows: RwLock<BTreeMap<Vec<u8>, Vec<u8>>>,
}

impl Engine for MemoryEngine {
    fn read(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        Ok(keys.iter().map(|key| rows.get(key).cloned()).collect())
    }

    fn scan(&self, range: &KeyRange, limit: usize) -> Result<Vec<StoreRow>, StoreError> {
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        let start = (Bound::Included(range.start()), Bound::Unbounded);
        Ok(rows
            .range::<[u8], _>(start)
            .take_while(|(key, _)| key.starts_with(&range.prefix))
            .filter(|(key, _)| range.contains(key))
            .take(limit)
            .map(|(key, value)| StoreRow { key: key.clone(), value: value.clone() })
            .collect())
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        for (key, edit) in batch {
            match edit.new {
                Some(value) => drop(rows.insert(key, value)),
                None => drop(rows.remove(&key)),
            }
        }
        Ok(())
    }

    fn close(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }
}
