//! Records are found while identifier keys are replaced, and afterwards under the new ones only.

use std::{fs, path::Path};

use tresor_proto::{DataClass, ErrorCode};
use tresor_vault::{KeyKind, KeyOperationKind, KeyOperationState, KeyState, RekeyRequest};
use tresor_vault::{VaultError, store::StoreEngine};

use crate::{
    dictionary::{KNOWN, NAMES, Stolen, name, steal},
    finder::{Finder, fields},
};

const RECORDS: usize = 150;

impl Finder {
    /// The versions of the identifier keys of a class that are not destroyed.
    async fn versions(&self, class: DataClass) -> Vec<(u32, KeyState)> {
        let (permit, tenant) =
            (self.house.operator_permit(), tresor_proto::TenantRef::Id(self.house.tenant));
        let status = self.house.vault().tenant_key_status(&permit, &tenant).await.unwrap();
        let keys = status.keys.into_iter().filter(|key| key.kind == KeyKind::Identifier);
        keys.filter(|key| key.class == Some(class)).map(|key| (key.version, key.state)).collect()
    }

    /// How many rows hang on which identifier key of a class, by the census and by the status.
    async fn rows_on(&self, class: DataClass) -> Vec<(u32, u64)> {
        let (permit, tenant) =
            (self.house.operator_permit(), tresor_proto::TenantRef::Id(self.house.tenant));
        let vault = self.house.vault();
        let mut under_way = vault.begin_census(&permit, &tenant).await.unwrap();
        while !under_way.is_done() {
            vault.count_further(&mut under_way).await.unwrap();
        }
        let counted = under_way.census().identifiers.clone();
        let status = vault.tenant_key_status(&permit, &tenant).await.unwrap();
        for key in status.keys.iter().filter(|key| key.kind == KeyKind::Identifier) {
            let rows = counted.get(&(key.class.unwrap(), key.version)).copied().unwrap_or(0);
            assert_eq!(key.identifier_rows, Some(rows), "{key:?}");
        }
        let of_class = counted.into_iter().filter(|((of, _), _)| *of == class);
        of_class.map(|((_, version), rows)| (version, rows)).collect()
    }

    async fn assert_all_found(&self, extra: usize) {
        assert_eq!(self.found(&[("name", "anna 7")], 10).await, ["r0007"]);
        assert_eq!(self.found(&[("name", "anna 149"), ("city", "köln")], 10).await, ["r0149"]);
        assert_eq!(self.found(&[("city", "KÖLN")], 60).await.len(), RECORDS);
        assert_eq!(self.found(&[("name", "gast")], 3).await.len(), extra);
        let page = self.page(&[("name", "anna 7")], None, 10).await.unwrap();
        assert!(page.is_index_complete);
    }
}

async fn filled(engine: StoreEngine) -> Finder {
    let finder = Finder::build(engine, fields(128)).await;
    finder.fill(RECORDS, |number| format!("Anna {number}")).await;
    finder
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => drop(fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}

#[tokio::test]
async fn what_is_found_before_is_found_at_every_step_while_others_write() {
    for engine in [StoreEngine::Memory, StoreEngine::Redb] {
        let mut finder = filled(engine).await;
        let asked = finder.house.rekey().await;
        assert_eq!(asked.kind, KeyOperationKind::Identifiers);
        assert_eq!(asked.state, KeyOperationState::PendingCustomer);
        finder.house.work_off().await;
        assert_eq!(finder.versions(DataClass::Identity).await, [(1, KeyState::Active)]);
        finder.house.lend(&[]).await;
        let mut turn = 0;
        while finder.house.vault().work_once().await.unwrap().is_some() {
            finder.assert_all_found(turn).await;
            finder.put(&format!("x{turn}"), &[("name", "Gast")]).await.unwrap();
            turn += 1;
            // What is looked at last is looked at in one piece.
            if engine == StoreEngine::Redb && turn % 3 == 0 && turn < 10 {
                finder.house.reopen().await;
                finder.house.lend(&[]).await;
            }
        }
        finder.assert_all_found(turn).await;
        let done = finder.house.operation(asked.id).await;
        assert_eq!(done.state, KeyOperationState::Done, "{done:?}");
        let keys = [(1, KeyState::Destroyed), (2, KeyState::Active)];
        assert_eq!(finder.versions(DataClass::Identity).await, keys);
        let again = finder.try_build_index(true).await.unwrap();
        assert_eq!(again.fields.len(), 3, "all are complete");
    }
}

#[tokio::test]
async fn a_thief_of_the_old_keys_finds_nothing_afterwards() {
    let Stolen { finder, .. } = steal().await;
    let before = tempfile::tempdir().unwrap();
    let mut finder = finder;
    finder.house.close().await;
    copy(&finder.house.path(""), before.path());
    finder.house.open_again().await;
    finder.house.rekey().await;
    finder.house.lend(&[]).await;
    finder.house.work_off().await;
    let stolen = Stolen::of(finder).await;
    let names: Vec<_> = (0..NAMES).step_by(NAMES / KNOWN).map(name).collect();
    let customer_token = Some(&stolen.finder.house.customer_token);
    let loot = stolen.attack_with(before.path(), customer_token, &names);
    assert_eq!((loot.entries_matched, loot.look_ups_matched), (0, 0));
    let loot = stolen.attack(customer_token, &names);
    assert_eq!((loot.entries_matched, loot.look_ups_matched), (KNOWN, KNOWN));
}

#[tokio::test]
async fn one_at_a_time_and_a_cancelled_one_loses_nothing() {
    let finder = filled(StoreEngine::Memory).await;
    let dry = RekeyRequest { is_dry_run: true, ..RekeyRequest::default() };
    let planned = finder.house.try_rekey(&dry).await.unwrap();
    assert_eq!((planned.keys.len(), planned.operation), (DataClass::ALL.len(), None));
    let first = finder.house.rekey().await;
    for refused in [
        finder.house.try_rekey(&RekeyRequest::default()).await.err(),
        finder.try_build_index(false).await.err(),
    ] {
        let Some(VaultError::Refused(failure)) = refused else { panic!("two at once") };
        assert_eq!(failure.code(), ErrorCode::Conflict);
    }
    let all = RECORDS as u64;
    assert_eq!(finder.rows_on(DataClass::Identity).await, [(1, all)]);
    finder.house.lend(&[]).await;
    // Counted, and the first page moved.
    for _ in 0..5 {
        finder.house.vault().work_once().await.unwrap();
    }
    let permit = finder.house.operator_permit();
    let vault = finder.house.vault();
    let cancelled = vault.cancel_key_operation(&permit, first.id).await.unwrap();
    assert_eq!(cancelled.state, KeyOperationState::Cancelled);
    let moved = cancelled.resealed;
    assert!((1..all).contains(&moved), "{cancelled:?}");
    assert_eq!(finder.rows_on(DataClass::Identity).await, [(1, all - moved), (2, moved)]);
    finder.assert_all_found(0).await;
    let both = [(1, KeyState::Deactivated), (2, KeyState::Active)];
    assert_eq!(finder.versions(DataClass::Identity).await, both);

    let second = finder.house.rekey().await;
    finder.house.work_off().await;
    assert_eq!(finder.house.operation(second.id).await.state, KeyOperationState::Done);
    finder.assert_all_found(0).await;
    assert_eq!(finder.rows_on(DataClass::Location).await, [(3, all)]);
    let last = [(1, KeyState::Destroyed), (2, KeyState::Destroyed), (3, KeyState::Active)];
    assert_eq!(finder.versions(DataClass::Identity).await, last);
}

#[tokio::test]
async fn only_the_classes_that_are_named_are_rekeyed_and_the_old_keys_wait_for_their_end() {
    let finder = filled(StoreEngine::Memory).await;
    let request = RekeyRequest {
        classes: vec![DataClass::Location],
        destroy_after_ms: 60_000,
        is_dry_run: false,
    };
    let id = finder.house.try_rekey(&request).await.unwrap().operation.unwrap();
    finder.house.lend(&[DataClass::Location]).await;
    finder.house.work_off().await;
    let waits = finder.house.operation(id).await;
    assert_eq!(waits.state, KeyOperationState::Destroying);
    assert_eq!(waits.resealed, RECORDS as u64);
    let both = [(1, KeyState::Deactivated), (2, KeyState::Active)];
    assert_eq!(finder.versions(DataClass::Location).await, both);
    finder.house.clock.advance(60_000);
    finder.house.work_off().await;
    assert_eq!(finder.house.operation(id).await.state, KeyOperationState::Done);
    assert_eq!(finder.versions(DataClass::Location).await[0], (1, KeyState::Destroyed));
    assert_eq!(finder.versions(DataClass::Identity).await, [(1, KeyState::Active)]);
    finder.assert_all_found(0).await;
}

#[tokio::test]
async fn an_index_that_was_built_later_stays_complete_under_the_new_key() {
    let mut finder = Finder::build(StoreEngine::Memory, fields(0)).await;
    finder.fill(RECORDS, |number| format!("Anna {number}")).await;
    finder.declare(fields(128)).await;
    finder.build_index().await;
    finder.house.rekey().await;
    finder.house.work_off().await;
    finder.assert_all_found(0).await;
    let rebuilt = finder.try_build_index(true).await.unwrap();
    assert_eq!(rebuilt.fields.len(), 3, "none is incomplete");
}

#[tokio::test]
async fn what_is_restored_while_the_old_keys_wait_is_moved_before_they_are_destroyed() {
    let mut finder = filled(StoreEngine::Redb).await;
    let rows = finder.house.rows_of(tresor_vault::store::Keyspace::Records).await;
    let request = RekeyRequest { destroy_after_ms: 60_000, ..RekeyRequest::default() };
    let id = finder.house.try_rekey(&request).await.unwrap().operation.unwrap();
    finder.house.lend(&[]).await;
    finder.house.work_off().await;
    for row in rows.into_iter().take(3) {
        let key =
            tresor_vault::store::StoreKey::new(tresor_vault::store::Keyspace::Records, row.key);
        finder.house.overwrite_row(key, row.value).await;
    }
    finder.house.clock.advance(60_000);
    finder.house.work_off().await;
    assert_eq!(finder.versions(DataClass::Identity).await[0], (1, KeyState::Deactivated));
    finder.house.lend(&[]).await;
    finder.house.work_off().await;
    finder.house.clock.advance(60_000);
    finder.house.work_off().await;
    assert_eq!(finder.house.operation(id).await.state, KeyOperationState::Done);
    finder.assert_all_found(0).await;
}
