//! The rows as readers see them, over sled's one tree.
//!
//! Readers get whole rows, and of rows not yet synced what they held before; it relies on its owner
//! to keep readers out while a batch is applied.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Bound;

use ::sled::{Batch as SledBatch, Db, Error as SledError, IVec};

use super::rows::{self, Assembly};
use crate::store::engine::{Batch, Edit, KeyRange};
use crate::store::{StoreError, StoreRow, durable};

/// Rows by engine key; `None` where there was none.
type Rows = BTreeMap<Vec<u8>, Option<Vec<u8>>>;
/// What sled's iterators give.
type Chunk = Result<(IVec, IVec), SledError>;

/// An open tree.
pub(super) struct Tree {
    /// `None` while a full disk keeps sled from being opened anew.
    pub(super) db: Option<Db>,
    /// What rows that are written but not yet synced held before: readers get this, so that no
    /// answer depends on a row that a power cut may take back.
    pub(super) before: Rows,
}

impl Tree {
    pub(super) fn new(db: Db) -> Self {
        Self { db: Some(db), before: Rows::new() }
    }

    pub(super) fn db(&self) -> Result<&Db, StoreError> {
        self.db.as_ref().ok_or(StoreError::Unavailable)
    }

    pub(super) fn read(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.before.get(key) {
            Some(before) => Ok(before.clone()),
            None => self.stored(key),
        }
    }

    fn stored(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(mut assembly) = self.first_chunk(key)? else {
            return Ok(None);
        };
        for chunk in 1..=assembly.chunks_after_first() {
            let bytes = self.chunk(key, number(chunk)?)?.ok_or(StoreError::Quarantined)?;
            assembly = assembly.add(&bytes)?;
        }
        assembly.finish().map(Some)
    }

    fn first_chunk(&self, key: &[u8]) -> Result<Option<Assembly>, StoreError> {
        self.chunk(key, 0)?.map(|first| Assembly::begin(&first)).transpose()
    }

    fn chunk(&self, key: &[u8], chunk: u16) -> Result<Option<IVec>, StoreError> {
        self.db()?.get(rows::chunk_key(key, chunk)).map_err(|error| fault(&error))
    }

    /// Reads so many rows more as there are unsynced ones, then puts in what those held before.
    pub(super) fn scan(&self, range: &KeyRange, limit: usize) -> Result<Vec<StoreRow>, StoreError> {
        let unsynced: Vec<_> = self.before.iter().filter(|(key, _)| range.contains(key)).collect();
        let rows = self.stored_rows(range, limit.saturating_add(unsynced.len()))?;
        if unsynced.is_empty() {
            return Ok(rows);
        }
        let mut merged: BTreeMap<_, _> = rows.into_iter().map(|row| (row.key, row.value)).collect();
        for (key, before) in unsynced {
            match before {
                Some(value) => drop(merged.insert(key.clone(), value.clone())),
                None => drop(merged.remove(key)),
            }
        }
        Ok(merged.into_iter().take(limit).map(|(key, value)| StoreRow { key, value }).collect())
    }

    fn stored_rows(&self, range: &KeyRange, limit: usize) -> Result<Vec<StoreRow>, StoreError> {
        let prefix = rows::escape(&range.prefix);
        let start = match &range.after {
            Some(after) if *after >= range.prefix => rows::chunk_key(after, u16::MAX),
            _ => prefix.clone(),
        };
        let mut found: Vec<StoreRow> = Vec::new();
        let mut chunks = self.db()?.range::<Vec<u8>, _>((Bound::Included(start), Bound::Unbounded));
        while found.len() < limit {
            let Some(chunk) = chunks.next() else { break };
            let (key, first) = chunk.map_err(|error| fault(&error))?;
            if !key.starts_with(&prefix) {
                break;
            }
            found.push(finish_row(&key, &first, &mut chunks)?);
        }
        Ok(found)
    }

    /// Passes every row to `visit`, and goes back over the chunks: a tree that has lost the newest
    /// state of a leaf, which ended where the leaf was split, may lead past the rows behind it from
    /// the one side and not from the other.
    pub(super) fn walk(&self, visit: &mut dyn FnMut(&StoreRow)) -> Result<(), StoreError> {
        let (mut there, mut back) = (Sum::default(), Sum::default());
        let mut chunks = self.db()?.iter().inspect(|chunk| there.add(chunk));
        while let Some(chunk) = chunks.next() {
            let (key, first) = chunk.map_err(|error| fault(&error))?;
            visit(&finish_row(&key, &first, &mut chunks)?);
        }
        drop(chunks);
        for chunk in self.db()?.iter().rev() {
            back.add(&chunk);
            chunk.map_err(|error| fault(&error))?;
        }
        if there == back { Ok(()) } else { Err(StoreError::Quarantined) }
    }
}

/// Chunks, counted and summed in any order.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sum {
    chunks: u64,
    digests: u64,
}

impl Sum {
    fn add(&mut self, chunk: &Chunk) {
        let mut digest = DefaultHasher::new();
        chunk.as_ref().ok().hash(&mut digest);
        self.chunks = self.chunks.wrapping_add(1);
        self.digests = self.digests.wrapping_add(digest.finish());
    }
}

/// The chunks that a batch writes and removes, and what the rows held before.
pub(super) fn prepare(batch: Batch) -> Result<(SledBatch, Rows), StoreError> {
    let mut chunks = SledBatch::default();
    let mut before = Rows::new();
    for (key, Edit { old, new }) in batch {
        let old_chunks = old.as_ref().map_or(0, |old| rows::chunk_count(old.len()));
        let new = new.as_deref().map_or(Ok(Vec::new()), rows::chunks_of)?;
        for left_over in new.len()..old_chunks {
            chunks.remove(rows::chunk_key(&key, number(left_over)?));
        }
        for (chunk, bytes) in new.into_iter().enumerate() {
            chunks.insert(rows::chunk_key(&key, number(chunk)?), bytes);
        }
        before.insert(key, old);
    }
    Ok((chunks, before))
}

/// Puts together the row whose first chunk was met.
fn finish_row(
    key: &[u8],
    first: &[u8],
    chunks: &mut impl Iterator<Item = Chunk>,
) -> Result<StoreRow, StoreError> {
    let (row_key, 0) = rows::parse_chunk_key(key)? else {
        return Err(StoreError::Quarantined);
    };
    let mut assembly = Assembly::begin(first)?;
    for expected in 1..=assembly.chunks_after_first() {
        let next = chunks.next().ok_or(StoreError::Quarantined)?;
        let (key, bytes) = next.map_err(|error| fault(&error))?;
        if *key != *rows::chunk_key(&row_key, number(expected)?) {
            return Err(StoreError::Quarantined);
        }
        assembly = assembly.add(&bytes)?;
    }
    Ok(StoreRow { key: row_key, value: assembly.finish()? })
}

fn number(chunk: usize) -> Result<u16, StoreError> {
    u16::try_from(chunk).map_err(|_| StoreError::TooLarge)
}

/// What an error of sled's means; its text goes no further.
pub(super) fn fault(error: &SledError) -> StoreError {
    match error {
        SledError::Io(error) => durable::fault(error),
        SledError::CollectionNotFound(_)
        | SledError::Unsupported(_)
        | SledError::ReportableBug(_)
        | SledError::Corruption { .. } => StoreError::Quarantined,
    }
}
