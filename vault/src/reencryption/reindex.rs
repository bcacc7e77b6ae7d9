//! Makes the entries of a row what its values and the indexes of its collection say: pure work, run
//! on a key thread.
//!
//! Nothing else of the row changes. It relies on the row's digest as precondition, so that no other
//! write is lost, and on the floor of the policy, so that later writers make the entries themselves.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use prost::Message as _;
use tresor_proto::{DataClass, TenantId, storage};

use super::reseal::{Place, Resealed};
use crate::{
    blind_index::{self, BlindIndex, IndexId, KeyedIndex},
    crypto_error::CryptoError,
    keyring::LoadedKeyring,
    row::RowPlace,
    sealed_group::RecordPlace,
    store::{Change, Precondition, RowDigest, StoreKey, Write},
    stored_field::StoredField,
    unlocked::ClassKeys,
};

/// What is to become of entries.
#[derive(Debug)]
pub(crate) struct IndexWork {
    /// The indexes it is about.
    pub(crate) indexes: Vec<BlindIndex>,
    pub(crate) pass: Pass,
}

/// What a scan is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// To write all entries, also those that rows list already: somebody may have taken them away.
    Write,
    /// To write those that are missing.
    Verify,
    /// To take all away.
    Remove,
}

/// What is needed to index rows.
pub(crate) struct Reindexer {
    tenant: TenantId,
    keyring: Arc<LoadedKeyring>,
    classes: BTreeMap<DataClass, Arc<ClassKeys>>,
    work: Arc<IndexWork>,
    /// The ids of its indexes, under all versions of their keys.
    ids: BTreeSet<IndexId>,
    /// Its indexes, ready to make entries.
    keyed: Vec<KeyedIndex>,
}

impl Reindexer {
    pub(crate) fn new(
        keyring: Arc<LoadedKeyring>,
        classes: BTreeMap<DataClass, Arc<ClassKeys>>,
        work: Arc<IndexWork>,
    ) -> Result<Self, CryptoError> {
        let (mut ids, mut keyed) = (BTreeSet::new(), Vec::new());
        for index in &work.indexes {
            let keys = classes.get(&index.class).ok_or(CryptoError)?;
            keyed.push(index.keyed(keys.newest_identifier()?)?);
            for (version, _) in keys.identifiers() {
                ids.insert(index.id(version)?);
            }
        }
        let tenant = keyring.keyring.tenant;
        Ok(Self { tenant, keyring, classes, work, ids, keyed })
    }

    /// What is to be done to a row.
    pub(crate) fn reindex(&self, key: &StoreKey, row: &[u8]) -> Resealed {
        self.try_reindex(key, row).unwrap_or(Resealed::Damaged)
    }

    fn try_reindex(&self, key: &StoreKey, row: &[u8]) -> Result<Resealed, CryptoError> {
        let row_place = RowPlace { tenant: self.tenant, key };
        let message = self.keyring.rows.decode(row_place, row)?;
        let mut message = storage::Record::decode(message)?;
        let Place { collection, record } = Place::of(&key.key)?;
        let place = RecordPlace { tenant: self.tenant, collection: &collection, record: &record };
        let old = core::mem::take(&mut message.index_entries);
        let is_other =
            |entry: &&Vec<u8>| IndexId::of(entry).is_none_or(|id| !self.ids.contains(&id));
        let mut entries: BTreeSet<_> = old.iter().filter(is_other).cloned().collect();
        entries.extend(self.entries(place, &message)?);
        let new: Vec<_> = entries.into_iter().collect();
        let is_as_it_is_to_be = old == new;
        if is_as_it_is_to_be && (self.work.pass != Pass::Write || new.is_empty()) {
            return Ok(Resealed::Nothing);
        }
        let mut writes = blind_index::writes(&record, &old, &new);
        if !is_as_it_is_to_be {
            message.index_entries = new;
            let sealed = self.keyring.rows.encode(row_place, &message.encode_to_vec())?;
            writes.push(Write::Put(key.clone(), sealed));
        }
        let preconditions = vec![Precondition::Unchanged(key.clone(), RowDigest::of(row))];
        Ok(Resealed::Groups(1, Change { preconditions, writes }))
    }

    /// The entries that a row is to have of these indexes. A value under a class that is not lent
    /// cannot be indexed.
    fn entries(
        &self,
        place: RecordPlace<'_>,
        row: &storage::Record,
    ) -> Result<BTreeSet<Vec<u8>>, CryptoError> {
        let mut entries = BTreeSet::new();
        if self.work.pass == Pass::Remove {
            return Ok(entries);
        }
        for (index, keyed) in self.work.indexes.iter().zip(&self.keyed) {
            let Some(field) = StoredField::find(row, index.field.as_str()) else { continue };
            let keys = field.class()?.and_then(|class| self.classes.get(&class));
            let content = field.content(place, row.erasure_bucket, keys.map(Arc::as_ref))?;
            let entry = keyed.entry(&content.ok_or(CryptoError)?);
            entries.extend(entry.map(blind_index::IndexEntry::into_bytes));
        }
        Ok(entries)
    }
}
