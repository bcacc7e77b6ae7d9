//! A tenant's later life: its settings change, it is suspended and resumed, and deleted for good.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "operations/house.rs"]
#[allow(dead_code, reason = "shared; each test uses a part")]
mod house;

use std::{fs, path::Path};

use house::{House, customers, id, passphrase, sealed};
use tresor_proto::{
    AddressList, CustomerToken, ErrorCode, InfoType, PasswordRule, Policy, RefusalReason, Reveal,
    TenantId, TenantName, TenantRef, TenantRole, TenantRoles, UserName,
};
use tresor_vault::{
    AddressChange, Enrolled, Loot, StolenRow, Tenant, TenantChange, TenantDeletion, TenantState,
    Theft, VaultError,
    store::{Existence, Keyspace, ScanRange, StoreEngine, open_database},
};

/// Keyspaces of the registry.
const REGISTRY: [Keyspace; 8] = [
    Keyspace::Users,
    Keyspace::Tenants,
    Keyspace::TenantNames,
    Keyspace::Collections,
    Keyspace::Operations,
    Keyspace::KeyLease,
    Keyspace::Census,
    Keyspace::Deletions,
];

fn addresses(entries: &[&str]) -> AddressList {
    AddressList::parse(entries).unwrap()
}

fn edit(added: &[&str], removed: &[&str]) -> TenantChange {
    let (added, removed) = (addresses(added), addresses(removed));
    TenantChange { addresses: AddressChange::Edit { added, removed }, ..TenantChange::default() }
}

fn denied<T: core::fmt::Debug>(outcome: Result<T, VaultError>) -> RefusalReason {
    match outcome {
        Err(VaultError::Denied(reason)) => reason,
        other => panic!("not denied: {other:?}"),
    }
}

impl House {
    fn here(&self) -> TenantRef {
        TenantRef::Id(self.tenant)
    }

    async fn shown(&self) -> Result<Tenant, VaultError> {
        self.vault().tenant(&self.operator_permit(), &self.here()).await
    }

    async fn update(&self, change: TenantChange) -> Result<Tenant, VaultError> {
        self.vault().update_tenant(&self.operator_permit(), &self.here(), change, false).await
    }

    async fn suspend(&self) -> Tenant {
        self.vault().suspend_tenant(&self.operator_permit(), &self.here()).await.unwrap()
    }

    async fn resume(&self) -> Result<Tenant, VaultError> {
        self.vault().resume_tenant(&self.operator_permit(), &self.here()).await
    }

    async fn begin_deletion(&self, name: &str) -> Result<TenantDeletion, VaultError> {
        let name = TenantName::parse(name).unwrap();
        self.vault().begin_deletion(self.operator_permit(), &self.here(), &name).await
    }

    async fn come_from(&self, address: &str) -> Result<(), VaultError> {
        self.permit_as(&Self::client(self.tenant, address)).await
    }

    /// What the registry has that names a tenant, in keys or values.
    async fn mentions(&mut self, tenant: TenantId, name: &str) -> Vec<(Keyspace, Vec<u8>)> {
        self.close().await;
        let place = self.path("system/db");
        let store = open_database(StoreEngine::Redb, place, Existence::MustExist).await.unwrap();
        let mut found = Vec::new();
        for keyspace in REGISTRY {
            let all = ScanRange { keyspace, prefix: Vec::new(), after: None };
            for row in store.scan(all, usize::MAX).await.unwrap() {
                let bytes = [row.key.clone(), row.value].concat();
                let has = |needle: &[u8]| bytes.windows(needle.len()).any(|part| part == needle);
                if has(&tenant.to_bytes()) || has(name.as_bytes()) {
                    found.push((keyspace, row.key));
                }
            }
        }
        store.close().await.unwrap();
        self.open_again().await;
        found
    }
}

/// A house with a record in the tenant that is called for, and another tenant with one.
async fn two_tenants() -> (House, Enrolled) {
    let mut house = House::build(StoreEngine::Redb).await;
    house.put(Some("other"), vec![sealed("name", InfoType::PersonName, "Anna")]).await.unwrap();
    let again = |token: &CustomerToken| CustomerToken::parse(token.expose_text().as_str()).unwrap();
    let other = Enrolled {
        tenant: house.tenant,
        name: TenantName::parse("stadtwerke").unwrap(),
        customer_token: again(&house.customer_token),
        recovery_token: again(&house.recovery_token),
    };
    let enrolled = house.enrol_another("werke").await;
    house.move_to(enrolled).await;
    house.put(Some("r1"), vec![sealed("name", InfoType::PersonName, "Erika")]).await.unwrap();
    (house, other)
}

#[tokio::test]
async fn an_address_taken_off_the_list_is_refused_on_the_next_request_and_another_let_in() {
    let house = House::build(StoreEngine::Memory).await;
    house.come_from("127.0.0.1").await.unwrap();
    assert_eq!(denied(house.come_from("192.0.2.7").await), RefusalReason::AddressNotAllowed);
    house.update(edit(&["192.0.2.0/24"], &["127.0.0.0/8"])).await.unwrap();
    house.come_from("192.0.2.7").await.unwrap();
    assert_eq!(denied(house.come_from("127.0.0.1").await), RefusalReason::AddressNotAllowed);
    let list = AddressChange::Replace(addresses(&["2001:db8::/48"]));
    let change = TenantChange { addresses: list, ..TenantChange::default() };
    let changed = house.update(change).await.unwrap();
    assert_eq!(changed.allowed_addresses, addresses(&["2001:db8::/48"]));
    assert_eq!(denied(house.come_from("192.0.2.7").await), RefusalReason::AddressNotAllowed);
}

#[tokio::test]
async fn a_change_of_what_was_read_before_another_change_is_a_conflict() {
    let house = House::build(StoreEngine::Memory).await;
    let etag = Some(house.shown().await.unwrap().etag);
    let first = TenantChange { etag: etag.clone(), ..edit(&["192.0.2.1"], &[]) };
    house.update(first).await.unwrap();
    let second = TenantChange { etag, ..edit(&["192.0.2.2"], &[]) };
    assert_eq!(house.update(second.clone()).await.unwrap_err(), VaultError::Conflict);
    let etag = Some(house.shown().await.unwrap().etag);
    let changed = house.update(TenantChange { etag, ..second }).await.unwrap();
    assert_eq!(changed.allowed_addresses.to_texts().len(), 3);
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_and_changes_nothing() {
    let house = House::build(StoreEngine::Memory).await;
    let before = house.shown().await.unwrap();
    let rule = Some(PasswordRule::Required);
    let change = TenantChange { password_rule: rule, ..edit(&["192.0.2.1"], &[]) };
    let (permit, tenant) = (house.operator_permit(), house.here());
    let would = house.vault().update_tenant(&permit, &tenant, change, true).await.unwrap();
    assert_eq!(would.allowed_addresses, addresses(&["127.0.0.0/8", "192.0.2.1"]));
    assert_eq!(would.password_rule, PasswordRule::Required);
    assert_eq!(house.shown().await.unwrap(), before);
}

#[tokio::test]
async fn of_a_suspended_tenant_nobody_is_let_in_and_nothing_is_lost() {
    let mut house = House::build(StoreEngine::Redb).await;
    house.put(Some("r1"), vec![sealed("name", InfoType::PersonName, "Erika")]).await.unwrap();
    let service = House::service(vec![house.tenant]);
    house.permit_as(&service).await.unwrap();
    let suspended = house.suspend().await;
    assert_eq!(suspended.state, TenantState::Suspended);
    assert_eq!(house.suspend().await, suspended, "again changes nothing");
    for _ in 0..2 {
        let reasons =
            [house.come_from("127.0.0.1").await, house.permit_as(&service).await].map(denied);
        assert_eq!(reasons, [RefusalReason::TenantSuspended; 2]);
        // Who does not belong to it is not told that it is.
        let elsewhere = denied(house.come_from("192.0.2.7").await);
        assert_eq!(elsewhere, RefusalReason::AddressNotAllowed);
        house.reopen().await;
    }
    assert_eq!(house.resume().await.unwrap().state, TenantState::Active);
    house.resume().await.unwrap();
    assert!(house.get("r1", Reveal::Plain).await.is_ok());
}

#[tokio::test]
async fn nobody_enrols_while_a_tenant_is_suspended() {
    let house = House::build(StoreEngine::Memory).await;
    let (tenant, code) = house.create_tenant("later").await;
    let caller = House::client(tenant, "127.0.0.1");
    let reference = TenantRef::Id(tenant);
    let early = house.vault().permit_enrol(&caller, &reference).await.unwrap();
    let permit = house.operator_permit();
    house.vault().suspend_tenant(&permit, &reference).await.unwrap();
    // With a permit of before, too.
    let refused = house.vault().enrol(early, &code).await;
    assert_eq!(denied(refused), RefusalReason::TenantSuspended);
    assert_eq!(denied(house.enrol(tenant, &code).await), RefusalReason::TenantSuspended);
    house.vault().resume_tenant(&permit, &reference).await.unwrap();
    house.enrol(tenant, &code).await.unwrap();
}

#[tokio::test]
async fn what_was_lent_is_given_back_when_the_tenant_is_suspended() {
    let house = House::build(StoreEngine::Redb).await;
    house.put(Some("r1"), vec![sealed("name", InfoType::PersonName, "Erika")]).await.unwrap();
    let operation = house.mark(&[]).await;
    house.lend(&[]).await;
    house.suspend().await;
    house.work_off().await;
    let state = house.operation(operation.id).await.state;
    assert_eq!(state, tresor_vault::KeyOperationState::PendingCustomer);
}

#[tokio::test]
async fn what_is_lent_while_the_tenant_is_suspended_is_given_back() {
    let house = House::build(StoreEngine::Redb).await;
    house.put(Some("r1"), vec![sealed("name", InfoType::PersonName, "Erika")]).await.unwrap();
    let operation = house.mark(&[]).await;
    let let_in_before = house.permit().await;
    house.suspend().await;
    let lent = house.vault().lend(&let_in_before, &House::loan(&[])).await;
    assert_eq!(denied(lent), RefusalReason::TenantSuspended);
    house.resume().await.unwrap();
    house.work_off().await;
    let state = house.operation(operation.id).await.state;
    assert_eq!(state, tresor_vault::KeyOperationState::PendingCustomer);
}

#[tokio::test]
async fn a_tenant_is_suspended_whatever_else_is_changed_meanwhile() {
    let house = House::build(StoreEngine::Memory).await;
    for last in 1..=8 {
        let entry = format!("192.0.2.{last}");
        let change = edit(&[entry.as_str()], &[]);
        let (_, suspended) = tokio::join!(house.update(change), house.suspend());
        assert_eq!(suspended.state, TenantState::Suspended);
        house.resume().await.unwrap();
    }
}

#[tokio::test]
async fn only_a_suspended_tenant_is_deleted_by_its_name_while_nobody_changes_keys() {
    let house = House::build(StoreEngine::Memory).await;
    let conflict = |outcome: Result<TenantDeletion, VaultError>| {
        assert_eq!(outcome.unwrap_err().code(), ErrorCode::Conflict);
    };
    conflict(house.begin_deletion("stadtwerke").await);
    house.suspend().await;
    let other_name = house.begin_deletion("stadtwerk").await.unwrap_err();
    assert_eq!(other_name.code(), ErrorCode::InvalidRequest);
    let work = house.vault().begin_key_work(house.operator_permit(), "a test").await.unwrap();
    conflict(house.begin_deletion("stadtwerke").await);
    conflict(house.vault().deletion_plan(house.operator_permit(), &house.here()).await);
    drop(work);
    assert_eq!(house.shown().await.unwrap().state, TenantState::Suspended);
    let plan = house.vault().deletion_plan(house.operator_permit(), &house.here()).await.unwrap();
    assert_eq!((plan.collections, plan.records), (1, None));
    assert_eq!(house.shown().await.unwrap().state, TenantState::Suspended, "that was a look");
    let begun = house.begin_deletion("stadtwerke").await.unwrap();
    assert_eq!(begun.tenant.state, TenantState::Deleting);
    conflict(house.begin_deletion("stadtwerke").await);
    assert_eq!(house.resume().await.unwrap_err(), VaultError::Conflict);
    let (name, roles) = (UserName::parse("late").unwrap(), TenantRoles::of(&[TenantRole::Admin]));
    let permit = house.operator_permit();
    let late = house.vault().add_user(&permit, &house.here(), &name, roles).await;
    assert_eq!(late.unwrap_err(), VaultError::Conflict);
    let late =
        house.vault().put_collection(&permit, &house.here(), customers(), Policy::default()).await;
    assert_eq!(late.unwrap_err(), VaultError::Conflict);
    assert_eq!(house.update(edit(&["192.0.2.1"], &[])).await.unwrap_err(), VaultError::Conflict);
    assert_eq!(denied(house.come_from("127.0.0.1").await), RefusalReason::TenantSuspended);
}

#[tokio::test]
async fn of_a_deleted_tenant_nothing_is_left_and_its_name_is_free() {
    let (mut house, other) = two_tenants().await;
    house.mark(&[]).await;
    let mut census =
        house.vault().begin_census(&house.operator_permit(), &house.here()).await.unwrap();
    house.vault().count_further(&mut census).await.unwrap();
    let (name, roles) = (UserName::parse("erika").unwrap(), TenantRoles::of(&[TenantRole::Admin]));
    let (permit, here) = (house.operator_permit(), house.here());
    house.vault().add_user(&permit, &here, &name, roles).await.unwrap();
    let tenant = house.tenant;
    let before: Vec<_> =
        house.mentions(tenant, "werke").await.into_iter().map(|(keyspace, _)| keyspace).collect();
    let belongings =
        [Keyspace::Tenants, Keyspace::Collections, Keyspace::Operations, Keyspace::Users];
    for keyspace in belongings {
        assert!(before.contains(&keyspace), "the search finds {keyspace:?}");
    }
    house.suspend().await;
    let begun = house.begin_deletion("werke").await.unwrap();
    assert_eq!((begun.users, begun.collections, begun.records), (1, 1, Some(1)));
    house.work_off().await;

    assert_eq!(house.shown().await.unwrap_err(), VaultError::NotFound);
    assert_eq!(denied(house.come_from("127.0.0.1").await), RefusalReason::TenantUnknown);
    let mentions = house.mentions(tenant, "werke").await;
    let only_the_other = mentions.iter().all(|(keyspace, _)| {
        // `stadtwerke` holds the shorter name too.
        [Keyspace::Tenants, Keyspace::TenantNames].contains(keyspace)
    });
    assert!(only_the_other && mentions.len() == 2, "{mentions:?}");
    for directory in ["keyrings", "databases"] {
        let names = fs::read_dir(house.path(directory)).unwrap();
        let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 1, "{names:?}");
        assert!(!names[0].to_string_lossy().contains(&tenant.to_string()));
    }
    let again = house.enrol_another("werke").await;
    assert_ne!(again.tenant, tenant);
    house.move_to(other).await;
    assert!(house.get("other", Reveal::Plain).await.is_ok());
}

#[tokio::test]
async fn a_damaged_tenant_can_be_deleted_too() {
    for damage in ["keyrings", "databases"] {
        let (mut house, _) = two_tenants().await;
        house.close().await;
        if damage == "keyrings" {
            fs::write(house.keyring_path(house.tenant), b"nonsense").unwrap();
        } else {
            fs::remove_dir_all(house.path("databases").join(house.tenant.to_string())).unwrap();
        }
        house.open_again().await;
        assert!(house.come_from("127.0.0.1").await.is_err() || damage == "databases");
        house.suspend().await;
        house.begin_deletion("werke").await.unwrap();
        house.work_off().await;
        assert_eq!(house.shown().await.unwrap_err(), VaultError::NotFound, "{damage}");
    }
}

/// Attempts a row with every key of the data directory and the customer token; `None` when it does
/// not even come to a keyring.
fn attempt(house: &House, row: &[u8]) -> Option<Loot> {
    let (collection, record, passphrase) = (customers(), id("r1"), passphrase());
    let theft = Theft {
        data_dir: &house.path(""),
        passphrase: &passphrase,
        customer_token: Some(&house.customer_token),
    };
    let row =
        StolenRow { tenant: house.tenant, collection: &collection, record: &record, bytes: row };
    theft.attempt(row).ok()
}

fn copy_directory(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_directory(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

#[tokio::test]
async fn old_databases_and_keyrings_of_a_deleted_tenant_open_to_nobody_with_the_keys_of_today() {
    let (mut house, _) = two_tenants().await;
    let row = house.row("r1").await;
    house.close().await;
    let backup = tempfile::tempdir().unwrap();
    let database = house.path("databases").join(house.tenant.to_string());
    copy_directory(&database, backup.path());
    let keyring = fs::read(house.keyring_path(house.tenant)).unwrap();
    house.open_again().await;
    assert_eq!(attempt(&house, &row).unwrap().groups_opened, 1, "the attempts are real");

    house.suspend().await;
    house.begin_deletion("werke").await.unwrap();
    house.work_off().await;
    assert_eq!(attempt(&house, &row), None, "the row, the customer token and all keys of today");
    house.close().await;
    // The keyring of before, in its place or in another's: no key is left that opens the file.
    fs::write(house.keyring_path(house.tenant), &keyring).unwrap();
    assert_eq!(attempt(&house, &row), None);
    let other = fs::read_dir(house.path("keyrings")).unwrap().map(|entry| entry.unwrap().path());
    let other = other.into_iter().find(|path| *path != house.keyring_path(house.tenant)).unwrap();
    let others = fs::read(&other).unwrap();
    fs::write(&other, &keyring).unwrap();
    assert_eq!(attempt(&house, &row), None);
    fs::write(&other, others).unwrap();
    // Put back, they make no tenant.
    copy_directory(backup.path(), &database);
    house.open_again().await;
    assert_eq!(denied(house.come_from("127.0.0.1").await), RefusalReason::TenantUnknown);
    assert_eq!(house.shown().await.unwrap_err(), VaultError::NotFound);
}
