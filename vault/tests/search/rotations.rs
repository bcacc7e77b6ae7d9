//! Indexes through the rotation of every key but their own.

use tresor_vault::store::StoreEngine;

use crate::finder::{Finder, fields};

async fn assert_found(finder: &Finder) {
    let page = finder.page(&[("name", "anna 7")], None, 10).await.unwrap();
    assert!(page.is_index_complete);
    let found: Vec<_> = page.items.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(found, ["r7"]);
}

async fn rotate_on(engine: StoreEngine) {
    let mut finder = Finder::build(engine, fields(128)).await;
    for number in 0..10 {
        let name = format!("Anna {number}");
        finder.put(&format!("r{number}"), &[("name", &name), ("city", "Köln")]).await.unwrap();
    }
    let before = finder.entries().await;

    let operation = finder.house.mark(&[]).await;
    assert_found(&finder).await;
    finder.house.lend(&[]).await;
    while finder.house.vault().work_once().await.unwrap().is_some() {
        assert_found(&finder).await;
    }
    assert!(finder.house.operation(operation.id).await.resealed > 0);
    assert_found(&finder).await;

    let permit = finder.house.operator_permit();
    let mut work = finder.house.vault().begin_key_work(permit, "of a test").await.unwrap();
    let tenants = [finder.house.tenant];
    finder.house.vault().rotate_cipher_keys(&mut work, &tenants).await.unwrap();
    assert_found(&finder).await;
    finder.house.vault().rotate_root_key(&mut work).await.unwrap();
    drop(work);
    assert_found(&finder).await;
    finder.house.reopen().await;
    assert_found(&finder).await;
    assert_eq!(finder.entries().await, before, "no entry has changed");
}

#[tokio::test]
async fn records_are_found_through_all_rotations_on_sled() {
    rotate_on(StoreEngine::Sled).await;
}

#[tokio::test]
async fn records_are_found_through_all_rotations_on_redb() {
    rotate_on(StoreEngine::Redb).await;
}
