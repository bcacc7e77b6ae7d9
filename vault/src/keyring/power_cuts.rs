//! Power cuts while keyrings are made and replaced.

use std::path::Path;
use std::sync::Arc;

use tresor_proto::TenantId;

use super::{CipherKeyVersion, KeyringError, KeyringFiles, Keyrings, TenantKeyring};
use crate::{
    entropy::SystemEntropy,
    key::{CipherKey, Key as _, RootKey},
    power_cut::{Random, Recording, cuts, recorded_program, say},
};

const WRITER: &str = "keyring::power_cuts::the_writer_of_keyrings";
const TENANTS: u8 = 3;
/// How often the keyring of each tenant is written.
const TURNS: u64 = 8;
/// Cuts of one recording.
const CUTS: usize = 100;

fn tenant(number: u8) -> TenantId {
    TenantId::from_bytes([number + 1; 16])
}

fn root() -> RootKey {
    RootKey::from_slice(&[1; 32]).unwrap()
}

fn create(place: &Path) -> Keyrings {
    let files = KeyringFiles::new(place).unwrap();
    Keyrings::create(files, root(), Arc::new(SystemEntropy::default())).unwrap()
}

fn open(place: &Path) -> Result<Keyrings, KeyringError> {
    Keyrings::open(KeyringFiles::new(place)?, root(), Arc::new(SystemEntropy::default()))
}

/// A keyring that tells by the age of its keys which turn wrote it; each is longer than the last.
fn keyring(tenant: TenantId, turn: u64) -> TenantKeyring {
    let mut keyring = TenantKeyring::new(tenant);
    for version in 1..=turn {
        let key = CipherKey::generate(&SystemEntropy::default()).unwrap();
        let mut cipher_key = CipherKeyVersion::first(key, turn);
        cipher_key.version = u32::try_from(version).unwrap();
        keyring.cipher_keys.push(cipher_key);
    }
    keyring
}

#[test]
fn the_writer_of_keyrings() {
    let place = recorded_program().map(|(place, _)| place);
    let other = tempfile::tempdir().unwrap();
    let keyrings = create(place.as_deref().unwrap_or(other.path()));
    say("made");
    for turn in 1..=TURNS {
        for number in 0..TENANTS {
            let tenant = tenant(number);
            let written = keyrings.write(keyring(tenant, turn), turn - 1).unwrap();
            assert_eq!(written.sequence, turn);
            say(&format!("{number} {turn}"));
        }
    }
}

/// Opens what remains and compares; then each keyring can be replaced again.
fn check(place: &Path, said: &[String], cut: &str) {
    let keyrings = match open(place) {
        Err(KeyringError::Absent) if said.is_empty() => create(place),
        opened => opened.unwrap_or_else(|error| panic!("{cut}: {error}")),
    };
    for number in 0..TENANTS {
        let tenant = tenant(number);
        let prefix = format!("{number} ");
        let acknowledged = said.iter().filter(|line| line.starts_with(&prefix)).count();
        let acknowledged = u64::try_from(acknowledged).unwrap();
        let sequence = match keyrings.load(tenant) {
            Err(KeyringError::Absent) => 0,
            loaded => {
                let loaded = loaded.unwrap_or_else(|error| panic!("{cut}: {error}"));
                let keys = &loaded.keyring.cipher_keys;
                assert_eq!(u64::try_from(keys.len()), Ok(loaded.sequence), "{cut}");
                assert!(keys.iter().all(|key| key.created_ms == loaded.sequence), "{cut}");
                loaded.sequence
            }
        };
        let is_right = sequence == acknowledged || sequence == acknowledged + 1;
        assert!(is_right, "{cut}: sequence {sequence} after {acknowledged} was acknowledged");
        let remembered = keyrings.remembered_sequence(tenant);
        assert_eq!(remembered, sequence, "{cut}");
        keyrings.write(keyring(tenant, sequence + 1), remembered).unwrap();
    }
    let again = open(place).unwrap();
    (0..TENANTS).for_each(|number| drop(again.load(tenant(number)).unwrap()));
}

#[test]
fn replaced_keyrings_survive_power_cuts_whole() {
    let mut random = Random::of_this_run();
    let recording = Recording::of(WRITER, "");
    recording.cut(cuts(CUTS), &mut random, |remains| {
        check(&remains.place, remains.said, &remains.cut);
    });
}
