//! Every system call that makes bytes survive a power cut, in one place.
//!
//! A function here promises that what it names is on the medium when it returns `Ok`. It relies on
//! Linux: `fsync` of a file covers its data and size, but not the directory entry that leads to it.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use rustix::io::Errno;

use super::StoreError;

/// Syncs the data of an open file.
///
/// A failed sync is final: Linux drops the dirty pages and reports the error once, so a second
/// call would answer `Ok` about bytes that are gone. Hence never `Unavailable`.
pub(super) fn sync_data(file: &File) -> Result<(), StoreError> {
    file.sync_data().map_err(|_| StoreError::Quarantined)
}

/// Syncs data and metadata of the file at `path`.
pub(super) fn sync_file(path: &Path) -> Result<(), StoreError> {
    let file = File::open(path).map_err(|error| fault(&error))?;
    file.sync_all().map_err(|_| StoreError::Quarantined)
}

/// Syncs a directory, so that the names in it survive: a file synced under a name that is lost is
/// lost too.
pub(crate) fn sync_directory(path: &Path) -> Result<(), StoreError> {
    sync_file(path)
}

/// Syncs the directory that holds `path`.
pub(super) fn sync_parent(path: &Path) -> Result<(), StoreError> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_directory(parent),
        Some(_) => sync_directory(Path::new(".")),
        None => Ok(()),
    }
}

/// Makes a directory and its missing ancestors, readable by its owner only, each entry synced.
pub(crate) fn create_directory(path: &Path) -> Result<(), StoreError> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        create_directory(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(fault(&error)),
        _ => sync_parent(path),
    }
}

/// Replaces a small file whole: a reader after a power cut finds the old bytes or the new ones.
pub(super) fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let draft = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(&draft).map_err(|error| fault(&error))?;
    file.write_all(bytes).map_err(|error| fault(&error))?;
    file.sync_all().map_err(|_| StoreError::Quarantined)?;
    rename(&draft, path)
}

/// Renames a file or directory; the new name is synced, and with it the end of the old one.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    std::fs::rename(from, to).map_err(|error| fault(&error))?;
    sync_parent(to)
}

/// Bytes that an ordinary user may still write below `path`; unknown counts as plenty.
pub(super) fn free_bytes(path: &Path) -> u64 {
    rustix::fs::statvfs(path)
        .map_or(u64::MAX, |volume| volume.f_bavail.saturating_mul(volume.f_frsize))
}

/// What an input or output error means: a full disk or table may pass, anything else is damage.
pub(super) fn fault(error: &io::Error) -> StoreError {
    let passing =
        [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::ACCESS, Errno::PERM, Errno::ROFS];
    let full = [ErrorKind::StorageFull, ErrorKind::QuotaExceeded, ErrorKind::FileTooLarge];
    let may_pass = full.contains(&error.kind())
        || Errno::from_io_error(error).is_some_and(|errno| passing.contains(&errno));
    if may_pass { StoreError::Unavailable } else { StoreError::Quarantined }
}
