//! Unlocking: the root key at start, out of the seal file.
//!
//! `system/seal.trs` holds the root key once for each seal: `TRS1 ‖ version u16 BE ‖ protobuf
//! SealFile`. It promises nothing without the seal's secret, and refuses parameters that would
//! exhaust the machine.

use argon2::{Algorithm, Argon2, Params, Version};
use prost::Message as _;
use tresor_proto::{Secret, TenantId, storage};
use zeroize::Zeroizing;

use crate::{
    aad::{Purpose, WrapPlace},
    crypto_error::CryptoError,
    entropy::Entropy,
    key::{Key, RootKey, SealKey},
    wrap,
};

const MAGIC: &[u8; 4] = b"TRS1";
const FORMAT_VERSION: u16 = 1;
/// The id of the seal that a new vault begins with.
const FIRST_SEAL: &str = "passphrase";
/// Bytes of a passphrase at least.
const PASSPHRASE_BYTES_MIN: usize = 12;
/// Bytes of a passphrase at most.
const PASSPHRASE_BYTES_MAX: usize = 1_024;
/// Argon2id, RFC 9106 §4, second recommended option: 64 MiB, 3 passes, 4 lanes.
const MEMORY_KIB: u32 = 64 * 1024;
const ITERATIONS: u32 = 3;
const PARALLELISM: u32 = 4;
/// What a seal file may ask for at most: 1 GiB.
const MEMORY_KIB_MAX: u32 = 1024 * 1024;
const ITERATIONS_MAX: u32 = 16;

/// The passphrase of a seal: a secret, wiped on drop.
pub struct Passphrase(Zeroizing<Vec<u8>>);

/// A passphrase is too short or too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the passphrase has fewer than 12 or more than 1024 bytes")]
pub struct PassphraseLengthError;

impl Passphrase {
    /// Takes the content of a passphrase file; one line end at its end is not part of it.
    ///
    /// # Errors
    /// [`PassphraseLengthError`] below 12 or above 1,024 bytes.
    pub fn new(mut bytes: Zeroizing<Vec<u8>>) -> Result<Self, PassphraseLengthError> {
        for end in [b'\n', b'\r'] {
            if bytes.last() == Some(&end) {
                bytes.pop();
            }
        }
        if (PASSPHRASE_BYTES_MIN..=PASSPHRASE_BYTES_MAX).contains(&bytes.len()) {
            Ok(Self(bytes))
        } else {
            Err(PassphraseLengthError)
        }
    }

    fn seal_key(&self, seal: &storage::PassphraseSeal) -> Result<SealKey, CryptoError> {
        if seal.memory_kib > MEMORY_KIB_MAX || seal.iterations > ITERATIONS_MAX {
            return Err(CryptoError);
        }
        let params = Params::new(seal.memory_kib, seal.iterations, seal.parallelism, Some(32));
        let params = params.map_err(|_| CryptoError)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        Secret::try_fill(|key| argon2.hash_password_into(&self.0, &seal.salt, key))
            .map(SealKey::from_secret)
            .map_err(|_: argon2::Error| CryptoError)
    }
}

impl core::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Passphrase")
    }
}

/// Makes a root key and the seal file that holds it.
pub(crate) fn create(
    passphrase: &Passphrase,
    entropy: &dyn Entropy,
) -> Result<(RootKey, Vec<u8>), CryptoError> {
    let mut salt = vec![0; 16];
    entropy.fill(&mut salt)?;
    let seal = storage::PassphraseSeal {
        memory_kib: MEMORY_KIB,
        iterations: ITERATIONS,
        parallelism: PARALLELISM,
        salt,
    };
    let root = RootKey::generate(entropy)?;
    let seal_key = passphrase.seal_key(&seal)?;
    let aad = seal_aad(FIRST_SEAL)?;
    let entry = storage::SealEntry {
        id: FIRST_SEAL.to_owned(),
        wrapped: wrap::wrap(&seal_key, &aad, root.expose_secret(), entropy)?,
        provider: Some(storage::seal_entry::Provider::Passphrase(seal)),
    };
    let message = storage::SealFile { entries: vec![entry] }.encode_to_vec();
    Ok((root, [&MAGIC[..], &FORMAT_VERSION.to_be_bytes(), &message].concat()))
}

/// The root key of a seal file; takes about a tenth of a second a seal, by design.
pub(crate) fn unlock(passphrase: &Passphrase, file: &[u8]) -> Result<RootKey, CryptoError> {
    let message = file.strip_prefix(MAGIC).ok_or(CryptoError)?;
    let message = message.strip_prefix(&FORMAT_VERSION.to_be_bytes()).ok_or(CryptoError)?;
    let message = storage::SealFile::decode(message)?;
    let opened = message.entries.iter().find_map(|entry| open_entry(passphrase, entry).ok());
    opened.ok_or(CryptoError)
}

fn open_entry(passphrase: &Passphrase, entry: &storage::SealEntry) -> Result<RootKey, CryptoError> {
    let Some(storage::seal_entry::Provider::Passphrase(seal)) = &entry.provider else {
        return Err(CryptoError);
    };
    let seal_key = passphrase.seal_key(seal)?;
    wrap::unwrap_key(&seal_key, &seal_aad(&entry.id)?, &entry.wrapped)
}

fn seal_aad(id: &str) -> Result<Vec<u8>, CryptoError> {
    let no_tenant = TenantId::from_bytes([0; 16]);
    WrapPlace::new(Purpose::Root, no_tenant).key_id(id.as_bytes()).encode()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(Zeroizing::new(text.as_bytes().to_vec())).unwrap()
    }

    #[test]
    fn only_the_passphrase_unlocks() {
        let entropy = SystemEntropy::default();
        let (root, file) = create(&passphrase("correct horse\n"), &entropy).unwrap();
        let unlocked = unlock(&passphrase("correct horse"), &file).unwrap();
        assert_eq!(unlocked.expose_secret(), root.expose_secret());
        assert!(unlock(&passphrase("wrong horse!"), &file).is_err());
        let mut damaged = file;
        *damaged.last_mut().unwrap() ^= 1;
        assert!(unlock(&passphrase("correct horse"), &damaged).is_err());
    }

    #[test]
    fn short_passphrases_are_refused() {
        assert!(Passphrase::new(Zeroizing::new(b"elevenbytes\n".to_vec())).is_err());
    }

    #[test]
    fn a_seal_file_cannot_exhaust_the_machine() {
        let seal = storage::PassphraseSeal {
            memory_kib: u32::MAX,
            iterations: 1,
            parallelism: 1,
            salt: vec![0; 16],
        };
        assert!(passphrase("correct horse").seal_key(&seal).is_err());
    }
}
