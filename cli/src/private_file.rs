//! Files that only their owner reads: keys, codes, customer tokens.
//!
//! They are made with mode 0600 from their first moment and never overwrite anything. What is
//! written is on disk when the function returns, under its name, since it may exist nowhere else.

use std::{
    fs::{DirBuilder, File, OpenOptions, Permissions},
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use crate::error::CliError;

const OWNER_ONLY: u32 = 0o600;
const READABLE: u32 = 0o644;

/// A private file made before its content is known, so that a secret shown once has a place to go.
/// It is removed again unless it is filled.
pub(crate) struct Reserved {
    path: PathBuf,
    file: Option<File>,
}

impl Reserved {
    /// Makes the empty file. Its name is on disk before anything depends on it.
    pub(crate) fn create(path: &Path) -> Result<Self, CliError> {
        let reserved = Self { path: path.to_owned(), file: Some(create_new(path, OWNER_ONLY)?) };
        sync_name(path)?;
        Ok(reserved)
    }

    /// Writes the content, with an end of line, and keeps the file.
    pub(crate) fn fill(mut self, content: &str) -> Result<(), CliError> {
        let Some(mut file) = self.file.take() else {
            return Ok(());
        };
        let written = file
            .write_all(content.as_bytes())
            .and_then(|()| file.write_all(b"\n"))
            .and_then(|()| file.sync_all());
        written.map_err(|error| CliError::file("write", &self.path, &error))
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // It is empty; leaving it behind would only be untidy.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Writes a file only its owner reads.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> Result<(), CliError> {
    write(path, content, OWNER_ONLY)
}

/// Writes a file anybody may read.
pub(crate) fn write_public(path: &Path, content: &[u8]) -> Result<(), CliError> {
    write(path, content, READABLE)
}

/// Replaces a file anybody may read, or makes it: the old content or the new one is there at any time.
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<(), CliError> {
    let failed = |error: std::io::Error| CliError::file("write", path, &error);
    let permissions = Permissions::from_mode(READABLE);
    let mut draft = tempfile::Builder::new()
        .permissions(permissions)
        .tempfile_in(directory_of(path))
        .map_err(failed)?;
    draft.write_all(content).and_then(|()| draft.as_file().sync_all()).map_err(failed)?;
    draft.persist(path).map_err(|error| failed(error.error))?;
    sync_name(path)
}

/// Makes a directory only its owner may enter; leaves one that exists as it is.
pub(crate) fn make_private_directory(path: &Path) -> Result<(), CliError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| CliError::file("create", path, &error))
}

fn write(path: &Path, content: &[u8], mode: u32) -> Result<(), CliError> {
    let mut file = create_new(path, mode)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    written.map_err(|error| CliError::file("write", path, &error))?;
    sync_name(path)
}

/// Makes the file's name survive a loss of power: it is kept in the directory, not in the file
/// (fsync(2)).
fn sync_name(path: &Path) -> Result<(), CliError> {
    let directory = directory_of(path);
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    synced.map_err(|error| CliError::file("sync", directory, &error))
}

/// The directory a path names a file in; the current one for a bare name.
fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn create_new(path: &Path, mode: u32) -> Result<File, CliError> {
    let created = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    created.map_err(|error| {
        if error.kind() != std::io::ErrorKind::AlreadyExists {
            return CliError::file("create", path, &error);
        }
        CliError::failed(format!("{} exists already", path.display()))
            .advise("choose another name, or move the old file away; nothing is overwritten")
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_private_file_is_for_its_owner_and_never_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.key");
        write_private(&path, b"first").unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, OWNER_ONLY);
        assert!(write_private(&path, b"second").is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"first");
    }

    #[test]
    fn the_directory_of_a_bare_name_is_the_current_one() {
        assert_eq!(directory_of(Path::new("customer.token")), Path::new("."));
        assert_eq!(directory_of(Path::new("/etc/customer.token")), Path::new("/etc"));
        sync_name(Path::new("customer.token")).unwrap();
    }

    #[test]
    fn a_reserved_file_goes_away_unless_filled() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("customer.token");
        drop(Reserved::create(&path).unwrap());
        assert!(!path.exists());
        Reserved::create(&path).unwrap().fill("secret").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"secret\n");
    }
}
