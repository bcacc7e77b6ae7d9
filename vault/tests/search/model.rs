//! Search against a map: random puts, replacements, deletes, restarts and searches.

use std::collections::BTreeMap;

use tresor_vault::{VaultError, store::StoreEngine};

use crate::{
    finder::{Finder, Wanted, fields},
    random::{Random, cases},
};

const IDS: [&str; 14] =
    ["a", "b", "c", "d", "e", "f", "aa", "ab", "a-1", "B", "~x", "z_9", "a~", "a."];
/// Spellings of three names and three cities.
const NAMES: [&str; 6] = ["Anna Maier", "ANNA, MAIER", "Bert", "bert ", "Weiß", "WEISS"];
const CITIES: [&str; 5] = ["Köln", "KO\u{308}LN", "Bonn", " bonn", "Ulm"];

/// A vault and what it must hold.
struct Pair {
    finder: Finder,
    model: BTreeMap<String, Vec<(&'static str, &'static str)>>,
    random: Random,
}

fn normal(value: &str) -> String {
    let value = value.to_lowercase().replace("o\u{308}", "ö").replace('ß', "ss").replace(',', "");
    value.trim().to_owned()
}

impl Pair {
    async fn step(&mut self) {
        match self.random.below(100) {
            0..40 => self.put().await,
            40..55 => self.delete().await,
            55..98 => self.search().await,
            _ => self.finder.house.reopen().await,
        }
    }

    fn values(&mut self) -> Vec<(&'static str, &'static str)> {
        let mut values = vec![("mail", "always@example.org")];
        if self.random.below(8) > 0 {
            values.push(("name", *self.random.pick(&NAMES)));
        }
        if self.random.below(8) > 0 {
            values.push(("city", *self.random.pick(&CITIES)));
        }
        values
    }

    async fn put(&mut self) {
        let (record, values) = (*self.random.pick(&IDS), self.values());
        self.finder.put(record, &values).await.unwrap();
        self.model.insert(record.to_owned(), values);
    }

    async fn delete(&mut self) {
        let record = *self.random.pick(&IDS);
        let expected = self.model.remove(record).map(|_| ()).ok_or(VaultError::NotFound);
        assert_eq!(self.finder.delete(record).await, expected);
    }

    async fn search(&mut self) {
        let mut wanted: Vec<Wanted<'_>> = Vec::new();
        if self.random.below(3) > 0 {
            wanted.push(("name", *self.random.pick(&NAMES)));
        }
        if self.random.below(3) > 0 || wanted.is_empty() {
            wanted.push(("city", *self.random.pick(&CITIES)));
        }
        if self.random.below(3) == 0 {
            wanted.push(("mail", "Always@Example.org"));
        }
        let limit = 1 + self.random.below(5);
        let holds = |values: &Vec<(&str, &str)>| {
            wanted.iter().all(|(field, value)| {
                values.iter().any(|(name, of)| name == field && normal(of) == normal(value))
            })
        };
        let expected: Vec<_> = self
            .model
            .iter()
            .filter(|(_, values)| holds(values))
            .map(|(id, _)| id.clone())
            .collect();
        assert_eq!(self.finder.found(&wanted, limit).await, expected, "{wanted:?}");
    }
}

async fn compare(engine: StoreEngine, bits: u16) {
    let finder = Finder::build(engine, fields(bits)).await;
    let mut pair = Pair { finder, model: BTreeMap::new(), random: Random::of_this_run() };
    for _ in 0..cases(200, 10_000) {
        pair.step().await;
    }
    let listed: usize = pair.model.values().map(Vec::len).sum();
    assert_eq!(pair.finder.entries().await.len(), listed, "one entry a value, and no other");
}

#[tokio::test]
async fn search_on_sled_is_a_filter_of_a_map() {
    compare(StoreEngine::Sled, 128).await;
}

#[tokio::test]
async fn search_on_redb_with_short_entries_is_a_filter_of_a_map() {
    compare(StoreEngine::Redb, 8).await;
}
