//! What the keyring of before a rotation is worth after it, to one who has a customer token too.

use std::fs;

use tresor_vault::{KeyOperationState, Loot, StolenRow, Theft, store::StoreEngine};

use super::person;
use crate::house::{House, customers, id, passphrase};

/// Attempts the row with every key of the data directory and the customer token.
fn attempt(house: &House, row: &[u8]) -> Loot {
    let (collection, record, passphrase) = (customers(), id("r1"), passphrase());
    let theft = Theft {
        data_dir: &house.path(""),
        passphrase: &passphrase,
        customer_token: Some(&house.customer_token),
    };
    let row =
        StolenRow { tenant: house.tenant, collection: &collection, record: &record, bytes: row };
    theft.attempt(row).unwrap()
}

#[tokio::test]
async fn an_old_keyring_and_the_customer_token_open_no_record_sealed_anew() {
    let mut house = House::build(StoreEngine::Redb).await;
    house.put(Some("r1"), person(1)).await.unwrap();
    let before = house.row("r1").await;
    let keyring = house.keyring_path(house.tenant);
    let old = fs::read(&keyring).unwrap();
    assert_eq!(attempt(&house, &before).groups_opened, 2, "the attempts are real");

    let operation = house.mark(&[]).await;
    house.lend(&[]).await;
    house.work_off().await;
    assert_eq!(house.operation(operation.id).await.state, KeyOperationState::Done);
    let after = house.row("r1").await;
    assert_eq!(attempt(&house, &after).groups_opened, 2);
    let destroyed = attempt(&house, &before);
    assert_eq!(destroyed.groups_opened, 0, "no key that is left opens a copy of before");
    assert_eq!(destroyed.data_keys_opened, 10, "one a class is left");

    house.close().await;
    let new = fs::read(&keyring).unwrap();
    fs::write(&keyring, old).unwrap();
    assert_eq!(attempt(&house, &before).groups_opened, 2);
    assert_eq!(attempt(&house, &after).groups_opened, 0);
    fs::write(&keyring, new).unwrap();
}
