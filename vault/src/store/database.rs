//! A database directory: lock, witness and engine opened together.
//!
//! It promises that a database which existed is never recreated empty: one that is missing, damaged
//! or behind its witness is quarantined, and one that was not closed is compared with its tally
//! before it is used. It relies on creation being one rename, so a directory under its final name
//! was complete once.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::directory_lock::DirectoryLock;
use super::engine::{Batch, Engine, KeyRange};
use super::memory::MemoryEngine;
use super::redb::RedbEngine;
use super::row_cache::RowCache;
use super::sled::SledEngine;
use super::tally::Tally;
use super::witness::Witness;
use super::{StoreError, StoreRow, durable};

/// Which engine keeps the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoreEngine {
    /// sled 0.34, made durable.
    Sled,
    /// redb 4.
    Redb,
    /// Memory: everything ends with the process.
    Memory,
}

/// Whether a database may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existence {
    /// It is made when it is not there: at enrolment, and at the first start for the registry.
    Create,
    /// It was made before; missing is damage.
    MustExist,
}

/// Bytes left free on the volume, so that an engine is not driven into a full disk: room for its
/// log segments and for the space that compaction needs before it gives any back.
const FREE_BYTES_MIN: u64 = 32 * 1024 * 1024;
/// Bytes on disk for each byte of a batch, at worst (measured with sled).
const SPACE_AMPLIFICATION: u64 = 4;

/// Opens the database in `directory`, or makes it there.
pub(super) fn open(
    engine: StoreEngine,
    directory: &Path,
    existence: Existence,
    cache: &Arc<RowCache>,
) -> Result<Box<dyn Engine>, StoreError> {
    match (engine, existence) {
        (StoreEngine::Memory, Existence::Create) => Ok(Box::new(MemoryEngine::default())),
        (StoreEngine::Memory, Existence::MustExist) => Err(StoreError::Quarantined),
        (StoreEngine::Sled | StoreEngine::Redb, _) => {
            if existence == Existence::Create && !exists(directory)? {
                create(engine, directory)?;
            }
            Ok(Box::new(Database::open(engine, directory, cache)?))
        }
    }
}

/// A directory whose presence cannot be told is not taken for missing.
fn exists(directory: &Path) -> Result<bool, StoreError> {
    directory.try_exists().map_err(|error| durable::fault(&error))
}

/// Makes an empty database beside its place and moves it there whole: whatever a power cut leaves
/// under the draft's name was never acknowledged and is thrown away by the next attempt.
fn create(engine: StoreEngine, directory: &Path) -> Result<(), StoreError> {
    let draft = directory.with_extension("new");
    if exists(&draft)? {
        let _unused = DirectoryLock::take(&draft)?;
        std::fs::remove_dir_all(&draft).map_err(|error| durable::fault(&error))?;
    }
    durable::create_directory(&draft)?;
    let lock = DirectoryLock::take(&draft)?;
    open_engine(engine, &draft)?.close()?;
    Witness { engine, commits: 0, is_clean: true }.write(&draft)?;
    drop(lock);
    durable::rename(&draft, directory)
}

fn open_engine(engine: StoreEngine, directory: &Path) -> Result<Box<dyn Engine>, StoreError> {
    match engine {
        StoreEngine::Sled => Ok(Box::new(SledEngine::open(directory)?)),
        StoreEngine::Redb => Ok(Box::new(RedbEngine::open(directory)?)),
        StoreEngine::Memory => Ok(Box::new(MemoryEngine::default())),
    }
}

/// An engine on disk with the checks that no engine makes itself.
struct Database {
    directory: PathBuf,
    /// What the directory says; not clean from before the first commit until it is closed.
    witness: Mutex<Witness>,
    engine: Box<dyn Engine>,
    /// Last, so that it is dropped last.
    lock: DirectoryLock,
}

impl Database {
    fn open(
        kind: StoreEngine,
        directory: &Path,
        cache: &Arc<RowCache>,
    ) -> Result<Self, StoreError> {
        if !exists(directory)? {
            return Err(StoreError::Quarantined);
        }
        let lock = DirectoryLock::take(directory)?;
        let witness = Witness::read(directory)?.ok_or(StoreError::Quarantined)?;
        if witness.engine != kind {
            return Err(StoreError::OtherEngine);
        }
        if !has_files(kind, directory)? {
            return Err(StoreError::Quarantined);
        }
        let engine = open_engine(kind, directory)?;
        check_rows(engine.as_ref(), witness)?;
        let engine = cache.before(engine);
        let (directory, witness) = (directory.to_owned(), Mutex::new(witness));
        Ok(Self { directory, witness, engine, lock })
    }

    /// Before the first commit the witness must say that there are commits it does not know of.
    fn begin_writing(&self) -> Result<(), StoreError> {
        let mut witness = self.witness();
        if witness.is_clean {
            let unclean = Witness { is_clean: false, ..*witness };
            unclean.write(&self.directory)?;
            *witness = unclean;
        }
        Ok(())
    }

    /// The number of commits is a bound, not the data: when it cannot be renewed now, the old one
    /// still holds, and the next occasion comes.
    fn note_commits(&self, commits: u64) {
        let mut witness = self.witness();
        witness.commits = commits;
        if Witness::is_due(commits) {
            let _ = witness.write(&self.directory);
        }
    }

    fn witness(&self) -> MutexGuard<'_, Witness> {
        self.witness.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check_space(&self, batch: &Batch) -> Result<(), StoreError> {
        let bytes: usize = batch.iter().map(|(key, edit)| key.len() + bytes_of(&edit.new)).sum();
        let needed = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(SPACE_AMPLIFICATION);
        if durable::free_bytes(&self.directory) < needed.saturating_add(FREE_BYTES_MIN) {
            return Err(StoreError::Unavailable);
        }
        Ok(())
    }
}

fn bytes_of(value: &Option<Vec<u8>>) -> usize {
    value.as_ref().map_or(0, Vec::len)
}

impl Engine for Database {
    fn read_at_hand(&self, keys: &[Vec<u8>]) -> Option<Vec<Option<Vec<u8>>>> {
        self.engine.read_at_hand(keys)
    }

    fn read(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.engine.read(keys)
    }

    fn scan(&self, range: &KeyRange, limit: usize) -> Result<Vec<StoreRow>, StoreError> {
        self.engine.scan(range, limit)
    }

    fn settle(&self) -> Result<(), StoreError> {
        self.engine.settle()
    }

    fn commit(&self, mut batch: Batch) -> Result<(), StoreError> {
        self.check_space(&batch)?;
        self.begin_writing()?;
        let tally = Tally::after(self.engine.as_ref(), &mut batch)?;
        self.engine.commit(batch)?;
        self.note_commits(tally.commits);
        Ok(())
    }

    fn close(self: Box<Self>) -> Result<(), StoreError> {
        let Self { directory, witness, engine, lock } = *self;
        let closed = engine.close();
        let witness = witness.into_inner().unwrap_or_else(PoisonError::into_inner);
        if closed.is_ok() && !witness.is_clean {
            // If this fails, the next start reads every row; nothing is lost.
            let _ = Witness { is_clean: true, ..witness }.write(&directory);
        }
        drop(lock);
        closed
    }
}

/// Compares what there is with what there should be. An engine closed in order has checksums over
/// all that it will read; what was written since is only in a log, whose damage looks like its end.
fn check_rows(engine: &dyn Engine, witness: Witness) -> Result<(), StoreError> {
    let tally = Tally::read(engine)?;
    if tally.commits < witness.commits {
        return Err(StoreError::Quarantined);
    }
    if witness.is_clean { Ok(()) } else { tally.check(engine) }
}

/// Engines make what they miss, so it is looked for before they are asked.
fn has_files(kind: StoreEngine, directory: &Path) -> Result<bool, StoreError> {
    let names = match kind {
        StoreEngine::Sled => SledEngine::FILES,
        StoreEngine::Redb => RedbEngine::FILES,
        StoreEngine::Memory => &[],
    };
    for name in names {
        if !exists(&directory.join(name))? {
            return Ok(false);
        }
    }
    Ok(true)
}

impl StoreEngine {
    /// The number at rest, frozen.
    pub(super) fn number(self) -> u8 {
        match self {
            Self::Sled => 1,
            Self::Redb => 2,
            Self::Memory => 3,
        }
    }

    pub(super) fn from_number(number: u8) -> Option<Self> {
        [Self::Sled, Self::Redb, Self::Memory].into_iter().find(|engine| engine.number() == number)
    }
}
