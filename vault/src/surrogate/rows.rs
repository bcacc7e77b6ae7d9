//! The rows of surrogates and their keys, in the keyspace of surrogates.
//!
//! `1 ‖ id` holds a random or deterministic surrogate, `2 ‖ HMAC` finds the deterministic one of a
//! value, `4 ‖ key of the first` counts. They promise nothing before their MAC is checked, which
//! [`SurrogateRows`] does.

use prost::Message;
use tresor_proto::{
    DataClass, InfoType, Mask, Reveal, SurrogateId, SurrogateKind, TenantId, storage, vault,
};

use crate::{
    crypto_error::CryptoError,
    error::VaultError,
    row::{RowKeys, RowPlace},
    store::{Keyspace, ScanRange, StoreKey, Write},
};

/// What the keys of rows with sealed values begin with.
pub(crate) const SEALED: u8 = 1;
const LOOK_UP: u8 = 2;
const COUNT: u8 = 4;

/// The key of a surrogate's row.
pub(crate) fn row_key(id: &SurrogateId) -> StoreKey {
    key(SEALED, id.as_bytes())
}

/// The key that finds the deterministic surrogate of a value.
pub(crate) fn look_up_key(digest: &[u8; 32]) -> StoreKey {
    key(LOOK_UP, digest)
}

/// The digest in a key that finds a deterministic surrogate.
#[cfg(any(test, feature = "test-support"))]
pub(crate) fn look_up_digest(key: &[u8]) -> Option<[u8; 32]> {
    key.strip_prefix(&[LOOK_UP])?.try_into().ok()
}

/// The key of what is counted of the surrogate whose row has `key`.
pub(crate) fn count_key(of: &StoreKey) -> StoreKey {
    key(COUNT, &of.key)
}

/// The id in the key of a surrogate's row.
pub(crate) fn id_of(key: &StoreKey) -> Result<SurrogateId, CryptoError> {
    let id = key.key.strip_prefix(&[SEALED]).ok_or(CryptoError)?;
    id.try_into().map(SurrogateId::from_bytes).map_err(|_| CryptoError)
}

/// The rows that find and count, after a place.
pub(crate) fn side_rows(after: Option<StoreKey>) -> ScanRange {
    let after = after.map_or_else(|| vec![SEALED + 1], |after| after.key);
    ScanRange { keyspace: Keyspace::Surrogates, prefix: Vec::new(), after: Some(after) }
}

fn key(kind: u8, rest: &[u8]) -> StoreKey {
    // The store puts a byte before it.
    let mut bytes = Vec::with_capacity(2 + rest.len());
    bytes.push(kind);
    bytes.extend_from_slice(rest);
    StoreKey::new(Keyspace::Surrogates, bytes)
}

/// Reads and writes rows of one database.
#[derive(Clone, Copy)]
pub(crate) struct SurrogateRows<'a> {
    pub(crate) tenant: TenantId,
    pub(crate) keys: &'a RowKeys,
}

impl SurrogateRows<'_> {
    /// The message of a row; `integrity` when it does not authenticate.
    pub(crate) fn decode<M: Message + Default>(
        &self,
        key: &StoreKey,
        row: &[u8],
    ) -> Result<M, VaultError> {
        let message = self.keys.decode(RowPlace { tenant: self.tenant, key }, row);
        let message = message.map_err(|CryptoError| VaultError::Integrity)?;
        M::decode(message).map_err(|_| VaultError::Integrity)
    }

    /// The surrogate that a look-up row finds.
    pub(crate) fn found(
        &self,
        key: &StoreKey,
        row: Option<&[u8]>,
    ) -> Result<Option<SurrogateId>, VaultError> {
        let Some(row) = row else { return Ok(None) };
        let message: storage::SurrogateLookUp = self.decode(key, row)?;
        let id = message.id.as_slice().try_into().map_err(|_| VaultError::Integrity)?;
        Ok(Some(SurrogateId::from_bytes(id)))
    }

    /// Whether a row that finds or counts authenticates.
    pub(crate) fn is_sound(&self, key: &StoreKey, row: &[u8]) -> bool {
        match key.key.first() {
            Some(&LOOK_UP) => self.found(key, Some(row)).is_ok(),
            Some(&COUNT) => self.decode::<storage::SurrogateCount>(key, row).is_ok(),
            Some(_) | None => false,
        }
    }

    /// The row of a message.
    pub(crate) fn encode<M: Message>(
        &self,
        key: &StoreKey,
        message: &M,
    ) -> Result<Vec<u8>, VaultError> {
        let place = RowPlace { tenant: self.tenant, key };
        Ok(self.keys.encode(place, &message.encode_to_vec())?)
    }

    /// The write of a message.
    pub(crate) fn put<M: Message>(&self, key: StoreKey, message: &M) -> Result<Write, VaultError> {
        let row = self.encode(&key, message)?;
        Ok(Write::Put(key, row))
    }
}

/// What a surrogate's row says of it, checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    pub(crate) info_type: InfoType,
    pub(crate) class: DataClass,
    pub(crate) kind: SurrogateKind,
    pub(crate) bounds: Bounds,
    /// Its mask, when it is not that of its info type.
    pub(crate) mask: Option<Mask>,
    /// Whether its count tells when it ends: not before the records that hold it.
    pub(crate) is_held: bool,
}

/// How much, how long and how often a surrogate shows its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) reveal: Reveal,
    /// 0 for never.
    pub(crate) expires_ms: u64,
    /// 0 for as often as asked.
    pub(crate) uses_max: u32,
}

impl Bounds {
    /// Whether it has expired.
    pub(crate) fn has_expired(&self, now_ms: u64) -> bool {
        self.expires_ms != 0 && self.expires_ms <= now_ms
    }

    /// Whether `uses` are all there are.
    pub(crate) fn is_used_up(&self, uses: u64) -> bool {
        self.uses_max != 0 && uses >= u64::from(self.uses_max)
    }
}

impl TryFrom<&storage::Surrogate> for Facts {
    type Error = CryptoError;

    fn try_from(row: &storage::Surrogate) -> Result<Self, CryptoError> {
        let kind = match row.kind() {
            vault::SurrogateKind::Random => SurrogateKind::Random,
            vault::SurrogateKind::Deterministic => SurrogateKind::Deterministic,
            vault::SurrogateKind::Unspecified | vault::SurrogateKind::FormatPreserving => {
                return Err(CryptoError);
            }
        };
        let class = DataClass::from_wire(row.data_class).ok().flatten().ok_or(CryptoError)?;
        Ok(Self {
            info_type: InfoType::named(&row.info_type, class).ok_or(CryptoError)?,
            class,
            kind,
            bounds: Bounds {
                reveal: reveal(row.reveal())?,
                expires_ms: row.expires_ms,
                uses_max: row.uses_max,
            },
            mask: mask(&row.mask)?,
            is_held: row.is_held,
        })
    }
}

/// A mask as a row keeps it.
pub(crate) fn mask_bytes(mask: Option<Mask>) -> Vec<u8> {
    mask.map_or_else(Vec::new, |mask| vec![mask.keep_first(), mask.keep_last()])
}

fn mask(bytes: &[u8]) -> Result<Option<Mask>, CryptoError> {
    match *bytes {
        [] => Ok(None),
        [first, last] => Mask::new(first, last).map(Some).map_err(|_| CryptoError),
        _ => Err(CryptoError),
    }
}

fn reveal(wire: vault::Reveal) -> Result<Reveal, CryptoError> {
    match wire {
        vault::Reveal::Unspecified => Err(CryptoError),
        vault::Reveal::Redacted | vault::Reveal::Masked | vault::Reveal::Plain => {
            Ok(Reveal::from_wire(wire))
        }
    }
}
