//! What leads to no wrong record: short entries that values share, and rows that a database writer
//! has put, moved or taken away.

use tresor_vault::{
    VaultError,
    store::{Change, Keyspace, StoreEngine, StoreKey, StoreRow, Write},
};

use crate::finder::{Finder, fields};

fn write(write: Write) -> Change {
    Change { preconditions: Vec::new(), writes: vec![write] }
}

fn entry_of<'a>(rows: &'a [StoreRow], record: &str) -> &'a StoreRow {
    rows.iter().find(|row| row.key.ends_with(record.as_bytes())).unwrap()
}

/// The key of a row's entry under another record.
fn moved(row: &StoreRow, from: &str, to: &str) -> StoreKey {
    let entry = &row.key[..row.key.len() - from.len()];
    StoreKey::new(Keyspace::Index, [entry, to.as_bytes()].concat())
}

#[tokio::test]
async fn entries_of_eight_bits_give_exact_answers() {
    let mut finder = Finder::build(StoreEngine::Redb, fields(8)).await;
    for number in 0..600 {
        let name = format!("Anna {number}");
        finder.put(&format!("r{number:03}"), &[("name", &name)]).await.unwrap();
    }
    for number in [0, 77, 599] {
        let found = finder.found(&[("name", &format!("anna {number}"))], 10).await;
        assert_eq!(found, [format!("r{number:03}")]);
    }
    assert!(finder.found(&[("name", "Anna 600")], 10).await.is_empty());
    let entries = finder.entries().await;
    let distinct: std::collections::BTreeSet<_> = entries.iter().map(|row| &row.key[..9]).collect();
    assert_eq!(entries.len(), 600);
    assert!(distinct.len() <= 256, "values do share entries");
}

#[tokio::test]
async fn an_entry_that_a_database_writer_adds_leads_to_no_wrong_record() {
    let mut finder = Finder::build(StoreEngine::Redb, fields(128)).await;
    finder.put("r1", &[("name", "Anna")]).await.unwrap();
    finder.put("r2", &[("name", "Bert")]).await.unwrap();
    let rows = finder.entries().await;
    for to in ["r2", "r9"] {
        let key = moved(entry_of(&rows, "r1"), "r1", to);
        finder.tamper(write(Write::Put(key, Vec::new()))).await;
    }
    assert_eq!(finder.found(&[("name", "Anna")], 10).await, ["r1"]);
    assert_eq!(finder.found(&[("name", "Bert")], 10).await, ["r2"]);
}

#[tokio::test]
async fn an_entry_that_its_record_does_not_list_is_not_believed_even_where_it_is_true() {
    let mut finder = Finder::build(StoreEngine::Redb, fields(0)).await;
    finder.put("r1", &[("name", "Anna")]).await.unwrap();
    finder.declare(fields(128)).await;
    finder.put("r2", &[("name", "Anna")]).await.unwrap();
    let key = moved(&finder.entries().await.remove(0), "r2", "r1");
    finder.tamper(write(Write::Put(key, Vec::new()))).await;
    assert_eq!(finder.found(&[("name", "Anna")], 10).await, ["r2"]);
}

#[tokio::test]
async fn an_entry_that_a_database_writer_takes_away_comes_back_with_the_next_write() {
    let mut finder = Finder::build(StoreEngine::Redb, fields(128)).await;
    finder.put("r1", &[("name", "Anna")]).await.unwrap();
    let row = finder.entries().await.remove(0);
    let key = StoreKey::new(Keyspace::Index, row.key);
    finder.tamper(write(Write::Remove(key))).await;
    assert!(finder.found(&[("name", "Anna")], 10).await.is_empty(), "the stated limit");
    finder.put("r1", &[("name", "Anna")]).await.unwrap();
    assert_eq!(finder.found(&[("name", "Anna")], 10).await, ["r1"]);
}

#[tokio::test]
async fn a_record_under_another_id_is_not_found_as_a_record() {
    let mut finder = Finder::build(StoreEngine::Redb, fields(128)).await;
    finder.put("r1", &[("name", "Anna")]).await.unwrap();
    let entry = finder.entries().await.remove(0);
    let row = finder.house.rows_of(Keyspace::Records).await.remove(0);
    let to = StoreKey::new(Keyspace::Records, "people\0r2");
    let mut change = write(Write::Put(to, row.value));
    change.writes.push(Write::Put(moved(&entry, "r1", "r2"), Vec::new()));
    finder.tamper(change).await;
    let page = finder.page(&[("name", "Anna")], None, 10).await.unwrap();
    let records: Vec<_> = page.items.into_iter().map(|(_, record)| record.map(|_| ())).collect();
    assert_eq!(records, [Ok(()), Err(VaultError::Integrity)]);
    // It can be deleted all the same.
    finder.delete("r2").await.unwrap();
    assert_eq!(finder.found(&[("name", "Anna")], 10).await, ["r1"]);
}

#[tokio::test]
async fn an_entry_of_no_record_id_is_told_as_damage() {
    let mut finder = Finder::build(StoreEngine::Redb, fields(128)).await;
    finder.put("r1", &[("name", "Anna")]).await.unwrap();
    let row = finder.entries().await.remove(0);
    finder.tamper(write(Write::Put(moved(&row, "r1", "\u{1}"), Vec::new()))).await;
    let page = finder.page(&[("name", "Anna")], None, 10).await;
    assert_eq!(page.err(), Some(VaultError::Integrity));
}
