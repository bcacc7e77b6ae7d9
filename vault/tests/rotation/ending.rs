//! What happens to a database or to the vault while an operation waits for the end of older keys.

use std::{fs, path::Path};

use tresor_vault::{KeyOperationState, VaultError, store::StoreEngine};

use super::{DAY_MS, RECORDS, assert_whole, fill, house::House, keep_for};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &target);
        } else {
            fs::copy(&source, &target).unwrap();
        }
    }
}

#[tokio::test]
async fn a_database_restored_during_the_wait_keeps_its_keys_and_is_sealed_anew() {
    let mut house = House::build(StoreEngine::Sled).await;
    fill(&house).await;
    house.close().await;
    let (databases, backup) = (house.path("databases"), tempfile::tempdir().unwrap());
    copy(&databases, backup.path());
    house.open_again().await;
    let waiting = keep_for(&house, &[], DAY_MS).await;
    house.lend(&[]).await;
    house.work_off().await;
    assert_eq!(house.operation(waiting).await.state, KeyOperationState::Destroying);

    house.close().await;
    fs::remove_dir_all(&databases).unwrap();
    copy(backup.path(), &databases);
    house.open_again().await;
    house.clock.advance(DAY_MS);
    house.work_off().await;
    let back = house.operation(waiting).await;
    assert_eq!((back.state, back.destroy_ms), (KeyOperationState::PendingCustomer, None));
    assert_whole(&house).await;

    house.lend(&[]).await;
    house.work_off().await;
    let again = house.operation(waiting).await;
    assert_eq!(again.state, KeyOperationState::Destroying, "it waits anew");
    assert!(again.resealed > 2 * u64::try_from(RECORDS).unwrap(), "all was sealed anew again");
    house.clock.advance(DAY_MS);
    house.work_off().await;
    assert_eq!(house.operation(waiting).await.state, KeyOperationState::Done);
    assert_whole(&house).await;
}

#[tokio::test]
async fn a_destruction_that_has_begun_is_not_cancelled_and_ends_after_a_crash() {
    let mut house = House::build(StoreEngine::Sled).await;
    fill(&house).await;
    let waiting = keep_for(&house, &[], DAY_MS).await;
    house.lend(&[]).await;
    house.work_off().await;
    house.clock.advance(DAY_MS);
    // The keyring cannot be written: the destruction begins and does not end.
    let (keyrings, away) = (house.path("keyrings"), house.path("away"));
    fs::rename(&keyrings, &away).unwrap();
    house.work_off().await;
    let permit = house.operator_permit();
    for refused in [
        house.vault().cancel_key_operation(&permit, waiting).await,
        house.vault().pause_key_operation(&permit, waiting).await,
    ] {
        assert_eq!(refused.err(), Some(VaultError::Conflict));
    }
    assert_eq!(house.operation(waiting).await.state, KeyOperationState::Destroying);
    fs::rename(&away, &keyrings).unwrap();
    house.reopen().await;
    house.work_off().await;
    assert_eq!(house.operation(waiting).await.state, KeyOperationState::Done);
    assert_whole(&house).await;
}
