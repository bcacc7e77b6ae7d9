//! Rows at rest: `TRR1 ‖ mk_version u32 BE ‖ message ‖ HMAC-SHA-256 32`.
//!
//! The MAC, under the metadata key, binds the message to tenant, keyspace and store key, so that a
//! database writer can neither change a clear value or a time nor put a row elsewhere. Checking
//! it needs no customer token.

use ring::hmac;
use subtle::ConstantTimeEq as _;
use tresor_proto::TenantId;

use crate::{
    crypto_error::CryptoError,
    kdf,
    key::{Key, MetadataKey},
    store::StoreKey,
    tlv::Tlv,
};

const MAGIC: &[u8; 4] = b"TRR1";
const MAC_BYTES: usize = 32;

/// The metadata keys of one database, ready for use: the newest makes, all check.
#[derive(Debug)]
pub(crate) struct RowKeys(Vec<RowKey>);

struct RowKey {
    version: u32,
    /// Made ready once: a row's MAC would take half as long again.
    mac: hmac::Key,
    subject: MetadataKey,
}

/// Where a row lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowPlace<'a> {
    /// The tenant whose database it is; the nil id for the registry.
    pub(crate) tenant: TenantId,
    /// Its key.
    pub(crate) key: &'a StoreKey,
}

impl RowKeys {
    /// Derives the row keys of metadata keys, given with their versions, newest last.
    pub(crate) fn new(keys: &[(u32, MetadataKey)]) -> Result<Self, CryptoError> {
        let derive = |(version, key): &(u32, MetadataKey)| {
            let derived = |info: &[u8]| {
                let bytes = kdf::expand::<32>(key.expose_secret(), &[info])?;
                MetadataKey::from_slice(&bytes[..])
            };
            let version = *version;
            let (mac, subject) = (derived(b"tresor/v1/row")?, derived(b"tresor/v1/subject")?);
            let mac = hmac::Key::new(hmac::HMAC_SHA256, mac.expose_secret());
            Ok(RowKey { version, mac, subject })
        };
        keys.iter().map(derive).collect::<Result<_, CryptoError>>().map(Self)
    }

    /// The row of a message.
    pub(crate) fn encode(
        &self,
        place: RowPlace<'_>,
        message: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        let key = self.newest()?;
        let version = key.version.to_be_bytes();
        let mac = key.row_mac(place, &version, message)?;
        Ok([&MAGIC[..], &version, message, &mac].concat())
    }

    /// The message of a row, once its MAC fits its place.
    pub(crate) fn decode<'r>(
        &self,
        place: RowPlace<'_>,
        row: &'r [u8],
    ) -> Result<&'r [u8], CryptoError> {
        let rest = row.strip_prefix(MAGIC).ok_or(CryptoError)?;
        let (version, rest) = rest.split_first_chunk::<4>().ok_or(CryptoError)?;
        let (message, mac) = rest.split_last_chunk::<MAC_BYTES>().ok_or(CryptoError)?;
        let number = u32::from_be_bytes(*version);
        let key = self.0.iter().find(|key| key.version == number).ok_or(CryptoError)?;
        let expected = key.row_mac(place, version, message)?;
        if bool::from(expected.ct_eq(mac)) { Ok(message) } else { Err(CryptoError) }
    }

    /// The message of a row of which nothing is checked, as far as it has one.
    pub(crate) fn unverified(row: &[u8]) -> Option<&[u8]> {
        let rest = row.strip_prefix(MAGIC)?;
        let (_, rest) = rest.split_first_chunk::<4>()?;
        let (message, _) = rest.split_last_chunk::<MAC_BYTES>()?;
        Some(message)
    }

    /// The digest of a subject, under the newest metadata key.
    pub(crate) fn subject_digest(
        &self,
        tenant: TenantId,
        subject: &[u8],
    ) -> Result<[u8; 32], CryptoError> {
        let place = Tlv::new().with(1, &tenant.to_bytes()).encode()?;
        let key = self.newest()?;
        Ok(kdf::hmac_sha256(key.subject.expose_secret(), &[&place, subject]))
    }

    fn newest(&self) -> Result<&RowKey, CryptoError> {
        self.0.last().ok_or(CryptoError)
    }
}

impl RowKey {
    fn row_mac(
        &self,
        place: RowPlace<'_>,
        version: &[u8; 4],
        message: &[u8],
    ) -> Result<[u8; 32], CryptoError> {
        let place = Tlv::new()
            .with(1, &place.tenant.to_bytes())
            .with(2, &[place.key.keyspace as u8])
            .with(3, &place.key.key)
            .encode()?;
        Ok(kdf::mac(&self.mac, &[&place, version, message]))
    }
}

impl core::fmt::Debug for RowKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("RowKey")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::Keyspace;

    fn keys(versions: &[u32]) -> RowKeys {
        let key = |v: &u32| (*v, MetadataKey::from_slice(&[v.to_be_bytes()[3]; 32]).unwrap());
        RowKeys::new(&versions.iter().map(key).collect::<Vec<_>>()).unwrap()
    }

    fn key(name: &str) -> StoreKey {
        StoreKey::new(Keyspace::Records, name)
    }

    fn at(tenant: u8, key: &StoreKey) -> RowPlace<'_> {
        RowPlace { tenant: TenantId::from_bytes([tenant; 16]), key }
    }

    #[test]
    fn a_row_authenticates_in_its_place_only() {
        let row = keys(&[1]).encode(at(1, &key("a")), b"message").unwrap();
        assert_eq!(keys(&[1]).decode(at(1, &key("a")), &row).unwrap(), b"message");
        assert!(keys(&[1]).decode(at(2, &key("a")), &row).is_err(), "another tenant");
        assert!(keys(&[1]).decode(at(1, &key("b")), &row).is_err(), "another key");
        let elsewhere = StoreKey::new(Keyspace::Meta, "a");
        assert!(keys(&[1]).decode(at(1, &elsewhere), &row).is_err(), "another keyspace");
    }

    #[test]
    fn older_metadata_keys_still_check() {
        let row = keys(&[1]).encode(at(1, &key("a")), b"message").unwrap();
        assert!(keys(&[1, 2]).decode(at(1, &key("a")), &row).is_ok());
        assert!(keys(&[2]).decode(at(1, &key("a")), &row).is_err());
    }

    proptest! {
        #[test]
        fn a_flipped_bit_is_refused(at_bit in 0usize..(4 + 4 + 7 + 32) * 8) {
            let mut row = keys(&[1]).encode(at(1, &key("a")), b"message").unwrap();
            row[at_bit / 8] ^= 1 << (at_bit % 8);
            prop_assert!(keys(&[1]).decode(at(1, &key("a")), &row).is_err());
        }

        #[test]
        fn anything_else_is_refused(bytes: Vec<u8>) {
            prop_assert!(keys(&[1]).decode(at(1, &key("a")), &bytes).is_err());
        }
    }
}
