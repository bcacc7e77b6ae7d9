//! The files of keys in a data directory: where they lie, and how they are read.
//!
//! It promises that no file is read beyond a bound, and that one that is missing is told from one
//! that cannot be read. It relies on the data directory being held by one process.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, Read as _},
    os::unix::fs::DirBuilderExt as _,
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

    /// The directory of tenants' keyrings.
    pub(crate) fn tenants_directory(&self) -> &Path {
        &self.tenants
    }

    /// The name of a tenant's keyring.
    pub(crate) fn tenant_name(tenant: TenantId) -> String {
        format!("{tenant}.trk")
    }

    /// A tenant's keyring.
    pub(crate) fn tenant_keyring(&self, tenant: TenantId) -> PathBuf {
        self.tenants.join(Self::tenant_name(tenant))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_told_from_an_unreadable_one() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(read(&directory.path().join("none")), Ok(None));
        assert_eq!(read(directory.path()), Err(KeyringError::Unavailable));
    }
}
