//! Building an index misses nothing and loses nothing, whoever writes meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};

use tresor_vault::{
    KeyOperationState,
    store::{Change, Keyspace, StoreEngine, StoreKey, Write},
};

use crate::{
    building::{RECORDS, with_records_before},
    finder::{Finder, declared, fields},
};

#[tokio::test]
async fn scans_go_on_until_one_finds_no_entry_missing() {
    let mut finder = with_records_before(StoreEngine::Redb).await;
    let rows = finder.house.rows_of(Keyspace::Records).await;
    let row = rows.into_iter().find(|row| row.key.ends_with(b"r0005")).unwrap();
    let put = Write::Put(StoreKey::new(Keyspace::Records, row.key), row.value);
    let take_back = Change { preconditions: Vec::new(), writes: vec![put] };

    let asked = finder.ask_for_index().await;
    finder.house.lend(&[]).await;
    while finder.house.operation(asked.id).await.state != KeyOperationState::Verifying {
        assert!(finder.house.vault().work_once().await.unwrap().is_some(), "it never verifies");
    }
    for missed in 1..=2 {
        // A row without its entries is put back: the first page finds it.
        finder.tamper(take_back.clone()).await;
        finder.house.lend(&[]).await;
        while finder.house.operation(asked.id).await.resealed < (RECORDS + missed) as u64 {
            assert!(finder.house.vault().work_once().await.unwrap().is_some(), "{missed}");
        }
    }
    finder.house.work_off().await;
    assert_eq!(finder.house.operation(asked.id).await.state, KeyOperationState::Done);
    assert_eq!(finder.found(&[("name", "anna 5")], 10).await, ["r0005"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn no_write_is_lost_to_the_building_of_an_index() {
    let finder = with_records_before(StoreEngine::Memory).await;
    let asked = finder.ask_for_index().await;
    finder.house.lend(&[]).await;
    let is_built = AtomicBool::new(false);
    let write = async {
        let mut revision = 1;
        while !is_built.load(Ordering::Acquire) || revision == 1 {
            revision += 1;
            for number in (0..RECORDS).map(|number| number * 7 % RECORDS) {
                let (name, city) = (format!("Bert {number}"), format!("{revision}"));
                let values = [("name", name.as_str()), ("city", city.as_str())];
                let stored = finder.put(&format!("r{number:04}"), &values).await.unwrap();
                assert_eq!(stored.revision, revision, "a write of r{number:04} was lost");
            }
        }
        revision
    };
    let build = async {
        finder.house.work_off().await;
        is_built.store(true, Ordering::Release);
    };
    let (revision, ()) = tokio::join!(write, build);
    assert_eq!(finder.house.operation(asked.id).await.state, KeyOperationState::Done);
    assert_eq!(finder.found(&[("city", &revision.to_string())], 100).await.len(), RECORDS);
    assert!(finder.found(&[("name", "anna 5")], 10).await.is_empty());
}

#[tokio::test]
async fn building_one_index_leaves_the_others_as_they_are() {
    let mut finder = Finder::build(StoreEngine::Memory, fields(128)[..1].to_vec()).await;
    finder.put("r1", &[("name", "Anna"), ("note", "Ulm")]).await.unwrap();
    let note = declared("note", tresor_proto::InfoType::FreeText, 128);
    finder.declare([fields(128)[..1].to_vec(), vec![note]].concat()).await;
    assert_eq!(finder.build_index().await.state, KeyOperationState::Done);
    for term in [("name", "anna"), ("note", "ulm")] {
        assert_eq!(finder.found(&[term], 10).await, ["r1"], "{term:?}");
    }
}
