//! Writes with idempotency keys: repeated, interrupted, cut differently, at once, by another.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[allow(dead_code, reason = "shared; each test uses a part")]
#[path = "operations/house.rs"]
mod house;
#[allow(dead_code, reason = "shared; each test uses a part")]
#[path = "../../tests/fuzz/random.rs"]
mod random;

use std::sync::Arc;

use house::{House, id, sealed};
use random::Random;
use tokio::task::JoinSet;
use tresor_proto::{ErrorCode, Failure, IdempotencyKey, InfoType, Reveal};
use tresor_vault::{
    ItemKey, NewRecord, StoredRecord, Subject, VaultError,
    store::{StoreEngine, StoreRow},
};

const ENGINES: [StoreEngine; 2] = [StoreEngine::Sled, StoreEngine::Redb];
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

type Stored = Vec<Result<StoredRecord, VaultError>>;

fn item_key(key: &str, ordinal: u64) -> ItemKey {
    let idempotency_key = Arc::new(IdempotencyKey::parse(key).unwrap());
    ItemKey { idempotency_key, ordinal }
}

fn record(record: Option<&str>, name: &str) -> NewRecord {
    let fields = vec![sealed("name", InfoType::PersonName, name)];
    NewRecord::new(record.map(id), fields).unwrap()
}

/// The item of a number: always the same.
fn item(key: &str, ordinal: u64) -> Result<NewRecord, Failure> {
    let record = record(None, &format!("Anna {ordinal}"));
    Ok(record.with_item_key(Some(item_key(key, ordinal))))
}

async fn put(house: &House, key: &str, ordinals: impl IntoIterator<Item = u64>) -> Stored {
    house.put_all(ordinals.into_iter().map(|ordinal| item(key, ordinal)).collect()).await.unwrap()
}

async fn put_one(
    house: &House,
    key: ItemKey,
    record: NewRecord,
) -> Result<StoredRecord, VaultError> {
    house.put_all(vec![Ok(record.with_item_key(Some(key)))]).await.unwrap().remove(0)
}

async fn listed(house: &House) -> usize {
    house.list(None, 1_000).await.unwrap().items.len()
}

fn replayed(stored: &Stored) -> Stored {
    let replay = |stored: StoredRecord| StoredRecord { is_replayed: true, ..stored };
    stored.iter().cloned().map(|stored| stored.map(replay)).collect()
}

#[tokio::test]
async fn a_repeat_gets_the_first_answers_and_stores_nothing_also_after_a_restart() {
    for engine in ENGINES {
        let mut house = House::build(engine).await;
        let first = put(&house, "k", 1..=200).await;
        assert!(first.iter().all(|it| it.as_ref().is_ok_and(|it| !it.is_replayed)), "{first:?}");
        assert_eq!(put(&house, "k", 1..=200).await, replayed(&first));
        house.reopen().await;
        house.clock.advance(DAY_MS - 1);
        assert_eq!(put(&house, "k", 1..=200).await, replayed(&first));
        assert_eq!(listed(&house).await, 200);
    }
}

#[tokio::test]
async fn a_write_without_a_key_leaves_no_answer_and_is_never_a_repeat() {
    let mut house = House::build(StoreEngine::Sled).await;
    for _ in 0..2 {
        let stored = house.put(Some("r1"), vec![sealed("name", InfoType::PersonName, "Anna")]);
        assert!(!stored.await.unwrap().is_replayed);
    }
    assert_eq!(house.answers().await, []);
}

#[tokio::test]
async fn however_a_stream_is_interrupted_and_cut_again_each_item_is_stored_once() {
    for engine in ENGINES {
        let (house, mut random) = (House::build(engine).await, Random::of_this_run());
        let items = 150_u64;
        let mut told = std::collections::BTreeMap::<u64, StoredRecord>::new();
        for attempt in 0..12 {
            // The last attempt goes through; the others stop somewhere.
            let end = if attempt == 11 { items } else { random.number() % items };
            let mut from = 1;
            while from <= end {
                let to = (from + random.number() % 40).min(end);
                for (ordinal, stored) in (from..=to).zip(put(&house, "k", from..=to).await) {
                    let stored = stored.unwrap();
                    assert_eq!(stored.is_replayed, told.contains_key(&ordinal));
                    let first = told.entry(ordinal).or_insert_with(|| stored.clone());
                    assert_eq!((&first.id, first.revision), (&stored.id, stored.revision));
                }
                from = to + 1;
            }
        }
        assert_eq!(listed(&house).await, told.len());
        assert_eq!(told.len() as u64, items);
    }
}

#[tokio::test]
async fn the_same_key_for_another_record_is_a_conflict_and_stores_nothing() {
    let house = House::build(StoreEngine::Sled).await;
    let first = put_one(&house, item_key("k", 1), record(Some("r1"), "Anna")).await.unwrap();
    let subject = || Some(Subject::new("Anna".to_owned()).unwrap());
    let others = [
        record(Some("r1"), "Bo"),
        record(Some("r2"), "Anna"),
        record(None, "Anna"),
        record(Some("r1"), "Anna").with_subject(subject()),
        record(Some("r1"), "Anna").with_expiry(Some(u64::MAX)),
        NewRecord::new(Some(id("r1")), vec![sealed("nick", InfoType::PersonName, "Anna")]).unwrap(),
    ];
    for other in others {
        let refused = put_one(&house, item_key("k", 1), other).await.unwrap_err();
        assert_eq!(
            (refused.code(), &refused),
            (ErrorCode::Conflict, &VaultError::IdempotencyKeyReused)
        );
    }
    assert_eq!(listed(&house).await, 1);
    let again = put_one(&house, item_key("k", 1), record(Some("r1"), "Anna")).await.unwrap();
    assert_eq!(again, StoredRecord { is_replayed: true, ..first });
}

#[tokio::test]
async fn a_conflict_stops_nobody_else_in_its_batch() {
    let house = House::build(StoreEngine::Sled).await;
    put(&house, "k", [1]).await;
    let other = record(None, "Bo").with_item_key(Some(item_key("k", 1)));
    let results = house.put_all(vec![item("k", 2), Ok(other), item("k", 1), item("k", 2)]).await;
    let results = results.unwrap();
    let told: Vec<_> = results.iter().map(|it| it.as_ref().ok().map(|it| it.is_replayed)).collect();
    assert_eq!(told, [Some(false), None, Some(true), Some(true)]);
    assert_eq!(listed(&house).await, 2);
}

#[tokio::test]
async fn a_repeat_answers_as_it_was_even_after_a_change_or_a_deletion() {
    let house = House::build(StoreEngine::Sled).await;
    let put = || put_one(&house, item_key("k", 1), record(Some("r1"), "Anna"));
    assert_eq!(put().await.unwrap().revision, 1);
    house.put(Some("r1"), vec![sealed("name", InfoType::PersonName, "Bo")]).await.unwrap();
    assert_eq!(put().await.unwrap().revision, 1);
    assert_eq!(house.get("r1", Reveal::Masked).await.unwrap().revision, 2);
    house.delete("r1").await.unwrap();
    assert!(put().await.unwrap().is_replayed);
    assert_eq!(house.get("r1", Reveal::Masked).await.unwrap_err(), VaultError::NotFound);
}

#[tokio::test]
async fn what_was_refused_is_tried_again() {
    let house = House::build(StoreEngine::Sled).await;
    let refused = Err(Failure::from(ErrorCode::TooLarge));
    let results = house.put_all(vec![item("k", 1), refused]).await.unwrap();
    assert!(results[1].is_err());
    let told: Vec<_> =
        put(&house, "k", 1..=2).await.into_iter().map(|it| it.unwrap().is_replayed).collect();
    assert_eq!(told, [true, false]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_at_once_one_stores_and_all_get_its_answer() {
    for engine in ENGINES {
        let house = Arc::new(House::build(engine).await);
        for turn in 0..20 {
            let key = format!("k{turn}");
            let callers = (0..8).map(|_| {
                let (house, key) = (Arc::clone(&house), key.clone());
                async move { put(&house, &key, 1..=3).await }
            });
            let answers = callers.collect::<JoinSet<_>>().join_all().await;
            for ordinal in 0..3 {
                let told = answers.iter().map(|answer| answer[ordinal].as_ref().unwrap());
                assert_eq!(told.clone().filter(|it| !it.is_replayed).count(), 1);
                assert!(told.clone().all(|it| it.id == answers[0][ordinal].as_ref().unwrap().id));
            }
        }
        assert_eq!(listed(&house).await, 60);
    }
}

#[tokio::test]
async fn another_tenants_customer_has_keys_of_its_own() {
    let mut house = House::build(StoreEngine::Sled).await;
    put(&house, "k", [1]).await;
    let other = house.enrol_another("stadtwerke-herne").await;
    house.move_to(other).await;
    assert!(!put(&house, "k", [1]).await[0].as_ref().unwrap().is_replayed);
}

#[tokio::test]
async fn after_a_day_a_key_is_as_good_as_new_and_its_answer_is_replaced() {
    for engine in ENGINES {
        let mut house = House::build(engine).await;
        let first = put(&house, "k", [1]).await;
        house.clock.advance(DAY_MS);
        let second = put(&house, "k", [1]).await;
        assert!(!second[0].as_ref().unwrap().is_replayed);
        assert_ne!(first[0].as_ref().unwrap().id, second[0].as_ref().unwrap().id);
        assert_eq!(put(&house, "k", [1]).await, replayed(&second));
        assert_eq!(house.answers().await.len(), 1);
    }
}

#[tokio::test]
async fn a_clock_set_back_over_midnight_makes_no_second_record() {
    let house = House::build(StoreEngine::Sled).await;
    house.clock.advance(DAY_MS - house.clock.now() % DAY_MS);
    put(&house, "k", [1]).await;
    house.clock.set_back(1);
    assert!(put(&house, "k", [1]).await[0].as_ref().unwrap().is_replayed);
    assert_eq!(listed(&house).await, 1);
}

#[tokio::test]
async fn outdated_answers_are_swept_by_later_writes() {
    for engine in ENGINES {
        let mut house = House::build(engine).await;
        put(&house, "old", 1..=100).await;
        house.clock.advance(2 * DAY_MS);
        put(&house, "new", 1..=10).await;
        assert_eq!(house.answers().await.len(), 90, "twice as many go as come");
        put(&house, "new", 1..=100).await;
        assert_eq!(house.answers().await.len(), 100);
    }
}

#[tokio::test]
async fn an_answer_changed_or_moved_by_a_database_writer_is_refused() {
    for is_moved in [false, true] {
        let mut house = House::build(StoreEngine::Sled).await;
        put(&house, "k", 1..=2).await;
        let mut answers = house.answers().await;
        let (first, second) = (answers.remove(0), answers.remove(0));
        let mut other = StoreRow { key: first.key.clone(), ..second };
        if !is_moved {
            other.value.clone_from(&first.value);
            other.value[20] ^= 1;
        }
        house.overwrite_answer(other).await;
        let told: Vec<_> = put(&house, "k", 1..=2).await.into_iter().map(|it| it.err()).collect();
        assert!(told.contains(&Some(VaultError::Integrity)) && told.contains(&None), "{told:?}");
        assert_eq!(listed(&house).await, 2);
    }
}
