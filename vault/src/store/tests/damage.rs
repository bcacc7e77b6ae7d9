//! Damage to files is noticed: a database is quarantined or whole, never shortened or empty.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use crate::store::conformance::{change, put, records};
use crate::store::{Existence, Store, StoreEngine, StoreError, StoreRow, open_database};

const ON_DISK: [StoreEngine; 2] = [StoreEngine::Sled, StoreEngine::Redb];

/// A closed database with rows enough for several of sled's segments.
struct Subject {
    engine: StoreEngine,
    directory: TempDir,
    rows: Vec<StoreRow>,
}

impl Subject {
    async fn create(engine: StoreEngine) -> Self {
        let (subject, store) = Self::create_open(engine).await;
        store.close().await.expect("it closes");
        subject
    }

    /// What a process that was killed leaves: the files as they were while it ran.
    async fn create_crashed(engine: StoreEngine) -> Self {
        let (subject, store) = Self::create_open(engine).await;
        let directory = tempfile::tempdir().expect("a directory");
        let crashed = Self { engine, directory, rows: subject.rows.clone() };
        fs::create_dir(crashed.place()).expect("it is new");
        copy(&subject.place(), &crashed.place());
        store.close().await.expect("it closes");
        crashed
    }

    async fn create_open(engine: StoreEngine) -> (Self, Arc<dyn Store>) {
        let directory = tempfile::tempdir().expect("a directory");
        let place = directory.path().join("database");
        let store = open_database(engine, place, Existence::Create).await.expect("it opens");
        for batch in 0..20_u8 {
            let writes = (0..20_u8).map(|row| put(&[batch, row], &[batch ^ row; 3_000])).collect();
            store.apply(vec![change(writes)]).await.expect("it applies");
        }
        let rows = store.scan(records(b"", None), usize::MAX).await.expect("it scans");
        assert_eq!(rows.len(), 400);
        (Self { engine, directory, rows }, store)
    }

    fn place(&self) -> PathBuf {
        self.directory.path().join("database")
    }

    fn file(&self) -> PathBuf {
        self.place().join(if self.engine == StoreEngine::Sled { "db" } else { "redb" })
    }

    /// What a reader gets after a start.
    async fn read_all(&self, existence: Existence) -> Result<Vec<StoreRow>, StoreError> {
        let store = open_database(self.engine, self.place(), existence).await?;
        let rows = store.scan(records(b"", None), usize::MAX).await;
        let closed = store.close().await;
        rows.and_then(|rows| closed.map(|()| rows))
    }

    async fn is_quarantined(&self) -> bool {
        // Enrolment must not make it anew either.
        let create = self.read_all(Existence::Create).await.err();
        let must_exist = self.read_all(Existence::MustExist).await.err();
        create == Some(StoreError::Quarantined) && must_exist == create
    }
}

#[tokio::test]
async fn an_untouched_database_is_whole() {
    for engine in ON_DISK {
        let subject = Subject::create(engine).await;
        assert!(subject.read_all(Existence::MustExist).await.as_ref() == Ok(&subject.rows));
    }
}

#[tokio::test]
async fn a_missing_file_is_not_made_anew() {
    for engine in ON_DISK {
        let mut names = vec!["tresor.witness"];
        names.extend(if engine == StoreEngine::Sled { &["db", "conf"][..] } else { &["redb"] });
        for name in names {
            let subject = Subject::create(engine).await;
            fs::remove_file(subject.place().join(name)).expect("it was there");
            assert!(subject.is_quarantined().await, "{engine:?} without {name}");
        }
    }
}

#[tokio::test]
async fn an_emptied_directory_is_not_filled_anew() {
    for engine in ON_DISK {
        let subject = Subject::create(engine).await;
        fs::remove_dir_all(subject.place()).expect("it was there");
        fs::create_dir(subject.place()).expect("it is gone");
        assert!(subject.is_quarantined().await, "{engine:?}");
    }
}

#[tokio::test]
async fn a_shortened_file_is_noticed() {
    for engine in ON_DISK {
        for (numerator, name) in
            [(0, "emptied"), (1, "a quarter"), (2, "half"), (3, "three quarters")]
        {
            let subject = Subject::create(engine).await;
            let file = OpenOptions::new().write(true).open(subject.file()).expect("it is there");
            let bytes = file.metadata().expect("it has a size").len();
            file.set_len(bytes / 4 * numerator).expect("it shrinks");
            assert_noticed(&subject, name).await;
        }
    }
}

#[tokio::test]
async fn an_overwritten_page_is_noticed() {
    for (engine, fill) in ON_DISK.into_iter().flat_map(|engine| [(engine, 0), (engine, 0xA5)]) {
        for sixteenth in 0..16 {
            let subject = Subject::create(engine).await;
            overwrite(&subject.file(), sixteenth, fill);
            assert_noticed(&subject, &format!("page at {sixteenth}/16 filled with {fill}")).await;
        }
    }
}

#[tokio::test]
async fn after_a_crash_an_overwritten_page_costs_at_most_the_end_of_the_log() {
    for engine in ON_DISK {
        for sixteenth in 0..16 {
            let crashed = Subject::create_crashed(engine).await;
            overwrite(&crashed.file(), sixteenth, 0);
            match crashed.read_all(Existence::MustExist).await {
                Err(error) => assert_eq!(error, StoreError::Quarantined),
                // The witness knows of 16 commits; later ones may look like a torn write.
                Ok(rows) => {
                    assert!(rows.len() >= 16 * 20 && rows.len() % 20 == 0, "{} rows", rows.len());
                    let same = rows.iter().zip(&crashed.rows).all(|(row, old)| row.key == old.key);
                    assert!(same, "{engine:?}, page at {sixteenth}/16");
                }
            }
        }
    }
}

#[tokio::test]
async fn no_row_becomes_a_file_that_sled_never_syncs() {
    let directory = tempfile::tempdir().expect("a directory");
    let place = directory.path().join("database");
    let store = open_database(StoreEngine::Sled, place.clone(), Existence::Create).await;
    let store = store.expect("it opens");
    for turn in 0..6_u8 {
        let writes = (0..8_u8).map(|row| put(&[row; 300], &vec![turn ^ row; 262_144])).collect();
        store.apply(vec![change(writes)]).await.expect("it applies");
    }
    store.close().await.expect("it closes");
    assert_eq!(fs::read_dir(place.join("blobs")).expect("it lists").count(), 0);
}

#[tokio::test]
async fn damaged_settings_are_noticed() {
    for name in ["conf", "tresor.witness"] {
        let subject = Subject::create(StoreEngine::Sled).await;
        fs::write(subject.place().join(name), b"nothing that was ever written here").expect("ok");
        assert_noticed(&subject, name).await;
    }
}

#[tokio::test]
async fn an_older_copy_of_the_files_is_noticed() {
    for engine in ON_DISK {
        let subject = Subject::create(engine).await;
        let older = tempfile::tempdir().expect("a directory");
        let other = Subject::create(engine).await;
        copy(&other.place(), older.path());
        let store = open_database(engine, subject.place(), Existence::MustExist).await;
        let store = store.expect("it opens");
        store.apply(vec![change(vec![put(b"newer", b"")])]).await.expect("it applies");
        store.close().await.expect("it closes");
        for entry in fs::read_dir(subject.place()).expect("it lists").flatten() {
            let name = entry.file_name();
            if name != "tresor.witness" && entry.path().is_file() {
                fs::remove_file(entry.path()).expect("it was there");
            }
        }
        fs::remove_file(older.path().join("tresor.witness")).expect("it was copied");
        copy(older.path(), &subject.place());
        assert!(subject.is_quarantined().await, "{engine:?}");
    }
}

#[tokio::test]
async fn another_engines_database_is_refused() {
    let mut subject = Subject::create(StoreEngine::Sled).await;
    subject.engine = StoreEngine::Redb;
    let refused = subject.read_all(Existence::MustExist).await.err();
    assert_eq!(refused, Some(StoreError::OtherEngine));
    subject.engine = StoreEngine::Sled;
    assert!(subject.read_all(Existence::MustExist).await.as_ref() == Ok(&subject.rows));
}

async fn assert_noticed(subject: &Subject, what: &str) {
    match subject.read_all(Existence::Create).await {
        Err(error) => assert_eq!(error, StoreError::Quarantined, "{:?}, {what}", subject.engine),
        // The damage may have hit what no row needs, or a value: its reader's business.
        Ok(rows) => {
            let keys =
                |rows: &[StoreRow]| rows.iter().map(|row| row.key.clone()).collect::<Vec<_>>();
            let whole = keys(&rows) == keys(&subject.rows);
            assert!(whole, "{:?}, {what}: {} of 400 rows", subject.engine, rows.len());
        }
    }
}

fn overwrite(path: &Path, sixteenth: u64, fill: u8) {
    let file = OpenOptions::new().write(true).open(path).expect("it is there");
    let bytes = file.metadata().expect("it has a size").len();
    let at = (bytes / 16 * sixteenth) / 4_096 * 4_096;
    file.write_all_at(&[fill; 4_096], at).expect("it writes");
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("it lists").flatten() {
        if entry.path().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).expect("it copies");
        }
    }
}
