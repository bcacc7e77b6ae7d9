//! Power cuts while records bring surrogates and take them along: what stands in for a field is there
//! with its record and never without, and is counted as often as fields hold it.

use std::{collections::BTreeMap, path::PathBuf};

use tresor_proto::{
    Action, CollectionName, Content, CustomerToken, FieldName, FieldPolicy, InfoType, Policy,
    RecordId, Surrogate, SurrogateForm, SurrogateKind, TenantId, TenantRef, UndeclaredPolicy,
    storage, vault,
};

use super::{enrol, messages, open, operator, register, rows, surrogates::Ground, survives};
use crate::{
    Delete, Destination, NewField, NewRecord, Shown, Treatment, Write,
    power_cut::{recorded_program, say},
    store::Keyspace,
    surrogate::rows::{count_key, row_key},
};

const WRITER: &str = "vault::power_cuts::uploads::the_writer_of_tokenized_records";
const TURNS: usize = 6;
/// What is given a surrogate.
const FIELDS: [(&str, InfoType, SurrogateKind); 2] = [
    ("name", InfoType::LastName, SurrogateKind::Deterministic),
    ("iban", InfoType::IbanCode, SurrogateKind::Random),
];

fn people() -> CollectionName {
    CollectionName::parse("people").unwrap()
}

/// The fields of a record in a turn: the first keeps its name, the other one's is equal every
/// second turn.
fn values(record: &str, turn: usize) -> [String; 2] {
    let name = if record == "r1" || turn.is_multiple_of(2) { "Muster" } else { "Maier" };
    [name.to_owned(), format!("{record} {turn}")]
}

fn policy() -> Policy {
    let fields = FIELDS.map(|(name, info_type, kind)| FieldPolicy {
        info_type: Some(info_type),
        surrogate: Some(SurrogateForm { kind, ..SurrogateForm::default() }),
        ..FieldPolicy::new(FieldName::parse(name).unwrap(), Action::Tokenize)
    });
    Policy::new(fields.into(), UndeclaredPolicy::default(), Action::Seal).unwrap()
}

impl Ground {
    async fn store_two(&self, turn: usize) {
        let record = |id: &str| {
            let fields =
                FIELDS.iter().zip(values(id, turn)).map(|((name, info_type, _), value)| {
                    let treatment =
                        Treatment::Seal { info_type: Some(*info_type), class: info_type.class() };
                    let (name, content) = (FieldName::parse(name), Content::text(&value));
                    NewField { name: name.unwrap(), content: content.unwrap(), treatment }
                });
            NewRecord::new(Some(RecordId::parse(id).unwrap()), fields.collect())
        };
        let destination =
            Destination { collection: people(), policy_version: Some(1), has_masks: false };
        let (permit, records) = (self.permit::<Write>().await, vec![record("r1"), record("r2")]);
        let stored = self.vault.put(&permit, &destination, records).await.unwrap();
        assert!(stored.into_iter().all(|stored| stored.unwrap().surrogates.len() == 2));
    }

    async fn delete_one(&self) {
        let permit = self.permit::<Delete>().await;
        let ids = [RecordId::parse("r2").unwrap()];
        self.vault.delete(&permit, &people(), &ids).await.unwrap().remove(0).unwrap();
    }

    /// The surrogates of all fields, by record.
    async fn held(&self) -> BTreeMap<Vec<u8>, Vec<String>> {
        let records = (Keyspace::Records, &b"people\0"[..]);
        let records = messages::<storage::Record>(&self.vault, self.tenant, records).await;
        let held = records.into_iter().map(|(key, record)| {
            let mut fields: Vec<_> = record.groups.into_iter().flat_map(|it| it.fields).collect();
            fields.sort_by_key(|field| field.position);
            let id = key.key.rsplit(|byte| *byte == 0).next().unwrap().to_vec();
            (id, fields.into_iter().map(|field| field.surrogate).collect())
        });
        held.collect()
    }

    /// Every surrogate is held by as many fields as are counted, and every field's is there.
    async fn assert_counted(&self, held: &BTreeMap<Vec<u8>, Vec<String>>) {
        let mut holders = BTreeMap::<_, u64>::new();
        for text in held.values().flatten() {
            let id = Surrogate::parse(self.tenant, text).unwrap().id();
            *holders.entry(row_key(&id).key).or_default() += 1;
        }
        let all = (Keyspace::Surrogates, &[1][..]);
        let surrogates = messages::<storage::Surrogate>(&self.vault, self.tenant, all).await;
        assert!(surrogates.iter().map(|(key, _)| &key.key).eq(holders.keys()));
        let counts = (Keyspace::Surrogates, &[4][..]);
        let counts = messages::<storage::SurrogateCount>(&self.vault, self.tenant, counts).await;
        let counts: BTreeMap<_, _> = counts.into_iter().collect();
        let mut rows_max = surrogates.len();
        for (key, surrogate) in surrogates {
            let references = counts.get(&count_key(&key)).map(|count| count.references);
            let is_random = surrogate.kind() == vault::SurrogateKind::Random;
            assert_eq!(references, (!is_random).then_some(holders[&key.key]));
            assert!(!is_random || holders[&key.key] == 1);
            rows_max += if is_random { 0 } else { 2 };
        }
        // Nothing is looked up or counted besides.
        let there = rows(&self.vault, self.tenant, (Keyspace::Surrogates, &[])).await;
        assert_eq!(there.len(), rows_max);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_writer_of_tokenized_records() {
    let other = tempfile::tempdir().unwrap();
    let (place, engine) = recorded_program().unwrap_or((other.path().into(), "Sled".to_owned()));
    let vault = open(&place, &engine).await;
    let (tenant, code) = register(&vault, 0).await;
    let customer_token = enrol(&vault, tenant, &code).await.unwrap();
    let (permit, reference) = (operator(&vault), TenantRef::Id(tenant));
    vault.put_collection(&permit, &reference, people(), policy()).await.unwrap();
    say(&format!("enrolled {tenant} {}", customer_token.expose_text().as_str()));
    let ground = Ground { vault, tenant, customer_token };
    for turn in 0..TURNS {
        ground.store_two(turn).await;
        say(&format!("stored {turn}"));
        ground.delete_one().await;
        say(&format!("deleted {turn}"));
    }
    ground.assert_counted(&ground.held().await).await;
    ground.vault.close().await.unwrap();
}

/// What remains is of one moment, and not before what was said last.
async fn check(place: PathBuf, engine: &'static str, said: Vec<String>) {
    let Some(enrolled) = said.first() else { return };
    let words: Vec<_> = enrolled.split(' ').collect();
    let tenant = TenantId::parse(words[1]).unwrap();
    let customer_token = CustomerToken::parse(words[2]).unwrap();
    let ground = Ground { vault: open(&place, engine).await, tenant, customer_token };
    let held = ground.held().await;
    ground.assert_counted(&held).await;
    let turns = said.iter().filter(|line| line.starts_with("stored ")).count();
    assert!(turns == 0 || held.contains_key(&b"r1"[..]));
    for (id, texts) in &held {
        let id = core::str::from_utf8(id).unwrap();
        let mut shown = Vec::new();
        for text in texts {
            let Shown::Plain(content) = ground.shown(text).await.unwrap().shown else { panic!() };
            shown.push(content.as_text().unwrap().to_owned());
        }
        // Of the last turn that was told, or of the one under way.
        let possible = [turns.saturating_sub(1), turns].map(|turn| values(id, turn));
        assert!(possible.iter().any(|values| *values == shown[..]), "{shown:?} after {turns}");
    }
    // It goes on from there.
    ground.store_two(0).await;
    ground.delete_one().await;
    ground.assert_counted(&ground.held().await).await;
    ground.vault.close().await.unwrap();
}

#[test]
fn surrogates_of_records_on_sled_survive_power_cuts() {
    survives(WRITER, "Sled", check);
}

#[test]
fn surrogates_of_records_on_redb_survive_power_cuts() {
    survives(WRITER, "Redb", check);
}
