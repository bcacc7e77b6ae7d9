//! Golden vectors: what is written with fixed randomness and time is, byte for byte, what was
//! checked in, so that no format changes unnoticed.
//!
//! `vectors/v1.json` holds one vault whole: seal file, system keyring, a tenant's keyring, a
//! customer token, a row and an answer. `tests/clients/open_vectors.py` opens it with nothing of ours. To
//! begin a new version of a format, run the test with `TRESOR_WRITE_VECTORS=1` and review.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use prost::Message as _;
use serde_json::{Value, json};
use tresor_proto::{
    CollectionName, Content, ContentType, DataClass, FieldName, IdempotencyKey, InfoType, RecordId,
    TenantId, storage,
};
use zeroize::Zeroizing;

use crate::{
    crypto_error::CryptoError,
    customer_token_entry,
    entropy::Entropy,
    idempotency::{AnswerDesk, RequestMark, of_record},
    key::TokenAuthKey,
    keyring::{KeyringFiles, Keyrings, LoadedKeyring, read_file, replace_file},
    operations::enrol::generate,
    record::{ItemKey, NewField, NewRecord, StoredRecord, Subject, Treatment},
    row::RowPlace,
    seal::Passphrase,
    sealed_group::{self, FieldToSeal, GroupPlace, RecordPlace},
    store::{Keyspace, StoreKey, Write},
    unlocked::{Holder, UnlockedCache},
};

const NOW_MS: u64 = 1_800_000_000_000;
const PASSPHRASE: &str = "a golden passphrase";
const IDEMPOTENCY_KEY: &str = "a-golden-key";
const ORDINAL: u64 = 258;
const TENANT: TenantId = TenantId::from_bytes([0x7A; 16]);

/// Randomness that is none: a counter.
struct Counter(AtomicU64);

impl Entropy for Counter {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), CryptoError> {
        for chunk in bytes.chunks_mut(8) {
            let number = self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes();
            chunk.copy_from_slice(&number[..chunk.len()]);
        }
        Ok(())
    }
}

fn vectors_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/v1.json")
}

fn values() -> Vec<(&'static str, InfoType, Content)> {
    let content = |content_type, bytes: &[u8]| Content::new(content_type, bytes.to_vec()).unwrap();
    vec![
        ("name", InfoType::PersonName, content(ContentType::Text, "Anna Mäßig".as_bytes())),
        ("geburtsdatum", InfoType::DateOfBirth, content(ContentType::Text, b"1959-10-04")),
        ("betrag", InfoType::IbanCode, content(ContentType::Json, b"1.10")),
        ("foto", InfoType::FreeText, content(ContentType::Binary, &[0xFF; 700])),
    ]
}

/// The row of a record whose fields lie in three classes, beside one clear field.
fn row(loaded: &LoadedKeyring, holder: Holder<'_>) -> (StoreKey, Vec<u8>) {
    let collection = CollectionName::parse("customers").unwrap();
    let record = RecordId::parse("r-1").unwrap();
    let unlocked = UnlockedCache::default().unlock(holder, DataClass::ALL, NOW_MS).unwrap();
    let mut groups = Vec::new();
    for class in [DataClass::Identity, DataClass::Financial, DataClass::FreeText] {
        let values = values();
        let named = values.iter().map(|(name, ..)| FieldName::parse(name).unwrap());
        let named: Vec<_> = named.collect();
        let all = (0u32..).zip(values.iter().zip(&named));
        let fields: Vec<_> = all
            .filter(|(_, ((_, info_type, _), _))| info_type.class() == class)
            .map(|(position, ((_, info_type, content), name))| FieldToSeal {
                position,
                name,
                info_type: Some(*info_type),
                content,
            })
            .collect();
        let (epoch, key) = unlocked.class(class).unwrap().newest().unwrap();
        let place = RecordPlace { tenant: TENANT, collection: &collection, record: &record };
        let place = GroupPlace { record: place, class, epoch, erasure_bucket: 0 };
        groups.push(sealed_group::seal(key, &place, [class.code(); 24], &fields).unwrap());
    }
    let status = storage::ClearField {
        position: 4,
        name: "status".to_owned(),
        content_type: storage::ContentType::Text as i32,
        value: b"geplant".to_vec(),
    };
    let message = storage::Record {
        revision: 1,
        policy_version: 1,
        created_ms: NOW_MS,
        updated_ms: NOW_MS,
        expires_ms: 0,
        subject: loaded.rows.subject_digest(TENANT, b"Anna").unwrap().to_vec(),
        erasure_bucket: 0,
        clear_fields: vec![status],
        groups,
        index_entries: Vec::new(),
    };
    let key = StoreKey::new(Keyspace::Records, "customers\0r-1");
    let row = loaded.rows.encode(RowPlace { tenant: TENANT, key: &key }, &message.encode_to_vec());
    (key, row.unwrap())
}

/// The answer kept for the record above, put under an idempotency key.
fn answer(loaded: &LoadedKeyring, auth_key: &TokenAuthKey) -> (StoreKey, Vec<u8>) {
    let key = customer_token_entry::request_key(auth_key).unwrap();
    let idempotency_key = Arc::new(IdempotencyKey::parse(IDEMPOTENCY_KEY).unwrap());
    let item = ItemKey { idempotency_key, ordinal: ORDINAL };
    let record = RecordId::parse("r-1").unwrap();
    let field = |(name, _, content): (&str, InfoType, Content)| NewField {
        name: FieldName::parse(name).unwrap(),
        content,
        treatment: Treatment::Clear,
    };
    let asked = NewRecord::new(Some(record.clone()), values().into_iter().map(field).collect());
    let asked = asked.unwrap().with_subject(Some(Subject::new("Anna".to_owned()).unwrap()));
    let collection = CollectionName::parse("customers").unwrap();
    let asked = asked.with_expiry(Some(NOW_MS));
    let mark = RequestMark::new(&key, &item, &collection, &asked);
    let desk = AnswerDesk { tenant: TENANT, rows: &loaded.rows, now_ms: NOW_MS };
    let (surrogates, masks) = (Vec::new(), Vec::new());
    let stored = StoredRecord {
        id: record,
        revision: 3,
        is_replayed: false,
        is_superseded: false,
        surrogates,
        masks,
    };
    match mark.unwrap().keep(desk, of_record(&stored, &asked)).unwrap() {
        Write::Put(key, row) => (key, row),
        Write::Remove(_) => panic!("an answer is put"),
    }
}

fn make() -> Value {
    let directory = tempfile::tempdir().unwrap();
    let entropy: Arc<dyn Entropy> = Arc::new(Counter(AtomicU64::new(1)));
    let passphrase = Zeroizing::new(PASSPHRASE.as_bytes().to_vec());
    let passphrase = Passphrase::new(passphrase).unwrap();
    let files = KeyringFiles::new(directory.path()).unwrap();
    let (root, seal) = passphrase.to_seals().create(entropy.as_ref()).unwrap();
    replace_file(&files.seal(), &seal.encode(), |_| true).unwrap();
    let keyrings = Keyrings::create(files.clone(), root, Arc::clone(&entropy)).unwrap();
    let made = generate(TENANT, NOW_MS, keyrings.pepper(), entropy.as_ref());
    let (customer_token, keyring) = made.unwrap();
    let loaded = keyrings.write(keyring, 0).unwrap();
    let wrap_key = customer_token_entry::wrap_key(TENANT, &customer_token).unwrap();
    let entry = &loaded.keyring.customer_tokens[0];
    let auth_key = customer_token_entry::auth_key(TENANT, &customer_token).unwrap();
    let (answer_key, answer) = answer(&loaded, &auth_key);
    let (key, row) = row(&loaded, Holder { keyring: &loaded, entry, wrap_key: &wrap_key });
    let file = |path: PathBuf| hex::encode(read_file(&path).unwrap().unwrap());
    let told = |content: &Content| hex::encode(content.as_bytes());
    let values = values();
    let values =
        values.iter().map(|(name, _, content)| json!({"name": name, "hex": told(content)}));
    json!({
        "passphrase": PASSPHRASE,
        "tenant": TENANT.to_string(),
        "customer_token": customer_token.expose_text().as_str(),
        "collection": "customers",
        "record": "r-1",
        "keyspace": key.keyspace as u8,
        "store_key": hex::encode(&key.key),
        "seal_file": file(files.seal()),
        "system_keyring": file(files.system_keyring()),
        "tenant_keyring": file(files.tenant_keyring(TENANT)),
        "row": hex::encode(row),
        "now_ms": NOW_MS,
        "idempotency_key": IDEMPOTENCY_KEY,
        "ordinal": ORDINAL,
        "answer_keyspace": answer_key.keyspace as u8,
        "answer_store_key": hex::encode(&answer_key.key),
        "answer_row": hex::encode(answer),
        "values": values.collect::<Vec<_>>(),
    })
}

#[test]
fn the_formats_at_rest_are_frozen() {
    let made = serde_json::to_string_pretty(&make()).unwrap();
    if std::env::var_os("TRESOR_WRITE_VECTORS").is_some() {
        std::fs::create_dir_all(vectors_path().parent().unwrap()).unwrap();
        std::fs::write(vectors_path(), &made).unwrap();
    }
    let frozen = std::fs::read_to_string(vectors_path()).unwrap();
    assert!(made == frozen, "a format changed without a new version and new vectors");
}
