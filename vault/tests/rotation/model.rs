//! The vault against a map, with data keys being replaced all the while.

use std::collections::BTreeMap;

use tresor_proto::{DataClass, InfoType, Reveal};
use tresor_vault::{KeyOperationState, VaultError, store::StoreEngine};
use uuid::Uuid;

use crate::{
    house::{House, sealed, text_of},
    random::{Random, cases},
};

const IDS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
const CLASSES: [DataClass; 2] = [DataClass::Identity, DataClass::Contact];

/// A vault and what it must hold.
struct Pair {
    house: House,
    model: BTreeMap<String, String>,
    operations: Vec<Uuid>,
    random: Random,
}

impl Pair {
    async fn step(&mut self) {
        match self.random.below(100) {
            0..30 => self.put().await,
            30..50 => self.get().await,
            50..60 => self.delete().await,
            60..70 => {
                let class = *self.random.pick(&CLASSES);
                self.operations.push(self.house.mark(&[class]).await.id);
            }
            70..77 => drop(self.house.lend(&[]).await),
            77..92 => drop(self.house.vault().work_once().await.unwrap()),
            92..96 => self.pause_or_resume().await,
            _ => self.house.reopen().await,
        }
    }

    async fn put(&mut self) {
        let (record, number) = (*self.random.pick(&IDS), self.random.number());
        let (name, mail) = (format!("Anna {number}"), format!("anna{number}@example.org"));
        let fields = vec![
            sealed("name", InfoType::PersonName, &name),
            sealed("mail", InfoType::EmailAddress, &mail),
        ];
        self.house.put(Some(record), fields).await.unwrap();
        self.model.insert(record.to_owned(), format!("{name} {mail}"));
    }

    async fn get(&mut self) {
        let record = *self.random.pick(&IDS);
        self.compare(record).await;
    }

    async fn compare(&self, record: &str) {
        let read = self.house.get(record, Reveal::Plain).await.map(|read| {
            let texts: Vec<_> = read.fields.iter().map(|field| text_of(field).unwrap()).collect();
            texts.join(" ")
        });
        assert_eq!(read, self.model.get(record).cloned().ok_or(VaultError::NotFound), "{record}");
    }

    async fn delete(&mut self) {
        let record = *self.random.pick(&IDS);
        let expected = self.model.remove(record).map(|_| ()).ok_or(VaultError::NotFound);
        assert_eq!(self.house.delete(record).await, expected);
    }

    async fn pause_or_resume(&mut self) {
        if self.operations.is_empty() {
            return;
        }
        let (id, permit) = (*self.random.pick(&self.operations), self.house.operator_permit());
        let vault = self.house.vault();
        // One that has ended refuses both.
        let _ = match self.random.below(2) {
            0 => vault.pause_key_operation(&permit, id).await,
            _ => vault.resume_key_operation(&permit, id).await,
        };
    }

    /// In the end every operation is done, and every record there.
    async fn finish(&mut self) {
        let permit = self.house.operator_permit();
        for id in &self.operations {
            let _ = self.house.vault().resume_key_operation(&permit, *id).await;
        }
        self.house.lend(&[]).await;
        self.house.work_off().await;
        for id in &self.operations {
            assert_eq!(self.house.operation(*id).await.state, KeyOperationState::Done);
        }
        self.house.reopen().await;
        for record in IDS {
            self.compare(record).await;
        }
    }
}

async fn compare(engine: StoreEngine) {
    let house = House::build(engine).await;
    let (model, operations, random) = (BTreeMap::new(), Vec::new(), Random::of_this_run());
    let mut pair = Pair { house, model, operations, random };
    for _ in 0..cases(150, 5_000) {
        pair.step().await;
    }
    pair.finish().await;
}

#[tokio::test]
async fn a_vault_on_sled_is_a_map_while_its_keys_are_replaced() {
    compare(StoreEngine::Sled).await;
}

#[tokio::test]
async fn a_vault_on_redb_is_a_map_while_its_keys_are_replaced() {
    compare(StoreEngine::Redb).await;
}
