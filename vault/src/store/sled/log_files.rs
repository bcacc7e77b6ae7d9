//! sled's files, synced through descriptors of our own.
//!
//! sled 0.34's `flush` is `sync_file_range` on Linux, which neither flushes the disk's cache nor
//! writes the file's size (its issue #1452), and it syncs neither directories nor blobs; these
//! functions do, and are called before anything is acknowledged.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::store::{StoreError, durable};

/// How long sled's threads may take to let go of the log after the last handle is gone.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(10);
const RELEASE_POLL: Duration = Duration::from_millis(2);

/// The log and the blobs of one open database.
pub(super) struct LogFiles {
    log: File,
    blobs: PathBuf,
    synced_blobs: BTreeSet<OsString>,
}

impl LogFiles {
    pub(super) const LOG: &str = "db";
    pub(super) const SETTINGS: &str = "conf";
    const BLOBS: &str = "blobs";

    /// Makes what `open` wrote survive a power cut: settings, log, names in the directory, and the
    /// directory's own name.
    pub(super) fn sync_opened(directory: &Path) -> Result<Self, StoreError> {
        durable::sync_file(&directory.join(Self::SETTINGS))?;
        let log = File::open(directory.join(Self::LOG)).map_err(|error| durable::fault(&error))?;
        durable::sync_data(&log)?;
        let blobs = directory.join(Self::BLOBS);
        let mut files = Self { log, blobs, synced_blobs: BTreeSet::new() };
        files.sync_blobs()?;
        durable::sync_directory(directory)?;
        durable::sync_parent(directory)?;
        Ok(files)
    }

    /// Makes what sled has written survive a power cut.
    pub(super) fn sync(&mut self) -> Result<(), StoreError> {
        self.sync_blobs()?;
        durable::sync_data(&self.log)
    }

    /// Chunks keep leaves out of blobs, but an index node with very long keys may still become one.
    fn sync_blobs(&mut self) -> Result<(), StoreError> {
        let mut present = BTreeSet::new();
        for entry in self.blobs.read_dir().map_err(|error| durable::fault(&error))? {
            present.insert(entry.map_err(|error| durable::fault(&error))?.file_name());
        }
        let mut is_new = false;
        for name in present.difference(&self.synced_blobs) {
            // sled may remove a blob at any moment; what is gone needs no sync.
            if self.blobs.join(name).exists() {
                durable::sync_file(&self.blobs.join(name))?;
                is_new = true;
            }
        }
        self.synced_blobs = present;
        if is_new { durable::sync_directory(&self.blobs) } else { Ok(()) }
    }
}

/// Removes the drafts of snapshots. sled writes a snapshot beside and renames it once it is whole,
/// but takes a draft that a crash or a full disk has left for the newest snapshot, and what is
/// missing of it for damage.
pub(super) fn remove_drafts(directory: &Path) -> Result<(), StoreError> {
    for entry in directory.read_dir().map_err(|error| durable::fault(&error))? {
        let entry = entry.map_err(|error| durable::fault(&error))?;
        let name = entry.file_name();
        let bytes = name.as_encoded_bytes();
        if bytes.starts_with(b"snap.") && bytes.ends_with(b".generating") {
            std::fs::remove_file(entry.path()).map_err(|error| durable::fault(&error))?;
        }
    }
    Ok(())
}

/// Waits until nobody holds sled's own lock on its log: it is let go by background threads some
/// time after the last handle is dropped, and opening again before that fails.
pub(super) fn await_release(directory: &Path) -> Result<(), StoreError> {
    let log = File::open(directory.join(LogFiles::LOG)).map_err(|error| durable::fault(&error))?;
    let since = Instant::now();
    loop {
        match log.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(durable::fault(&error)),
            Err(TryLockError::WouldBlock) if since.elapsed() > RELEASE_TIMEOUT => {
                return Err(StoreError::InUse);
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(RELEASE_POLL),
        }
    }
}
