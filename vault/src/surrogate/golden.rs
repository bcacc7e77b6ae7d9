//! Golden vectors of the rows of surrogates: `vectors/surrogate_rows.json`, made under fixed keys. To
//! begin a new version, run the test with `TRESOR_WRITE_VECTORS=1` and review.

use std::path::Path;

use serde_json::{Value, json};
use tresor_proto::{
    Content, DataClass, InfoType, Mask, Reveal, SurrogateId, TenantId, storage, vault,
};

use super::{
    expiry,
    look_up::{LookUp, Scope},
    rows::{SurrogateRows, count_key, look_up_key, row_key},
    sealed_value::{self, ValuePlace},
};
use crate::{
    aead::SALT_BYTES,
    key::{DataKey, IdentifierKey, Key as _, MetadataKey},
    row::RowKeys,
    store::{StoreKey, Write},
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

fn make() -> Value {
    let keys = [(1, MetadataKey::from_slice(&METADATA_KEY).unwrap())];
    let keys = RowKeys::new(&keys).unwrap();
    let rows = SurrogateRows { tenant: TENANT, keys: &keys };
    let identifier = IdentifierKey::from_slice(&IDENTIFIER_KEY).unwrap();
    let (info_type, reveal, mask) = (InfoType::PersonName, Reveal::Masked, Mask::new(1, 2).ok());
    let look_up = LookUp::new(&identifier, Scope { info_type, reveal, mask }).unwrap();
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
