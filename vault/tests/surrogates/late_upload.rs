//! An upload that has counted who holds a surrogate, and reaches the store when fewer do.

use std::sync::Arc;

use tresor_proto::Reveal;
use tresor_vault::store::StoreEngine;

use crate::{calls::text_of, gatekeeper::Gatekeeper, house::House, uploaded::tokenizing};

/// The salt of a record with one class, drawn once the count is read and before it is written.
const SALT_BYTES: usize = 24;
const FIELDS: [(&str, &str); 1] = [("name", "Muster")];

async fn upload_late_while_one_of(holders: &[&str]) {
    let gatekeeper = Gatekeeper::of(SALT_BYTES);
    let house = Arc::new(House::build_with(StoreEngine::Redb, gatekeeper.clone()).await);
    house.declare(tokenizing()).await;
    for holder in holders {
        house.surrogates(holder, &FIELDS).await;
    }
    let (waits, open) = gatekeeper.shut();
    let writer = Arc::clone(&house);
    let late = tokio::spawn(async move { writer.surrogates("late", &FIELDS).await });
    tokio::task::spawn_blocking(move || waits.recv().unwrap()).await.unwrap();
    house.delete(holders[0]).await.unwrap();
    open.send(()).unwrap();
    let given = late.await.unwrap();
    let shown = house.detokenize(Reveal::Plain, &given).await.remove(0).unwrap();
    assert_eq!(text_of(shown), "Muster");
    let references = house.describe(&given[0]).await.unwrap().references;
    assert_eq!(references, holders.len() as u64, "the late one in place of the one that is gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn an_upload_that_comes_when_the_last_holder_is_gone_has_its_surrogate() {
    upload_late_while_one_of(&["first"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn an_upload_that_comes_when_another_holder_is_gone_is_counted_right() {
    upload_late_while_one_of(&["first", "second"]).await;
}
