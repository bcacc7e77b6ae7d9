//! The vault against a map: random puts, gets, lists, deletes and restarts, in every engine on disk.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "operations/house.rs"]
#[allow(dead_code, reason = "shared; each test uses a part")]
mod house;
#[path = "../../tests/fuzz/random.rs"]
#[allow(dead_code, reason = "shared; each test uses a part")]
mod random;

use std::collections::BTreeMap;

use house::{House, clear, id, sealed, text_of};
use random::{Random, cases};
use tresor_proto::{InfoType, Reveal};
use tresor_vault::{NewRecord, VaultError, store::StoreEngine};

const IDS: [&str; 12] = ["a", "b", "c", "d", "e", "f", "aa", "ab", "a-1", "B", "~x", "z_9"];

/// What a record is known to hold.
#[derive(Clone, Debug, PartialEq)]
struct Known {
    revision: u64,
    status: String,
    name: String,
}

/// A vault and what it must hold.
struct Pair {
    house: House,
    model: BTreeMap<String, Known>,
    random: Random,
}

impl Pair {
    fn values(&mut self) -> (String, String) {
        let length = *self.random.pick(&[1, 11, 12, 13, 500, 4_000, 60_000]);
        let number = self.random.number();
        (format!("{number}"), format!("{number}{}", "ä".repeat(length / 2)))
    }

    async fn step(&mut self) {
        match self.random.below(100) {
            0..35 => self.put().await,
            35..65 => self.get().await,
            65..75 => self.list().await,
            75..95 => self.delete().await,
            _ => self.house.reopen().await,
        }
    }

    /// Puts a batch, in which an id may occur twice.
    async fn put(&mut self) {
        let mut records = Vec::new();
        let mut expected = Vec::new();
        for _ in 0..=self.random.below(4) {
            let record = *self.random.pick(&IDS);
            let (status, name) = self.values();
            let fields =
                vec![clear("status", &status), sealed("name", InfoType::PersonName, &name)];
            records.push(NewRecord::new(Some(id(record)), fields));
            let revision = self.model.get(record).map_or(0, |known| known.revision) + 1;
            expected.push(revision);
            self.model.insert(record.to_owned(), Known { revision, status, name });
        }
        let stored = self.house.put_all(records).await.unwrap();
        let revisions: Vec<_> = stored.into_iter().map(|stored| stored.unwrap().revision).collect();
        assert_eq!(revisions, expected);
    }

    async fn get(&mut self) {
        let record = *self.random.pick(&IDS);
        let read = self.house.get(record, Reveal::Plain).await.map(|read| {
            let texts: Vec<_> = read.fields.iter().map(|field| text_of(field).unwrap()).collect();
            let [status, name] = texts.try_into().unwrap();
            Known { revision: read.revision, status, name }
        });
        assert_eq!(read, self.model.get(record).cloned().ok_or(VaultError::NotFound), "{record}");
    }

    async fn list(&mut self) {
        let limit = 1 + self.random.below(5);
        let mut listed = Vec::new();
        let mut after = None;
        loop {
            let page = self.house.list(after.as_ref(), limit).await.unwrap();
            assert!(page.items.len() <= limit);
            let items = page.items.into_iter();
            listed.extend(items.map(|(id, read)| (id.as_str().to_owned(), read.unwrap().revision)));
            match page.next {
                Some(next) => after = Some(id(&next)),
                None => break,
            }
        }
        let expected: Vec<_> =
            self.model.iter().map(|(id, known)| (id.clone(), known.revision)).collect();
        assert_eq!(listed, expected);
    }

    async fn delete(&mut self) {
        let record = *self.random.pick(&IDS);
        let expected = self.model.remove(record).map(|_| ()).ok_or(VaultError::NotFound);
        assert_eq!(self.house.delete(record).await, expected);
    }
}

async fn compare(engine: StoreEngine) {
    let house = House::build(engine).await;
    let mut pair = Pair { house, model: BTreeMap::new(), random: Random::of_this_run() };
    for _ in 0..cases(200, 10_000) {
        pair.step().await;
    }
    pair.house.reopen().await;
    pair.list().await;
    for _ in 0..20 {
        pair.get().await;
    }
}

#[tokio::test]
async fn a_vault_on_sled_is_a_map() {
    compare(StoreEngine::Sled).await;
}

#[tokio::test]
async fn a_vault_on_redb_is_a_map() {
    compare(StoreEngine::Redb).await;
}
