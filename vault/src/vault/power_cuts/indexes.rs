//! Power cuts while records with entries of blind indexes come, change and go: the index holds what
//! the records list, and nothing else.

use std::{collections::BTreeSet, path::PathBuf};

use tresor_proto::{
    Action, CollectionName, Content, CustomerToken, DataClass, FieldName, FieldPolicy, Policy,
    RecordId, SearchIndex, TenantId, TenantRef, UndeclaredPolicy, storage,
};

use super::{client, enrol, messages, open, operator, register, rows, survives};
use crate::{
    Delete, Destination, NewField, NewRecord, Treatment, Vault, Write,
    power_cut::{recorded_program, say},
    store::Keyspace,
};

const WRITER: &str = "vault::power_cuts::indexes::the_writer_of_indexed_records";
const TURNS: usize = 6;

fn people() -> CollectionName {
    CollectionName::parse("people").unwrap()
}

/// Stores two records whose names change each turn.
async fn store_two(
    vault: &Vault,
    (tenant, customer_token): (TenantId, &CustomerToken),
    turn: usize,
) {
    let reference = TenantRef::Id(tenant);
    let permit = vault.permit::<Write>(&client(tenant), &reference, customer_token).await.unwrap();
    let record = |id: &str| {
        let field = NewField {
            name: FieldName::parse("name").unwrap(),
            content: Content::text(&format!("Anna {turn}")).unwrap(),
            treatment: Treatment::Seal { info_type: None, class: DataClass::Other },
        };
        NewRecord::new(Some(RecordId::parse(id).unwrap()), vec![field])
    };
    let destination =
        Destination { collection: people(), policy_version: Some(1), has_masks: false };
    let stored = vault.put(&permit, &destination, vec![record("r1"), record("r2")]).await.unwrap();
    assert!(stored.into_iter().all(|stored| stored.is_ok()));
}

async fn delete_one(vault: &Vault, (tenant, customer_token): (TenantId, &CustomerToken)) {
    let reference = TenantRef::Id(tenant);
    let permit = vault.permit::<Delete>(&client(tenant), &reference, customer_token).await.unwrap();
    let ids = [RecordId::parse("r2").unwrap()];
    vault.delete(&permit, &people(), &ids).await.unwrap().remove(0).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_writer_of_indexed_records() {
    let other = tempfile::tempdir().unwrap();
    let (place, engine) = recorded_program().unwrap_or((other.path().into(), "Sled".to_owned()));
    let vault = open(&place, &engine).await;
    let (tenant, code) = register(&vault, 0).await;
    let customer_token = enrol(&vault, tenant, &code).await.unwrap();
    let name = FieldName::parse("name").unwrap();
    let search = SearchIndex::new(128, true).ok();
    let field = FieldPolicy { search, ..FieldPolicy::new(name, Action::Seal) };
    let policy = Policy::new(vec![field], UndeclaredPolicy::default(), Action::Seal).unwrap();
    let reference = TenantRef::Id(tenant);
    vault.put_collection(&operator(&vault), &reference, people(), policy).await.unwrap();
    for turn in 0..TURNS {
        store_two(&vault, (tenant, &customer_token), turn).await;
        say(&format!("stored {tenant}"));
        delete_one(&vault, (tenant, &customer_token)).await;
        say(&format!("deleted {tenant}"));
    }
    vault.close().await.unwrap();
}

/// The entries that records list, each with the id of its record.
async fn listed(vault: &Vault, tenant: TenantId) -> BTreeSet<Vec<u8>> {
    let mut listed = BTreeSet::new();
    for (key, record) in messages::<storage::Record>(vault, tenant, (Keyspace::Records, &[])).await
    {
        let id = key.key.rsplit(|byte| *byte == 0).next().unwrap();
        listed.extend(record.index_entries.iter().map(|entry| [&entry[..], id].concat()));
    }
    listed
}

/// What remains is of one moment, and not before what was said last.
async fn check(place: PathBuf, engine: &'static str, said: Vec<String>) {
    let Some(last) = said.last() else { return };
    let (what, tenant) = last.split_once(' ').unwrap();
    let tenant = TenantId::parse(tenant).unwrap();
    let vault = open(&place, engine).await;
    let there: BTreeSet<_> =
        rows(&vault, tenant, (Keyspace::Index, &[])).await.into_iter().map(|row| row.key).collect();
    assert_eq!(there, listed(&vault, tenant).await);
    assert!(!there.is_empty(), "the first record stays: {what}");
    vault.close().await.unwrap();
}

#[test]
fn an_index_on_sled_survives_power_cuts() {
    survives(WRITER, "Sled", check);
}

#[test]
fn an_index_on_redb_survives_power_cuts() {
    survives(WRITER, "Redb", check);
}
