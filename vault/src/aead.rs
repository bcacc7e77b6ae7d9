//! AES-256-GCM (SP 800-38D) under keys that are used for one message, with a commitment.
//!
//! Each message has its own key, derived with a fresh salt, so a (key, nonce) pair is never used
//! twice (SP 800-38D §8). GCM alone does not commit to its key: the second half of the derivation
//! is stored beside the ciphertext and compared in constant time before anything is opened.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::{crypto_error::CryptoError, kdf, padding};

/// Bytes of the tag that ends every ciphertext.
pub(crate) const TAG_BYTES: usize = 16;
/// Bytes of a salt.
pub(crate) const SALT_BYTES: usize = 24;
/// Bytes of a commitment.
pub(crate) const COMMITMENT_BYTES: usize = 32;

/// The key of one message and the commitment to it.
pub(crate) struct MessageKey {
    key: LessSafeKey,
    commitment: [u8; COMMITMENT_BYTES],
}

impl MessageKey {
    /// `K_enc ‖ K_commit = HKDF-Expand(key, info, 64)`.
    pub(crate) fn derive(key: &[u8; 32], info: &[&[u8]]) -> Result<Self, CryptoError> {
        let okm = kdf::expand::<64>(key, info)?;
        let (encryption, commitment) = okm.split_first_chunk::<32>().ok_or(CryptoError)?;
        Ok(Self {
            key: LessSafeKey::new(UnboundKey::new(&AES_256_GCM, encryption)?),
            commitment: commitment.try_into().map_err(|_| CryptoError)?,
        })
    }

    /// The commitment, to be stored.
    pub(crate) fn commitment(&self) -> &[u8; COMMITMENT_BYTES] {
        &self.commitment
    }

    /// Compares a stored commitment in constant time.
    pub(crate) fn check(&self, commitment: &[u8]) -> Result<(), CryptoError> {
        let is_equal = bool::from(self.commitment.ct_eq(commitment));
        if is_equal { Ok(()) } else { Err(CryptoError) }
    }

    /// Seals `message` in place and appends the tag. `ordinal` is the nonce, used once a key.
    pub(crate) fn seal(
        &self,
        ordinal: u32,
        aad: &[u8],
        message: &mut Vec<u8>,
    ) -> Result<(), CryptoError> {
        self.seal_under(nonce(ordinal), aad, message)
    }

    /// Opens `message` in place and gives the plaintext, which lies at its beginning.
    pub(crate) fn open<'m>(
        &self,
        ordinal: u32,
        aad: &[u8],
        message: &'m mut [u8],
    ) -> Result<&'m mut [u8], CryptoError> {
        self.open_under(nonce(ordinal), aad, message)
    }

    /// Opens a padded value where it lies: what is left of the vector is the value.
    pub(crate) fn open_framed(
        &self,
        ordinal: u32,
        aad: &[u8],
        message: Vec<u8>,
    ) -> Result<Vec<u8>, CryptoError> {
        let mut message = Zeroizing::new(message);
        let frame = self.open(ordinal, aad, &mut message)?;
        let value = padding::value_range(frame)?;
        message.truncate(value.end);
        drop(message.drain(..value.start));
        Ok(core::mem::take(&mut *message))
    }

    fn seal_under(
        &self,
        nonce: [u8; 12],
        aad: &[u8],
        message: &mut Vec<u8>,
    ) -> Result<(), CryptoError> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        Ok(self.key.seal_in_place_append_tag(nonce, Aad::from(aad), message)?)
    }

    fn open_under<'m>(
        &self,
        nonce: [u8; 12],
        aad: &[u8],
        message: &'m mut [u8],
    ) -> Result<&'m mut [u8], CryptoError> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        Ok(self.key.open_in_place(nonce, Aad::from(aad), message)?)
    }
}

/// The ordinal as a 96-bit big-endian number.
fn nonce(ordinal: u32) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[8..].copy_from_slice(&ordinal.to_be_bytes());
    bytes
}

#[cfg(test)]
mod wycheproof;
