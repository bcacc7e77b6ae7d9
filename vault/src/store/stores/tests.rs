use std::sync::Arc;

use tempfile::TempDir;
use tresor_proto::TenantId;

use super::{Stores, lock, unused};
use crate::store::conformance::{change, put, record};
use crate::store::{Existence, Outcome, Store, StoreEngine, StoreError};

fn stores(engine: StoreEngine, open_max: usize) -> (TempDir, Stores) {
    let root = tempfile::tempdir().expect("a directory");
    let stores = Stores::new(root.path().to_owned(), engine, open_max);
    (root, stores)
}

fn tenant(number: u8) -> TenantId {
    TenantId::from_bytes([number; 16])
}

async fn write(store: &dyn Store, value: u8) {
    let outcomes = store.apply(vec![change(vec![put(b"k", &[value])])]).await;
    assert_eq!(outcomes, Ok(vec![Outcome::Applied]));
}

async fn read(store: &dyn Store) -> Option<Vec<u8>> {
    store.read(vec![record(b"k")]).await.expect("it reads").remove(0)
}

#[tokio::test]
async fn tenants_have_databases_of_their_own() {
    let (root, stores) = stores(StoreEngine::Redb, 8);
    for number in 1..=3 {
        let store = stores.tenant(tenant(number), Existence::Create).await.expect("it opens");
        write(store.as_ref(), number).await;
    }
    for number in 1..=3 {
        let store = stores.tenant(tenant(number), Existence::MustExist).await.expect("it is open");
        assert_eq!(read(store.as_ref()).await, Some(vec![number]));
        let directory = root.path().join(tenant(number).to_string());
        assert!(directory.is_dir());
    }
}

#[tokio::test]
async fn a_database_is_opened_once_for_all_who_ask_at_once() {
    let (_root, stores) = stores(StoreEngine::Sled, 8);
    let stores = Arc::new(stores);
    let askers = (0..16).map(|_| {
        let stores = Arc::clone(&stores);
        tokio::spawn(async move { stores.tenant(tenant(1), Existence::Create).await })
    });
    let mut opened = Vec::new();
    for asker in askers.collect::<Vec<_>>() {
        opened.push(asker.await.expect("it runs").expect("it opens"));
    }
    assert!(opened.iter().all(|store| Arc::ptr_eq(store, &opened[0])));
    assert_eq!(stores.open_count(), 1);
}

#[tokio::test]
async fn a_caller_who_goes_away_while_opening_leaves_no_lock() {
    let (_root, stores) = stores(StoreEngine::Sled, 8);
    let asked = stores.tenant(tenant(1), Existence::Create);
    let soon = std::time::Duration::from_micros(50);
    // Whether it was in time does not matter: both ways, the next caller gets the database.
    drop(tokio::time::timeout(soon, asked).await);
    let store = stores.tenant(tenant(1), Existence::Create).await.expect("it opens");
    write(store.as_ref(), 1).await;
}

#[tokio::test]
async fn the_least_recently_used_is_closed_and_comes_back_whole() {
    let (_root, stores) = stores(StoreEngine::Sled, 2);
    for number in 1..=5 {
        let store = stores.tenant(tenant(number), Existence::Create).await.expect("it opens");
        write(store.as_ref(), number).await;
        assert!(stores.open_count() <= 2);
    }
    for number in 1..=5 {
        let store = stores.tenant(tenant(number), Existence::MustExist).await.expect("it opens");
        assert_eq!(read(store.as_ref()).await, Some(vec![number]));
    }
    assert_eq!(stores.open_count(), 2);
}

#[tokio::test]
async fn what_is_in_use_is_not_closed() {
    let (_root, stores) = stores(StoreEngine::Redb, 1);
    let used = stores.tenant(tenant(1), Existence::Create).await.expect("it opens");
    for number in 2..=4 {
        stores.tenant(tenant(number), Existence::Create).await.expect("it opens");
    }
    write(used.as_ref(), 1).await;
    let again = stores.tenant(tenant(1), Existence::MustExist).await.expect("it is open");
    assert!(Arc::ptr_eq(&used, &again));
    let place = Arc::clone(&lock(&stores.tenants).by_id[&tenant(1)].place);
    assert!(unused(&place).is_none());
    drop((used, again));
    assert!(unused(&place).is_some());
}

#[tokio::test]
async fn what_is_in_memory_is_never_closed_for_room() {
    let (_root, stores) = stores(StoreEngine::Memory, 1);
    for number in 1..=3 {
        let store = stores.tenant(tenant(number), Existence::Create).await.expect("it opens");
        write(store.as_ref(), number).await;
    }
    let store = stores.tenant(tenant(1), Existence::MustExist).await.expect("it is open");
    assert_eq!(read(store.as_ref()).await, Some(vec![1]));
}

#[tokio::test]
async fn a_missing_database_is_quarantined_until_that_is_lifted() {
    for engine in [StoreEngine::Sled, StoreEngine::Redb] {
        let (root, stores) = stores(engine, 8);
        let missing = stores.tenant(tenant(1), Existence::MustExist).await.err();
        assert_eq!(missing, Some(StoreError::Quarantined));
        assert!(stores.is_quarantined(tenant(1)) && !stores.is_quarantined(tenant(2)));
        assert_eq!(stores.quarantined(), [tenant(1)]);
        // Remembered: not even a caller who may create gets an empty one now.
        let created = stores.tenant(tenant(1), Existence::Create).await.err();
        assert_eq!(created, Some(StoreError::Quarantined));
        assert!(!root.path().join(tenant(1).to_string()).exists());
        stores.lift_quarantine(tenant(1)).await;
        assert!(stores.tenant(tenant(1), Existence::Create).await.is_ok());
    }
}

#[tokio::test]
async fn a_second_owner_is_refused_until_the_first_has_closed() {
    for engine in [StoreEngine::Sled, StoreEngine::Redb] {
        let (root, first) = stores(engine, 8);
        let store = first.tenant(tenant(1), Existence::Create).await.expect("it opens");
        write(store.as_ref(), 7).await;
        let second = Stores::new(root.path().to_owned(), engine, 8);
        let refused = second.tenant(tenant(1), Existence::MustExist).await.err();
        assert_eq!(refused, Some(StoreError::InUse));
        assert!(!second.is_quarantined(tenant(1)));
        first.close_all().await.expect("it closes");
        let store = second.tenant(tenant(1), Existence::MustExist).await.expect("it opens");
        assert_eq!(read(store.as_ref()).await, Some(vec![7]));
    }
}

#[tokio::test]
async fn closing_all_ends_what_is_in_use_and_opens_nothing_more() {
    let (_root, stores) = stores(StoreEngine::Redb, 8);
    let store = stores.tenant(tenant(1), Existence::Create).await.expect("it opens");
    assert_eq!(stores.close_all().await, Ok(()));
    assert_eq!(store.read(vec![record(b"k")]).await, Err(StoreError::Closed));
    let refused = stores.tenant(tenant(2), Existence::Create).await.err();
    assert_eq!(refused, Some(StoreError::Closed));
}
