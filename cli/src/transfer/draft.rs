//! A file that is called otherwise until it is whole.
//!
//! It promises that nothing half-written stands under the final name, that nothing which came there
//! meanwhile is written over, and that of two runs only one writes. It relies on the file system to
//! give a name only while it is nobody's.

use std::{
    fs::{File, Metadata, OpenOptions, TryLockError, remove_file},
    io::{self, BufWriter, ErrorKind, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{AtFlags, CWD, OFlags, RenameFlags, linkat, renameat_with},
    io::Errno,
};

use super::{checkpoint::START_OVER, pseudonymous::Extent};
use crate::error::CliError;

/// What the name of a file ends with until it is whole.
const ENDING: &str = ".tresor-part";

/// A file that has not got its final name yet, and is nobody else's to write.
#[derive(Debug)]
pub(super) struct Draft {
    /// Its final name.
    path: PathBuf,
    file: BufWriter<File>,
}

impl Draft {
    /// Begins a file whose name is nobody's yet.
    pub(super) fn begin(path: &Path) -> Result<Self, CliError> {
        if there(path).is_some() {
            let message = format!("{} is there already", path.display());
            return Err(CliError::failed(message)
                .advise("name another --out, or see what it is: it is not written over"));
        }
        let mut draft = Self::open(path, OpenOptions::new().create(true))?;
        draft.cut_off(0)?;
        Ok(draft)
    }

    /// Goes on with a file of which so much is known to be written; `None` when it has its name.
    pub(super) fn go_on(path: &Path, extent: Extent) -> Result<Option<Self>, CliError> {
        let draft = draft_of(path);
        match (there(&draft), there(path)) {
            (None, Some(named)) if extent.is_whole && is_of(&named, extent.bytes) => Ok(None),
            (None, _) => {
                Err(CliError::failed(format!("{} is gone", draft.display())).advise(START_OVER))
            }
            // It has its name, and only has not lost the other one.
            (Some(ours), Some(named)) if extent.is_whole && is_same(&ours, &named) => {
                remove_file(&draft).map_err(|error| CliError::file("write", path, &error))?;
                Ok(None)
            }
            (Some(_), Some(_)) => Err(taken(path)),
            (Some(_), None) => {
                let mut draft = Self::open(path, &mut OpenOptions::new())?;
                draft.cut_off(extent.bytes)?;
                Ok(Some(draft))
            }
        }
    }

    /// Writes behind what is written.
    pub(super) fn write(&mut self, text: &[u8]) -> io::Result<()> {
        self.file.write_all(text)
    }

    /// Hands what is written to the disk.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_data()
    }

    /// Gives it its final name, if that is nobody's. Until then no other run may write it.
    pub(super) fn name(self) -> Result<(), CliError> {
        let path = &self.path;
        name_anew(&draft_of(path), path).map_err(|error| unnamed(path, &error))?;
        let directory = File::open(path.parent().unwrap_or(Path::new("/")));
        let synced = directory.and_then(|directory| directory.sync_all());
        synced.map_err(|error| CliError::file("write", path, &error))
    }

    /// Takes it away. One that is left behind is written over by the next run.
    pub(super) fn discard(self) {
        let _ = remove_file(draft_of(&self.path));
    }

    /// A link in its place is not followed.
    fn open(path: &Path, options: &mut OpenOptions) -> Result<Self, CliError> {
        let draft = draft_of(path);
        let options = options.read(true).write(true).mode(0o600);
        let opened = options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed()).open(&draft);
        let file = opened.map_err(|error| CliError::file("write", &draft, &error))?;
        Self::hold(path, file)
    }

    /// Keeps other runs off a file that was opened; one that ended since may have given it its name.
    fn hold(path: &Path, file: File) -> Result<Self, CliError> {
        // Some file systems know no locks.
        let is_held = matches!(file.try_lock(), Err(TryLockError::WouldBlock));
        let ours = file.metadata().map_err(|error| CliError::file("write", path, &error))?;
        if is_held || !there(&draft_of(path)).is_some_and(|draft| is_same(&draft, &ours)) {
            return Err(CliError::failed(format!("another run writes {}", path.display())));
        }
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file) })
    }

    /// Goes on behind the first `bytes`.
    fn cut_off(&mut self, bytes: u64) -> Result<(), CliError> {
        let file = self.file.get_mut();
        let cut_off = file.metadata().and_then(|metadata| {
            if metadata.len() < bytes {
                return Ok(false);
            }
            file.set_len(bytes)?;
            file.seek(SeekFrom::End(0)).map(|_| true)
        });
        match cut_off {
            Ok(true) => Ok(()),
            Ok(false) => {
                let message = format!("{} has been shortened", draft_of(&self.path).display());
                Err(CliError::failed(message).advise(START_OVER))
            }
            Err(error) => Err(CliError::file("write", &self.path, &error)),
        }
    }
}

/// What a file is called until it is whole.
fn draft_of(path: &Path) -> PathBuf {
    let mut draft = path.as_os_str().to_owned();
    draft.push(ENDING);
    draft.into()
}

/// What is called so; a link is told for itself.
fn there(path: &Path) -> Option<Metadata> {
    path.symlink_metadata().ok()
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

fn is_of(file: &Metadata, bytes: u64) -> bool {
    file.is_file() && file.len() == bytes
}

/// Gives a file a name that is nobody's. Where that cannot be done in one step, as on NFS, it has
/// both names in between.
fn name_anew(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => link_anew(from, to),
        renamed => Ok(renamed?),
    }
}

fn link_anew(from: &Path, to: &Path) -> io::Result<()> {
    match linkat(CWD, from, CWD, to, AtFlags::empty()) {
        // What link(2) says where a file has one name only.
        Err(Errno::PERM | Errno::NOSYS | Errno::OPNOTSUPP) => Err(ErrorKind::Unsupported.into()),
        Err(error) => Err(error.into()),
        Ok(()) => remove_file(from),
    }
}

/// Why a file has not got its name, and what to do about it. It is whole.
fn unnamed(path: &Path, error: &io::Error) -> CliError {
    if error.kind() == ErrorKind::AlreadyExists {
        return taken(path);
    }
    if error.kind() != ErrorKind::Unsupported {
        return CliError::file("write", path, error);
    }
    let message = format!(
        "the file system cannot give {} its name without writing over what might be there",
        path.display()
    );
    let advice = format!("see that nothing is, and rename {}", draft_of(path).display());
    CliError::failed(message).advise(advice)
}

/// Something came in the place of a file under way.
fn taken(path: &Path) -> CliError {
    let message = format!("{} is there by now, and is not written over", path.display());
    CliError::failed(message).advise(format!(
        "move it away and give the same command again; what is written is kept in {}",
        draft_of(path).display()
    ))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    const TEXT: &[u8] = b"srg_1\n";
    const WHOLE: Extent = Extent { bytes: 6, records: 1, columns: None, is_whole: true };

    struct Place {
        _directory: tempfile::TempDir,
        out: PathBuf,
        draft: PathBuf,
    }

    impl Place {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let out = directory.path().join("out.csv");
            Self { _directory: directory, draft: draft_of(&out), out }
        }

        /// A draft with all its text.
        fn written(&self) -> Draft {
            let mut draft = Draft::begin(&self.out).unwrap();
            draft.write(TEXT).unwrap();
            draft.sync().unwrap();
            draft
        }
    }

    fn told<T>(refused: Result<T, CliError>) -> String {
        let error = refused.err().unwrap();
        format!("{error}: {}", error.advice().unwrap_or_default())
    }

    #[test]
    fn what_came_meanwhile_is_never_written_over_and_what_is_written_is_kept() {
        let place = Place::new();
        let draft = place.written();
        fs::write(&place.out, "another's").unwrap();
        let refused = told(draft.name());
        assert!(refused.contains("not written over") && refused.contains("move it"), "{refused}");
        assert_eq!(fs::read(&place.out).unwrap(), b"another's");
        assert_eq!(fs::read(&place.draft).unwrap(), TEXT);
        let again = told(Draft::go_on(&place.out, WHOLE));
        assert!(again.contains("not written over"), "{again}");
        remove_file(&place.out).unwrap();
        Draft::go_on(&place.out, WHOLE).unwrap().unwrap().name().unwrap();
        assert_eq!(fs::read(&place.out).unwrap(), TEXT);
        assert!(!place.draft.exists());
    }

    #[test]
    fn a_link_to_nowhere_or_a_directory_is_in_the_way_too() {
        for put in [(|out| symlink("nowhere", out)) as fn(&Path) -> _, |out| fs::create_dir(out)] {
            let place = Place::new();
            let draft = place.written();
            put(&place.out).unwrap();
            assert!(told(draft.name()).contains("not written over"));
            assert!(told(Draft::go_on(&place.out, WHOLE)).contains("not written over"));
            assert!(told(Draft::begin(&place.out)).contains("is there already"));
            assert_eq!(fs::read(&place.draft).unwrap(), TEXT);
        }
    }

    #[test]
    fn where_it_has_both_names_in_between_it_is_just_as_safe() {
        let place = Place::new();
        drop(place.written());
        fs::write(&place.out, "another's").unwrap();
        let refused = link_anew(&place.draft, &place.out).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AlreadyExists);
        remove_file(&place.out).unwrap();
        // It ends between the two steps.
        fs::hard_link(&place.draft, &place.out).unwrap();
        let partly = Extent { is_whole: false, ..WHOLE };
        assert!(told(Draft::go_on(&place.out, partly)).contains("not written over"));
        assert!(Draft::go_on(&place.out, WHOLE).unwrap().is_none());
        assert!(!place.draft.exists() && place.out.exists());
        link_anew(&place.out, &place.draft).unwrap();
        assert!(!place.out.exists() && place.draft.exists());
    }

    #[test]
    fn a_file_system_without_such_names_is_told_of_with_what_to_do() {
        let place = Place::new();
        let told = told(Err::<(), _>(unnamed(&place.out, &ErrorKind::Unsupported.into())));
        assert!(told.contains("file system") && told.contains("rename"), "{told}");
        assert!(told.contains(ENDING), "{told}");
    }

    #[test]
    fn a_file_that_was_taken_away_is_not_done() {
        let place = Place::new();
        place.written().name().unwrap();
        assert!(Draft::go_on(&place.out, WHOLE).unwrap().is_none());
        fs::write(&place.out, "another's").unwrap();
        assert!(told(Draft::go_on(&place.out, WHOLE)).contains("--restart"));
        remove_file(&place.out).unwrap();
        assert!(told(Draft::go_on(&place.out, WHOLE)).contains("is gone"));
    }

    #[test]
    fn a_file_that_got_its_name_since_it_was_opened_is_another_run_s() {
        let place = Place::new();
        let first = place.written();
        let opened = OpenOptions::new().read(true).write(true).open(&place.draft).unwrap();
        assert!(told(Draft::hold(&place.out, opened.try_clone().unwrap())).contains("another run"));
        first.name().unwrap();
        assert!(told(Draft::hold(&place.out, opened)).contains("another run"));
        assert_eq!(fs::read(&place.out).unwrap(), TEXT);
    }
}
