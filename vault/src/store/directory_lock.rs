//! The lock that keeps a second owner, in this process or another, off a database directory.
//!
//! It is a lock on an open file, so it ends with its owner, however that ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::{StoreError, durable};

/// Held for as long as the database may be touched.
pub(super) struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    const NAME: &str = "tresor.lock";

    /// Takes the lock of `directory`, or answers [`StoreError::InUse`] at once.
    pub(super) fn take(directory: &Path) -> Result<Self, StoreError> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(directory.join(Self::NAME));
        let file = file.map_err(|error| durable::fault(&error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse),
            Err(TryLockError::Error(error)) => Err(durable::fault(&error)),
        }
    }
}
