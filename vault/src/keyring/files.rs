//! Small files that are replaced whole, so that a power cut leaves the old or the new one.
//!
//! Replace: write beside (0600) → fsync → read again and check → rename → fsync the directory.
//! It relies on the data directory being held by one process.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use tresor_proto::TenantId;

use super::KeyringError;
use crate::store::sync_directory;

/// Bytes of a keyring file at most: a system keyring of 100,000 tenants is below 8 MB.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Where the files of keys lie in a data directory.
#[derive(Clone, Debug)]
pub(crate) struct KeyringFiles {
    system: PathBuf,
    tenants: PathBuf,
}

impl KeyringFiles {
    /// The files below `data_dir`; makes their directories (0700), durably: a file synced in a
    /// directory whose own name is lost is lost too.
    pub(crate) fn new(data_dir: &Path) -> Result<Self, KeyringError> {
        let files = Self { system: data_dir.join("system"), tenants: data_dir.join("keyrings") };
        for directory in [&files.system, &files.tenants] {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
            made.map_err(|_| KeyringError::Unavailable)?;
        }
        sync_directory(data_dir).map_err(|_| KeyringError::Unavailable)?;
        Ok(files)
    }

    /// The file of the root key under its seals.
    pub(crate) fn seal(&self) -> PathBuf {
        self.system.join("seal.trs")
    }

    /// The system keyring.
    pub(crate) fn system_keyring(&self) -> PathBuf {
        self.system.join("keyring.trk")
    }

    /// A tenant's keyring.
    pub(crate) fn tenant_keyring(&self, tenant: TenantId) -> PathBuf {
        self.tenants.join(format!("{tenant}.trk"))
    }

    /// The tenants that have a keyring.
    pub(super) fn tenants(&self) -> Result<impl Iterator<Item = TenantId>, KeyringError> {
        let entries = fs::read_dir(&self.tenants).map_err(|_| KeyringError::Unavailable)?;
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        Ok(names.filter_map(|name| TenantId::parse(name.strip_suffix(".trk")?)))
    }
}

/// Reads a file whole; `None` when there is none.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>, KeyringError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(|_| KeyringError::Unavailable)?,
    };
    let mut bytes = Vec::new();
    let read = file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|_| KeyringError::Unavailable)?;
    let is_bounded = u64::try_from(bytes.len()).is_ok_and(|length| length <= FILE_BYTES_MAX);
    if is_bounded { Ok(Some(bytes)) } else { Err(KeyringError::Damaged) }
}

/// Replaces a file durably; `check` is given what was read back before the old file goes.
pub(crate) fn replace(
    path: &Path,
    bytes: &[u8],
    check: impl FnOnce(&[u8]) -> bool,
) -> Result<(), KeyringError> {
    let replaced = write_beside(path, bytes).and_then(|beside| {
        if fs::read(&beside)?.as_slice() != bytes || !check(bytes) {
            return Err(io::Error::from(io::ErrorKind::InvalidData));
        }
        fs::rename(&beside, path)?;
        File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    });
    replaced.map_err(|_| KeyringError::Unavailable)
}

fn write_beside(path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    let beside = path.with_extension("new");
    // A file left by a crash is of no use: what it would have replaced is still there.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(beside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_replacement_leaves_the_old_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keyring.trk");
        replace(&path, b"old", |_| true).unwrap();
        assert_eq!(replace(&path, b"new", |_| false), Err(KeyringError::Unavailable));
        assert_eq!(read(&path), Ok(Some(b"old".to_vec())));
        replace(&path, b"new", |_| true).unwrap();
        assert_eq!(read(&path), Ok(Some(b"new".to_vec())));
    }

    #[test]
    fn a_missing_file_is_told_from_an_unreadable_one() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(read(&directory.path().join("none")), Ok(None));
        assert_eq!(read(directory.path()), Err(KeyringError::Unavailable));
    }
}
