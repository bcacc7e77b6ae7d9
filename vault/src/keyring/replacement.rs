//! Replaces small files whole, so that a power cut leaves the old or the new one.
//!
//! Replace: write beside (0600) → fsync → read again and compare → rename → fsync the directory; of
//! many files each step is done for all before the next, without those that have failed. It relies
//! on the data directory being held by one process.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use super::KeyringError;
use crate::store::sync_directory;

/// Syncs under way at once: those of a moment share a write of the file system's journal.
const SYNCS_AT_ONCE: usize = 4;

/// What a file of a directory is replaced with.
pub(crate) struct Replacement {
    pub(crate) name: OsString,
    pub(crate) bytes: Vec<u8>,
}

/// Replaces a file durably by bytes that pass `check`.
pub(crate) fn replace(
    path: &Path,
    bytes: &[u8],
    check: impl FnOnce(&[u8]) -> bool,
) -> Result<(), KeyringError> {
    let name = path.file_name().filter(|_| check(bytes)).ok_or(KeyringError::Unavailable)?;
    let replacement = Replacement { name: name.to_owned(), bytes: bytes.to_vec() };
    let directory = path.parent().unwrap_or(Path::new("."));
    replace_all(directory, &[&replacement]).pop().unwrap_or(Err(KeyringError::Unavailable))
}

/// Replaces files of a directory durably, each name once; what became of each, in order.
pub(crate) fn replace_all(
    directory: &Path,
    replacements: &[&Replacement],
) -> Vec<Result<(), KeyringError>> {
    let beside: Vec<_> = replacements.iter().map(|it| it.write_beside(directory).ok()).collect();
    let synced = sync_together(&beside);
    let take_place =
        |(it, is_synced): (&&Replacement, _)| is_synced && it.take_place(directory).is_ok();
    let renamed: Vec<_> = replacements.iter().zip(synced).map(take_place).collect();
    let are_durable = sync_directory(directory).is_ok();
    let outcome = |is_renamed| (is_renamed && are_durable).then_some(());
    renamed.into_iter().map(|it| outcome(it).ok_or(KeyringError::Unavailable)).collect()
}

/// Syncs files, several at once; tells of each whether it is durable.
fn sync_together(files: &[Option<File>]) -> Vec<bool> {
    let synced: Vec<_> = files.iter().map(|_| AtomicBool::new(false)).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some((file, synced)) = {
            let at = next.fetch_add(1, Ordering::Relaxed);
            files.get(at).zip(synced.get(at))
        } {
            let is_synced = file.as_ref().is_some_and(|file| file.sync_all().is_ok());
            synced.store(is_synced, Ordering::Relaxed);
        }
    };
    thread::scope(|scope| {
        for _ in 1..files.len().min(SYNCS_AT_ONCE) {
            // Where no thread is to be had, this one does its part.
            drop(thread::Builder::new().spawn_scoped(scope, work));
        }
        work();
    });
    synced.into_iter().map(AtomicBool::into_inner).collect()
}

impl Replacement {
    fn write_beside(&self, directory: &Path) -> io::Result<File> {
        let beside = directory.join(beside(&self.name));
        // A file left by a crash is of no use: what it would have replaced is still there.
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(&self.bytes)?;
        Ok(file)
    }

    /// Takes the place of the file once it is read again as it was meant.
    fn take_place(&self, directory: &Path) -> io::Result<()> {
        let beside = directory.join(beside(&self.name));
        if fs::read(&beside)? != self.bytes {
            return Err(io::Error::from(io::ErrorKind::InvalidData));
        }
        fs::rename(&beside, directory.join(&self.name))
    }
}

/// The name a file has until it takes its place.
fn beside(name: &OsStr) -> std::path::PathBuf {
    Path::new(name).with_extension("new")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::read_file;

    #[test]
    fn a_refused_replacement_leaves_the_old_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keyring.trk");
        replace(&path, b"old", |_| true).unwrap();
        assert_eq!(replace(&path, b"new", |_| false), Err(KeyringError::Unavailable));
        assert_eq!(read_file(&path), Ok(Some(b"old".to_vec())));
        replace(&path, b"new", |_| true).unwrap();
        assert_eq!(read_file(&path), Ok(Some(b"new".to_vec())));
    }

    #[test]
    fn of_many_files_those_that_can_be_replaced_are() {
        let directory = tempfile::tempdir().unwrap();
        let named = |number: usize| format!("{number}.trk");
        // Neither what is beside it nor the file itself can be replaced where a directory is.
        fs::create_dir_all(directory.path().join("3.new/held")).unwrap();
        fs::create_dir_all(directory.path().join("5.trk/held")).unwrap();
        let replacements: Vec<_> = (0..20)
            .map(|number| Replacement { name: named(number).into(), bytes: vec![7; number] })
            .collect();
        let replaced = replace_all(directory.path(), &replacements.iter().collect::<Vec<_>>());
        for (number, replaced) in replaced.into_iter().enumerate() {
            let path = directory.path().join(named(number));
            if [3, 5].contains(&number) {
                assert_eq!(replaced, Err(KeyringError::Unavailable), "{number}");
            } else {
                assert_eq!(replaced, Ok(()), "{number}");
                assert_eq!(read_file(&path), Ok(Some(vec![7; number])));
            }
        }
    }
}
