//! Any history of changes, scans and restarts gives what a plain map gives.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::{Database, change, put, record, records, remove};
use crate::store::{Change, Outcome, Precondition, RowDigest, StoreEngine, StoreRow, Write};

#[test]
fn memory_is_a_map() {
    any_history_is_that_of_a_map(StoreEngine::Memory, 200);
}

#[test]
fn sled_is_a_map() {
    any_history_is_that_of_a_map(StoreEngine::Sled, 24);
}

#[test]
fn redb_is_a_map() {
    any_history_is_that_of_a_map(StoreEngine::Redb, 24);
}

type Map = BTreeMap<Vec<u8>, Vec<u8>>;

#[derive(Clone, Debug)]
enum Step {
    Apply(Vec<Attempt>),
    Scan { prefix: Vec<u8>, after: Option<Vec<u8>>, limit: usize },
    Restart,
}

#[derive(Clone, Debug)]
struct Attempt {
    expected: Vec<(Vec<u8>, Expected)>,
    /// Bytes of the value to put, or `None` to remove.
    writes: Vec<(Vec<u8>, Option<usize>)>,
}

#[derive(Clone, Copy, Debug)]
enum Expected {
    Absent,
    Current,
    Other,
}

fn any_history_is_that_of_a_map(engine: StoreEngine, cases: u32) {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let history = proptest::collection::vec(steps(), 1..30);
    TestRunner::new(config)
        .run(&history, |history| {
            runtime.block_on(replay(engine, history));
            Ok(())
        })
        .expect("every history matches");
}

async fn replay(engine: StoreEngine, history: Vec<Step>) {
    let mut database = Database::create(engine).await;
    let mut map = Map::new();
    for (at, step) in history.into_iter().enumerate() {
        match step {
            Step::Restart => database = database.reopen().await,
            Step::Apply(attempts) => {
                let decided = attempts.into_iter().map(|it| decide(&mut map, it, at));
                let (changes, outcomes): (Vec<_>, Vec<_>) = decided.unzip();
                assert_eq!(database.store.apply(changes).await, Ok(outcomes));
            }
            Step::Scan { prefix, after, limit } => {
                let range = records(&prefix, after.as_deref());
                let found = database.store.scan(range, limit).await.expect("it scans");
                assert_eq!(found, scan(&map, &prefix, after.as_deref(), limit));
            }
        }
    }
    let everything = database.store.scan(records(b"", None), usize::MAX).await;
    assert_eq!(everything, Ok(scan(&map, b"", None, usize::MAX)));
}

/// What a map makes of an attempt, and the change that says the same to a store.
fn decide(map: &mut Map, attempt: Attempt, at: usize) -> (Change, Outcome) {
    let preconditions: Vec<_> =
        attempt.expected.iter().map(|(key, expected)| resolve(map, key, *expected)).collect();
    let holds = preconditions.iter().all(|precondition| match precondition {
        Precondition::Absent(key) => !map.contains_key(&key.key),
        Precondition::Present(key) => map.contains_key(&key.key),
        Precondition::Unchanged(key, digest) => {
            map.get(&key.key).is_some_and(|row| digest.is_of(row))
        }
    });
    let fill = u8::try_from(at % 256).expect("a byte");
    let writes: Vec<_> = attempt
        .writes
        .into_iter()
        .map(|(key, bytes)| bytes.map_or_else(|| remove(&key), |it| put(&key, &vec![fill; it])))
        .collect();
    if holds {
        writes.iter().for_each(|write| match write {
            Write::Put(key, value) => drop(map.insert(key.key.clone(), value.clone())),
            Write::Remove(key) => drop(map.remove(&key.key)),
        });
    }
    let outcome = if holds { Outcome::Applied } else { Outcome::PreconditionFailed };
    (Change { preconditions, ..change(writes) }, outcome)
}

fn resolve(map: &Map, key: &[u8], expected: Expected) -> Precondition {
    match (expected, map.get(key)) {
        (Expected::Absent, _) => Precondition::Absent(record(key)),
        (Expected::Current, Some(value)) => {
            Precondition::Unchanged(record(key), RowDigest::of(value))
        }
        (Expected::Current, None) => Precondition::Absent(record(key)),
        (Expected::Other, _) => Precondition::Unchanged(record(key), RowDigest::of(&[0xEE; 3])),
    }
}

fn scan(map: &Map, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Vec<StoreRow> {
    map.iter()
        .filter(|(key, _)| key.starts_with(prefix) && after.is_none_or(|after| &key[..] > after))
        .take(limit)
        .map(|(key, value)| StoreRow { key: key.clone(), value: value.clone() })
        .collect()
}

fn steps() -> impl Strategy<Value = Step> {
    let scans = (keys(), proptest::option::of(keys()), 0..6_usize);
    prop_oneof![
        6 => proptest::collection::vec(attempts(), 1..5).prop_map(Step::Apply),
        3 => scans.prop_map(|(prefix, after, limit)| Step::Scan { prefix, after, limit }),
        1 => Just(Step::Restart),
    ]
}

fn attempts() -> impl Strategy<Value = Attempt> {
    let expected = prop_oneof![
        Just(Expected::Current),
        Just(Expected::Current),
        Just(Expected::Absent),
        Just(Expected::Other)
    ];
    let bytes = prop_oneof![
        1 => Just(None),
        2 => (0..40_usize).prop_map(Some),
        1 => (4_090..4_100_usize).prop_map(Some),
        1 => (8_000..40_000_usize).prop_map(Some),
    ];
    let expected = proptest::collection::vec((keys(), expected), 0..2);
    let writes = proptest::collection::vec((keys(), bytes), 0..4);
    (expected, writes).prop_map(|(expected, writes)| Attempt { expected, writes })
}

/// Few and short, so that histories meet the same rows again; with the bytes that escaping turns on.
fn keys() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(prop_oneof![Just(0), Just(1), Just(0xFF)], 0..3)
}
