//! The sled engine, made durable and kept from its known faults (version 0.34.7, pinned).
//!
//! It adds what sled lacks: real syncs, values in chunks, no reads of rows that are not yet synced,
//! and an end to a full disk. It relies on sled's log being recovered whole up to the last sync,
//! and on panics unwinding: a broken invariant in sled is a panic, caught above.

mod log_files;
mod rows;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use ::sled::{Batch as SledBatch, Config, Db, Error as SledError};

use self::log_files::{LogFiles, await_release};
use self::rows::Assembly;
use super::engine::{Batch, Engine, KeyRange, guarded};
use super::{StoreError, StoreRow, durable};

/// Bytes of sled's page cache, for each open database; its default is a gigabyte.
const CACHE_BYTES: u64 = 4 * 1024 * 1024;
/// Milliseconds between rounds of sled's flusher, the only thread that collects garbage.
const FLUSH_EVERY_MS: u64 = 1_000;
/// How long writes are refused after a full disk before sled is opened anew.
const REOPEN_AFTER: Duration = Duration::from_secs(1);

/// One sled database.
pub(super) struct SledEngine {
    directory: PathBuf,
    tree: RwLock<Tree>,
    files: Mutex<LogFiles>,
    /// Since when sled has refused to write: its first failed write is its last.
    refusing_since: Mutex<Option<Instant>>,
}

/// What readers see.
struct Tree {
    db: Option<Db>,
    /// What rows that are written but not yet synced held before: readers get this, so that no
    /// answer depends on a row that a power cut may take back.
    before: Batch,
}

impl SledEngine {
    /// What an existing database has.
    pub(super) const FILES: &[&str] = &[LogFiles::LOG, LogFiles::SETTINGS];

    /// Opens the database in `directory`, making it if the directory is empty.
    pub(super) fn open(directory: &Path) -> Result<Self, StoreError> {
        let (db, files) = open_tree(directory, Some(FLUSH_EVERY_MS))?;
        Ok(Self {
            directory: directory.to_owned(),
            tree: RwLock::new(Tree { db: Some(db), before: BTreeMap::new() }),
            files: Mutex::new(files),
            refusing_since: Mutex::new(None),
        })
    }

    /// Writes under the lock that keeps readers out, so that they see neither half a batch nor an
    /// unsynced one.
    fn write(&self, batch: &Batch) -> Result<(), StoreError> {
        let (chunks, before) = self.read_tree().prepare(batch)?;
        let mut tree = self.write_tree();
        tree.before = before;
        tree.db()?.apply_batch(chunks).map_err(|error| fault(&error))
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.read_tree().db()?.flush().map_err(|error| fault(&error))?;
        self.files().sync()?;
        self.write_tree().before.clear();
        Ok(())
    }

    /// Opens sled anew once it has refused for a while: it keeps its first error for ever, while
    /// its readers, which need no space, go on until then.
    fn recover(&self) -> Result<(), StoreError> {
        let mut refusing_since = self.refusing_since();
        let Some(since) = *refusing_since else {
            return Ok(());
        };
        if since.elapsed() < REOPEN_AFTER {
            return Err(StoreError::Unavailable);
        }
        *refusing_since = Some(Instant::now());
        let mut tree = self.write_tree();
        drop_tree(tree.db.take())?;
        let (db, files) = open_tree(&self.directory, Some(FLUSH_EVERY_MS))?;
        *self.files() = files;
        *tree = Tree { db: Some(db), before: BTreeMap::new() };
        *refusing_since = None;
        Ok(())
    }

    fn read_tree(&self) -> RwLockReadGuard<'_, Tree> {
        self.tree.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_tree(&self) -> RwLockWriteGuard<'_, Tree> {
        self.tree.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn files(&self) -> MutexGuard<'_, LogFiles> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refusing_since(&self) -> MutexGuard<'_, Option<Instant>> {
        self.refusing_since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine for SledEngine {
    fn read(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.read_tree().read(key)
    }

    fn scan(&self, range: &KeyRange, limit: usize) -> Result<Vec<StoreRow>, StoreError> {
        self.read_tree().scan(range, limit)
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.recover()?;
        let written = self.write(&batch).and_then(|()| self.sync());
        if written == Err(StoreError::Unavailable) {
            *self.refusing_since() = Some(Instant::now());
        }
        written
    }

    fn close(self: Box<Self>) -> Result<(), StoreError> {
        let synced = match *self.refusing_since() {
            // Everything acknowledged was synced before sled began to refuse.
            Some(_) => Ok(()),
            None => self.sync(),
        };
        let Self { directory, tree, files, .. } = *self;
        let tree = tree.into_inner().unwrap_or_else(PoisonError::into_inner);
        drop_tree(tree.db)?;
        await_release(&directory)?;
        // sled wrote once more while it went.
        files.into_inner().unwrap_or_else(PoisonError::into_inner).sync()?;
        synced.and_then(|()| write_snapshot(&directory))
    }
}

impl Tree {
    /// No handle: the disk was full when sled was opened anew.
    fn db(&self) -> Result<&Db, StoreError> {
        self.db.as_ref().ok_or(StoreError::Unavailable)
    }

    fn read(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
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

    fn chunk(&self, key: &[u8], chunk: u16) -> Result<Option<::sled::IVec>, StoreError> {
        self.db()?.get(rows::chunk_key(key, chunk)).map_err(|error| fault(&error))
    }

    /// The chunks that a batch writes and removes, and what the rows held before.
    fn prepare(&self, batch: &Batch) -> Result<(SledBatch, Batch), StoreError> {
        let mut chunks = SledBatch::default();
        let mut before = BTreeMap::new();
        for (key, value) in batch {
            let old = self.stored(key)?;
            let old_chunks = old.as_deref().map_or(Ok(0), chunk_count)?;
            let new = value.as_deref().map_or(Ok(Vec::new()), rows::chunks_of)?;
            for left_over in new.len()..old_chunks {
                chunks.remove(rows::chunk_key(key, number(left_over)?));
            }
            for (chunk, bytes) in new.into_iter().enumerate() {
                chunks.insert(rows::chunk_key(key, number(chunk)?), bytes);
            }
            before.insert(key.clone(), old);
        }
        Ok((chunks, before))
    }

    /// Reads so many rows more as there are unsynced ones, then puts in what those held before.
    fn scan(&self, range: &KeyRange, limit: usize) -> Result<Vec<StoreRow>, StoreError> {
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
}

/// Puts together the row whose first chunk was met.
fn finish_row(key: &[u8], first: &[u8], chunks: &mut ::sled::Iter) -> Result<StoreRow, StoreError> {
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

fn chunk_count(value: &[u8]) -> Result<usize, StoreError> {
    rows::chunks_of(value).map(|chunks| chunks.len())
}

fn number(chunk: usize) -> Result<u16, StoreError> {
    u16::try_from(chunk).map_err(|_| StoreError::TooLarge)
}

fn open_tree(directory: &Path, flush_every_ms: Option<u64>) -> Result<(Db, LogFiles), StoreError> {
    if directory.join(LogFiles::LOG).exists() {
        await_release(directory)?;
    }
    let config = Config::new()
        .path(directory)
        .cache_capacity(CACHE_BYTES)
        .flush_every_ms(flush_every_ms)
        .use_compression(false);
    let db = guarded(|| config.open().map_err(|error| fault(&error)))?;
    let files = LogFiles::sync_opened(directory)?;
    Ok((db, files))
}

/// Opens sled once more and lets it go. It writes a snapshot of its page table only when it opens;
/// without one, the next start would take the page table from the log, passing silently over what
/// it cannot read, while a page found by a snapshot is checked by its checksum.
fn write_snapshot(directory: &Path) -> Result<(), StoreError> {
    let (db, mut files) = open_tree(directory, None)?;
    drop_tree(Some(db))?;
    await_release(directory)?;
    files.sync()
}

/// Drops the last handle, which ends sled's threads; a failed sync in there is a panic.
fn drop_tree(db: Option<Db>) -> Result<(), StoreError> {
    guarded(|| {
        drop(db);
        Ok(())
    })
}

fn fault(error: &SledError) -> StoreError {
    match error {
        SledError::Io(error) => durable::fault(error),
        SledError::CollectionNotFound(_)
        | SledError::Unsupported(_)
        | SledError::ReportableBug(_)
        | SledError::Corruption { .. } => StoreError::Quarantined,
    }
}
