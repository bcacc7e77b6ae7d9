//! After a rotation of the cipher key: what the old key is still good for, which is nothing, and
//! what requests notice of it, which is nothing either.

use std::sync::Arc;

use tresor_proto::{InfoType, Reveal, TenantId, TenantRef};

use super::{LoadedKeyring, SystemKeyring, TenantKeyring, decode_file, read_file};
use crate::{
    CipherKeyReplacement, Destination, NewRecord, Read, VaultError, Write,
    aad::Purpose,
    customer_token_entry,
    house::{House, clear, customers, id, sealed, text_of},
    key::{CipherKey, Key as _},
    slot::SlotHolder,
    store::StoreEngine,
};

async fn loaded(house: &House) -> Arc<LoadedKeyring> {
    house.vault().keyring(house.tenant).await.unwrap()
}

async fn rotate(
    house: &House,
    tenants: &[TenantId],
) -> Vec<Result<CipherKeyReplacement, VaultError>> {
    let permit = house.vault().permit_operator(&House::operator()).unwrap();
    let mut work = house.vault().begin_key_work(permit, "a test").await.unwrap();
    house.vault().rotate_cipher_keys(&mut work, tenants).await.unwrap()
}

/// How many locks a cipher key opens, under whichever version it claims to be.
fn opened_by(cipher_key: &CipherKey, keyring: &TenantKeyring) -> usize {
    let mut copy = TenantKeyring::from_body(keyring.tenant, &keyring.to_body()).unwrap();
    let mut opened = 0;
    for version in 1..=3 {
        for token in &mut copy.customer_tokens {
            let holder = SlotHolder { tenant: keyring.tenant, bounds: &token.bounds };
            for slot in &mut token.slots {
                slot.cipher_key_version = version;
                opened += usize::from(slot.open_outer(holder, cipher_key).is_ok());
            }
        }
    }
    // The metadata keys are wrapped under the cipher key alone.
    for entry in &mut copy.cipher_keys {
        entry.key = CipherKey::from_slice(cipher_key.expose_secret()).unwrap();
    }
    opened + usize::from(copy.row_keys().is_ok())
}

#[tokio::test]
async fn after_a_rotation_the_old_cipher_key_opens_nothing_of_the_new_keyring() {
    let mut house = House::build(StoreEngine::Redb).await;
    let old = loaded(&house).await;
    let old_key = &old.keyring.cipher_keys[0].key;
    let locks =
        old.keyring.customer_tokens.iter().map(|token| token.slots.len()).sum::<usize>() + 1;
    assert_eq!(opened_by(old_key, &old.keyring), locks, "the attempts are real");
    let rotated = rotate(&house, &[house.tenant]).await;
    let replaced_ms = house.clock.now();
    let expected = CipherKeyReplacement { old_version: 1, new_version: 2, replaced_ms };
    assert_eq!(rotated, [Ok(expected)]);
    house.reopen().await;
    let new = loaded(&house).await;
    assert_eq!(opened_by(old_key, &new.keyring), 0);
    let [new_key] = new.keyring.cipher_keys.as_slice() else { panic!("one key only") };
    assert_eq!((new_key.version, new_key.created_ms), (2, replaced_ms));
    assert_eq!(opened_by(&new_key.key, &new.keyring), locks);
    assert_eq!(opened_by(&new_key.key, &old.keyring), 0);
    // With the customer token too, the old key opens no slot.
    let wrap_key = customer_token_entry::wrap_key(house.tenant, &house.customer_token).unwrap();
    let entry = &new.keyring.customer_tokens[0];
    let holder = SlotHolder { tenant: house.tenant, bounds: &entry.bounds };
    for slot in &entry.slots {
        assert!(slot.unlock(holder, &wrap_key, old_key).is_err());
        assert!(slot.unlock(holder, &wrap_key, &new_key.key).is_ok());
    }
}

#[tokio::test]
async fn the_keyring_file_holds_no_older_cipher_key() {
    let house = House::build(StoreEngine::Memory).await;
    let old = loaded(&house).await;
    rotate(&house, &[house.tenant]).await;
    let new = loaded(&house).await;
    let body = new.keyring.to_body();
    let holds = |key: &CipherKey| body.windows(32).any(|window| window == key.expose_secret());
    assert!(holds(&new.keyring.cipher_keys[0].key), "the search finds what is there");
    assert!(!holds(&old.keyring.cipher_keys[0].key));
}

#[tokio::test]
async fn after_a_compromise_old_file_keys_open_no_new_keyring_and_the_vault_goes_on() {
    let mut house = House::build(StoreEngine::Redb).await;
    let fields = vec![sealed("name", InfoType::PersonName, "Anna")];
    house.put(Some("before"), fields).await.unwrap();
    let nobody = TenantId::from_bytes([0; 16]);
    let root = house.vault().keyrings().root();
    let system = read_file(&house.path("system/keyring.trk")).unwrap().unwrap();
    let (sequence, body) =
        decode_file(Purpose::SystemBody, nobody, root.as_ref(), &system).unwrap();
    let thief = SystemKeyring::from_body(sequence, &body).unwrap();
    let (file_key, _) = thief.tenant(house.tenant).unwrap();
    let opens = |house: &House| {
        let file = read_file(&house.keyring_path(house.tenant)).unwrap().unwrap();
        decode_file(Purpose::TenantBody, house.tenant, file_key, &file).is_ok()
    };
    for (is_compromised, is_open) in [(false, true), (true, false), (false, false)] {
        let permit = house.vault().permit_operator(&House::operator()).unwrap();
        let work = house.vault().begin_key_work(permit, "a test").await.unwrap();
        let mut work = work.on_compromised_keys(is_compromised);
        let rotated = house.vault().rotate_cipher_keys(&mut work, &[house.tenant]).await.unwrap();
        assert!(rotated[0].is_ok());
        drop(work);
        assert_eq!(opens(&house), is_open);
        house.reopen().await;
        assert!(house.get("before", Reveal::Plain).await.is_ok());
    }
}

#[tokio::test]
async fn data_stay_readable_and_requests_under_way_end_as_they_began() {
    let mut house = House::build(StoreEngine::Redb).await;
    let fields = || vec![sealed("name", InfoType::PersonName, "Anna"), clear("city", "Burg")];
    house.put(Some("before"), fields()).await.unwrap();
    // Permits hold the keyring they were made with.
    let (write, read) = (house.permit::<Write>().await, house.permit::<Read>().await);
    for _ in 0..2 {
        rotate(&house, &[house.tenant]).await[0].clone().unwrap();
    }
    let destination =
        Destination { collection: customers(), policy_version: Some(1), has_masks: false };
    let record = NewRecord::new(Some(id("under-way")), fields());
    let stored = house.vault().put(&write, &destination, vec![record]).await.unwrap();
    assert!(stored[0].is_ok());
    let ids = [id("before"), id("under-way")];
    let revealed = house.vault().get(&read, &House::view(Reveal::Plain), &ids).await.unwrap();
    assert!(revealed.iter().all(Result::is_ok));
    house.put(Some("after"), fields()).await.unwrap();
    house.reopen().await;
    for record in ["before", "under-way", "after"] {
        let revealed = house.get(record, Reveal::Plain).await.unwrap();
        assert_eq!(text_of(&revealed.fields[0]).as_deref(), Some("Anna"), "{record}");
    }
}

#[tokio::test]
async fn tenants_that_cannot_be_rotated_do_not_stop_the_others() {
    let mut house = House::build(StoreEngine::Redb).await;
    let (registered, _) = house.create_tenant("not-enrolled").await;
    let damaged = house.enrol_another("damaged").await.tenant;
    let sound = house.enrol_another("sound").await.tenant;
    house.reopen().await;
    std::fs::write(house.keyring_path(damaged), b"nonsense").unwrap();
    let unknown = TenantId::from_bytes([9; 16]);
    let rotated = rotate(&house, &[registered, damaged, unknown, sound]).await;
    let codes = rotated.iter().map(|one| one.as_ref().err().map(|error| error.code().as_str()));
    let expected = [Some("not_found"), Some("storage_unavailable"), Some("not_found"), None];
    assert_eq!(codes.collect::<Vec<_>>(), expected);
    let permit = house.vault().permit_operator(&House::operator()).unwrap();
    let state = house.vault().tenant(&permit, &TenantRef::Id(damaged)).await.unwrap().state;
    assert_eq!(state, crate::TenantState::Quarantined);
    let versions = house.vault().cipher_key_versions(&permit, &[sound, registered]).await;
    assert_eq!(versions[0], Ok(2));
    assert!(versions[1].is_err());
}
