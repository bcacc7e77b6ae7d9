//! Power cuts while cipher keys are replaced.

use std::{path::Path, sync::Arc};

use tresor_proto::{CustomerToken, TenantId};

use super::{KeyringError, KeyringFiles, Keyrings, LoadedKeyring};
use crate::{
    customer_token_entry,
    entropy::{Entropy, SystemEntropy},
    key::{Key as _, RootKey},
    operations::enrol::generate,
    power_cut::{Random, Recording, cuts, recorded_program, say},
    slot::SlotHolder,
};

const WRITER: &str = "keyring::rotation_power_cuts::the_rotator_of_cipher_keys";
const TENANTS: [TenantId; 3] =
    [TenantId::from_bytes([1; 16]), TenantId::from_bytes([2; 16]), TenantId::from_bytes([3; 16])];
/// How often all cipher keys are replaced.
const TURNS: usize = 6;
/// Cuts of one recording.
const CUTS: usize = 100;

fn entropy() -> Arc<dyn Entropy> {
    Arc::new(SystemEntropy::default())
}

fn root() -> RootKey {
    RootKey::from_slice(&[1; 32]).unwrap()
}

/// Replaces all cipher keys; after a compromise the keys of their files too.
fn rotate(keyrings: &Keyrings, is_compromised: bool) {
    let entropy = entropy();
    if is_compromised {
        keyrings.begin_file_keys(&TENANTS).unwrap();
    }
    let rotated = keyrings.edit_many(&TENANTS, |keyring| {
        Ok::<_, KeyringError>(keyring.rotate_cipher_key(1, is_compromised, entropy.as_ref())?)
    });
    assert!(rotated.unwrap().iter().all(Result::is_ok));
}

#[test]
fn the_rotator_of_cipher_keys() {
    let place = recorded_program().map(|(place, _)| place);
    let other = tempfile::tempdir().unwrap();
    let files = KeyringFiles::new(place.as_deref().unwrap_or(other.path())).unwrap();
    let keyrings = Keyrings::create(files, root(), entropy()).unwrap();
    for tenant in TENANTS {
        let made = generate(tenant, 1, keyrings.pepper(), entropy().as_ref()).unwrap();
        let (customer_token, keyring) = made;
        keyrings.write(keyring, 0).unwrap();
        say(&format!("{tenant} {}", customer_token.expose_text().as_str()));
    }
    for turn in 1..=TURNS {
        rotate(&keyrings, turn % 2 == 0);
        say(&format!("turn {turn}"));
    }
}

/// Both keys open every slot, all of which are locked under the one cipher key there is.
fn check_whole(loaded: &LoadedKeyring, customer_token: &CustomerToken, cut: &str) -> usize {
    let keyring = &loaded.keyring;
    let [cipher_key] = keyring.cipher_keys.as_slice() else { panic!("{cut}: several keys") };
    let wrap_key = customer_token_entry::wrap_key(keyring.tenant, customer_token).unwrap();
    let entry = &keyring.customer_tokens[0];
    let holder = SlotHolder { tenant: keyring.tenant, bounds: &entry.bounds };
    for slot in &entry.slots {
        assert_eq!(slot.cipher_key_version, cipher_key.version, "{cut}");
        let class_key = slot.unlock(holder, &wrap_key, &cipher_key.key).unwrap();
        let mut data_keys = keyring.data_keys(slot.class);
        assert!(data_keys.all(|key| key.unwrap(keyring.tenant, &class_key).is_ok()), "{cut}");
    }
    assert!(keyring.row_keys().is_ok(), "{cut}");
    usize::try_from(cipher_key.version).unwrap()
}

/// Opens what remains: each keyring is from before or after the rotation that was under way.
fn check(place: &Path, said: &[String], cut: &str) {
    let words = said.iter().map(|line| line.split_once(' ').unwrap());
    let (turns, enrolled): (Vec<_>, Vec<_>) = words.partition(|(what, _)| *what == "turn");
    if enrolled.is_empty() {
        return;
    }
    let open = || {
        let files = KeyringFiles::new(place).unwrap();
        Keyrings::open(files, root(), entropy()).unwrap_or_else(|error| panic!("{cut}: {error}"))
    };
    let keyrings = open();
    for (tenant, customer_token) in enrolled.iter() {
        let customer_token = CustomerToken::parse(customer_token).unwrap();
        let loaded = keyrings.load(TenantId::parse(tenant).unwrap());
        let loaded = loaded.unwrap_or_else(|error| panic!("{cut}: {error}"));
        let version = check_whole(&loaded, &customer_token, cut);
        let (old, new) = (turns.len() + 1, turns.len() + 2);
        assert!(version == old || version == new, "{cut}: {version} after {} turns", turns.len());
    }
    if enrolled.len() == TENANTS.len() {
        rotate(&keyrings, true);
        drop(keyrings);
        let again = open();
        for (tenant, customer_token) in enrolled {
            let customer_token = CustomerToken::parse(customer_token).unwrap();
            let loaded = again.load(TenantId::parse(tenant).unwrap()).unwrap();
            check_whole(&loaded, &customer_token, cut);
        }
    }
}

#[test]
fn a_cipher_rotation_cut_off_anywhere_leaves_each_keyring_old_or_new() {
    let mut random = Random::of_this_run();
    let recording = Recording::of(WRITER, "");
    recording.cut(cuts(CUTS), &mut random, |remains| {
        check(&remains.place, remains.said, &remains.cut);
    });
}
