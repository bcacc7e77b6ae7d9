//! What a writer of a tenant's database tries: every bit flipped, every length cut, and every part of a
//! row exchanged, with the row's MAC left and with the MAC made anew by one who has the cipher key.

use prost::Message as _;
use tresor_proto::{CollectionName, InfoType, Reveal, TenantId, TenantRef, storage};

use super::{record_key, reveal::Reader};
use crate::{
    access::{Read, Write},
    error::VaultError,
    house::{House, clear, customers, id, sealed},
    mask::FieldMasks,
    operations::Destination,
    random::{Random, cases},
    record::{NewField, NewRecord, View},
    row::RowPlace,
    store::{Change, StoreEngine, StoreKey, Write as StoreWrite},
};

const REVEALS: [Reveal; 3] = [Reveal::Redacted, Reveal::Masked, Reveal::Plain];
const MAC_BYTES: usize = 32;
const HEAD_BYTES: usize = 8;

fn person(salt: &str) -> Vec<NewField> {
    vec![
        sealed("name", InfoType::PersonName, &format!("Anna {salt}")),
        sealed("nick", InfoType::PersonName, &format!("Anni {salt}")),
        clear("status", "geplant"),
        clear("stage", "offen"),
        sealed("mail", InfoType::EmailAddress, "anna@example.org"),
        sealed("note", InfoType::FreeText, &format!("Schlüssel {salt}")),
    ]
}

fn visits() -> CollectionName {
    CollectionName::parse("visits").unwrap()
}

/// A house with two records of one collection and one of another.
async fn house() -> House {
    let house = House::build(StoreEngine::Memory).await;
    house.put(Some("r1"), person("one")).await.unwrap();
    house.put(Some("r2"), person("two")).await.unwrap();
    house.put(Some("r2"), person("two")).await.unwrap();
    let permit = house.vault().permit_operator(&House::operator()).unwrap();
    let tenant = TenantRef::Id(house.tenant);
    let policy = tresor_proto::Policy::default();
    house.vault().put_collection(&permit, &tenant, visits(), policy).await.unwrap();
    let destination =
        Destination { collection: visits(), policy_version: Some(1), has_masks: false };
    let record = NewRecord::new(Some(id("r1")), person("visit"));
    let permit = house.permit::<Write>().await;
    house.vault().put(&permit, &destination, vec![record]).await.unwrap()[0].as_ref().unwrap();
    house
}

async fn stored(house: &House, tenant: TenantId, key: StoreKey) -> Vec<u8> {
    let store = house.vault().store(tenant).await.unwrap();
    store.read(vec![key]).await.unwrap().remove(0).unwrap()
}

async fn overwrite(house: &House, key: StoreKey, row: Vec<u8>) {
    let store = house.vault().store(house.tenant).await.unwrap();
    let change = Change { preconditions: Vec::new(), writes: vec![StoreWrite::Put(key, row)] };
    store.apply(vec![change]).await.unwrap();
}

/// Every way to read r1 refuses it, and reads r2 all the same.
async fn assert_refused(house: &House, what: &str) {
    for reveal in REVEALS {
        let refused = house.get("r1", reveal).await.map(|_| ()).unwrap_err();
        assert_eq!(refused, VaultError::Integrity, "{what}, {reveal:?}");
        assert!(house.get("r2", reveal).await.is_ok());
    }
    let listed = house.list(None, 10).await.unwrap().items;
    assert_eq!(listed[0].1.as_ref().err(), Some(&VaultError::Integrity), "{what}, listed");
    assert!(listed[1].1.is_ok());
}

async fn reader(house: &House) -> Reader {
    let permit = house.permit::<Read>().await;
    let view = View { collection: customers(), reveal: Reveal::Plain, fields: Vec::new() };
    house.vault().reader(&permit, &view, FieldMasks::default()).unwrap()
}

#[tokio::test]
async fn every_flipped_bit_and_every_cut_of_every_row_is_refused() {
    let house = house().await;
    let mut random = Random::of_this_run();
    let reader = reader(&house).await;
    for number in 0..cases(4, 1_000) {
        let name = format!("row-{number}");
        let length = random.below(200);
        house.put(Some(&name), person(&"x".repeat(length))).await.unwrap();
        let record = id(&name);
        let mut row = stored(&house, house.tenant, record_key(&customers(), &record)).await;
        assert!(reader.record(&record, &row).is_ok());
        for bit in 0..row.len() * 8 {
            row[bit / 8] ^= 1 << (bit % 8);
            let refused = reader.record(&record, &row).map(|_| ());
            assert_eq!(refused, Err(VaultError::Integrity), "bit {bit} of row {number}");
            row[bit / 8] ^= 1 << (bit % 8);
        }
        for length in 0..row.len() {
            let refused = reader.record(&record, &row[..length]).map(|_| ());
            assert_eq!(refused, Err(VaultError::Integrity), "{length} bytes of row {number}");
        }
        row.push(0);
        assert!(reader.record(&record, &row).is_err(), "a byte more");
    }
}

/// The rows that parts are exchanged with.
struct Others {
    same_collection: storage::Record,
    other_collection: storage::Record,
    other_tenant: storage::Record,
}

/// An exchange within a row, and whether the seals forbid it too, not the MAC alone.
struct Exchange {
    what: &'static str,
    is_sealed: bool,
    make: fn(&mut storage::Record, &Others),
}

const fn outside(what: &'static str, make: fn(&mut storage::Record, &Others)) -> Exchange {
    Exchange { what, is_sealed: false, make }
}

const fn inside(what: &'static str, make: fn(&mut storage::Record, &Others)) -> Exchange {
    Exchange { what, is_sealed: true, make }
}

/// What only the MAC protects: everything readable.
const OUTSIDE: &[Exchange] = &[
    outside("the revision of another row", |row, o| row.revision = o.same_collection.revision),
    outside("policy version", |row, _| row.policy_version += 1),
    outside("creation", |row, _| row.created_ms -= 1),
    outside("change", |row, _| row.updated_ms += 1),
    outside("expiry", |row, _| row.expires_ms = 4_000_000_000_000),
    outside("expired", |row, _| row.expires_ms = 1),
    outside("subject", |row, _| row.subject = vec![1; 32]),
    outside("index entry", |row, _| row.index_entries.push(vec![1; 16])),
    outside("a clear value", |row, _| row.clear_fields[0].value = b"erledigt".to_vec()),
    outside("a clear name", |row, _| row.clear_fields[0].name = "other".to_owned()),
    outside("a clear type", |row, _| row.clear_fields[0].content_type = 3),
    outside("clear fields exchanged", |row, _| row.clear_fields.swap(0, 1)),
    outside("a clear field gone", |row, _| drop(row.clear_fields.pop())),
    outside("a clear field of a sealed name", |row, _| {
        row.clear_fields[0].name = "name".to_owned();
    }),
    outside("a group gone", |row, _| drop(row.groups.pop())),
    outside("groups exchanged", |row, _| row.groups.swap(0, 1)),
    outside("a group twice", |row, _| row.groups.push(row.groups[0].clone())),
    outside("an info type", |row, _| field(row, 0).info_type = "DATE_OF_BIRTH".to_owned()),
    outside("a position", |row, _| field(row, 0).position = 9),
    outside("a sealed field gone", |row, _| drop(largest(row).fields.pop())),
];

/// What the seals protect, also from one who can make MACs.
const INSIDE: &[Exchange] = &[
    inside("erasure bucket", |row, _| row.erasure_bucket = 1),
    inside("a class", |row, _| row.groups[0].data_class = row.groups[1].data_class),
    inside("an unknown class", |row, _| row.groups[0].data_class = 99),
    inside("an epoch", |row, _| row.groups[0].epoch += 1),
    inside("a salt", |row, _| row.groups[0].salt = row.groups[1].salt.clone()),
    inside("a short salt", |row, _| row.groups[0].salt.truncate(23)),
    inside("a commitment", |row, _| row.groups[0].commitment = row.groups[1].commitment.clone()),
    inside("no commitment", |row, _| row.groups[0].commitment.clear()),
    inside("fields exchanged", |row, _| largest(row).fields.swap(0, 1)),
    inside("the first field gone", |row, _| drop(largest(row).fields.remove(0))),
    inside("names exchanged", |row, _| {
        let names = largest(row).fields.clone();
        field(row, 0).name = names[1].name.clone();
        field(row, 1).name = names[0].name.clone();
    }),
    inside("ciphertexts exchanged", |row, _| {
        let fields = largest(row).fields.clone();
        field(row, 0).ciphertext = fields[1].ciphertext.clone();
        field(row, 1).ciphertext = fields[0].ciphertext.clone();
    }),
    inside("a content type", |row, _| field(row, 0).content_type = 3),
    inside("a cut ciphertext", |row, _| field(row, 0).ciphertext.truncate(31)),
    inside("no ciphertext", |row, _| field(row, 0).ciphertext.clear()),
    inside("a group of another row", |row, o| row.groups[0] = o.same_collection.groups[0].clone()),
    inside("a group of another collection", |row, o| {
        row.groups[0] = o.other_collection.groups[0].clone();
    }),
    inside("a group of another tenant", |row, o| row.groups[0] = o.other_tenant.groups[0].clone()),
    inside("a field of another row", |row, o| {
        *field(row, 0) = largest(&mut o.same_collection.clone()).fields[0].clone();
    }),
    inside("all groups of another row", |row, o| row.groups = o.same_collection.groups.clone()),
];

/// The group with two fields.
fn largest(row: &mut storage::Record) -> &mut storage::SealedGroup {
    row.groups.iter_mut().max_by_key(|group| group.fields.len()).unwrap()
}

fn field(row: &mut storage::Record, at: usize) -> &mut storage::SealedField {
    &mut largest(row).fields[at]
}

fn message(row: &[u8]) -> storage::Record {
    storage::Record::decode(&row[HEAD_BYTES..row.len() - MAC_BYTES]).unwrap()
}

/// The row with an exchange made and its MAC left.
fn with_mac_left(row: &[u8], changed: &storage::Record) -> Vec<u8> {
    let (head, mac) = (&row[..HEAD_BYTES], &row[row.len() - MAC_BYTES..]);
    [head, &changed.encode_to_vec(), mac].concat()
}

/// r1 as it lies in the store.
struct Target {
    key: StoreKey,
    row: Vec<u8>,
    others: Others,
}

impl Target {
    async fn take(house: &mut House) -> Self {
        let (mine, r1, r2) = (house.tenant, id("r1"), id("r2"));
        let at = |key| stored(house, mine, key);
        let same_collection = message(&at(record_key(&customers(), &r2)).await);
        let other_collection = message(&at(record_key(&visits(), &r1)).await);
        let key = record_key(&customers(), &r1);
        let row = at(key.clone()).await;
        let other_tenant = message(&row_of_another_tenant(house).await);
        Self { key, row, others: Others { same_collection, other_collection, other_tenant } }
    }

    fn exchanged(&self, exchange: &Exchange) -> storage::Record {
        let mut changed = message(&self.row);
        (exchange.make)(&mut changed, &self.others);
        assert!(changed.encode_to_vec() != message(&self.row).encode_to_vec(), "{}", exchange.what);
        changed
    }
}

/// The row of the same id in the same collection of another tenant.
async fn row_of_another_tenant(house: &mut House) -> Vec<u8> {
    let other = house.enrol_another("other-tenant").await;
    let (tenant, id_of_other) = (house.tenant, other.tenant);
    let own = std::mem::replace(&mut house.customer_token, other.customer_token);
    house.tenant = id_of_other;
    let permit = house.vault().permit_operator(&House::operator()).unwrap();
    let (name, policy) = (customers(), tresor_proto::Policy::default());
    let other = TenantRef::Id(id_of_other);
    house.vault().put_collection(&permit, &other, name, policy).await.unwrap();
    house.put(Some("r1"), person("one")).await.unwrap();
    let row = stored(house, id_of_other, record_key(&customers(), &id("r1"))).await;
    (house.tenant, house.customer_token) = (tenant, own);
    row
}

#[tokio::test]
async fn nothing_of_a_row_can_be_exchanged_under_its_mac() {
    let mut house = house().await;
    let target = Target::take(&mut house).await;
    for exchange in OUTSIDE.iter().chain(INSIDE) {
        let row = with_mac_left(&target.row, &target.exchanged(exchange));
        overwrite(&house, target.key.clone(), row).await;
        assert_refused(&house, exchange.what).await;
    }
    overwrite(&house, target.key, target.row).await;
    assert!(house.get("r1", Reveal::Plain).await.is_ok());
}

#[tokio::test]
async fn nothing_sealed_can_be_exchanged_even_with_a_new_mac() {
    let mut house = house().await;
    let target = Target::take(&mut house).await;
    let permit = house.permit::<Read>().await;
    let rows = &permit.holder().keyring().rows;
    let place = RowPlace { tenant: house.tenant, key: &target.key };
    let mut accepted = Vec::new();
    for exchange in OUTSIDE.iter().chain(INSIDE) {
        let message = target.exchanged(exchange).encode_to_vec();
        overwrite(&house, target.key.clone(), rows.encode(place, &message).unwrap()).await;
        let opened = house.get("r1", Reveal::Plain).await;
        if exchange.is_sealed {
            assert_eq!(opened.map(|_| ()), Err(VaultError::Integrity), "{}", exchange.what);
        } else {
            accepted.extend(opened.ok());
        }
    }
    assert!(!accepted.is_empty(), "the new MAC is a good one");
}

#[tokio::test]
async fn whole_rows_cannot_change_places() {
    let mut house = house().await;
    let target = Target::take(&mut house).await;
    let elsewhere = [
        ("another record", stored(&house, house.tenant, record_key(&customers(), &id("r2"))).await),
        (
            "another collection",
            stored(&house, house.tenant, record_key(&visits(), &id("r1"))).await,
        ),
        ("another metadata key", [b"TRR1\0\0\0\x02", &target.row[HEAD_BYTES..]].concat()),
        ("another format", [b"TRR2", &target.row[4..]].concat()),
        ("two rows", [&target.row[..], &target.row].concat()),
        ("no bytes", Vec::new()),
    ];
    for (what, row) in elsewhere {
        overwrite(&house, target.key.clone(), row).await;
        assert_refused(&house, what).await;
    }
}

#[tokio::test]
async fn a_row_of_another_tenant_is_refused() {
    let mut house = house().await;
    let row = row_of_another_tenant(&mut house).await;
    overwrite(&house, record_key(&customers(), &id("r1")), row).await;
    assert_refused(&house, "another tenant").await;
}
