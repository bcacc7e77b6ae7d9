//! Replaces the identifier keys of a tenant: make the next version, destroy the older ones.
//!
//! It promises that a version is made once, however often it is asked for, and that of a destroyed
//! key only its number and times stay. It relies on the keyring being written whole; nothing but its
//! own operation replaces identifier keys, since what they make stands in other systems.

use tresor_proto::{DataClass, storage};

use super::{TenantKeyring, tenant::KeyBirth};
use crate::{crypto_error::CryptoError, entropy::Entropy, key::ClassKey};

impl TenantKeyring {
    /// The versions of the identifier keys of a class that are kept, in their order.
    pub(crate) fn identifier_versions(&self, class: DataClass) -> impl Iterator<Item = u32> {
        let code = u32::from(class.code());
        let of_class = self.identifier_keys.iter().filter(move |key| key.data_class == code);
        of_class.filter(|key| !key.wrapped.is_empty()).map(|key| key.version)
    }

    /// Makes the identifier key of a version, unless there is one, and whether it did. Those before
    /// find only, from now on.
    pub(crate) fn renew_identifier_key(
        &mut self,
        birth: KeyBirth,
        class_key: &ClassKey,
        entropy: &dyn Entropy,
    ) -> Result<bool, CryptoError> {
        let newest = self.newest_identifier_version(birth.class);
        if newest >= birth.version {
            return Ok(false);
        }
        if newest.checked_add(1) != Some(birth.version) {
            return Err(CryptoError);
        }
        self.add_identifier_key(birth, class_key, entropy)?;
        for key in self.older(birth.class, birth.version) {
            key.set_state(storage::KeyState::Deactivated);
        }
        Ok(true)
    }

    /// Destroys the identifier keys of a class below a version. Gives how many.
    pub(crate) fn destroy_identifier_keys(
        &mut self,
        class: DataClass,
        below: u32,
        now_ms: u64,
    ) -> usize {
        let destroy = |key: &mut storage::IdentifierKey| {
            key.set_state(storage::KeyState::Destroyed);
            key.destroyed_ms = now_ms;
            key.wrapped.clear();
        };
        self.older(class, below).map(destroy).count()
    }

    /// The keys of a class below a version that are kept.
    fn older(
        &mut self,
        class: DataClass,
        below: u32,
    ) -> impl Iterator<Item = &mut storage::IdentifierKey> {
        let code = u32::from(class.code());
        let keys = self.identifier_keys.iter_mut();
        keys.filter(move |key| {
            key.data_class == code && key.version < below && !key.wrapped.is_empty()
        })
    }
}
