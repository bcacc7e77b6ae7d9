//! Indexes built over records that were there before.

use tresor_proto::{DataClass, FieldPolicy, InfoType, SearchIndex, TenantRef};
use tresor_vault::{
    IndexBuild, IndexState, KeyOperation, KeyOperationKind, KeyOperationState, VaultError,
    store::{Change, Keyspace, StoreEngine, StoreKey, Write},
};

use crate::{
    finder::{Finder, declared, fields, people},
    house::House,
};

pub(crate) const RECORDS: usize = 150;

impl Finder {
    pub(crate) async fn fill(&self, records: usize, name_of: impl Fn(usize) -> String) {
        for number in 0..records {
            let name = name_of(number);
            let values = [("name", name.as_str()), ("city", "Köln")];
            self.put(&format!("r{number:04}"), &values).await.unwrap();
        }
    }

    pub(crate) async fn try_build_index(&self, is_dry_run: bool) -> Result<IndexBuild, VaultError> {
        let (permit, tenant) = (self.house.operator_permit(), TenantRef::Id(self.house.tenant));
        self.house.vault().build_index(&permit, &tenant, &people(), is_dry_run).await
    }

    pub(crate) async fn ask_for_index(&self) -> KeyOperation {
        self.try_build_index(false).await.unwrap().operation.unwrap()
    }

    /// Asks for the indexes and lends all that is needed, until there is nothing left to do.
    pub(crate) async fn build_index(&self) -> KeyOperation {
        let asked = self.ask_for_index().await;
        self.house.lend(&[]).await;
        self.house.work_off().await;
        self.house.operation(asked.id).await
    }

    async fn states(&self) -> Vec<IndexState> {
        let vault = self.house.vault();
        let tenant = TenantRef::Id(self.house.tenant);
        let permit = vault.permit_policy(&House::operator(), &tenant).await.unwrap();
        let collection = vault.collection(&permit, &people(), None).await.unwrap();
        vault.index_states(&permit, &collection).await.unwrap()
    }

    async fn are_complete(&self) -> Vec<bool> {
        self.states().await.iter().map(|state| state.is_complete).collect()
    }
}

pub(crate) async fn with_records_before(engine: StoreEngine) -> Finder {
    let mut finder = Finder::build(engine, fields(0)).await;
    finder.fill(RECORDS, |number| format!("Anna {number}")).await;
    finder.declare(fields(128)).await;
    finder
}

#[tokio::test]
async fn an_index_is_built_over_records_that_were_there_before() {
    let mut finder = with_records_before(StoreEngine::Redb).await;
    assert_eq!(finder.are_complete().await, [false; 3]);
    let dry = finder.try_build_index(true).await.unwrap();
    assert!(dry.operation.is_none());
    assert_eq!(dry.classes, [DataClass::Identity, DataClass::Contact, DataClass::Location]);

    let asked = finder.ask_for_index().await;
    assert_eq!(asked.state, KeyOperationState::PendingCustomer);
    assert_eq!(finder.ask_for_index().await.id, asked.id, "asking twice is asking once");
    let KeyOperationKind::Index { collection, fields, .. } = &asked.kind else { panic!("kind") };
    assert_eq!((collection.as_str(), fields.len()), ("people", 3));
    finder.house.work_off().await;
    assert_eq!(finder.house.operation(asked.id).await.total, 0, "nobody has lent a key");

    let lent = finder.house.lend(&[]).await;
    assert_eq!(lent.operations.len(), 1);
    finder.house.vault().work_once().await.unwrap();
    finder.house.reopen().await;
    let stopped = finder.house.operation(asked.id).await;
    assert_eq!((stopped.state, stopped.total), (KeyOperationState::PendingCustomer, 64));
    assert!(finder.found(&[("name", "anna 7")], 10).await.is_empty());

    finder.house.lend(&[]).await;
    finder.house.work_off().await;
    let done = finder.house.operation(asked.id).await;
    let records = u64::try_from(RECORDS).unwrap();
    assert_eq!(done.state, KeyOperationState::Done);
    assert_eq!((done.total, done.done, done.resealed), (records, records, records));
    assert_eq!(finder.are_complete().await, [true; 3]);
    assert_eq!(finder.found(&[("name", "anna 7")], 10).await, ["r0007"]);
    assert_eq!(finder.found(&[("city", "köln")], 100).await.len(), RECORDS);
    let page = finder.page(&[("name", "anna 7"), ("city", "Köln")], None, 10).await.unwrap();
    assert!(page.is_index_complete);
    assert_eq!(finder.entries().await.len(), 2 * RECORDS);
}

#[tokio::test]
async fn writers_go_on_while_an_index_is_built() {
    let finder = with_records_before(StoreEngine::Memory).await;
    let asked = finder.ask_for_index().await;
    finder.house.lend(&[]).await;
    let mut turn = 0;
    while finder.house.vault().work_once().await.unwrap().is_some() {
        let [new, changed, gone] = [turn, 149 - turn, 70 + turn].map(|n| format!("r{n:04}"));
        finder.put(&format!("{new}x"), &[("name", "Gast")]).await.unwrap();
        finder.put(&changed, &[("name", "Bert")]).await.unwrap();
        let _ = finder.delete(&gone).await;
        turn += 1;
    }
    assert!(turn > 4);
    assert_eq!(finder.house.operation(asked.id).await.state, KeyOperationState::Done);
    assert_eq!(finder.found(&[("name", "gast")], 10).await.len(), turn);
    assert_eq!(finder.found(&[("name", "bert")], 10).await.len(), turn);
    assert!(finder.found(&[("name", "anna 70")], 10).await.is_empty());
    assert_eq!(finder.found(&[("city", "köln")], 1_000).await.len(), RECORDS - 2 * turn);
}

#[tokio::test]
async fn a_rotation_and_the_building_of_an_index_go_on_side_by_side() {
    let finder = with_records_before(StoreEngine::Memory).await;
    let rotation = finder.house.mark(&[]).await;
    let built = finder.build_index().await;
    assert_eq!(built.state, KeyOperationState::Done);
    assert_eq!(finder.house.operation(rotation.id).await.state, KeyOperationState::Done);
    assert_eq!(finder.found(&[("name", "anna 99")], 10).await, ["r0099"]);
}

#[tokio::test]
async fn a_declaration_that_was_taken_back_makes_an_index_incomplete_again() {
    let mut finder = with_records_before(StoreEngine::Memory).await;
    finder.build_index().await;
    finder.declare([fields(128), vec![declared("note", InfoType::FreeText, 0)]].concat()).await;
    assert_eq!(finder.are_complete().await, [true; 3], "another field changes nothing");
    finder.declare(fields(0)).await;
    finder.put("late", &[("name", "Carla")]).await.unwrap();
    finder.declare(fields(128)).await;
    assert_eq!(finder.are_complete().await, [false; 3]);
    assert!(finder.found(&[("name", "carla")], 10).await.is_empty());
    finder.build_index().await;
    assert_eq!(finder.are_complete().await, [true; 3]);
    assert_eq!(finder.found(&[("name", "carla")], 10).await, ["late"]);
    finder.declare(fields(64)).await;
    assert_eq!(finder.are_complete().await, [false; 3], "other bits are another index");
    finder.build_index().await;
    assert_eq!(finder.found(&[("name", "carla")], 10).await, ["late"]);
}

#[tokio::test]
async fn building_again_brings_back_what_a_database_writer_took_away() {
    let mut finder = Finder::build(StoreEngine::Redb, fields(128)).await;
    finder.fill(20, |number| format!("Anna {number}")).await;
    let rows = finder.entries().await;
    let remove = |key: &[u8]| Write::Remove(StoreKey::new(Keyspace::Index, key));
    let writes = rows.iter().map(|row| remove(&row.key)).collect();
    finder.tamper(Change { preconditions: Vec::new(), writes }).await;
    assert!(finder.found(&[("name", "anna 7")], 10).await.is_empty());
    assert_eq!(finder.build_index().await.state, KeyOperationState::Done);
    assert_eq!(finder.entries().await, rows);
}

fn forced(field: FieldPolicy) -> FieldPolicy {
    FieldPolicy { search: Some(SearchIndex::new(128, true).unwrap()), ..field }
}

#[tokio::test]
async fn an_index_over_too_few_values_is_refused_unless_forced() {
    let mut finder = Finder::build(StoreEngine::Memory, fields(0)).await;
    finder.fill(1_000, |number| format!("Anna {}", number % 99)).await;
    finder.declare(vec![declared("name", InfoType::PersonName, 128)]).await;
    let stuck = finder.build_index().await;
    assert_eq!(stuck.state, KeyOperationState::NeedsAttention);
    let KeyOperationKind::Index { refused, .. } = &stuck.kind else { panic!("kind") };
    assert_eq!(*refused, ["name"]);
    let state = finder.states().await.remove(0);
    assert_eq!((state.is_complete, state.is_refused), (false, true));
    let searched = finder.page(&[("name", "anna 1")], None, 10).await;
    assert!(matches!(searched, Err(VaultError::Refused(_))));
    finder.put("new", &[("name", "Anna 1")]).await.unwrap();
    assert_eq!(index_rows(&finder).await, 0, "neither kept nor written");

    finder.declare(vec![forced(declared("name", InfoType::PersonName, 128))]).await;
    assert_eq!(finder.build_index().await.state, KeyOperationState::Done);
    assert_eq!(finder.found(&[("name", "anna 1")], 100).await.len(), 12);
    assert_eq!(index_rows(&finder).await, 1_001);
}

/// Entries that records list.
async fn index_rows(finder: &Finder) -> u64 {
    let (permit, tenant) = (finder.house.operator_permit(), TenantRef::Id(finder.house.tenant));
    let vault = finder.house.vault();
    let mut census = vault.begin_census(&permit, &tenant).await.unwrap();
    while !census.is_done() {
        vault.count_further(&mut census).await.unwrap();
    }
    census.census().index_entries
}

#[tokio::test]
async fn a_hundred_values_are_enough() {
    let mut finder = Finder::build(StoreEngine::Memory, fields(0)).await;
    finder.fill(1_000, |number| format!("Anna {}", number % 100)).await;
    finder.declare(vec![declared("name", InfoType::PersonName, 128)]).await;
    assert_eq!(finder.build_index().await.state, KeyOperationState::Done);
}

#[tokio::test]
async fn building_is_paused_resumed_and_cancelled() {
    let finder = with_records_before(StoreEngine::Memory).await;
    let (permit, asked) = (finder.house.operator_permit(), finder.ask_for_index().await);
    finder.house.lend(&[]).await;
    finder.house.vault().pause_key_operation(&permit, asked.id).await.unwrap();
    finder.house.work_off().await;
    assert_eq!(finder.house.operation(asked.id).await.total, 0);
    let resumed = finder.house.vault().resume_key_operation(&permit, asked.id).await.unwrap();
    assert_eq!(resumed.state, KeyOperationState::Counting);
    for _ in 0..5 {
        finder.house.vault().work_once().await.unwrap();
    }
    assert_eq!(finder.house.operation(asked.id).await.state, KeyOperationState::Indexing);
    let cancelled = finder.house.vault().cancel_key_operation(&permit, asked.id).await.unwrap();
    assert_eq!(cancelled.state, KeyOperationState::Cancelled);
    finder.house.work_off().await;
    assert_eq!(finder.are_complete().await, [false; 3]);
    assert_eq!(finder.build_index().await.state, KeyOperationState::Done);
}

#[tokio::test]
async fn a_damaged_record_leaves_an_index_incomplete_until_it_is_gone() {
    let mut finder = with_records_before(StoreEngine::Redb).await;
    let rows = finder.house.rows_of(Keyspace::Records).await;
    let mut row = rows.into_iter().find(|row| row.key.ends_with(b"r0077")).unwrap();
    *row.value.last_mut().unwrap() ^= 1;
    let write = Write::Put(StoreKey::new(Keyspace::Records, row.key), row.value);
    finder.tamper(Change { preconditions: Vec::new(), writes: vec![write] }).await;
    let stuck = finder.build_index().await;
    assert_eq!(stuck.state, KeyOperationState::NeedsAttention);
    assert_eq!(stuck.damaged_records, ["people/r0077"]);
    assert_eq!(finder.are_complete().await, [false; 3]);
    finder.delete("r0077").await.unwrap();
    let permit = finder.house.operator_permit();
    finder.house.vault().resume_key_operation(&permit, stuck.id).await.unwrap();
    finder.house.work_off().await;
    assert_eq!(finder.house.operation(stuck.id).await.state, KeyOperationState::Done);
    assert_eq!(finder.are_complete().await, [true; 3]);
}
