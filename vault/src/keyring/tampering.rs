//! What a writer of the keyring files tries: every bit flipped, every length cut, files exchanged.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use tresor_proto::TenantId;
use zeroize::Zeroizing;

use super::{KeyringError, KeyringFiles, Keyrings};
use crate::{
    entropy::SystemEntropy,
    key::{Key as _, RootKey},
    operations::enrol::generate,
    random::{Random, cases},
    seal::Passphrase,
};

const TENANTS: [TenantId; 2] = [TenantId::from_bytes([7; 16]), TenantId::from_bytes([8; 16])];

/// A directory with the keyrings of two enrolled tenants.
struct Safe {
    directory: tempfile::TempDir,
    root: [u8; 32],
}

impl Safe {
    fn fill() -> Self {
        let safe = Self { directory: tempfile::tempdir().unwrap(), root: [1; 32] };
        let entropy = Arc::new(SystemEntropy::default());
        let keyrings = Keyrings::create(safe.files(), safe.root(), entropy).unwrap();
        for tenant in TENANTS {
            let entropy = SystemEntropy::default();
            let (_, keyring) = generate(tenant, 1, keyrings.pepper(), &entropy).unwrap();
            keyrings.write(keyring, 0).unwrap();
        }
        safe
    }

    fn files(&self) -> KeyringFiles {
        KeyringFiles::new(self.directory.path()).unwrap()
    }

    fn root(&self) -> RootKey {
        RootKey::from_slice(&self.root).unwrap()
    }

    fn open(&self) -> Result<Keyrings, KeyringError> {
        Keyrings::open(self.files(), self.root(), Arc::new(SystemEntropy::default()))
    }

    fn tenant_file(&self) -> PathBuf {
        self.files().tenant_keyring(TENANTS[0])
    }
}

/// Flips each bit of a file in its place, cuts it at each length, and gives every refusal to `refused`.
fn damage_everywhere(path: &Path, refused: impl Fn() -> bool) {
    let good = fs::read(path).unwrap();
    let file = File::options().write(true).open(path).unwrap();
    for bit in 0..good.len() * 8 {
        let at = bit / 8;
        let offset = u64::try_from(at).unwrap();
        file.write_all_at(&[good[at] ^ (1 << (bit % 8))], offset).unwrap();
        assert!(refused(), "bit {bit}");
        file.write_all_at(&good[at..=at], offset).unwrap();
    }
    for length in (0..good.len()).rev() {
        file.set_len(u64::try_from(length).unwrap()).unwrap();
        assert!(refused(), "{length} bytes");
    }
    fs::write(path, [&good[..], &[0]].concat()).unwrap();
    assert!(refused(), "a byte more");
    fs::write(path, good).unwrap();
    assert!(!refused(), "whole again");
}

#[test]
fn every_flipped_bit_and_every_cut_of_a_tenants_keyring_is_refused() {
    for _ in 0..cases(1, 20) {
        let safe = Safe::fill();
        let keyrings = safe.open().unwrap();
        damage_everywhere(&safe.tenant_file(), || {
            keyrings.load(TENANTS[0]).err() == Some(KeyringError::Damaged)
        });
    }
}

#[test]
fn every_flipped_bit_and_every_cut_of_the_system_keyring_is_refused() {
    for _ in 0..cases(1, 20) {
        let safe = Safe::fill();
        damage_everywhere(&safe.files().system_keyring(), || {
            safe.open().err() == Some(KeyringError::Damaged)
        });
    }
}

#[test]
fn keyrings_cannot_change_places() {
    let safe = Safe::fill();
    let path = safe.tenant_file();
    let good = fs::read(&path).unwrap();
    let others = [safe.files().tenant_keyring(TENANTS[1]), safe.files().system_keyring()];
    let system = fs::read(safe.files().system_keyring()).unwrap();
    for other in others {
        fs::write(&path, fs::read(other).unwrap()).unwrap();
        let keyrings = safe.open().unwrap();
        assert_eq!(keyrings.load(TENANTS[0]).err(), Some(KeyringError::Damaged));
        assert!(keyrings.load(TENANTS[1]).is_ok(), "the other tenant is served");
    }
    fs::write(safe.files().system_keyring(), good).unwrap();
    assert_eq!(safe.open().err(), Some(KeyringError::Damaged));
    fs::write(safe.files().system_keyring(), system).unwrap();
    // A keyring of the same tenant out of another vault.
    fs::copy(Safe::fill().tenant_file(), &path).unwrap();
    assert_eq!(safe.open().unwrap().load(TENANTS[0]).err(), Some(KeyringError::Damaged));
}

#[test]
fn a_flipped_bit_of_the_seal_file_is_refused() {
    let passphrase = Passphrase::new(Zeroizing::new(b"correct horse".to_vec())).unwrap();
    let seals = passphrase.to_seals();
    let good = seals.create(&SystemEntropy::default()).unwrap().1.encode();
    let mut random = Random::of_this_run();
    // Each costs a run of Argon2, unless the format is refused before.
    for _ in 0..cases(6, 400) {
        let mut file = good.clone();
        let bit = random.below(file.len() * 8);
        file[bit / 8] ^= 1 << (bit % 8);
        assert!(seals.root(&file).is_none(), "bit {bit}");
    }
    assert!(seals.root(&good).is_some());
}
