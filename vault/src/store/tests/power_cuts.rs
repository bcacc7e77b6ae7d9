//! Power cuts while a database is made and written to by several writers.
//!
//! Each writer makes one change after another, of several rows at once, and says when one is
//! acknowledged; everything about a change hangs on its writer and number. So after a cut each
//! writer's rows are those after the change acknowledged last or after the one under way, whole.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::power_cut::{Random, Recording, Remains, cuts, recorded_program, say};
use crate::store::conformance::{change, put, records, remove};
use crate::store::{Existence, Outcome, Store, StoreEngine, Write, open_database};

const WRITERS: usize = 3;
const CHANGES: usize = 30;
/// Each writer uses so many places again and again.
const SLOTS: usize = 6;
/// A row takes from 100 bytes to 256 KiB.
const BYTES: [usize; 8] = [100, 300, 4_000, 100, 70_000, 1_000, 262_144, 20_000];
const WRITER: &str = "store::tests::power_cuts::the_writer_of_a_database";
/// Cuts of one recording.
const CUTS: usize = 100;

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// What change `number` of a writer writes; every fifth removes what is in its place.
fn writes(writer: usize, number: usize) -> Vec<Write> {
    let rows = (0..3).map(|row| {
        let key = format!("{writer}/{}/{row}", number % SLOTS);
        if number.is_multiple_of(5) {
            return remove(key.as_bytes());
        }
        let seed = u64::try_from((writer * 1_000 + number) * 10 + row).expect("small");
        put(key.as_bytes(), &Random::new(seed).bytes(BYTES[(number + row * 3) % BYTES.len()]))
    });
    rows.collect()
}

/// The rows of a writer after so many changes.
fn rows_after(writer: usize, changes: usize) -> Rows {
    let mut rows = Rows::new();
    for write in (1..=changes).flat_map(|number| writes(writer, number)) {
        match write {
            Write::Put(key, value) => rows.insert(key.key, value),
            Write::Remove(key) => rows.remove(&key.key),
        };
    }
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_writer_of_a_database() {
    let Some((place, engine)) = recorded_program() else {
        let directory = tempfile::tempdir().expect("a directory");
        return write_all(directory.path(), StoreEngine::Sled).await;
    };
    let engine = if engine == "Sled" { StoreEngine::Sled } else { StoreEngine::Redb };
    write_all(&place, engine).await;
}

async fn write_all(place: &Path, engine: StoreEngine) {
    let store = open(place, engine, Existence::Create).await;
    say("made");
    let writers = (0..WRITERS).map(|writer| tokio::spawn(write_one(Arc::clone(&store), writer)));
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("it writes");
    }
    let rows = store.scan(records(b"", None), usize::MAX).await.expect("it scans");
    let expected: usize = (0..WRITERS).map(|writer| rows_after(writer, CHANGES).len()).sum();
    assert_eq!(rows.len(), expected);
    store.close().await.expect("it closes");
}

async fn write_one(store: Arc<dyn Store>, writer: usize) {
    for number in 1..=CHANGES {
        let outcomes = store.apply(vec![change(writes(writer, number))]).await.expect("it writes");
        assert_eq!(outcomes, [Outcome::Applied]);
        say(&format!("{writer} {number}"));
    }
}

async fn open(place: &Path, engine: StoreEngine, existence: Existence) -> Arc<dyn Store> {
    let opened = open_database(engine, place.join("database"), existence).await;
    opened.unwrap_or_else(|error| panic!("{engine:?} {existence:?}: {error}"))
}

/// Opens what remains and compares; then it must take a change and keep it.
async fn check(engine: StoreEngine, place: &Path, said: &[String]) {
    let is_made = said.iter().any(|line| line == "made");
    let existence = if is_made { Existence::MustExist } else { Existence::Create };
    let store = open(place, engine, existence).await;
    let rows = store.scan(records(b"", None), usize::MAX).await.expect("it scans");
    let rows: Rows = rows.into_iter().map(|row| (row.key, row.value)).collect();
    for writer in 0..WRITERS {
        let prefix = format!("{writer} ");
        let acknowledged = said.iter().filter(|line| line.starts_with(&prefix)).count();
        let own = rows.iter().filter(|(key, _)| key.starts_with(format!("{writer}/").as_bytes()));
        let own: Rows = own.map(|(key, value)| (key.clone(), value.clone())).collect();
        let is_whole = own == rows_after(writer, acknowledged)
            || acknowledged < CHANGES && own == rows_after(writer, acknowledged + 1);
        assert!(is_whole, "writer {writer} after {acknowledged} acknowledgements");
    }
    let outcomes = store.apply(vec![change(vec![put(b"later", b"it goes on")])]).await;
    assert_eq!(outcomes, Ok(vec![Outcome::Applied]));
    store.close().await.expect("it closes");
    let store = open(place, engine, Existence::MustExist).await;
    let again = store.scan(records(b"", None), usize::MAX).await.expect("it scans");
    assert_eq!(again.len(), rows.len() + 1);
    store.close().await.expect("it closes");
}

/// Checks many cuts of a recording; gives those after which something was wrong.
fn wrong_cuts(
    engine: StoreEngine,
    recording: &Recording,
    count: usize,
    random: &mut Random,
) -> Vec<String> {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut wrong = Vec::new();
    recording.cut(count, random, |remains| {
        let Remains { place, said, cut } = remains;
        let said = said.to_vec();
        let checked = runtime.spawn(async move { check(engine, &place, &said).await });
        let error = runtime.block_on(checked).err();
        wrong.extend(error.map(|error| format!("{cut}: {error}")));
    });
    wrong
}

fn survives(engine: StoreEngine) {
    let mut random = Random::of_this_run();
    for _ in 0..cuts(CUTS) / CUTS {
        let recording = Recording::of(WRITER, &format!("{engine:?}"));
        let wrong = wrong_cuts(engine, &recording, CUTS, &mut random);
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

#[test]
fn a_database_that_is_not_synced_is_caught() {
    for (engine, file) in [(StoreEngine::Sled, "db"), (StoreEngine::Redb, "redb")] {
        let recording = Recording::of(WRITER, &format!("{engine:?}"));
        let unsynced = recording.without_syncs(|path| path.ends_with(file));
        let wrong = wrong_cuts(engine, &unsynced, 20, &mut Random::new(1));
        assert!(wrong.len() > 5, "{engine:?}: {wrong:#?}");
    }
}

#[test]
fn what_sled_acknowledged_survives_power_cuts_whole() {
    survives(StoreEngine::Sled);
}

#[test]
fn what_redb_acknowledged_survives_power_cuts_whole() {
    survives(StoreEngine::Redb);
}
