//! Replaces a tenant's cipher key, for which no customer is needed.
//!
//! It promises that every outer lock of the tenant is a new one under a key that did not exist
//! before, and that no older cipher key is left in the keyring: a stolen one opens no slot written
//! afterwards. It relies on the keyring being written whole.

use tresor_proto::storage;

use super::{CipherKeyVersion, TenantKeyring};
use crate::{
    crypto_error::CryptoError,
    entropy::Entropy,
    key::{CipherKey, Key as _},
    slot::SlotHolder,
};

impl TenantKeyring {
    /// Makes a new cipher key, locks everything under it, and drops the older ones. Gives its
    /// version.
    pub(crate) fn rotate_cipher_key(
        &mut self,
        now_ms: u64,
        entropy: &dyn Entropy,
    ) -> Result<u32, CryptoError> {
        let version = self.newest_cipher_key()?.version.checked_add(1).ok_or(CryptoError)?;
        let key = CipherKey::generate(entropy)?;
        self.relock_slots((version, &key), entropy)?;
        self.rewrap_metadata_keys((version, &key), entropy)?;
        let state = storage::KeyState::Active;
        self.cipher_keys = vec![CipherKeyVersion { version, state, created_ms: now_ms, key }];
        Ok(version)
    }

    fn relock_slots(
        &mut self,
        new: (u32, &CipherKey),
        entropy: &dyn Entropy,
    ) -> Result<(), CryptoError> {
        let Self { tenant, cipher_keys, customer_tokens, .. } = self;
        for token in customer_tokens {
            let holder = SlotHolder { tenant: *tenant, bounds: &token.bounds };
            for slot in &mut token.slots {
                let version = slot.cipher_key_version;
                let old = cipher_keys.iter().find(|entry| entry.version == version);
                slot.relock(holder, &old.ok_or(CryptoError)?.key, new, entropy)?;
            }
        }
        Ok(())
    }
}
