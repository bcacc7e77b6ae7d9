//! The sled engine, made durable and kept from its known faults (version 0.34.7, pinned).
//!
//! It adds what sled lacks: real syncs, values in chunks, no reads of rows that are not yet synced,
//! and an end to a full disk. It relies on sled's log being recovered whole up to the last sync,
//! and on panics unwinding: a broken invariant in sled is a panic, caught above.

mod barrier;
mod log_files;
mod rows;
#[cfg(test)]
mod tests;
mod tree;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use ::sled::{Config, Db};

use self::log_files::{LogFiles, await_release, remove_drafts};
use self::tree::{Tree, fault};
use super::engine::{Batch, Engine, KeyRange, guarded};
use super::{StoreError, StoreRow};

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

impl SledEngine {
    /// What an existing database has.
    pub(super) const FILES: &[&str] = &[LogFiles::LOG, LogFiles::SETTINGS];

    /// Opens the database in `directory`, making it if the directory is empty.
    pub(super) fn open(directory: &Path) -> Result<Self, StoreError> {
        let (db, files) = open_tree(directory, Some(FLUSH_EVERY_MS))?;
        Ok(Self {
            directory: directory.to_owned(),
            tree: RwLock::new(Tree::new(db)),
            files: Mutex::new(files),
            refusing_since: Mutex::new(None),
        })
    }

    /// Writes under the lock that keeps readers out, so that they see neither half a batch nor an
    /// unsynced one.
    fn write(&self, batch: Batch) -> Result<(), StoreError> {
        let (chunks, before) = tree::prepare(batch)?;
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
    /// most of its readers go on until then.
    fn recover(&self) -> Result<(), StoreError> {
        let mut refusing_since = self.refusing_since();
        match *refusing_since {
            None => Ok(()),
            Some(since) if since.elapsed() < REOPEN_AFTER => Err(StoreError::Unavailable),
            Some(_) => self.reopen(&mut refusing_since),
        }
    }

    fn reopen(&self, refusing_since: &mut Option<Instant>) -> Result<(), StoreError> {
        *refusing_since = Some(Instant::now());
        let mut tree = self.write_tree();
        drop_tree(tree.db.take())?;
        let (db, files) = open_tree(&self.directory, Some(FLUSH_EVERY_MS))?;
        *self.files() = files;
        *tree = Tree::new(db);
        *refusing_since = None;
        Ok(())
    }

    /// Reads; what a full disk left half-written may keep sled from reading too, and then it is
    /// opened anew at once.
    fn reading<T>(&self, read: impl Fn(&Tree) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let answer = read(&self.read_tree());
        if !matches!(answer, Err(StoreError::Unavailable)) {
            return answer;
        }
        let mut refusing_since = self.refusing_since();
        // Another reader may have opened it meanwhile.
        if refusing_since.is_some() {
            self.reopen(&mut refusing_since)?;
        }
        drop(refusing_since);
        read(&self.read_tree())
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
    fn read(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.reading(|tree| keys.iter().map(|key| tree.read(key)).collect())
    }

    fn scan(&self, range: &KeyRange, limit: usize) -> Result<Vec<StoreRow>, StoreError> {
        self.reading(|tree| tree.scan(range, limit))
    }

    fn walk(&self, visit: &mut dyn FnMut(&StoreRow)) -> Result<(), StoreError> {
        self.read_tree().walk(visit)
    }

    fn settle(&self) -> Result<(), StoreError> {
        self.recover()
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let written = self.write(batch).and_then(|()| self.sync());
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

fn open_tree(directory: &Path, flush_every_ms: Option<u64>) -> Result<(Db, LogFiles), StoreError> {
    barrier::require();
    if directory.join(LogFiles::LOG).exists() {
        await_release(directory)?;
        remove_drafts(directory)?;
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
