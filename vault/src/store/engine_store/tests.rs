use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{EngineStore, QuarantineFlag};
use crate::store::conformance::{change, put, record, records};
use crate::store::engine::{Batch, Engine, KeyRange};
use crate::store::memory::MemoryEngine;
use crate::store::{Change, Outcome, Precondition, Store, StoreError, StoreRow};

/// An engine that fails in one way when it commits, and when it reads a key `panic`.
struct Failing(fn() -> Result<(), StoreError>);

impl Engine for Failing {
    fn read(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let is_fatal = keys.iter().any(|key| key.ends_with(b"panic"));
        assert!(!is_fatal, "an engine's own words about a value");
        Ok(vec![None; keys.len()])
    }

    fn scan(&self, _range: &KeyRange, _limit: usize) -> Result<Vec<StoreRow>, StoreError> {
        Ok(Vec::new())
    }

    fn commit(&self, _batch: Batch) -> Result<(), StoreError> {
        self.0()
    }

    fn close(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }
}

fn store(failure: fn() -> Result<(), StoreError>) -> (EngineStore, QuarantineFlag) {
    let flag = QuarantineFlag::default();
    let store = EngineStore::start(Box::new(Failing(failure)), flag.clone());
    (store.expect("a thread"), flag)
}

async fn write(store: &EngineStore) -> Result<Vec<Outcome>, StoreError> {
    store.apply(vec![change(vec![put(b"k", b"v")])]).await
}

async fn assert_quarantined(store: &EngineStore, flag: &QuarantineFlag) {
    assert!(flag.is_raised());
    assert_eq!(write(store).await, Err(StoreError::Quarantined));
    assert_eq!(store.read(vec![record(b"k")]).await, Err(StoreError::Quarantined));
    assert_eq!(store.scan(records(b"", None), 1).await, Err(StoreError::Quarantined));
    assert_eq!(store.close().await, Err(StoreError::Quarantined));
}

#[tokio::test]
async fn a_panic_in_a_commit_quarantines() {
    let (store, flag) = store(|| panic!("an engine's own words"));
    assert_eq!(write(&store).await, Err(StoreError::Quarantined));
    assert_quarantined(&store, &flag).await;
}

#[tokio::test]
async fn a_panic_in_a_read_quarantines() {
    let (store, flag) = store(|| Ok(()));
    assert_eq!(write(&store).await, Ok(vec![Outcome::Applied]));
    assert_eq!(store.read(vec![record(b"panic")]).await, Err(StoreError::Quarantined));
    assert_quarantined(&store, &flag).await;
}

#[tokio::test]
async fn a_full_disk_quarantines_nothing() {
    let (store, flag) = store(|| Err(StoreError::Unavailable));
    assert_eq!(write(&store).await, Err(StoreError::Unavailable));
    assert_eq!(store.read(vec![record(b"k")]).await, Ok(vec![None]));
    assert!(!flag.is_raised());
    assert_eq!(store.close().await, Ok(()));
}

/// An engine that refuses its first commit, and shows it whole once it is opened anew.
#[derive(Default)]
struct Belated {
    engine: MemoryEngine,
    refused: Mutex<Option<Batch>>,
    is_open: AtomicBool,
}

impl Engine for Belated {
    fn read(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.engine.read(keys)
    }

    fn scan(&self, range: &KeyRange, limit: usize) -> Result<Vec<StoreRow>, StoreError> {
        self.engine.scan(range, limit)
    }

    fn settle(&self) -> Result<(), StoreError> {
        let refused = self.refused.lock().expect("a lock").take();
        refused.map_or(Ok(()), |batch| self.engine.commit(batch))
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        if self.is_open.swap(true, Ordering::Relaxed) {
            return self.engine.commit(batch);
        }
        *self.refused.lock().expect("a lock") = Some(batch);
        Err(StoreError::Unavailable)
    }

    fn close(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }
}

#[tokio::test]
async fn a_commit_is_decided_on_what_a_refused_one_turned_out_to_be() {
    let store = EngineStore::start(Box::<Belated>::default(), QuarantineFlag::default());
    let store = store.expect("a thread");
    assert_eq!(write(&store).await, Err(StoreError::Unavailable));
    let claim = Change {
        preconditions: vec![Precondition::Absent(record(b"k"))],
        writes: vec![put(b"k", b"another")],
    };
    assert_eq!(store.apply(vec![claim]).await, Ok(vec![Outcome::PreconditionFailed]));
    assert_eq!(store.read(vec![record(b"k")]).await, Ok(vec![Some(b"v".to_vec())]));
}

#[tokio::test]
async fn a_sync_that_never_ends_quarantines() {
    let (mut store, flag) = store(|| {
        std::thread::sleep(Duration::from_millis(500));
        Ok(())
    });
    store.patience = Duration::from_millis(50);
    assert_eq!(write(&store).await, Err(StoreError::Quarantined));
    assert!(flag.is_raised());
    assert_eq!(store.read(vec![record(b"k")]).await, Err(StoreError::Quarantined));
}
