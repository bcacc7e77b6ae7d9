//! Operations for the same keys: none drops what was asked for, none strands another.

use tresor_proto::DataClass;
use tresor_vault::{KeyOperationState, RotationRequest, store::StoreEngine};

use super::{DAY_MS, ask, assert_whole, fill, house::House, keep_for, person, rotation_of};

#[tokio::test]
async fn an_operation_asked_for_again_takes_over_the_options() {
    let house = House::build(StoreEngine::Memory).await;
    let first = keep_for(&house, &[], 0).await;
    let request = RotationRequest { rate_max: 500, ..rotation_of(&[], DAY_MS) };
    assert_eq!(ask(&house, &request).await, first);
    assert_eq!(keep_for(&house, &[], 0).await, first, "less is not taken over");
    house.lend(&[]).await;
    house.work_off().await;
    let waiting = house.operation(first).await;
    assert_eq!((waiting.state, waiting.rate_max), (KeyOperationState::Destroying, 500));
    assert_eq!(waiting.destroy_ms, Some(house.clock.now() + DAY_MS));
}

#[tokio::test]
async fn a_compromised_key_is_not_kept_for_an_operation_that_was_there_before() {
    let house = House::build(StoreEngine::Memory).await;
    fill(&house).await;
    let same = keep_for(&house, &[DataClass::Identity], 30 * DAY_MS).await;
    let wider = keep_for(&house, &[], 30 * DAY_MS).await;
    let compromised =
        RotationRequest { is_compromised: true, ..rotation_of(&[DataClass::Identity], 0) };
    assert_eq!(ask(&house, &compromised).await, same);
    assert_eq!(keep_for(&house, &[DataClass::Identity], 30 * DAY_MS).await, same);
    house.lend(&[]).await;
    house.work_off().await;
    assert_eq!(house.operation(same).await.state, KeyOperationState::Done);
    assert_eq!(house.operation(wider).await.state, KeyOperationState::Destroying);
    assert_whole(&house).await;
}

#[tokio::test]
async fn keys_are_kept_as_long_as_the_longest_operation_asks() {
    let house = House::build(StoreEngine::Memory).await;
    fill(&house).await;
    let before = keep_for(&house, &[DataClass::Contact], 0).await;
    let long = keep_for(&house, &[], 30 * DAY_MS).await;
    house.put(Some("r000"), person(0)).await.unwrap();
    let after = keep_for(&house, &[DataClass::Contact], 0).await;
    assert_ne!(after, before, "the newest key is another by now");
    house.lend(&[]).await;
    house.work_off().await;
    for id in [before, long, after] {
        let waiting = house.operation(id).await;
        assert_eq!(waiting.state, KeyOperationState::Destroying);
        assert_eq!(waiting.destroy_ms, Some(house.clock.now() + 30 * DAY_MS));
    }
    house.clock.advance(30 * DAY_MS);
    house.work_off().await;
    for id in [before, long, after] {
        assert_eq!(house.operation(id).await.state, KeyOperationState::Done);
    }
}

#[tokio::test]
async fn cancelling_an_operation_strands_no_other() {
    let house = House::build(StoreEngine::Memory).await;
    let kept = keep_for(&house, &[DataClass::Contact], 0).await;
    let cancelled = keep_for(&house, &[], 0).await;
    let permit = house.operator_permit();
    house.vault().cancel_key_operation(&permit, cancelled).await.unwrap();
    house.lend(&[]).await;
    house.work_off().await;
    assert_eq!(house.operation(kept).await.state, KeyOperationState::Done);
}
