use tresor_proto::{InfoType, TenantRef};

use super::*;
use crate::{
    KeyOperation, KeyOperationState,
    house::{House, sealed},
    store::StoreEngine,
};

const YEAR_MS: u64 = 365 * DAY_MS;

async fn due(house: &House) -> Vec<(DataClass, u32, KeyDue)> {
    let (permit, tenant) = (house.operator_permit(), TenantRef::Id(house.tenant));
    let status = house.vault().tenant_key_status(&permit, &tenant).await.unwrap();
    let data = status.keys.into_iter().filter(|key| key.kind == KeyKind::Data);
    data.filter_map(|key| Some((key.class?, key.version, key.due?))).collect()
}

async fn operations(house: &House) -> Vec<KeyOperation> {
    let permit = house.operator_permit();
    house.vault().key_operations(&permit, None, None, 100).await.unwrap().items
}

async fn mark(house: &House) -> usize {
    house.vault().mark_keys_by_policy().await.unwrap()
}

#[tokio::test]
async fn data_keys_are_marked_once_when_they_are_too_old_and_renewed_by_the_next_write() {
    let mut house = House::build(StoreEngine::Redb).await;
    house.create_tenant("not-enrolled").await;
    house.clock.advance(YEAR_MS);
    assert_eq!((mark(&house).await, operations(&house).await.len()), (0, 0), "on the last day");
    house.clock.advance(1);
    let classes = DataClass::ALL.len();
    assert_eq!(mark(&house).await, classes);
    for _ in 0..2 {
        assert_eq!(mark(&house).await, 0);
        let [operation] = &operations(&house).await[..] else { panic!("one operation") };
        assert_eq!(operation.state, KeyOperationState::PendingCustomer);
        assert_eq!(operation.targets.len(), classes);
        assert!(due(&house).await.iter().all(|key| key.2 == KeyDue::Age));
        house.reopen().await;
    }
    house.put(Some("r1"), vec![sealed("n", InfoType::PersonName, "Bo")]).await.unwrap();
    let is_name = |key: &(DataClass, u32, KeyDue)| key.0 == DataClass::Identity;
    assert!(!due(&house).await.iter().any(is_name), "the new epoch is young");
    assert_eq!((mark(&house).await, operations(&house).await.len()), (0, 1));
    house.lend(&[]).await;
    house.work_off().await;
    let destroying = &operations(&house).await[0];
    assert_eq!(destroying.state, KeyOperationState::Destroying);
    assert_eq!(destroying.destroy_ms, Some(house.clock.now() + 30 * DAY_MS), "for backups");
    house.clock.advance(YEAR_MS + 1);
    assert_eq!((mark(&house).await, operations(&house).await.len()), (classes, 2), "a year later");
}

#[tokio::test]
async fn the_policy_steps_aside_for_an_operator_and_goes_on_afterwards() {
    let house = House::build(StoreEngine::Memory).await;
    house.clock.advance(YEAR_MS + 1);
    let work = house.vault().begin_key_work(house.operator_permit(), "else").await.unwrap();
    let Err(VaultError::Refused(failure)) = house.vault().mark_keys_by_policy().await else {
        panic!("two at once");
    };
    assert_eq!(failure.code(), tresor_proto::ErrorCode::Conflict);
    let request = RotationRequest {
        classes: Vec::new(),
        is_compromised: false,
        rate_max: 0,
        destroy_after_ms: 0,
        is_dry_run: false,
    };
    let (permit, tenant) = (house.operator_permit(), TenantRef::Id(house.tenant));
    let other = house.vault().mark_data_keys_due(&permit, &tenant, &request).await;
    assert!(matches!(other, Err(VaultError::Refused(_))), "nor may another operator");
    let dry = RotationRequest { is_dry_run: true, ..request };
    assert!(house.vault().mark_data_keys_due(&permit, &tenant, &dry).await.is_ok());
    assert_eq!(operations(&house).await.len(), 0);
    drop(work);
    assert_eq!(mark(&house).await, DataClass::ALL.len());
    let again = house.vault().begin_key_work(house.operator_permit(), "else").await;
    assert!(again.is_ok(), "it holds the lease no longer than it needs it");
}

#[tokio::test]
async fn a_mark_that_was_cut_off_before_its_operation_gets_it() {
    let house = House::build(StoreEngine::Memory).await;
    house.clock.advance(YEAR_MS + 1);
    let now_ms = house.clock.now();
    let edited = house.vault().keyrings().edit(house.tenant, |keyring| {
        Ok::<_, VaultError>(keyring.mark_data_key(
            DataClass::Contact,
            now_ms,
            RotationReason::Policy,
        )?)
    });
    edited.unwrap();
    assert_eq!((mark(&house).await, mark(&house).await), (DataClass::ALL.len(), 0));
    assert_eq!(operations(&house).await.len(), 1);
}

#[tokio::test]
async fn what_an_operator_cancels_is_marked_again_while_it_is_due() {
    let house = House::build(StoreEngine::Memory).await;
    house.clock.advance(YEAR_MS + 1);
    mark(&house).await;
    let id = operations(&house).await[0].id;
    house.vault().cancel_key_operation(&house.operator_permit(), id).await.unwrap();
    assert_eq!(due(&house).await.len(), DataClass::ALL.len(), "they are as old as before");
    assert_eq!(mark(&house).await, DataClass::ALL.len());
}

#[test]
fn a_data_key_is_due_when_it_has_sealed_too_much() {
    let policy = KeyPolicy { data_seals_max: 10, ..KeyPolicy::default() };
    let key = |seals| KeyVersion { seals: Some(seals), ..KeyVersion::plain(KeyKind::Data, 1) };
    assert_eq!(policy.due(&key(10), 0), None);
    assert_eq!(policy.due(&key(11), 0), Some(KeyDue::Seals));
    let retired = KeyVersion { state: KeyState::Deactivated, ..key(11) };
    assert_eq!(policy.due(&retired, 0), None, "it seals no more");
}
