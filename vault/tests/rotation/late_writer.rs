//! A write that chose its keys before the rotation and reaches the store after it.

use std::sync::Arc;

use tresor_vault::{KeyOperationState, store::StoreEngine};

use super::person;
use crate::{
    gatekeeper::Gatekeeper,
    house::{House, id},
};

/// Bytes of the salts of a record with two classes.
const SALTS_BYTES: usize = 48;

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_late_write_under_a_dying_key_is_sealed_again_under_the_new_one() {
    let gatekeeper = Gatekeeper::of(SALTS_BYTES);
    let house = Arc::new(House::build_with(StoreEngine::Redb, gatekeeper.clone()).await);
    house.put(Some("before"), person(1)).await.unwrap();
    let (waits, open) = gatekeeper.shut();

    // The late writer holds the keyring of before the mark, and is kept waiting.
    let writer = Arc::clone(&house);
    let late = tokio::spawn(async move { writer.put(Some("late"), person(2)).await });
    tokio::task::spawn_blocking(move || waits.recv().unwrap()).await.unwrap();

    let operation = house.mark(&[]).await;
    house.lend(&[]).await;
    house.work_off().await;
    assert_eq!(house.operation(operation.id).await.state, KeyOperationState::Done);
    open.send(()).unwrap();
    assert_eq!(late.await.unwrap().unwrap().revision, 1);

    let ids = [id("before"), id("late")];
    let permit = house.permit().await;
    let view = House::view(tresor_proto::Reveal::Plain);
    for read in house.vault().get(&permit, &view, &ids).await.unwrap() {
        assert_eq!(read.unwrap().fields.len(), 3);
    }
}
