//! What an embedded engine must do; small, synchronous, bytes only.
//!
//! An engine promises that a [`Batch`] is applied whole, survives a power cut once `commit` has
//! returned, and is seen by no reader before that. It relies on one committer: nothing else
//! writes, while any number of threads read.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{ScanRange, StoreError, StoreKey, StoreRow};

/// Rows read at a time when walking: a few megabytes at most.
const WALK_PAGE_ROWS: usize = 64;

/// What becomes of rows, by engine key.
pub(super) type Batch = BTreeMap<Vec<u8>, Edit>;

/// What a row holds and what it becomes; `None` is no row.
pub(super) struct Edit {
    pub(super) old: Option<Vec<u8>>,
    pub(super) new: Option<Vec<u8>>,
}

/// An embedded engine over one database.
pub(super) trait Engine: Send + Sync {
    /// Reads rows, in the order of their keys.
    fn read(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError>;

    /// The rows, if reading them takes no disk and no waiting.
    fn read_at_hand(&self, _keys: &[Vec<u8>]) -> Option<Vec<Option<Vec<u8>>>> {
        None
    }

    /// Reads one row.
    fn read_one(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.read(&[key.to_vec()])?.pop().flatten())
    }

    /// Reads up to `limit` rows in the order of their keys; the keys are engine keys.
    fn scan(&self, range: &KeyRange, limit: usize) -> Result<Vec<StoreRow>, StoreError>;

    /// Passes every row to `visit`, from the first to the last. An engine that may come to a row in
    /// several ways finds out whether they agree; nothing is written meanwhile.
    fn walk(&self, visit: &mut dyn FnMut(&StoreRow)) -> Result<(), StoreError> {
        let mut range = KeyRange { prefix: Vec::new(), after: None };
        loop {
            let rows = self.scan(&range, WALK_PAGE_ROWS)?;
            rows.iter().for_each(&mut *visit);
            match rows.into_iter().next_back() {
                Some(last) => range.after = Some(last.key),
                None => return Ok(()),
            }
        }
    }

    /// Settles what a refused commit left open: from here on every reader sees its batch, or none
    /// ever does. Asked before anything is read for the next commit, which would otherwise be decided
    /// on rows that are about to change.
    fn settle(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Applies a batch, whose `old` is what the rows hold, and syncs it.
    fn commit(&self, batch: Batch) -> Result<(), StoreError>;

    /// Syncs and lets go of every file, lock and thread.
    fn close(self: Box<Self>) -> Result<(), StoreError>;
}

/// The engine keys that begin with `prefix` and are greater than `after`.
pub(super) struct KeyRange {
    pub(super) prefix: Vec<u8>,
    pub(super) after: Option<Vec<u8>>,
}

impl KeyRange {
    pub(super) fn new(range: &ScanRange) -> Self {
        let within = |key: &[u8]| engine_key(range.keyspace as u8, key);
        Self { prefix: within(&range.prefix), after: range.after.as_deref().map(within) }
    }

    /// The least key that may be in the range; itself not in it when it equals `after`.
    pub(super) fn start(&self) -> &[u8] {
        match &self.after {
            Some(after) if *after > self.prefix => after,
            _ => &self.prefix,
        }
    }

    /// Whether the range holds `key`.
    pub(super) fn contains(&self, key: &[u8]) -> bool {
        key.starts_with(&self.prefix) && self.after.as_deref().is_none_or(|after| key > after)
    }
}

impl StoreKey {
    /// The key at rest: the number of the keyspace, then the key.
    pub(super) fn to_engine_key(&self) -> Vec<u8> {
        engine_key(self.keyspace as u8, &self.key)
    }

    /// The same, in the same vector where it has room for a byte more.
    pub(super) fn into_engine_key(self) -> Vec<u8> {
        let mut bytes = self.key;
        bytes.insert(0, self.keyspace as u8);
        bytes
    }
}

fn engine_key(keyspace: u8, key: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 + key.len());
    bytes.push(keyspace);
    bytes.extend_from_slice(key);
    bytes
}

/// Runs engine code. A panic in it means that its state is unknown: quarantine.
pub(super) fn guarded<T>(call: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or(Err(StoreError::Quarantined))
}
