//! Files that only their owner reads: keys, codes, customer tokens.
//!
//! They are made with mode 0600 from their first moment and never overwrite anything. What is
//! written is on disk when the function returns, under its name, since it may exist nowhere else.

use std::{
    fs::{DirBuilder, File, OpenOptions, Permissions},
    io::{Seek as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::error::CliError;

const OWNER_ONLY: u32 = 0o600;
const READABLE: u32 = 0o644;

/// What a reserved file holds until it is filled: more bytes than any secret has, so that a full disk
/// shows before there is a secret to lose.
const FILLER: [u8; 256] = [b'\n'; 256];

/// A private file made before its content is known, so that a secret shown once has a place to go.
/// It is removed again unless it is filled.
pub(crate) struct Reserved {
    path: PathBuf,
    file: Option<File>,
}

/// Where a secret that is given once went: into a file, or nowhere, so that it has to be shown.
pub(crate) struct Kept {
    file: Option<PathBuf>,
    failure: Option<CliError>,
}

impl Reserved {
    /// Makes the file, as long as a secret. Its name and its room are on disk before anything
    /// depends on them.
    pub(crate) fn create(path: &Path) -> Result<Self, CliError> {
        let mut file = create_new(path, OWNER_ONLY)?;
        let written = file.write_all(&FILLER).and_then(|()| file.sync_all());
        let reserved = Self { path: path.to_owned(), file: Some(file) };
        written.map_err(|error| CliError::file("write", path, &error))?;
        sync_name(path)?;
        Ok(reserved)
    }

    /// Writes the content over what was reserved, with an end of line, and keeps the file.
    fn fill(mut self, secret: &str) -> Result<PathBuf, CliError> {
        if let Some(file) = &mut self.file {
            let written = fill(file, secret);
            written.map_err(|error| CliError::file("write", &self.path, &error))?;
        }
        self.file = None;
        Ok(std::mem::take(&mut self.path))
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // It holds no secret, or not all of one; leaving it behind would only be untidy.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Kept {
    /// Puts a secret where a place was reserved, if one was.
    pub(crate) fn new(reserved: Option<Reserved>, secret: &str) -> Self {
        match reserved.map(|reserved| reserved.fill(secret)) {
            None => Self { file: None, failure: None },
            Some(Ok(file)) => Self { file: Some(file), failure: None },
            Some(Err(failure)) => Self { file: None, failure: Some(failure) },
        }
    }

    /// The file it is in; without one it exists nowhere and has to be shown.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Tells in a document where the secret is, or the secret.
    pub(crate) fn tell(&self, document: &mut Value, name: &str, secret: &str) {
        match &self.file {
            Some(file) => document[format!("{name}_file")] = json!(file),
            None => document[name] = json!(secret),
        }
    }

    /// Tells the same in words.
    pub(crate) fn line(&self, what: &str, secret: &str) -> String {
        match &self.file {
            Some(file) => format!("{what} in {}", file.display()),
            None => format!("{what}  {secret}"),
        }
    }

    /// How it ended, once all that has to be shown was shown.
    pub(crate) fn end(self) -> Result<(), CliError> {
        let advice = "it is shown above instead, and kept nowhere else: put it in a safe place now";
        self.failure.map_or(Ok(()), |failure| Err(failure.advise(advice)))
    }
}

fn fill(file: &mut File, secret: &str) -> std::io::Result<()> {
    let length = u64::try_from(secret.len()).map_err(std::io::Error::other)?;
    file.rewind()?;
    file.write_all(secret.as_bytes())?;
    file.write_all(b"\n")?;
    file.set_len(length.saturating_add(1))?;
    file.sync_all()
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
        let kept = Kept::new(Some(Reserved::create(&path).unwrap()), "secret");
        assert_eq!(kept.file(), Some(path.as_path()));
        assert_eq!(std::fs::read(&path).unwrap(), b"secret\n");
        kept.end().unwrap();
    }

    #[test]
    fn a_reserved_file_takes_its_room_before_there_is_a_secret() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("customer.token");
        let reserved = Reserved::create(&path).unwrap();
        let customer_token =
            "trsr_14fhprYCYlTyUewFx_EHaKB2qyjGii2QpQPwpQat5bqPfpaJ2HRtLYCZ2jm4i4ORhGB";
        let room = usize::try_from(path.metadata().unwrap().len()).unwrap();
        assert!(room > customer_token.len(), "{room}");
        drop(reserved);
    }

    #[test]
    fn a_secret_that_could_not_be_written_is_shown_and_the_command_fails() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("customer.token");
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let kept = Kept::new(Some(Reserved { path, file: Some(full) }), "secret");
        let mut document = json!({});
        kept.tell(&mut document, "customer_token", "secret");
        assert_eq!(document, json!({ "customer_token": "secret" }));
        assert_eq!(kept.line("customer token", "secret"), "customer token  secret");
        assert!(kept.end().unwrap_err().to_string().contains("cannot write"));
    }
}
