//! Rows read lately, kept in memory for all databases of a process.
//!
//! It promises that a read answers what the engine would: rows of one moment, none of them older
//! than what an earlier answer showed. It holds what the engine gave, ciphertext, and relies on the
//! engine's one committer, whose writes it sees before and after they happen; after a refused one it
//! keeps nothing until another has succeeded.

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use quick_cache::{Equivalent, Weighter, sync::Cache};

use super::engine::{Batch, Engine, KeyRange};
use super::{StoreError, StoreRow};

/// Bytes of the rows of all databases of a process: a hundred thousand surrogates.
const CACHE_BYTES: u64 = 32 * 1024 * 1024;
/// Rows that the cache is laid out for.
const CACHE_ROWS: usize = 100_000;
/// Bytes of a row that is kept at most, so that a few large ones do not drive out all others.
const ROW_BYTES_MAX: usize = 16 * 1024;
/// Bytes that a row takes beside its own: key and value are allocated, and the cache links them.
const ENTRY_BYTES: u64 = 128;

/// The rows of all databases of a process.
pub(super) struct RowCache {
    rows: Cache<RowKey, Arc<[u8]>, RowWeight>,
    databases: AtomicU64,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct RowKey {
    database: u64,
    key: Vec<u8>,
}

/// A key that is looked up; hashed as a [`RowKey`] is.
#[derive(Hash)]
struct RowName<'key> {
    database: u64,
    key: &'key [u8],
}

impl Equivalent<RowKey> for RowName<'_> {
    fn equivalent(&self, other: &RowKey) -> bool {
        self.database == other.database && self.key == other.key
    }
}

#[derive(Clone)]
struct RowWeight;

impl Weighter<RowKey, Arc<[u8]>> for RowWeight {
    fn weight(&self, name: &RowKey, row: &Arc<[u8]>) -> u64 {
        u64::try_from(name.key.len() + row.len()).map_or(u64::MAX, |bytes| bytes + ENTRY_BYTES)
    }
}

impl RowCache {
    /// An empty one.
    pub(super) fn new() -> Arc<Self> {
        let rows = Cache::with_weighter(CACHE_ROWS, CACHE_BYTES, RowWeight);
        Arc::new(Self { rows, databases: AtomicU64::new(0) })
    }

    /// Puts itself before an engine just opened, under a number of its own: rows of one that was
    /// closed are never shown again, and give way to others in time.
    pub(super) fn before(self: &Arc<Self>, engine: Box<dyn Engine>) -> Box<dyn Engine> {
        let database = self.databases.fetch_add(1, Ordering::Relaxed);
        let cache = Arc::clone(self);
        Box::new(CachedEngine { cache, database, writes: RwLock::default(), engine })
    }
}

/// An engine, and those of its rows that are in memory.
struct CachedEngine {
    cache: Arc<RowCache>,
    database: u64,
    writes: RwLock<Writes>,
    engine: Box<dyn Engine>,
}

/// What the committer is at.
#[derive(Default)]
struct Writes {
    /// How often a commit began or ended. Between two equal ones, rows read are of one moment.
    moment: u64,
    /// The rows of a commit under way: whether the engine shows the old or the new is open.
    unsettled: HashSet<Vec<u8>>,
    /// Whether a commit was refused and none has succeeded since: which rows the engine will show of
    /// it, once it is opened anew, is open.
    is_in_doubt: bool,
}

impl CachedEngine {
    /// The rows of one moment, if all that exist are in memory.
    fn look_up(&self, keys: &[Vec<u8>]) -> Option<Vec<Option<Vec<u8>>>> {
        let moment = self.moment();
        let rows: Option<Vec<_>> = keys.iter().map(|key| self.row(key).map(Some)).collect();
        rows.filter(|_| self.moment() == moment)
    }

    fn row(&self, key: &[u8]) -> Option<Vec<u8>> {
        let row = self.cache.rows.get(&RowName { database: self.database, key })?;
        Some(row.to_vec())
    }

    /// The rows that are in memory with the others out of the engine; if a commit began or ended
    /// meanwhile, all out of the engine, which reads them at one moment.
    fn read_missing(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let moment = self.moment();
        let mut rows: Vec<_> = keys.iter().map(|key| self.row(key)).collect();
        let missing: Vec<usize> = (0..rows.len()).filter(|at| rows[*at].is_none()).collect();
        let names: Vec<_> = missing.iter().map(|at| keys[*at].clone()).collect();
        let read = self.engine.read(&names)?;
        if !self.keep(moment, names.into_iter().zip(&read)) {
            return self.engine.read(keys);
        }
        missing.into_iter().zip(read).for_each(|(at, row)| rows[at] = row);
        Ok(rows)
    }

    /// Keeps what was read at a moment, and tells whether it is still that moment.
    fn keep<'row>(
        &self,
        moment: u64,
        rows: impl Iterator<Item = (Vec<u8>, &'row Option<Vec<u8>>)>,
    ) -> bool {
        let writes = self.writes();
        if writes.moment != moment {
            return false;
        }
        if writes.is_in_doubt {
            return true;
        }
        for (key, row) in rows {
            let row = row.as_deref().filter(|row| row.len() <= ROW_BYTES_MAX);
            if let Some(row) = row.filter(|_| !writes.unsettled.contains(&key)) {
                self.cache.rows.insert(RowKey { database: self.database, key }, row.into());
            }
        }
        true
    }

    /// Lets go of the rows that a commit is about to write; nobody keeps them until it has ended.
    fn begin(&self, batch: &Batch) {
        let mut writes = self.writes_mut();
        writes.moment += 1;
        writes.unsettled = batch.keys().cloned().collect();
        for key in batch.keys() {
            self.cache.rows.remove(&RowName { database: self.database, key });
        }
    }

    fn end(&self, is_in_doubt: bool) {
        let mut writes = self.writes_mut();
        writes.moment += 1;
        writes.unsettled = HashSet::new();
        writes.is_in_doubt = is_in_doubt;
    }

    fn moment(&self) -> u64 {
        self.writes().moment
    }

    fn writes(&self) -> RwLockReadGuard<'_, Writes> {
        self.writes.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn writes_mut(&self) -> RwLockWriteGuard<'_, Writes> {
        self.writes.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine for CachedEngine {
    fn read_at_hand(&self, keys: &[Vec<u8>]) -> Option<Vec<Option<Vec<u8>>>> {
        self.look_up(keys)
    }

    fn read(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.read_missing(keys)
    }

    fn scan(&self, range: &KeyRange, limit: usize) -> Result<Vec<StoreRow>, StoreError> {
        self.engine.scan(range, limit)
    }

    fn walk(&self, visit: &mut dyn FnMut(&StoreRow)) -> Result<(), StoreError> {
        self.engine.walk(visit)
    }

    fn settle(&self) -> Result<(), StoreError> {
        self.engine.settle()
    }

    /// An engine that panics is not asked again, so nothing has to be put right then.
    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.begin(&batch);
        let committed = self.engine.commit(batch);
        self.end(committed.is_err());
        committed
    }

    fn close(self: Box<Self>) -> Result<(), StoreError> {
        self.engine.close()
    }
}
