//! Golden vectors of the rows of surrogates: `vectors/surrogate_rows.json`, made under fixed keys. To
//! begin a new version, run the test with `TRESOR_WRITE_VECTORS=1` and review.

use std::path::Path;

use serde_json::{Value, json};
use tresor_proto::{
    CollectionName, Content, DataClass, FieldName, InfoType, RecordId, Reveal, SurrogateForm,
    SurrogateFormat, SurrogateId, SurrogateKind, TenantId, storage, vault,
};

use super::{
    expiry,
    look_up::{LookUp, Scope},
    rows::{SurrogateRows, count_key, look_up_key, row_key},
    sealed_value::{self, ValuePlace},
};
use crate::{
    aead::SALT_BYTES,
    idempotency::of_record,
    key::{DataKey, IdentifierKey, Key as _, MetadataKey},
    operations::record_key,
    record::{FieldSurrogate, NewField, NewRecord, StoredRecord, Treatment},
    row::RowKeys,
    sealed_group::{self, FieldToSeal, GroupPlace, RecordPlace},
    store::{Keyspace, StoreKey, Write},
};

const NOW_MS: u64 = 1_800_000_000_000;
const END_MS: u64 = NOW_MS + 86_400_000;
const TENANT: TenantId = TenantId::from_bytes([0x7A; 16]);
const ID: SurrogateId = SurrogateId::from_bytes(*b"sixteen bytes id");
const METADATA_KEY: [u8; 32] = *b"a golden metadata key, 32 bytes!";
const DATA_KEY: [u8; 32] = *b"a golden data key, with 32 bytes";
const IDENTIFIER_KEY: [u8; 32] = *b"a golden identifier key, 32 byte";
const SALT: [u8; SALT_BYTES] = *b"a salt of 24 bytes, once";
const VALUE: &str = "Anna Mäßig";
const METER: &str = "12345678";

fn told(write: Write) -> Value {
    match write {
        Write::Put(key, row) => json!({"key": hex::encode(key.key), "row": hex::encode(row)}),
        Write::Remove(_) => panic!("a row is put"),
    }
}

fn surrogate(look_up: &StoreKey) -> storage::Surrogate {
    let mut row = storage::Surrogate {
        look_up_version: 0,
        created_ms: NOW_MS,
        expires_ms: 0,
        uses_max: 0,
        kind: vault::SurrogateKind::Deterministic as i32,
        info_type: InfoType::PersonName.as_str().to_owned(),
        data_class: vault::DataClass::Identity as i32,
        reveal: vault::Reveal::Masked as i32,
        group: None,
        look_up: look_up.key.clone(),
        mask: vec![1, 2],
        is_held: true,
    };
    let data_key = DataKey::from_slice(&DATA_KEY).unwrap();
    let place = ValuePlace { tenant: TENANT, id: &ID, class: DataClass::Identity, epoch: 3 };
    let content = Content::text(VALUE).unwrap();
    row.group = Some(sealed_value::seal(&data_key, place, &SALT, (&row, &content)).unwrap());
    row
}

/// The row of a record with a format-preserving surrogate, and the answer that told of it: neither
/// holds its text.
fn preserving(rows: SurrogateRows<'_>) -> [Write; 2] {
    let (collection, id) = (CollectionName::parse("c").unwrap(), RecordId::parse("r").unwrap());
    let name = FieldName::parse("meter").unwrap();
    let (info_type, content) = (InfoType::MeterId, Content::text(METER).unwrap());
    let kind = SurrogateKind::FormatPreserving(SurrogateFormat::Digits);
    let form = SurrogateForm { kind, ..SurrogateForm::default() };
    let treatment = Treatment::Tokenize { info_type, form, mask: None };
    let field = NewField { name: name.clone(), content, treatment };
    let asked = NewRecord::new(None, vec![field]).unwrap();
    let given =
        FieldSurrogate { field: name, surrogate: "a text".to_owned(), key_version: Some(1) };
    let stored = StoredRecord {
        id: id.clone(),
        revision: 1,
        is_replayed: false,
        is_superseded: false,
        surrogates: vec![given],
        masks: Vec::new(),
    };
    let answer = StoreKey::new(Keyspace::Idempotency, [7; 36]);
    let answer = rows.put(answer, &of_record(&stored, &asked)).unwrap();
    let place = RecordPlace { tenant: TENANT, collection: &collection, record: &id };
    let mut row = storage::Record { revision: 1, ..storage::Record::default() };
    row.groups.push(preserving_group(place, &asked.fields()[0]));
    [rows.put(record_key(&collection, &id), &row).unwrap(), answer]
}

fn preserving_group(record: RecordPlace<'_>, field: &NewField) -> storage::SealedGroup {
    let (name, content, info_type) = (&field.name, &field.content, field.info_type());
    let place = GroupPlace { record, class: field.class().unwrap(), epoch: 3, erasure_bucket: 0 };
    let to_seal = FieldToSeal { position: 0, name, info_type, content };
    let data_key = DataKey::from_slice(&DATA_KEY).unwrap();
    let mut group = sealed_group::seal(&data_key, &place, SALT, &[to_seal]).unwrap();
    let (text, format) = field.tokenized().unwrap().written("a text");
    (group.fields[0].surrogate, group.fields[0].surrogate_format) = (text.to_owned(), format);
    group
}

fn make() -> Value {
    let keys = [(1, MetadataKey::from_slice(&METADATA_KEY).unwrap())];
    let keys = RowKeys::new(&keys).unwrap();
    let rows = SurrogateRows { tenant: TENANT, keys: &keys };
    let identifier = IdentifierKey::from_slice(&IDENTIFIER_KEY).unwrap();
    let (info_type, reveal) = (InfoType::PersonName, Reveal::Masked);
    let look_up = LookUp::new(&identifier, Scope { info_type, reveal }).unwrap();
    let look_up = look_up_key(&look_up.digest(&Content::text(VALUE).unwrap()));
    let row = rows.put(row_key(&ID), &surrogate(&look_up)).unwrap();
    let id = ID.as_bytes().to_vec();
    let found = rows.put(look_up, &storage::SurrogateLookUp { id }).unwrap();
    let count = storage::SurrogateCount {
        uses: 2,
        references: 3,
        is_pinned: true,
        lasting: 1,
        ends_ms: END_MS,
    };
    let counted = rows.put(count_key(&row_key(&ID)), &count).unwrap();
    let [record, answer] = preserving(rows);
    json!({
        "tenant": TENANT.to_string(),
        "keyspace": 2,
        "metadata_key": hex::encode(METADATA_KEY),
        "data_key": hex::encode(DATA_KEY),
        "identifier_key": hex::encode(IDENTIFIER_KEY),
        "value": VALUE,
        "surrogate": told(row),
        "look_up": told(found),
        "count": told(counted),
        "preserved_value": METER,
        "preserving_record": told(record),
        "preserving_answer": told(answer),
        "end_ms": END_MS,
        "expiry_keyspace": 5,
        "expiry_key": hex::encode(expiry::entry(END_MS, &ID).key),
    })
}

#[test]
fn the_rows_of_surrogates_are_frozen() {
    let made = serde_json::to_string_pretty(&make()).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/surrogate_rows.json");
    if std::env::var_os("TRESOR_WRITE_VECTORS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let frozen = std::fs::read_to_string(path).unwrap();
    assert!(made == frozen, "a format changed without a new version and new vectors");
}
