//! Wrapping: a key sealed under another, bound to its purpose and place.
//!
//! `salt 24 ‖ K_commit 32 ‖ AES-256-GCM(K_enc, nonce 0, AAD, secret)` with
//! `K_enc ‖ K_commit = HKDF-Expand(key, "tresor/v1/wrap" ‖ salt ‖ AAD, 64)`.
//! The AAD is a TLV list that names the purpose and every bound, so nobody can move or widen it.

use zeroize::Zeroizing;

use crate::{
    aead::{COMMITMENT_BYTES, MessageKey, SALT_BYTES, TAG_BYTES},
    crypto_error::CryptoError,
    entropy::Entropy,
    key::Key,
};

const INFO: &[u8] = b"tresor/v1/wrap";

/// Wraps `secret` under `key`.
pub(crate) fn wrap(
    key: &impl Key,
    aad: &[u8],
    secret: &[u8],
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, CryptoError> {
    let mut salt = [0; SALT_BYTES];
    entropy.fill(&mut salt)?;
    let message_key = MessageKey::derive(key.expose_secret(), &[INFO, &salt, aad])?;
    // Sized once: growing would leave a copy of the secret behind.
    let mut sealed = Vec::with_capacity(secret.len() + TAG_BYTES);
    sealed.extend_from_slice(secret);
    message_key.seal(0, aad, &mut sealed)?;
    Ok([&salt[..], message_key.commitment(), &sealed].concat())
}

/// Unwraps what [`wrap`] made under the same key and AAD.
pub(crate) fn unwrap(
    key: &impl Key,
    aad: &[u8],
    wrapped: &[u8],
) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let (salt, rest) = wrapped.split_at_checked(SALT_BYTES).ok_or(CryptoError)?;
    let (commitment, sealed) = rest.split_at_checked(COMMITMENT_BYTES).ok_or(CryptoError)?;
    let message_key = MessageKey::derive(key.expose_secret(), &[INFO, salt, aad])?;
    message_key.check(commitment)?;
    let mut secret = Zeroizing::new(sealed.to_vec());
    let length = message_key.open(0, aad, &mut secret)?.len();
    secret.truncate(length);
    Ok(secret)
}

/// Unwraps a key.
pub(crate) fn unwrap_key<K: Key>(
    key: &impl Key,
    aad: &[u8],
    wrapped: &[u8],
) -> Result<K, CryptoError> {
    K::from_slice(&unwrap(key, aad, wrapped)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        entropy::SystemEntropy,
        key::{CipherKey, ClassKey},
    };

    /// Bytes that a wrap adds to what it wraps.
    const OVERHEAD_BYTES: usize = SALT_BYTES + COMMITMENT_BYTES + TAG_BYTES;

    fn cipher_key(byte: u8) -> CipherKey {
        CipherKey::from_slice(&[byte; 32]).unwrap()
    }

    proptest! {
        #[test]
        fn a_flipped_bit_is_refused(at in 0usize..(32 + OVERHEAD_BYTES) * 8) {
            let entropy = SystemEntropy::default();
            let mut wrapped = wrap(&cipher_key(1), b"aad", &[7; 32], &entropy).unwrap();
            wrapped[at / 8] ^= 1 << (at % 8);
            prop_assert!(unwrap(&cipher_key(1), b"aad", &wrapped).is_err());
        }

        #[test]
        fn anything_else_is_refused(bytes: Vec<u8>) {
            prop_assert!(unwrap(&cipher_key(1), b"aad", &bytes).is_err());
        }
    }

    #[test]
    fn a_key_comes_back_under_the_same_key_and_place_only() {
        let entropy = SystemEntropy::default();
        let secret = ClassKey::generate(&entropy).unwrap();
        let wrapped = wrap(&cipher_key(1), b"aad", secret.expose_secret(), &entropy).unwrap();
        let opened = unwrap_key::<ClassKey>(&cipher_key(1), b"aad", &wrapped).unwrap();
        assert_eq!(opened.expose_secret(), secret.expose_secret());
        assert!(unwrap(&cipher_key(2), b"aad", &wrapped).is_err());
        assert!(unwrap(&cipher_key(1), b"other", &wrapped).is_err());
    }
}
