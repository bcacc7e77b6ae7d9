//! Whatever bytes come from a disk, reading them ends in a value or a refusal: never a panic, never an
//! answer that does not authenticate. Thousands of small edits of real files, a few seconds.

use std::sync::Arc;

use prost::Message as _;
use tresor_proto::{InfoType, Reveal, TenantId, storage};

use crate::{
    aad::{Purpose, WrapPlace},
    customer_token_entry::CustomerTokenEntry,
    entropy::SystemEntropy,
    house::{House, clear, sealed},
    key::{CipherKey, FileKey, Key as _},
    keyring::{KeyringLabel, SystemKeyring, TenantKeyring, decode_file, encode_file},
    operations::enrol::generate,
    random::{Random, cases},
    row::RowPlace,
    store::{Change, Keyspace, StoreEngine, StoreKey, Write},
    tlv, wrap,
};

const TENANT: TenantId = TenantId::from_bytes([7; 16]);

#[test]
fn any_tlv_is_refused_or_canonical() {
    let mut random = Random::of_this_run();
    let sample = WrapPlace::new(Purpose::SlotInner, TENANT).key_id(b"a key").bounds(b"bounds");
    let sample = sample.encode().unwrap();
    let mut accepted = 0;
    for _ in 0..cases(50_000, 5_000_000) {
        let bytes = random.mutated(&sample);
        if let Ok(values) = tlv::decode::<6>(&bytes) {
            accepted += 1;
            let list = (1u8..).zip(values).fold(tlv::Tlv::new(), |list, (t, v)| list.with(t, v));
            assert_eq!(list.encode().unwrap(), bytes);
        }
    }
    assert!(accepted > 0, "some edits leave a list");
}

#[test]
fn any_change_of_a_wrap_is_refused() {
    let mut random = Random::of_this_run();
    let key = CipherKey::from_slice(&[1; 32]).unwrap();
    let sample = wrap::wrap(&key, b"aad", &[7; 32], &SystemEntropy::default()).unwrap();
    for _ in 0..cases(20_000, 2_000_000) {
        let bytes = random.mutated(&sample);
        let is_same = bytes == sample;
        assert_eq!(wrap::unwrap(&key, b"aad", &bytes).is_ok(), is_same);
    }
}

#[test]
fn any_change_of_a_keyring_file_is_refused() {
    let mut random = Random::of_this_run();
    let key = FileKey::from_slice(&[1; 32]).unwrap();
    let label = KeyringLabel { purpose: Purpose::TenantBody, tenant: TENANT, sequence: 3 };
    let sample = encode_file(label, &key, &[7; 300], &SystemEntropy::default()).unwrap();
    for _ in 0..cases(20_000, 2_000_000) {
        let bytes = random.mutated(&sample);
        let opened = decode_file(Purpose::TenantBody, TENANT, &key, &bytes);
        assert_eq!(opened.is_ok(), bytes == sample);
    }
}

#[test]
fn any_body_of_a_keyring_is_read_or_refused() {
    let mut random = Random::of_this_run();
    let entropy = SystemEntropy::default();
    let mut system = SystemKeyring::generate(&entropy).unwrap();
    system.add_tenant(TENANT, FileKey::from_slice(&[1; 32]).unwrap());
    let (token, keyring) = generate(TENANT, 1, &system.pepper, &entropy).unwrap();
    let (system_body, body) = (system.to_body(), keyring.to_body());
    let entry = storage::CustomerToken::from(&keyring.customer_tokens[0]).encode_to_vec();
    let (mut read, mut verified) = (0, 0);
    for _ in 0..cases(3_000, 300_000) {
        read += usize::from(SystemKeyring::from_body(1, &random.mutated(&system_body)).is_ok());
        if let Ok(keyring) = TenantKeyring::from_body(TENANT, &random.mutated(&body)) {
            read += usize::from(keyring.row_keys().is_ok());
        }
        let entry = storage::CustomerToken::decode(&random.mutated(&entry)[..]);
        if let Some(entry) = entry.ok().and_then(|entry| CustomerTokenEntry::try_from(entry).ok()) {
            let checked = entry.verify(TENANT, &token, &system.pepper);
            verified += usize::from(checked.is_ok_and(|key| key.is_some()));
        }
    }
    assert!(read > 0 && verified > 0, "some edits leave a body");
}

#[tokio::test]
async fn any_message_under_a_good_mac_is_shown_or_refused() {
    let house = House::build(StoreEngine::Memory).await;
    let fields = vec![
        sealed("name", InfoType::PersonName, "Anna"),
        sealed("nick", InfoType::PersonName, "Anni"),
        clear("status", "geplant"),
        sealed("mail", InfoType::EmailAddress, "anna@example.org"),
    ];
    house.put(Some("r1"), fields).await.unwrap();
    let store = house.vault().store(house.tenant).await.unwrap();
    let key = StoreKey::new(Keyspace::Records, "customers\0r1");
    let row = store.read(vec![key.clone()]).await.unwrap().remove(0).unwrap();
    let keyring = Arc::clone(&house.vault().keyring(house.tenant).await.unwrap());
    let place = RowPlace { tenant: house.tenant, key: &key };
    let message = keyring.rows.decode(place, &row).unwrap().to_vec();
    let mut random = Random::of_this_run();
    let mut shown = 0;
    for _ in 0..cases(3_000, 200_000) {
        let row = keyring.rows.encode(place, &random.mutated(&message)).unwrap();
        let writes = vec![Write::Put(key.clone(), row)];
        store.apply(vec![Change { preconditions: Vec::new(), writes }]).await.unwrap();
        let reveal = *random.pick(&[Reveal::Plain, Reveal::Masked, Reveal::Redacted]);
        shown += usize::from(house.get("r1", reveal).await.is_ok());
    }
    assert!(shown > 0, "some edits leave a record");
}
