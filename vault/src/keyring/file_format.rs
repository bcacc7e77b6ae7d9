//! The format of a keyring file, version 1:
//! `TRK1 ‖ version u16 BE ‖ header length u16 BE ‖ TLV(1 tenant 16, 2 sequence u64 BE, 3 wrapped
//! body key) ‖ AES-256-GCM(body key, nonce 0, AAD = all before, body)`.
//!
//! The body key is fresh for every write and used once; it is wrapped under the file key (for the
//! system keyring under the root key) and bound to tenant and sequence number.

use tresor_proto::TenantId;
use zeroize::Zeroizing;

use crate::{
    aad::{Purpose, WrapPlace},
    aead::{MessageKey, TAG_BYTES},
    crypto_error::CryptoError,
    entropy::Entropy,
    key::{BodyKey, Key},
    tlv::{self, Tlv},
    wrap,
};

const MAGIC: &[u8; 4] = b"TRK1";
const FORMAT_VERSION: u16 = 1;
const INFO: &[u8] = b"tresor/v1/keyring";

/// Which keyring a file is, and which write of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyringLabel {
    pub(crate) purpose: Purpose,
    pub(crate) tenant: TenantId,
    pub(crate) sequence: u64,
}

impl KeyringLabel {
    fn aad(&self) -> Result<Vec<u8>, CryptoError> {
        let sequence = self.sequence.to_be_bytes();
        WrapPlace::new(self.purpose, self.tenant).key_id(&sequence).version(1).encode()
    }
}

/// Seals a keyring's body into the bytes of its file.
pub(crate) fn encode(
    label: KeyringLabel,
    key: &impl Key,
    body: &[u8],
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, CryptoError> {
    let body_key = BodyKey::generate(entropy)?;
    let wrapped = wrap::wrap(key, &label.aad()?, body_key.expose_secret(), entropy)?;
    let header = Tlv::new()
        .with(1, &label.tenant.to_bytes())
        .with(2, &label.sequence.to_be_bytes())
        .with(3, &wrapped)
        .encode()?;
    let length = u16::try_from(header.len()).map_err(|_| CryptoError)?.to_be_bytes();
    let mut file = [&MAGIC[..], &FORMAT_VERSION.to_be_bytes(), &length, &header].concat();
    let mut sealed = Vec::with_capacity(body.len() + TAG_BYTES);
    sealed.extend_from_slice(body);
    MessageKey::derive(body_key.expose_secret(), &[INFO])?.seal(0, &file, &mut sealed)?;
    file.append(&mut sealed);
    Ok(file)
}

/// The sequence number and body of a keyring's file, once it authenticates as the keyring of
/// `tenant`.
pub(crate) fn decode(
    purpose: Purpose,
    tenant: TenantId,
    key: &impl Key,
    file: &[u8],
) -> Result<(u64, Zeroizing<Vec<u8>>), CryptoError> {
    let rest = file.strip_prefix(MAGIC).ok_or(CryptoError)?;
    let rest = rest.strip_prefix(&FORMAT_VERSION.to_be_bytes()).ok_or(CryptoError)?;
    let (length, rest) = rest.split_first_chunk::<2>().ok_or(CryptoError)?;
    let length = usize::from(u16::from_be_bytes(*length));
    let (header, sealed) = rest.split_at_checked(length).ok_or(CryptoError)?;
    let [named, sequence, wrapped] = tlv::decode::<3>(header)?;
    let sequence = u64::from_be_bytes(sequence.try_into().map_err(|_| CryptoError)?);
    if named != tenant.to_bytes() {
        return Err(CryptoError);
    }
    let label = KeyringLabel { purpose, tenant, sequence };
    let body_key = wrap::unwrap_key::<BodyKey>(key, &label.aad()?, wrapped)?;
    let aad = file.get(..file.len() - sealed.len()).ok_or(CryptoError)?;
    let mut body = Zeroizing::new(sealed.to_vec());
    let length =
        MessageKey::derive(body_key.expose_secret(), &[INFO])?.open(0, aad, &mut body)?.len();
    body.truncate(length);
    Ok((sequence, body))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{entropy::SystemEntropy, key::FileKey};

    fn file_key(byte: u8) -> FileKey {
        FileKey::from_slice(&[byte; 32]).unwrap()
    }

    fn sample() -> Vec<u8> {
        let tenant = TenantId::from_bytes([7; 16]);
        let label = KeyringLabel { purpose: Purpose::TenantBody, tenant, sequence: 3 };
        encode(label, &file_key(1), b"body", &SystemEntropy::default()).unwrap()
    }

    fn open(tenant: u8, key: u8, file: &[u8]) -> Result<(u64, Zeroizing<Vec<u8>>), CryptoError> {
        let tenant = TenantId::from_bytes([tenant; 16]);
        decode(Purpose::TenantBody, tenant, &file_key(key), file)
    }

    #[test]
    fn a_keyring_opens_for_its_tenant_under_its_key_only() {
        let (sequence, body) = open(7, 1, &sample()).unwrap();
        assert_eq!((sequence, &body[..]), (3, &b"body"[..]));
        assert!(open(7, 2, &sample()).is_err());
        assert!(open(8, 1, &sample()).is_err());
        let tenant = TenantId::from_bytes([7; 16]);
        assert!(decode(Purpose::SystemBody, tenant, &file_key(1), &sample()).is_err());
    }

    #[test]
    fn every_flipped_bit_and_every_truncation_is_refused() {
        let file = sample();
        for bit in 0..file.len() * 8 {
            let mut damaged = file.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(open(7, 1, &damaged).is_err(), "bit {bit}");
        }
        for length in 0..file.len() {
            assert!(open(7, 1, &file[..length]).is_err(), "length {length}");
        }
    }

    proptest! {
        #[test]
        fn anything_else_is_refused(bytes: Vec<u8>) {
            prop_assert!(open(7, 1, &bytes).is_err());
        }
    }
}
