//! Slots: a class key under two locks, as in a safe-deposit box.
//!
//! `wrap(cipher key, wrap(token wrapping key, class key))`. Neither the customer token nor the
//! cipher key alone opens it; a slot works for one tenant, class, customer token and its bounds.

use tresor_proto::{DataClass, TenantId, storage};
use zeroize::Zeroizing;

use crate::{
    aad::{Purpose, WrapPlace},
    crypto_error::CryptoError,
    customer_token_entry::TokenBounds,
    entropy::Entropy,
    key::{CipherKey, ClassKey, Key, TokenWrapKey},
    wrap,
};

/// A doubly wrapped class key.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) class: DataClass,
    pub(crate) cipher_key_version: u32,
    wrapped: Vec<u8>,
}

/// What a slot is bound to, besides its class and cipher key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SlotHolder<'a> {
    pub(crate) tenant: TenantId,
    pub(crate) bounds: &'a TokenBounds,
}

/// The two keys of the box.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TwoKeys<'a> {
    /// The customer's.
    pub(crate) wrap_key: &'a TokenWrapKey,
    /// The server's, with its version.
    pub(crate) cipher_key: (u32, &'a CipherKey),
}

impl SlotHolder<'_> {
    fn aad(
        &self,
        purpose: Purpose,
        class: DataClass,
        version: u32,
    ) -> Result<Vec<u8>, CryptoError> {
        WrapPlace::new(purpose, self.tenant)
            .class(class)
            .key_id(self.bounds.id.as_bytes())
            .version(version)
            .bounds(&self.bounds.encode()?)
            .encode()
    }
}

impl Slot {
    /// Locks a class key with both keys.
    pub(crate) fn lock(
        holder: SlotHolder<'_>,
        keys: TwoKeys<'_>,
        class: DataClass,
        class_key: &ClassKey,
        entropy: &dyn Entropy,
    ) -> Result<Self, CryptoError> {
        let (version, cipher_key) = keys.cipher_key;
        let inner_aad = holder.aad(Purpose::SlotInner, class, 0)?;
        let inner = wrap::wrap(keys.wrap_key, &inner_aad, class_key.expose_secret(), entropy)?;
        let outer_aad = holder.aad(Purpose::SlotOuter, class, version)?;
        let wrapped = wrap::wrap(cipher_key, &outer_aad, &inner, entropy)?;
        Ok(Self { class, cipher_key_version: version, wrapped })
    }

    /// Replaces the outer lock; the inner one stays locked all the while.
    pub(crate) fn relock(
        &mut self,
        holder: SlotHolder<'_>,
        old: &CipherKey,
        (version, new): (u32, &CipherKey),
        entropy: &dyn Entropy,
    ) -> Result<(), CryptoError> {
        let inner = self.open_outer(holder, old)?;
        let outer_aad = holder.aad(Purpose::SlotOuter, self.class, version)?;
        self.wrapped = wrap::wrap(new, &outer_aad, &inner, entropy)?;
        self.cipher_key_version = version;
        Ok(())
    }

    /// Opens the slot with both keys.
    pub(crate) fn unlock(
        &self,
        holder: SlotHolder<'_>,
        wrap_key: &TokenWrapKey,
        cipher_key: &CipherKey,
    ) -> Result<ClassKey, CryptoError> {
        let inner = self.open_outer(holder, cipher_key)?;
        let inner_aad = holder.aad(Purpose::SlotInner, self.class, 0)?;
        wrap::unwrap_key(wrap_key, &inner_aad, &inner)
    }

    /// Opens the outer lock alone; what is inside is still locked with the customer's key.
    pub(crate) fn open_outer(
        &self,
        holder: SlotHolder<'_>,
        cipher_key: &CipherKey,
    ) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let outer_aad = holder.aad(Purpose::SlotOuter, self.class, self.cipher_key_version)?;
        wrap::unwrap(cipher_key, &outer_aad, &self.wrapped)
    }
}

impl From<&Slot> for storage::Slot {
    fn from(slot: &Slot) -> Self {
        Self {
            data_class: u32::from(slot.class.code()),
            cipher_key_version: slot.cipher_key_version,
            wrapped: slot.wrapped.clone(),
        }
    }
}

impl TryFrom<storage::Slot> for Slot {
    type Error = CryptoError;

    fn try_from(message: storage::Slot) -> Result<Self, CryptoError> {
        Ok(Self {
            class: DataClass::from_code(message.data_class).ok_or(CryptoError)?,
            cipher_key_version: message.cipher_key_version,
            wrapped: message.wrapped,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tresor_proto::{CustomerTokenId, CustomerTokenKind, OperationSet};

    use super::*;
    use crate::entropy::SystemEntropy;

    fn bounds(id: u8) -> TokenBounds {
        TokenBounds {
            id: CustomerTokenId::from_bytes([id; 12]),
            kind: CustomerTokenKind::ReadWrite,
            operations: OperationSet::FULL,
            expires_ms: 0,
            bound_certificate: None,
        }
    }

    fn tenant(byte: u8) -> TenantId {
        TenantId::from_bytes([byte; 16])
    }

    fn lock(bounds: &TokenBounds, token: [u8; 32], cipher: [u8; 32]) -> Slot {
        let holder = SlotHolder { tenant: tenant(1), bounds };
        let keys = TwoKeys {
            wrap_key: &Key::from_slice(&token).unwrap(),
            cipher_key: (1, &Key::from_slice(&cipher).unwrap()),
        };
        let class_key = ClassKey::from_slice(&[42; 32]).unwrap();
        let entropy = SystemEntropy::default();
        Slot::lock(holder, keys, DataClass::Contact, &class_key, &entropy).unwrap()
    }

    fn unlock(
        slot: &Slot,
        holder: SlotHolder<'_>,
        token: [u8; 32],
        cipher: [u8; 32],
    ) -> Result<ClassKey, CryptoError> {
        let cipher = Key::from_slice(&cipher).unwrap();
        slot.unlock(holder, &Key::from_slice(&token).unwrap(), &cipher)
    }

    proptest! {
        #[test]
        fn only_the_right_pair_of_keys_opens(token: [u8; 32], cipher: [u8; 32]) {
            let bounds = bounds(1);
            let holder = SlotHolder { tenant: tenant(1), bounds: &bounds };
            let slot = lock(&bounds, [7; 32], [9; 32]);
            prop_assert!(unlock(&slot, holder, token, [9; 32]).is_err());
            prop_assert!(unlock(&slot, holder, [7; 32], cipher).is_err());
            prop_assert!(unlock(&slot, holder, [9; 32], [7; 32]).is_err());
            let opened = unlock(&slot, holder, [7; 32], [9; 32]).unwrap();
            prop_assert_eq!(opened.expose_secret(), &[42; 32]);
        }
    }

    #[test]
    fn a_slot_cannot_be_moved_or_widened() {
        let narrow = TokenBounds { operations: OperationSet::from_bits(2).unwrap(), ..bounds(1) };
        let slot = lock(&narrow, [7; 32], [9; 32]);
        let holder = SlotHolder { tenant: tenant(1), bounds: &narrow };
        assert!(unlock(&slot, holder, [7; 32], [9; 32]).is_ok());
        let mut renamed = lock(&narrow, [7; 32], [9; 32]);
        renamed.class = DataClass::Identity;
        assert!(unlock(&renamed, holder, [7; 32], [9; 32]).is_err());
        let elsewhere = SlotHolder { tenant: tenant(2), bounds: &narrow };
        assert!(unlock(&slot, elsewhere, [7; 32], [9; 32]).is_err());
        let wide = [
            bounds(1),
            TokenBounds { expires_ms: 1, ..narrow.clone() },
            TokenBounds { kind: CustomerTokenKind::Admin, ..narrow.clone() },
            TokenBounds { bound_certificate: Some([0; 32]), ..narrow.clone() },
            TokenBounds { id: CustomerTokenId::from_bytes([2; 12]), ..narrow },
        ];
        for bounds in &wide {
            let holder = SlotHolder { tenant: tenant(1), bounds };
            assert!(unlock(&slot, holder, [7; 32], [9; 32]).is_err());
        }
    }
}
