//! Replaces a tenant's cipher key, for which no customer is needed.
//!
//! It promises that every outer lock of the tenant is a new one under a key that did not exist
//! before, and that no older cipher key is left in the keyring: a stolen one opens no slot written
//! afterwards. It relies on the keyring being written whole.

use tresor_proto::storage;

use super::{CipherKeyVersion, TenantKeyring, retired::retire};
use crate::{
    crypto_error::CryptoError,
    entropy::Entropy,
    key::{CipherKey, Key as _},
    slot::SlotHolder,
};

impl TenantKeyring {
    /// Makes a new cipher key, locks everything under it, and drops the older ones, which others
    /// may know. Gives its version.
    pub(crate) fn rotate_cipher_key(
        &mut self,
        now_ms: u64,
        is_compromised: bool,
        entropy: &dyn Entropy,
    ) -> Result<u32, CryptoError> {
        let version = self.newest_cipher_key()?.version.checked_add(1).ok_or(CryptoError)?;
        let key = CipherKey::generate(entropy)?;
        self.relock_slots((version, &key), entropy)?;
        self.rewrap_metadata_keys((version, &key), entropy)?;
        let state = storage::KeyState::Active;
        let new = CipherKeyVersion { version, state, created_ms: now_ms, key };
        for old in core::mem::replace(&mut self.cipher_keys, vec![new]) {
            let CipherKeyVersion { version, created_ms, .. } = old;
            let compromised_ms = if is_compromised { now_ms } else { 0 };
            let old =
                storage::RetiredKey { version, created_ms, destroyed_ms: now_ms, compromised_ms };
            retire(&mut self.retired_cipher_keys, old);
        }
        Ok(version)
    }

    /// Until when customer tokens were locked under a cipher key that others may know.
    pub(crate) fn exposed_until_ms(&self) -> Option<u64> {
        let exposed = self.retired_cipher_keys.iter().filter(|key| key.compromised_ms > 0);
        exposed.map(|key| key.destroyed_ms).max()
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
