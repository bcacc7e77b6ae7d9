//! The passphrase seal: Argon2id over a passphrase and a salt.
//!
//! It promises to cost a guesser 64 MiB and a tenth of a second each, and refuses parameters that
//! would exhaust the machine. It relies on its source for the passphrase, which it forgets at once.

use std::sync::Arc;

use argon2::{Algorithm, Argon2, Params, Version};
use tresor_proto::{
    Secret,
    storage::{self, seal_entry::Provider},
};
use zeroize::Zeroizing;

use super::{Seal, SealError, SealId, Seals, SecretSource, Source};
use crate::entropy::Entropy;

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
/// Bytes of a salt, RFC 9106 §3.1.
const SALT_BYTES: usize = 16;

/// A seal whose secret is a passphrase.
pub struct PassphraseSeal(Source);

impl PassphraseSeal {
    /// The seal of the passphrase that `source` gives.
    #[must_use]
    pub fn new(source: Arc<dyn SecretSource>) -> Self {
        Self(source)
    }

    fn passphrase(&self) -> Result<Passphrase, SealError> {
        Passphrase::new(self.0.read()?).map_err(|_| SealError::SecretLength)
    }
}

impl Seal for PassphraseSeal {
    fn provider(&self) -> &'static str {
        "passphrase"
    }

    fn make(&self, _: &SealId, entropy: &dyn Entropy) -> Result<(Secret<32>, Provider), SealError> {
        let mut salt = vec![0; SALT_BYTES];
        entropy.fill(&mut salt).map_err(|_| SealError::Internal)?;
        let kept = storage::PassphraseSeal {
            memory_kib: MEMORY_KIB,
            iterations: ITERATIONS,
            parallelism: PARALLELISM,
            salt,
        };
        Ok((self.passphrase()?.stretch(&kept)?, Provider::Passphrase(kept)))
    }

    fn key(&self, _: &SealId, kept: &Provider) -> Result<Secret<32>, SealError> {
        let passphrase = self.passphrase()?;
        match kept {
            Provider::Passphrase(kept) => passphrase.stretch(kept),
            Provider::Credential(_) | Provider::Pkcs11(_) | Provider::Transit(_) => {
                Err(SealError::Refused)
            }
        }
    }

    /// Stretching takes what a server needs for itself; that the passphrase is there is enough.
    fn check(&self, _: &SealId, _: &Provider) -> Result<(), SealError> {
        self.passphrase().map(drop)
    }
}

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

    /// A seal that has this passphrase in memory, for a process without a configuration.
    #[must_use]
    pub fn into_seal(self) -> PassphraseSeal {
        PassphraseSeal::new(Arc::new(self))
    }

    /// A vault's only seal.
    pub(crate) fn to_seals(&self) -> Seals {
        let seal = Self(self.0.clone()).into_seal();
        Seals::new(vec![(SealId::passphrase(), Arc::new(seal))])
    }

    fn stretch(&self, kept: &storage::PassphraseSeal) -> Result<Secret<32>, SealError> {
        if kept.memory_kib > MEMORY_KIB_MAX || kept.iterations > ITERATIONS_MAX {
            return Err(SealError::Refused);
        }
        let params = Params::new(kept.memory_kib, kept.iterations, kept.parallelism, Some(32));
        let params = params.map_err(|_| SealError::Refused)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        Secret::try_fill(|key| argon2.hash_password_into(&self.0, &kept.salt, key))
            .map_err(|_: argon2::Error| SealError::Refused)
    }
}

impl SecretSource for Passphrase {
    fn read(&self) -> Result<Zeroizing<Vec<u8>>, SealError> {
        Ok(self.0.clone())
    }
}

impl core::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Passphrase")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        entropy::SystemEntropy,
        key::{Key as _, RootKey},
    };

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(Zeroizing::new(text.as_bytes().to_vec())).unwrap()
    }

    #[test]
    fn only_the_passphrase_unlocks() {
        let made = passphrase("correct horse\n").to_seals().create(&SystemEntropy::default());
        let (root, file) = made.unwrap();
        let root_of =
            |text: &str, file: &[u8]| -> Option<RootKey> { passphrase(text).to_seals().root(file) };
        let file = file.encode();
        let unlocked = root_of("correct horse", &file).unwrap();
        assert_eq!(unlocked.expose_secret(), root.expose_secret());
        assert!(root_of("wrong horse!", &file).is_none());
        let mut damaged = file;
        *damaged.last_mut().unwrap() ^= 1;
        assert!(root_of("correct horse", &damaged).is_none());
    }

    #[test]
    fn short_passphrases_are_refused() {
        assert!(Passphrase::new(Zeroizing::new(b"elevenbytes\n".to_vec())).is_err());
    }

    #[test]
    fn a_seal_file_cannot_exhaust_the_machine() {
        let kept = storage::PassphraseSeal {
            memory_kib: u32::MAX,
            iterations: 1,
            parallelism: 1,
            salt: vec![0; 16],
        };
        assert!(passphrase("correct horse").stretch(&kept).is_err());
    }
}
