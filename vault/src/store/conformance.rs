//! What every engine must do, run on each of them.

mod model;

use std::collections::BTreeSet;
use std::sync::Arc;

use tempfile::TempDir;

use super::{
    Change, Existence, Keyspace, Outcome, Precondition, RowDigest, ScanRange, Store, StoreEngine,
    StoreError, StoreKey, StoreRow, Write, open_database,
};

#[tokio::test]
async fn memory_keeps_the_contract() {
    exercise(StoreEngine::Memory).await;
}

#[tokio::test]
async fn sled_keeps_the_contract() {
    exercise(StoreEngine::Sled).await;
}

#[tokio::test]
async fn redb_keeps_the_contract() {
    exercise(StoreEngine::Redb).await;
}

async fn exercise(engine: StoreEngine) {
    rows_come_back(&Database::create(engine).await).await;
    values_of_every_size_come_back(Database::create(engine).await).await;
    long_values_give_way_to_short_ones_and_back(Database::create(engine).await).await;
    keyspaces_are_apart(&Database::create(engine).await).await;
    scans_are_in_order(&Database::create(engine).await).await;
    scans_keep_to_prefix_and_after(&Database::create(engine).await).await;
    pages_cover_everything_once(&Database::create(engine).await).await;
    absent_and_unchanged_are_checked(&Database::create(engine).await).await;
    changes_see_those_before_them(&Database::create(engine).await).await;
    a_failed_change_spares_the_others(&Database::create(engine).await).await;
    too_large_is_refused(&Database::create(engine).await).await;
    concurrent_writers_are_all_durable(Database::create(engine).await).await;
    one_of_many_rivals_wins(&Database::create(engine).await).await;
    readers_never_see_half_a_change(&Database::create(engine).await).await;
    a_closed_store_says_so(&Database::create(engine).await).await;
}

/// A database in a directory of its own.
pub(super) struct Database {
    engine: StoreEngine,
    directory: TempDir,
    pub(super) store: Arc<dyn Store>,
}

impl Database {
    pub(super) async fn create(engine: StoreEngine) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let place = directory.path().join("database");
        let store = open_database(engine, place, Existence::Create).await.expect("it opens");
        Self { engine, directory, store }
    }

    /// Closes and opens again; what is in memory stays as it is.
    pub(super) async fn reopen(self) -> Self {
        if self.engine == StoreEngine::Memory {
            return self;
        }
        self.store.close().await.expect("it closes");
        let place = self.directory.path().join("database");
        let store = open_database(self.engine, place, Existence::MustExist).await;
        Self { store: store.expect("it opens again"), ..self }
    }

    async fn put(&self, rows: &[(&[u8], &[u8])]) {
        let writes = rows.iter().map(|(key, value)| put(key, value)).collect();
        let change = Change { preconditions: vec![], writes };
        assert_eq!(self.store.apply(vec![change]).await, Ok(vec![Outcome::Applied]));
    }

    async fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.store.read(vec![record(key)]).await.expect("it reads").remove(0)
    }

    async fn keys(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Vec<Vec<u8>> {
        let rows = self.store.scan(records(prefix, after), limit).await.expect("it scans");
        rows.into_iter().map(|row| row.key).collect()
    }
}

pub(super) fn record(key: &[u8]) -> StoreKey {
    StoreKey::new(Keyspace::Records, key)
}

pub(super) fn put(key: &[u8], value: &[u8]) -> Write {
    Write::Put(record(key), value.to_vec())
}

pub(super) fn remove(key: &[u8]) -> Write {
    Write::Remove(record(key))
}

pub(super) fn change(writes: Vec<Write>) -> Change {
    Change { preconditions: vec![], writes }
}

pub(super) fn records(prefix: &[u8], after: Option<&[u8]>) -> ScanRange {
    let after = after.map(<[u8]>::to_vec);
    ScanRange { keyspace: Keyspace::Records, prefix: prefix.to_vec(), after }
}

/// Bytes that differ along the value, so that exchanged chunks are noticed.
fn value(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| u8::try_from(at * 31 / 7 % 251).expect("below 251")).collect()
}

async fn rows_come_back(database: &Database) {
    database.put(&[(b"a", b"1"), (b"b", b""), (b"", b"empty key")]).await;
    let keys = vec![record(b"b"), record(b"nothing"), record(b"a"), record(b"")];
    let values = database.store.read(keys).await.expect("it reads");
    let expected = [Some(&b""[..]), None, Some(b"1"), Some(b"empty key")];
    assert_eq!(values.iter().map(Option::as_deref).collect::<Vec<_>>(), expected);
    assert_eq!(database.store.read(vec![]).await, Ok(vec![]));
    assert_eq!(database.store.apply(vec![]).await, Ok(vec![]));
    database
        .store
        .apply(vec![change(vec![remove(b"a"), remove(b"never there")])])
        .await
        .expect("ok");
    assert_eq!(database.get(b"a").await, None);
}

async fn values_of_every_size_come_back(database: Database) {
    let sizes = [0, 1, 4_091, 4_092, 4_093, 4_095, 4_096, 4_097, 8_192, 262_144];
    let rows: Vec<_> = sizes.iter().map(|bytes| (bytes.to_string(), value(*bytes))).collect();
    let rows: Vec<_> = rows.iter().map(|(key, value)| (key.as_bytes(), value.as_slice())).collect();
    database.put(&rows).await;
    let database = database.reopen().await;
    for (key, value) in rows {
        assert!(database.get(key).await.as_deref() == Some(value), "{} bytes", value.len());
        let found = database.store.scan(records(key, None), 1).await.expect("it scans");
        assert!(found == [StoreRow { key: key.to_vec(), value: value.to_vec() }]);
    }
}

async fn long_values_give_way_to_short_ones_and_back(mut database: Database) {
    for bytes in [262_144, 10, 9_000, 0, 4_097, 4_096, 70_000] {
        database.put(&[(b"row", &value(bytes)), (b"row\0", b"next")]).await;
        assert!(database.get(b"row").await == Some(value(bytes)), "{bytes} bytes");
        database = database.reopen().await;
        assert!(database.get(b"row").await == Some(value(bytes)), "{bytes} bytes, reopened");
        assert_eq!(database.keys(b"", None, 9).await, [&b"row"[..], b"row\0"]);
    }
    database.store.apply(vec![change(vec![remove(b"row")])]).await.expect("it removes");
    assert_eq!(database.keys(b"", None, 9).await, [b"row\0"]);
}

async fn keyspaces_are_apart(database: &Database) {
    let writes = [Keyspace::Records, Keyspace::Surrogates, Keyspace::Collections]
        .map(|keyspace| Write::Put(StoreKey::new(keyspace, "k"), vec![keyspace as u8]));
    database.store.apply(vec![change(writes.to_vec())]).await.expect("it applies");
    let range = ScanRange { keyspace: Keyspace::Surrogates, prefix: vec![], after: None };
    let rows = database.store.scan(range, 10).await.expect("it scans");
    assert_eq!(rows, [StoreRow { key: b"k".to_vec(), value: vec![2] }]);
    let range = ScanRange { keyspace: Keyspace::Meta, prefix: vec![], after: None };
    assert_eq!(database.store.scan(range, 10).await, Ok(vec![]));
}

/// Keys that escaping could confuse.
const AWKWARD: [&[u8]; 12] = [
    b"",
    b"\0",
    b"\0\0",
    b"\0\xFF",
    b"\x01",
    b"a",
    b"a\0",
    b"a\0\0\0",
    b"a\0\xFF",
    b"a\xFF",
    b"\xFF",
    b"\xFF\xFF",
];

async fn scans_are_in_order(database: &Database) {
    let long = value(10_000);
    let rows: Vec<_> = AWKWARD.iter().rev().map(|key| (*key, long.as_slice())).collect();
    database.put(&rows).await;
    let mut expected = AWKWARD.to_vec();
    expected.sort_unstable();
    assert_eq!(database.keys(b"", None, 100).await, expected);
    for key in AWKWARD {
        assert!(database.get(key).await.as_ref() == Some(&long), "{key:?}");
    }
}

async fn scans_keep_to_prefix_and_after(database: &Database) {
    database.put(&AWKWARD.map(|key| (key, key))).await;
    for prefix in AWKWARD {
        for after in AWKWARD.into_iter().map(Some).chain([None]) {
            let mut expected: Vec<_> = AWKWARD.into_iter().collect();
            expected.retain(|key| key.starts_with(prefix) && after.is_none_or(|it| *key > it));
            expected.sort_unstable();
            let found = database.keys(prefix, after, 100).await;
            assert_eq!(found, expected, "prefix {prefix:?} after {after:?}");
        }
    }
}

async fn pages_cover_everything_once(database: &Database) {
    let rows: Vec<_> = (0..50_u8).map(|at| [b'p', at]).collect();
    let rows: Vec<_> = rows.iter().map(|key| (&key[..], &key[..])).collect();
    database.put(&rows).await;
    database.put(&[(b"o", b"before"), (b"q", b"behind")]).await;
    let (mut seen, mut after) = (Vec::new(), None::<Vec<u8>>);
    loop {
        let page = database.keys(b"p", after.as_deref(), 7).await;
        assert!(page.len() <= 7);
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        seen.extend(page);
    }
    assert_eq!(seen, rows.iter().map(|(key, _)| key.to_vec()).collect::<Vec<_>>());
    assert_eq!(database.keys(b"", None, 0).await, Vec::<Vec<u8>>::new());
}

async fn absent_and_unchanged_are_checked(database: &Database) {
    database.put(&[(b"k", b"1")]).await;
    let attempts = [
        (Precondition::Absent(record(b"k")), Outcome::PreconditionFailed),
        (Precondition::Unchanged(record(b"k"), RowDigest::of(b"0")), Outcome::PreconditionFailed),
        (Precondition::Unchanged(record(b"none"), RowDigest::of(b"")), Outcome::PreconditionFailed),
        (Precondition::Present(record(b"none")), Outcome::PreconditionFailed),
        (Precondition::Present(record(b"k")), Outcome::Applied),
        (Precondition::Absent(record(b"none")), Outcome::Applied),
        (Precondition::Unchanged(record(b"k"), RowDigest::of(b"1")), Outcome::Applied),
    ];
    for (precondition, expected) in attempts {
        let attempt =
            Change { preconditions: vec![precondition.clone()], writes: vec![put(b"k", b"1")] };
        let outcome = database.store.apply(vec![attempt]).await;
        assert_eq!(outcome, Ok(vec![expected]), "{precondition:?}");
    }
}

async fn changes_see_those_before_them(database: &Database) {
    let given = |precondition, writes| Change { preconditions: vec![precondition], writes };
    let changes = vec![
        given(Precondition::Absent(record(b"k")), vec![put(b"k", b"1")]),
        given(Precondition::Absent(record(b"k")), vec![put(b"k", b"rival")]),
        given(Precondition::Unchanged(record(b"k"), RowDigest::of(b"1")), vec![put(b"k", b"2")]),
        given(Precondition::Unchanged(record(b"k"), RowDigest::of(b"2")), vec![remove(b"k")]),
        given(Precondition::Absent(record(b"k")), vec![put(b"k", b"3"), put(b"k", b"4")]),
    ];
    let outcomes = database.store.apply(changes).await.expect("it applies");
    let mut expected = [Outcome::Applied; 5];
    expected[1] = Outcome::PreconditionFailed;
    assert_eq!(outcomes, expected);
    assert_eq!(database.get(b"k").await.as_deref(), Some(&b"4"[..]));
}

async fn a_failed_change_spares_the_others(database: &Database) {
    database.put(&[(b"taken", b"")]).await;
    let failing = Change {
        preconditions: vec![
            Precondition::Absent(record(b"free")),
            Precondition::Absent(record(b"taken")),
        ],
        writes: vec![put(b"x", b""), put(b"y", b"")],
    };
    let changes = vec![change(vec![put(b"a", b"")]), failing, change(vec![put(b"b", b"")])];
    let outcomes = database.store.apply(changes).await.expect("it applies");
    assert_eq!(outcomes, [Outcome::Applied, Outcome::PreconditionFailed, Outcome::Applied]);
    assert_eq!(database.keys(b"", None, 9).await, [&b"a"[..], b"b", b"taken"]);
}

async fn too_large_is_refused(database: &Database) {
    let (long_key, longest_key) = (vec![0; 1_025], vec![0; 1_024]);
    let store = &database.store;
    let refused = Err(StoreError::TooLarge);
    assert_eq!(store.apply(vec![change(vec![put(&long_key, b"")])]).await, refused);
    let huge = change(vec![put(b"k", &vec![0; super::ROW_BYTES_MAX + 1])]);
    assert_eq!(store.apply(vec![huge]).await, refused);
    assert_eq!(store.read(vec![record(&long_key)]).await, Err(StoreError::TooLarge));
    assert_eq!(store.scan(records(&long_key, None), 1).await, Err(StoreError::TooLarge));
    database.put(&[(&longest_key, &vec![7; super::ROW_BYTES_MAX])]).await;
    assert_eq!(database.get(&longest_key).await.map(|it| it.len()), Some(super::ROW_BYTES_MAX));
}

async fn concurrent_writers_are_all_durable(database: Database) {
    let writers = (0..32).map(|writer| {
        let store = Arc::clone(&database.store);
        tokio::spawn(async move {
            for turn in 0..8 {
                let key = format!("{writer}/{turn}");
                let put = change(vec![put(key.as_bytes(), key.as_bytes())]);
                assert_eq!(store.apply(vec![put]).await, Ok(vec![Outcome::Applied]));
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("it writes");
    }
    let database = database.reopen().await;
    let keys: BTreeSet<_> = database.keys(b"", None, 1_000).await.into_iter().collect();
    let expected = (0..32).flat_map(|writer| (0..8).map(move |turn| format!("{writer}/{turn}")));
    assert_eq!(keys, expected.map(String::into_bytes).collect());
}

async fn one_of_many_rivals_wins(database: &Database) {
    let rivals = (0..32_u8).map(|rival| {
        let store = Arc::clone(&database.store);
        tokio::spawn(async move {
            let preconditions = vec![Precondition::Absent(record(b"prize"))];
            let claim = Change { preconditions, writes: vec![put(b"prize", &[rival])] };
            (rival, store.apply(vec![claim]).await.expect("it answers").remove(0))
        })
    });
    let mut winners = Vec::new();
    for rival in rivals.collect::<Vec<_>>() {
        let (rival, outcome) = rival.await.expect("it runs");
        winners.extend((outcome == Outcome::Applied).then_some(rival));
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(database.get(b"prize").await, Some(winners));
}

async fn readers_never_see_half_a_change(database: &Database) {
    let both = |turn: u8| change(vec![put(b"l", &[turn; 9_000]), put(b"r", &[turn; 9_000])]);
    database.store.apply(vec![both(0)]).await.expect("it applies");
    let store = Arc::clone(&database.store);
    let writer = tokio::spawn(async move {
        for turn in 1..40 {
            store.apply(vec![both(turn)]).await.expect("it applies");
        }
    });
    while !writer.is_finished() {
        let rows = database.store.scan(records(b"", None), 9).await.expect("it scans");
        assert_eq!(rows.len(), 2);
        assert!(rows[0].value == rows[1].value, "a scan tore a change");
    }
    writer.await.expect("it writes");
}

async fn a_closed_store_says_so(database: &Database) {
    database.put(&[(b"k", b"")]).await;
    let store = &database.store;
    assert_eq!(store.close().await, Ok(()));
    assert_eq!(store.close().await, Err(StoreError::Closed));
    assert_eq!(store.read(vec![record(b"k")]).await, Err(StoreError::Closed));
    assert_eq!(store.scan(records(b"", None), 1).await, Err(StoreError::Closed));
    assert_eq!(store.apply(vec![change(vec![])]).await, Err(StoreError::Closed));
}
