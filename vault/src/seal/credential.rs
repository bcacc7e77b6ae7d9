//! The credential seal: a key of 32 random bytes that the service manager hands over.
//!
//! It promises a seal key of its own for each entry, made with a salt. It relies on its source for
//! the bytes, which systemd keeps encrypted at rest (`systemd-creds`), and on their being random:
//! a passphrase in a credential is a [`PassphraseSeal`](super::PassphraseSeal) instead.

use std::sync::Arc;

use tresor_proto::{
    Secret,
    storage::{self, seal_entry::Provider},
};

use super::{Seal, SealError, SealId, SecretSource, Source};
use crate::{entropy::Entropy, kdf};

const INFO: &[u8] = b"tresor/v1/seal/credential";
const SALT_BYTES: usize = 32;

/// A seal whose secret is a key of 32 random bytes.
pub struct CredentialSeal(Source);

impl CredentialSeal {
    /// The seal of the key that `source` gives.
    #[must_use]
    pub fn new(source: Arc<dyn SecretSource>) -> Self {
        Self(source)
    }

    fn derive(&self, kept: &storage::CredentialSeal) -> Result<Secret<32>, SealError> {
        let given = self.given()?;
        let key = kdf::extract_and_expand::<32>(&kept.salt, given.expose_secret(), &[INFO]);
        let key = key.map_err(|_| SealError::Internal)?;
        Secret::from_slice(&key[..]).ok_or(SealError::Internal)
    }

    fn given(&self) -> Result<Secret<32>, SealError> {
        Secret::from_slice(&self.0.read()?).ok_or(SealError::SecretLength)
    }
}

impl Seal for CredentialSeal {
    fn provider(&self) -> &'static str {
        "credential"
    }

    fn make(&self, _: &SealId, entropy: &dyn Entropy) -> Result<(Secret<32>, Provider), SealError> {
        let mut salt = vec![0; SALT_BYTES];
        entropy.fill(&mut salt).map_err(|_| SealError::Internal)?;
        let kept = storage::CredentialSeal { salt };
        Ok((self.derive(&kept)?, Provider::Credential(kept)))
    }

    fn key(&self, _: &SealId, kept: &Provider) -> Result<Secret<32>, SealError> {
        match kept {
            Provider::Credential(kept) => self.derive(kept),
            Provider::Passphrase(_) | Provider::Pkcs11(_) | Provider::Transit(_) => {
                Err(SealError::Refused)
            }
        }
    }

    fn check(&self, _: &SealId, _: &Provider) -> Result<(), SealError> {
        self.given().map(drop)
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::entropy::SystemEntropy;

    struct Bytes(Vec<u8>);

    impl SecretSource for Bytes {
        fn read(&self) -> Result<Zeroizing<Vec<u8>>, SealError> {
            Ok(Zeroizing::new(self.0.clone()))
        }
    }

    fn seal(bytes: &[u8]) -> CredentialSeal {
        CredentialSeal::new(Arc::new(Bytes(bytes.to_vec())))
    }

    #[test]
    fn a_credential_gives_its_key_again_and_another_key_each_time_it_makes_one() {
        let (id, entropy) = (SealId::passphrase(), SystemEntropy::default());
        let (key, kept) = seal(&[1; 32]).make(&id, &entropy).unwrap();
        let again = seal(&[1; 32]).key(&id, &kept).unwrap();
        assert_eq!(again.expose_secret(), key.expose_secret());
        let other = seal(&[2; 32]).key(&id, &kept).unwrap();
        assert_ne!(other.expose_secret(), key.expose_secret());
        let (next, _) = seal(&[1; 32]).make(&id, &entropy).unwrap();
        assert_ne!(next.expose_secret(), key.expose_secret());
    }

    #[test]
    fn a_credential_of_another_length_is_refused() {
        for length in [0, 31, 33] {
            let made =
                seal(&vec![1; length]).make(&SealId::passphrase(), &SystemEntropy::default());
            assert_eq!(made.err(), Some(SealError::SecretLength), "{length}");
        }
    }
}
