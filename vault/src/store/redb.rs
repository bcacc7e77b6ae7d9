//! The redb engine.
//!
//! redb syncs each commit itself and its readers see only what is committed, so there is little to
//! add: one table, the name of its file synced, and a new handle after a full disk.

use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use ::redb::{
    Builder, Database, DatabaseError, Durability, Error as RedbError, ReadableDatabase,
    TableDefinition,
};

use super::engine::{Batch, Engine, KeyRange};
use super::{StoreError, StoreRow, durable};

/// Bytes of redb's page cache, for each open database; its default is a gigabyte.
const CACHE_BYTES: usize = 4 * 1024 * 1024;
const ROWS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("rows");

/// One redb database.
pub(super) struct RedbEngine {
    path: PathBuf,
    /// `None` while a full disk keeps it from being opened anew.
    database: RwLock<Option<Database>>,
}

impl RedbEngine {
    /// What an existing database has.
    pub(super) const FILES: &[&str] = &["redb"];

    /// Opens the database in `directory`, making it if the directory is empty.
    pub(super) fn open(directory: &Path) -> Result<Self, StoreError> {
        let path = directory.join("redb");
        let database = open_file(&path)?;
        durable::sync_directory(directory)?;
        durable::sync_parent(directory)?;
        Ok(Self { path, database: RwLock::new(Some(database)) })
    }

    fn database(&self) -> RwLockReadGuard<'_, Option<Database>> {
        self.database.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the file anew: after one failed write redb answers nothing, reads included.
    fn recover(&self) -> Result<(), StoreError> {
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        drop(database.take());
        *database = Some(open_file(&self.path)?);
        Ok(())
    }

    fn write(&self, batch: Batch) -> Result<(), StoreError> {
        let database = self.database();
        write(database.as_ref().ok_or(StoreError::Unavailable)?, batch)
            .map_err(|error| fault(&error))
    }
}

impl Engine for RedbEngine {
    fn read(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let database = self.database();
        let database = database.as_ref().ok_or(StoreError::Unavailable)?;
        read(database, keys).map_err(|error| fault(&error))
    }

    fn scan(&self, range: &KeyRange, limit: usize) -> Result<Vec<StoreRow>, StoreError> {
        let database = self.database();
        let database = database.as_ref().ok_or(StoreError::Unavailable)?;
        scan(database, range, limit).map_err(|error| fault(&error))
    }

    fn settle(&self) -> Result<(), StoreError> {
        if self.database().is_none() { self.recover() } else { Ok(()) }
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let written = self.write(batch);
        if written == Err(StoreError::Unavailable) {
            self.recover()?;
        }
        written
    }

    fn close(self: Box<Self>) -> Result<(), StoreError> {
        let database = self.database.into_inner().unwrap_or_else(PoisonError::into_inner);
        let closed = database.map_or(Ok(()), Database::close);
        closed.map_err(|error| fault(&error.into()))
    }
}

fn open_file(path: &Path) -> Result<Database, StoreError> {
    let opened = Builder::new().set_cache_size(CACHE_BYTES).create(path);
    let database = opened.map_err(|error| {
        let is_open = matches!(error, DatabaseError::DatabaseAlreadyOpen);
        if is_open { StoreError::InUse } else { fault(&error.into()) }
    })?;
    if !has_rows(&database).map_err(|error| fault(&error))? {
        write(&database, Batch::new()).map_err(|error| fault(&error))?;
    }
    Ok(database)
}

fn has_rows(database: &Database) -> Result<bool, RedbError> {
    Ok(database.begin_read()?.list_tables()?.next().is_some())
}

/// One transaction for all keys: to begin one costs as much as to read a row.
fn read(database: &Database, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, RedbError> {
    let rows = database.begin_read()?.open_table(ROWS)?;
    let read_one = |key: &Vec<u8>| {
        let value = rows.get(key.as_slice())?;
        Ok(value.map(|value| value.value().to_vec()))
    };
    keys.iter().map(read_one).collect()
}

fn scan(database: &Database, range: &KeyRange, limit: usize) -> Result<Vec<StoreRow>, RedbError> {
    let rows = database.begin_read()?.open_table(ROWS)?;
    let mut found = Vec::new();
    for row in rows.range::<&[u8]>((Bound::Included(range.start()), Bound::Unbounded))? {
        let (key, value) = row?;
        if found.len() == limit || !key.value().starts_with(&range.prefix) {
            break;
        }
        if range.contains(key.value()) {
            found.push(StoreRow { key: key.value().to_vec(), value: value.value().to_vec() });
        }
    }
    Ok(found)
}

/// One transaction; an immediate commit is synced when it returns.
fn write(database: &Database, batch: Batch) -> Result<(), RedbError> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    {
        let mut rows = transaction.open_table(ROWS)?;
        for (key, edit) in batch {
            match edit.new {
                Some(value) => drop(rows.insert(key.as_slice(), value.as_slice())?),
                None => drop(rows.remove(key.as_slice())?),
            }
        }
    }
    Ok(transaction.commit()?)
}

fn fault(error: &RedbError) -> StoreError {
    if let RedbError::Io(error) = error {
        return durable::fault(error);
    }
    // Follows an error that was classified when it came.
    if matches!(error, RedbError::PreviousIo) {
        return StoreError::Unavailable;
    }
    StoreError::Quarantined
}
