use tresor_proto::InfoType;

use super::*;
use crate::{
    house::{House, clear, sealed},
    store::StoreEngine,
};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

fn permit(house: &House) -> OperatorPermit {
    house.vault().permit_operator(&House::operator()).unwrap()
}

async fn status(house: &House) -> TenantKeyStatus {
    let tenant = TenantRef::Id(house.tenant);
    house.vault().tenant_key_status(&permit(house), &tenant).await.unwrap()
}

async fn data_key(house: &House, class: DataClass) -> KeyVersion {
    let mut keys = status(house).await.keys.into_iter();
    keys.find(|key| key.kind == KeyKind::Data && key.class == Some(class)).unwrap()
}

async fn put(house: &House, record: &str) {
    let fields = vec![
        sealed("name", InfoType::PersonName, "Anna"),
        sealed("first", InfoType::FirstName, "Anna"),
        sealed("mail", InfoType::EmailAddress, "anna@example.org"),
        clear("city", "Burg"),
    ];
    house.put(Some(record), fields).await.unwrap();
}

async fn census(house: &House) -> Census {
    let tenant = TenantRef::Id(house.tenant);
    let mut under_way = house.vault().begin_census(&permit(house), &tenant).await.unwrap();
    while !under_way.is_done() {
        house.vault().count_further(&mut under_way).await.unwrap();
    }
    under_way.census().clone()
}

#[tokio::test]
async fn every_key_of_a_tenant_is_shown_with_its_state_and_age() {
    let house = House::build(StoreEngine::Memory).await;
    let status = status(&house).await;
    let count = |kind| status.keys.iter().filter(|key| key.kind == kind).count();
    let classes = DataClass::ALL.len();
    assert_eq!((count(KeyKind::Cipher), count(KeyKind::Metadata)), (1, 1));
    assert_eq!((count(KeyKind::Data), count(KeyKind::Identifier)), (classes, classes));
    assert!(status.keys.iter().all(|key| key.state == KeyState::Active && key.due.is_none()));
    let made = status.keys.iter().filter(|key| key.kind != KeyKind::Metadata);
    assert!(made.into_iter().all(|key| key.created_ms == Some(house.clock.now())));
    // The customer token and the recovery token.
    let two = CustomerTokenCounts { working: 2, ..CustomerTokenCounts::default() };
    assert_eq!((status.customer_tokens, status.census), (two, None));
    let system = house.vault().system_key_status(&permit(&house));
    let kinds: Vec<_> = system.iter().map(|key| key.kind).collect();
    assert_eq!(kinds, [KeyKind::Root, KeyKind::Pepper, KeyKind::SystemMetadata]);
}

#[tokio::test]
async fn keys_become_due_by_age_and_a_new_cipher_key_is_not() {
    let house = House::build(StoreEngine::Memory).await;
    let due = |status: &TenantKeyStatus, kind| {
        let mut keys = status.keys.iter().filter(|key| key.kind == kind);
        keys.all(|key| key.due == Some(KeyDue::Age))
    };
    house.clock.advance(90 * DAY_MS);
    assert!(!due(&status(&house).await, KeyKind::Cipher), "on the last day");
    house.clock.advance(1);
    let now = status(&house).await;
    assert!(due(&now, KeyKind::Cipher) && !due(&now, KeyKind::Data));
    let mut work = house.vault().begin_key_work(permit(&house), "a test").await.unwrap();
    house.vault().rotate_cipher_keys(&mut work, &[house.tenant]).await.unwrap();
    assert!(!due(&status(&house).await, KeyKind::Cipher));
    house.clock.advance(275 * DAY_MS);
    let now = status(&house).await;
    assert!(due(&now, KeyKind::Data) && !due(&now, KeyKind::Identifier));
}

#[tokio::test]
async fn a_compromised_cipher_key_is_remembered_and_the_customer_is_to_rotate_what_it_locked() {
    let mut house = House::build(StoreEngine::Redb).await;
    let rotate = async |house: &House, is_compromised| {
        house.clock.advance(1);
        let work = house.vault().begin_key_work(permit(house), "a test").await.unwrap();
        let mut work = work.on_compromised_keys(is_compromised);
        let rotated = house.vault().rotate_cipher_keys(&mut work, &[house.tenant]).await.unwrap();
        assert!(rotated[0].is_ok());
    };
    rotate(&house, false).await;
    assert_eq!(status(&house).await.customer_tokens.exposed, 0);
    rotate(&house, true).await;
    let compromised_ms = Some(house.clock.now());
    house.reopen().await;
    let now = status(&house).await;
    let ciphers = now.keys.iter().filter(|key| key.kind == KeyKind::Cipher);
    let told = ciphers.map(|key| (key.version, key.state, key.compromised_ms));
    let expected = [
        (1, KeyState::Destroyed, None),
        (2, KeyState::Destroyed, compromised_ms),
        (3, KeyState::Active, None),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
    assert_eq!(now.customer_tokens.exposed, 2, "the recovery token too");
    // What is issued from now on was never locked under it.
    house.clock.advance(1);
    let manage = house.permit::<crate::ManageTokens>().await;
    let own = house.customer_token.id();
    house.vault().rotate_customer_token(&manage, own, 0).await.unwrap();
    assert_eq!(status(&house).await.customer_tokens.exposed, 1);
    let mut work = house.vault().begin_key_work(permit(&house), "a test").await.unwrap();
    house.vault().rotate_cipher_keys(&mut work, &[house.tenant]).await.unwrap();
    assert_eq!(status(&house).await.customer_tokens.exposed, 1, "it is not taken back");
}

#[tokio::test]
async fn a_compromised_data_key_stays_so_until_and_after_it_is_destroyed() {
    let mut house = House::build(StoreEngine::Redb).await;
    put(&house, "r1").await;
    let marked_ms = Some(house.clock.now());
    let mark = async |house: &House, is_compromised| {
        let request = crate::RotationRequest {
            classes: vec![DataClass::Contact],
            is_compromised,
            rate_max: 0,
            destroy_after_ms: 0,
            is_dry_run: false,
        };
        let tenant = TenantRef::Id(house.tenant);
        let vault = house.vault();
        vault.mark_data_keys_due(&permit(house), &tenant, &request).await.unwrap()
    };
    let of = async |house: &House, epoch| {
        let mut keys = status(house).await.keys.into_iter();
        let is_it = |key: &KeyVersion| {
            key.kind == KeyKind::Data
                && key.class == Some(DataClass::Contact)
                && key.version == epoch
        };
        let key = keys.find(is_it).unwrap();
        (key.state, key.due, key.compromised_ms)
    };
    let operation = mark(&house, true).await.operation.unwrap();
    let compromised = (KeyState::Compromised, Some(KeyDue::Compromised), marked_ms);
    assert_eq!(of(&house, 1).await, compromised);
    house.clock.advance(1);
    mark(&house, false).await;
    house.vault().cancel_key_operation(&permit(&house), operation).await.unwrap();
    house.reopen().await;
    assert_eq!(of(&house, 1).await, compromised, "it is not taken back");
    mark(&house, false).await;
    put(&house, "r2").await;
    assert_eq!(of(&house, 1).await, (KeyState::Compromised, None, marked_ms));
    assert_eq!(of(&house, 2).await, (KeyState::Active, None, None));
    house.lend(&[]).await;
    house.work_off().await;
    assert_eq!(of(&house, 1).await, (KeyState::Destroyed, None, marked_ms));
}

#[tokio::test]
async fn a_compromised_root_key_is_remembered() {
    let mut house = House::build(StoreEngine::Redb).await;
    for is_compromised in [false, true] {
        let work = house.vault().begin_key_work(permit(&house), "a test").await.unwrap();
        let mut work = work.on_compromised_keys(is_compromised);
        house.vault().rotate_root_key(&mut work).await.unwrap();
    }
    house.reopen().await;
    let system = house.vault().system_key_status(&permit(&house));
    let roots = system.iter().filter(|key| key.kind == KeyKind::Root);
    let told = roots.map(|key| (key.version, key.state, key.compromised_ms.is_some()));
    let expected = [
        (3, KeyState::Active, false),
        (2, KeyState::Destroyed, true),
        (1, KeyState::Destroyed, false),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn seals_are_counted_and_written_down() {
    let mut house = House::build(StoreEngine::Redb).await;
    for record in ["r1", "r2", "r2"] {
        put(&house, record).await;
    }
    for _ in 0..2 {
        for class in [DataClass::Identity, DataClass::Contact] {
            assert_eq!(data_key(&house, class).await.seals, Some(3), "one group a class");
        }
        assert_eq!(data_key(&house, DataClass::Financial).await.seals, Some(0));
        house.vault().keep_seal_counts(1).await;
        house.reopen().await;
    }
    put(&house, "r3").await;
    house.vault().keep_seal_counts(1).await;
    put(&house, "r3").await;
    assert_eq!(data_key(&house, DataClass::Identity).await.seals, Some(5));
    // A writer that began under an older keyring is counted too.
    let write = house.permit::<crate::Write>().await;
    let mut work = house.vault().begin_key_work(permit(&house), "a test").await.unwrap();
    house.vault().rotate_cipher_keys(&mut work, &[house.tenant]).await.unwrap();
    drop(work);
    let record = crate::NewRecord::new(None, vec![sealed("n", InfoType::PersonName, "Bo")]);
    let collection = crate::house::customers();
    let destination = crate::Destination { collection, policy_version: Some(1), has_masks: false };
    house.vault().put(&write, &destination, vec![record]).await.unwrap();
    house.vault().keep_seal_counts(1).await;
    house.reopen().await;
    assert_eq!(data_key(&house, DataClass::Identity).await.seals, Some(6));
    put(&house, "r3").await;
    house.vault().keep_seal_counts(1 << 20).await;
    house.reopen().await;
    assert_eq!(data_key(&house, DataClass::Identity).await.seals, Some(6), "few are forgotten");
}

#[tokio::test]
async fn the_census_counts_what_hangs_on_each_key_and_is_kept() {
    let mut house = House::build(StoreEngine::Redb).await;
    assert_eq!(census(&house).await.records, 0);
    for number in 0..150 {
        put(&house, &format!("r{number}")).await;
    }
    house.delete("r7").await.unwrap();
    let mut row = house.row("r9").await;
    *row.last_mut().unwrap() ^= 1;
    house.overwrite("r9", row).await;
    house.clock.advance(5);
    let counted = census(&house).await;
    assert_eq!((counted.records, counted.damaged, counted.index_entries), (148, 1, 0));
    let expected = [((DataClass::Identity, 1), 148), ((DataClass::Contact, 1), 148)];
    assert_eq!(counted.groups, expected.into());
    assert_eq!((counted.begun_ms, counted.ended_ms), (house.clock.now(), house.clock.now()));
    house.reopen().await;
    assert_eq!(status(&house).await.census, Some(counted));
    assert_eq!(data_key(&house, DataClass::Contact).await.groups, Some(148));
    assert_eq!(data_key(&house, DataClass::Health).await.groups, Some(0));
}

#[tokio::test]
async fn a_damaged_keyring_is_shown_and_does_not_hide_the_others() {
    let mut house = House::build(StoreEngine::Redb).await;
    house.reopen().await;
    std::fs::write(house.keyring_path(house.tenant), b"nonsense").unwrap();
    let status = status(&house).await;
    assert_eq!((status.tenant.state, status.keys), (TenantState::Quarantined, Vec::new()));
}
