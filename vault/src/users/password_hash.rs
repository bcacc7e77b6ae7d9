//! A password at rest: Argon2id (RFC 9106) with a secret derived from the pepper.
//!
//! It promises that whoever has the registry alone cannot test a guess, and that one with the pepper
//! too pays 64 MiB and three passes for each. It relies on its caller for a thread that wipes its
//! stack; the memory is wiped here.

use std::hint::black_box;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use subtle::ConstantTimeEq as _;
use tresor_proto::{Password, Secret, storage};
use zeroize::Zeroizing;

use crate::{
    crypto_error::CryptoError,
    entropy::Entropy,
    error::VaultError,
    kdf,
    key::{Key as _, Pepper},
};

/// RFC 9106 §4, second recommended option, on one lane: a login takes one core, not four.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 1;
/// Bytes of a salt, RFC 9106 §3.1.
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// The secret that goes into every hash.
pub(crate) struct PasswordKey(Secret<32>);

/// What is kept of a password.
#[derive(Clone)]
pub(crate) struct PasswordHash {
    hash: [u8; HASH_BYTES],
    salt: [u8; SALT_BYTES],
}

impl PasswordKey {
    /// `HKDF-Expand(pepper, "tresor/v1/password")`.
    pub(crate) fn derive(pepper: &Pepper) -> Result<Self, CryptoError> {
        let key = kdf::expand::<32>(pepper.expose_secret(), &[b"tresor/v1/password"])?;
        Secret::from_slice(&key[..]).map(Self).ok_or(CryptoError)
    }
}

impl PasswordHash {
    /// Hashes a password under a new salt.
    pub(crate) fn make(
        password: &Password,
        key: &PasswordKey,
        entropy: &dyn Entropy,
    ) -> Result<Self, CryptoError> {
        let mut salt = [0; SALT_BYTES];
        entropy.fill(&mut salt)?;
        Ok(Self { hash: *stretch(password, &salt, key)?, salt })
    }

    /// The hash of no password: what is tested where there is no user, so that it takes as long.
    pub(crate) fn of_nobody() -> Self {
        Self { hash: [0; HASH_BYTES], salt: [0; SALT_BYTES] }
    }

    /// Whether it is the hash of a password.
    pub(crate) fn is_of(
        &self,
        password: &Password,
        key: &PasswordKey,
    ) -> Result<bool, CryptoError> {
        Ok(bool::from(stretch(password, &self.salt, key)?.ct_eq(&self.hash)))
    }

    /// Reads a user's row; parameters other than ours are refused, there never were any.
    pub(crate) fn from_row(row: &storage::UserRow) -> Result<Self, VaultError> {
        if (row.memory_kib, row.passes, row.lanes) != (MEMORY_KIB, PASSES, LANES) {
            return Err(VaultError::Integrity);
        }
        let hash = row.password_hash.as_slice().try_into();
        let salt = row.salt.as_slice().try_into();
        Ok(Self {
            hash: hash.map_err(|_| VaultError::Integrity)?,
            salt: salt.map_err(|_| VaultError::Integrity)?,
        })
    }

    /// Writes it into a user's row.
    pub(crate) fn put_into(&self, row: &mut storage::UserRow) {
        row.password_hash = self.hash.to_vec();
        row.salt = self.salt.to_vec();
        (row.memory_kib, row.passes, row.lanes) = (MEMORY_KIB, PASSES, LANES);
    }
}

fn stretch(
    password: &Password,
    salt: &[u8; SALT_BYTES],
    key: &PasswordKey,
) -> Result<Zeroizing<[u8; HASH_BYTES]>, CryptoError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(HASH_BYTES));
    let params = params.map_err(|_| CryptoError)?;
    let mut memory = vec![Block::default(); params.block_count()];
    let (algorithm, version) = (Algorithm::Argon2id, Version::V0x13);
    let argon2 = Argon2::new_with_secret(key.0.expose_secret(), algorithm, version, params);
    let mut hash = Zeroizing::new([0; HASH_BYTES]);
    let text = password.expose_secret().as_bytes();
    let hashed = argon2.map_err(|_| CryptoError)?.hash_password_into_with_memory(
        text,
        salt,
        &mut hash[..],
        &mut memory[..],
    );
    wipe(&mut memory);
    hashed.map_err(|_| CryptoError).map(|()| hash)
}

/// Wipes a block at a time: 64 MiB word by word would take as long as the hash. That somebody looks
/// keeps a compiler from leaving it out.
fn wipe(memory: &mut [Block]) {
    memory.fill(Block::default());
    black_box(memory);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    fn key(byte: u8) -> PasswordKey {
        PasswordKey::derive(&Pepper::from_slice(&[byte; 32]).unwrap()).unwrap()
    }

    fn password(text: &str) -> Password {
        Password::parse(text).unwrap()
    }

    #[test]
    fn only_the_password_under_the_same_pepper_has_the_hash() {
        let kept = password("correct horse");
        let hash = PasswordHash::make(&kept, &key(1), &SystemEntropy::default()).unwrap();
        assert!(hash.is_of(&password("correct horse"), &key(1)).unwrap());
        assert!(!hash.is_of(&password("correct horsf"), &key(1)).unwrap());
        assert!(!hash.is_of(&password("correct horse"), &key(2)).unwrap());
        assert!(!PasswordHash::of_nobody().is_of(&kept, &key(1)).unwrap());
    }

    #[test]
    fn a_row_cannot_ask_for_more_memory() {
        let mut row = storage::UserRow::default();
        PasswordHash::of_nobody().put_into(&mut row);
        assert!(PasswordHash::from_row(&row).is_ok());
        for wrong in [
            storage::UserRow { memory_kib: u32::MAX, ..row.clone() },
            storage::UserRow { passes: 1, ..row.clone() },
            storage::UserRow { salt: vec![0; 15], ..row.clone() },
            storage::UserRow { password_hash: vec![0; 33], ..row.clone() },
        ] {
            assert!(PasswordHash::from_row(&wrong).is_err());
        }
    }
}
