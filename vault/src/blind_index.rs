//! Blind indexes: what lets a record be found by a sealed value, without the value.
//!
//! An entry is a keyed digest of the normalised value, cut to so many bits, under the identifier
//! key of the field's class: it takes both keys to make one, so that whoever has the database can
//! tell which records have an equal value, but not which value, nor try one. It relies on the
//! identifier keys, which do not change when other keys are rotated.
//!
//! Store key: `index id 8 ‖ entry ‖ record id`, without a value. The record's row lists `index id ‖
//! entry`; only what it lists is believed.

mod date;
mod folding;
mod frequencies;
mod indexer;
mod normal;
#[cfg(test)]
mod tests;

use ring::{
    digest::{SHA256, digest},
    hmac,
};
use tresor_proto::{Action, CollectionName, Content, DataClass, FieldName, FieldPolicy, RecordId};

pub(crate) use frequencies::Frequencies;
pub use frequencies::IndexFrequencies;
pub(crate) use indexer::Indexer;
pub(crate) use normal::{NormalRule, json_text};

use crate::{
    crypto_error::CryptoError,
    kdf,
    key::{IdentifierKey, Key as _},
    registry::Collection,
    store::{Keyspace, StoreKey, Write},
    tlv::Tlv,
};

const INFO: &[u8] = b"tresor/v1/blind-index";
/// Bytes of an index's id.
const ID_BYTES: usize = 8;

/// The blind index of a field: everything that tells its entries from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BlindIndex {
    pub(crate) collection: CollectionName,
    pub(crate) field: FieldName,
    pub(crate) class: DataClass,
    /// Bits of an entry, a multiple of 8 up to 256.
    pub(crate) bits: u16,
    pub(crate) rule: NormalRule,
}

/// The id of an index under one version of its class's identifier key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct IndexId([u8; ID_BYTES]);

/// An index under one version of its key: it makes entries.
pub(crate) struct KeyedIndex {
    id: IndexId,
    key: hmac::Key,
    entry_bytes: usize,
    rule: NormalRule,
}

/// An entry as a record's row lists it: `index id ‖ entry`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct IndexEntry(Vec<u8>);

impl BlindIndex {
    /// The indexes that a collection's policy declares.
    pub(crate) fn all_of(collection: &Collection) -> Vec<Self> {
        let fields = collection.policy.fields().iter();
        fields.filter_map(|field| Self::of(&collection.name, field)).collect()
    }

    /// The index over a field, if its policy declares one.
    fn of(collection: &CollectionName, field: &FieldPolicy) -> Option<Self> {
        let search = field.search?;
        matches!(field.action, Action::Seal | Action::Tokenize).then(|| Self {
            collection: collection.clone(),
            field: field.name.clone(),
            class: field.class(),
            bits: search.bits(),
            rule: NormalRule::of(field.info_type),
        })
    }

    /// The id under a version of the identifier key.
    pub(crate) fn id(&self, key_version: u32) -> Result<IndexId, CryptoError> {
        let place = Tlv::new()
            .with(1, self.collection.as_str().as_bytes())
            .with(2, self.field.as_str().as_bytes())
            .with(3, &[self.class.code()])
            .with(4, &key_version.to_be_bytes())
            .with(5, &self.bits.to_be_bytes())
            .with(6, &self.rule.to_bytes())
            .encode()?;
        let digest = digest(&SHA256, &place);
        digest.as_ref().first_chunk().copied().map(IndexId).ok_or(CryptoError)
    }

    /// The index under a version of the identifier key of its class.
    pub(crate) fn keyed(
        &self,
        (version, identifier_key): (u32, &IdentifierKey),
    ) -> Result<KeyedIndex, CryptoError> {
        let place = Tlv::new()
            .with(1, self.collection.as_str().as_bytes())
            .with(2, self.field.as_str().as_bytes())
            .with(3, &self.bits.to_be_bytes())
            .with(4, &self.rule.to_bytes())
            .encode()?;
        let key = kdf::expand::<32>(identifier_key.expose_secret(), &[INFO, &place])?;
        Ok(KeyedIndex {
            id: self.id(version)?,
            key: hmac::Key::new(hmac::HMAC_SHA256, &key[..]),
            entry_bytes: usize::from(self.bits / 8),
            rule: self.rule,
        })
    }
}

impl KeyedIndex {
    /// The entry of a value; none of what holds nothing.
    pub(crate) fn entry(&self, content: &Content) -> Option<IndexEntry> {
        Some(self.entry_of(&self.rule.normalise(content)?))
    }

    /// The entry of a normalised value.
    pub(crate) fn entry_of(&self, normal: &[u8]) -> IndexEntry {
        let mac = hmac::sign(&self.key, normal);
        let entry = mac.as_ref().iter().take(self.entry_bytes).copied();
        IndexEntry(self.id.0.into_iter().chain(entry).collect())
    }
}

impl IndexId {
    /// The id that an entry, as a row lists it, begins with.
    pub(crate) fn of(entry: &[u8]) -> Option<Self> {
        entry.first_chunk().copied().map(Self)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl IndexEntry {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// The writes that put a record under its new entries and take it from those that are not among
/// them any more. All new ones are written, so that what a database writer took away comes back.
pub(crate) fn writes(record: &RecordId, old: &[Vec<u8>], new: &[Vec<u8>]) -> Vec<Write> {
    let gone = old.iter().filter(|entry| !new.contains(entry));
    let removed = gone.map(|entry| Write::Remove(row_key(entry, record)));
    removed.chain(new.iter().map(|entry| Write::Put(row_key(entry, record), Vec::new()))).collect()
}

/// The key of an entry's row for a record.
fn row_key(entry: &[u8], record: &RecordId) -> StoreKey {
    StoreKey::new(Keyspace::Index, [entry, record.as_str().as_bytes()].concat())
}

impl core::fmt::Debug for KeyedIndex {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("KeyedIndex").field(&self.id).finish()
    }
}
