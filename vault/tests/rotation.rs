//! Data keys replaced under a vault that is used: marked, made by the next writer, records sealed
//! anew by work that a customer lends keys for, older keys destroyed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "operations/gatekeeper.rs"]
mod gatekeeper;
#[path = "operations/house.rs"]
#[allow(dead_code, reason = "shared; each test uses a part")]
mod house;
#[path = "../../tests/fuzz/random.rs"]
#[allow(dead_code, reason = "shared; each test uses a part")]
mod random;

#[path = "rotation/ending.rs"]
mod ending;
#[path = "rotation/late_writer.rs"]
mod late_writer;
#[path = "rotation/model.rs"]
mod model;
#[path = "rotation/overlapping.rs"]
mod overlapping;
#[cfg(feature = "test-support")]
#[path = "rotation/theft.rs"]
mod theft;

use house::{House, clear, id, sealed, text_of};
use tresor_proto::{DataClass, InfoType, Reveal, TenantRef};
use tresor_vault::{
    KeyOperationState, LoanRequest, NewField, RotationRequest, VaultError, store::StoreEngine,
};
use uuid::Uuid;

const RECORDS: usize = 150;
const DAY_MS: u64 = 86_400_000;

/// What is asked for of classes, all when none are named, whose older keys are kept for a while.
fn rotation_of(classes: &[DataClass], destroy_after_ms: u64) -> RotationRequest {
    RotationRequest {
        classes: classes.to_vec(),
        is_compromised: false,
        rate_max: 0,
        destroy_after_ms,
        is_dry_run: false,
    }
}

async fn ask(house: &House, request: &RotationRequest) -> Uuid {
    let (permit, tenant) = (house.operator_permit(), TenantRef::Id(house.tenant));
    let marked = house.vault().mark_data_keys_due(&permit, &tenant, request).await.unwrap();
    marked.operation.unwrap()
}

async fn keep_for(house: &House, classes: &[DataClass], destroy_after_ms: u64) -> Uuid {
    ask(house, &rotation_of(classes, destroy_after_ms)).await
}

fn person(number: usize) -> Vec<NewField> {
    vec![
        clear("status", "geplant"),
        sealed("name", InfoType::PersonName, &format!("Anna {number}")),
        sealed("mail", InfoType::EmailAddress, &format!("anna{number}@example.org")),
    ]
}

async fn fill(house: &House) {
    for number in 0..RECORDS {
        house.put(Some(&format!("r{number:03}")), person(number)).await.unwrap();
    }
}

async fn assert_whole(house: &House) {
    for number in 0..RECORDS {
        let read = house.get(&format!("r{number:03}"), Reveal::Plain).await.unwrap();
        let name = read.fields.iter().find(|field| field.name.as_str() == "name").unwrap();
        assert_eq!(text_of(name), Some(format!("Anna {number}")));
        assert_eq!(read.revision, 1, "sealing anew is no change of the record");
    }
}

async fn rotate_on(engine: StoreEngine) {
    let mut house = House::build(engine).await;
    fill(&house).await;
    let operation = house.mark(&[]).await;
    assert_eq!(operation.state, KeyOperationState::PendingCustomer);
    house.work_off().await;
    assert_eq!(house.operation(operation.id).await.resealed, 0, "nobody has lent a key");

    let lent = house.lend(&[]).await;
    assert_eq!(lent.operations.iter().map(|one| one.id).collect::<Vec<_>>(), [operation.id]);
    // One page is counted, then the process ends: the loan is gone, the place in the scan is kept.
    house.vault().work_once().await.unwrap();
    house.reopen().await;
    let stopped = house.operation(operation.id).await;
    assert_eq!((stopped.state, stopped.total), (KeyOperationState::PendingCustomer, 64));

    house.lend(&[]).await;
    house.work_off().await;
    let done = house.operation(operation.id).await;
    assert_eq!(done.state, KeyOperationState::Done);
    let records = u64::try_from(RECORDS).unwrap();
    assert_eq!((done.total, done.done, done.resealed), (records, records, 2 * records));
    assert_whole(&house).await;
    house.reopen().await;
    assert_whole(&house).await;
}

#[tokio::test]
async fn data_keys_are_replaced_on_sled() {
    rotate_on(StoreEngine::Sled).await;
}

#[tokio::test]
async fn data_keys_are_replaced_on_redb() {
    rotate_on(StoreEngine::Redb).await;
}

#[tokio::test]
async fn the_next_write_makes_the_new_key_and_records_of_both_are_read_and_replaced() {
    let house = House::build(StoreEngine::Memory).await;
    house.put(Some("old"), person(1)).await.unwrap();
    house.put(Some("gone"), person(2)).await.unwrap();
    let operation = house.mark(&[DataClass::Identity]).await;
    house.put(Some("new"), person(3)).await.unwrap();
    for (record, name) in [("old", "Anna 1"), ("new", "Anna 3")] {
        let read = house.get(record, Reveal::Plain).await.unwrap();
        assert!(read.fields.iter().any(|field| text_of(field).as_deref() == Some(name)));
    }
    assert_eq!(house.list(None, 10).await.unwrap().items.len(), 3);
    assert_eq!(house.put(Some("old"), person(4)).await.unwrap().revision, 2);
    house.delete("gone").await.unwrap();
    house.lend(&[DataClass::Identity]).await;
    house.work_off().await;
    let done = house.operation(operation.id).await;
    assert_eq!((done.state, done.resealed), (KeyOperationState::Done, 0), "all were written anew");
}

#[tokio::test]
async fn what_is_read_by_one_who_may_write_is_sealed_anew_beside_the_answer() {
    let mut house = House::build(StoreEngine::Redb).await;
    house.put(Some("read"), person(1)).await.unwrap();
    house.put(Some("unread"), person(2)).await.unwrap();
    let (read, unread) = (house.row("read").await, house.row("unread").await);
    house.mark(&[]).await;
    house.put(Some("new"), person(3)).await.unwrap();
    house.get("read", Reveal::Masked).await.unwrap();
    house.work_off().await;
    assert_ne!(house.row("read").await, read);
    assert_eq!(house.row("unread").await, unread);
    assert_eq!(house.get("read", Reveal::Plain).await.unwrap().revision, 1);
}

#[tokio::test]
async fn a_damaged_record_is_named_and_stops_no_other() {
    let mut house = House::build(StoreEngine::Redb).await;
    fill(&house).await;
    let mut row = house.row("r077").await;
    let last = row.len() - 1;
    row[last] ^= 1;
    house.overwrite("r077", row).await;
    let operation = house.mark(&[]).await;
    house.lend(&[]).await;
    house.work_off().await;
    let stuck = house.operation(operation.id).await;
    assert_eq!(stuck.state, KeyOperationState::NeedsAttention);
    assert_eq!(stuck.damaged_records, ["customers/r077"]);
    assert_eq!(stuck.resealed, 2 * (u64::try_from(RECORDS).unwrap() - 1));
    assert_eq!(stuck.destroy_ms, None);

    house.delete("r077").await.unwrap();
    let permit = house.operator_permit();
    house.vault().resume_key_operation(&permit, operation.id).await.unwrap();
    house.work_off().await;
    assert_eq!(house.operation(operation.id).await.state, KeyOperationState::Done);
}

#[tokio::test]
async fn an_operation_is_paused_resumed_and_cancelled() {
    let house = House::build(StoreEngine::Memory).await;
    fill(&house).await;
    let (permit, operation) = (house.operator_permit(), house.mark(&[]).await);
    house.lend(&[]).await;
    house.vault().pause_key_operation(&permit, operation.id).await.unwrap();
    house.work_off().await;
    let paused = house.operation(operation.id).await;
    assert_eq!((paused.state, paused.total), (KeyOperationState::Paused, 0));
    let resumed = house.vault().resume_key_operation(&permit, operation.id).await.unwrap();
    assert_eq!(resumed.state, KeyOperationState::Counting);
    house.vault().work_once().await.unwrap();
    let cancelled = house.vault().cancel_key_operation(&permit, operation.id).await.unwrap();
    assert_eq!(cancelled.state, KeyOperationState::Cancelled);
    house.work_off().await;
    let refused = house.vault().resume_key_operation(&permit, operation.id).await;
    assert_eq!(refused.err(), Some(VaultError::Conflict));
    assert_eq!(house.operation(operation.id).await.resealed, 0);
    assert_whole(&house).await;
}

#[tokio::test]
async fn a_loan_ends_with_its_time() {
    let house = House::build(StoreEngine::Memory).await;
    fill(&house).await;
    let operation = house.mark(&[]).await;
    house.lend(&[]).await;
    assert_eq!(house.operation(operation.id).await.state, KeyOperationState::Counting);
    house.clock.advance(3_600_000);
    house.vault().sweep();
    house.work_off().await;
    let ended = house.operation(operation.id).await;
    assert_eq!((ended.state, ended.total), (KeyOperationState::PendingCustomer, 0));
    let permit = house.permit().await;
    for lifetime_ms in [0, 24 * 3_600_000 + 1] {
        let loan = LoanRequest { lifetime_ms, ..House::loan(&[]) };
        assert!(house.vault().lend(&permit, &loan).await.is_err());
    }
}

#[tokio::test]
async fn older_keys_are_kept_as_long_as_asked() {
    let house = House::build(StoreEngine::Memory).await;
    fill(&house).await;
    let mut request = RotationRequest {
        classes: vec![DataClass::Identity],
        is_compromised: true,
        rate_max: 0,
        destroy_after_ms: 86_400_000,
        is_dry_run: true,
    };
    let (permit, tenant) = (house.operator_permit(), TenantRef::Id(house.tenant));
    let dry = house.vault().mark_data_keys_due(&permit, &tenant, &request).await.unwrap();
    assert_eq!((dry.operation, dry.marks.len()), (None, 1));
    request.is_dry_run = false;
    let marked = house.vault().mark_data_keys_due(&permit, &tenant, &request).await.unwrap();
    let again = house.vault().mark_data_keys_due(&permit, &tenant, &request).await.unwrap();
    assert_eq!(again.operation, marked.operation, "asking twice is asking once");
    house.lend(&[]).await;
    house.work_off().await;
    let waiting = house.operation(marked.operation.unwrap()).await;
    assert_eq!(waiting.state, KeyOperationState::Destroying);
    assert_eq!(waiting.destroy_ms, Some(house.clock.now() + 86_400_000));
    house.clock.advance(86_400_000);
    house.work_off().await;
    assert_eq!(house.operation(waiting.id).await.state, KeyOperationState::Done);
    assert_whole(&house).await;
    assert_eq!(house.list(Some(&id("r148")), 10).await.unwrap().items.len(), 1);
}
