//! Makes the entries of records, with the keys of each index derived once.

use std::collections::{BTreeMap, BTreeSet};

use tresor_proto::{Content, FieldName};

use super::{BlindIndex, IndexEntry, KeyedIndex};
use crate::{
    crypto_error::CryptoError, error::VaultError, policy_floor::PolicyFloor, unlocked::ClassKeys,
};

/// The indexes of a collection, at work.
pub(crate) struct Indexer<'a> {
    indexes: &'a [BlindIndex],
    floor: &'a PolicyFloor,
    /// By the place of the index; `None` for one that is refused.
    keyed: BTreeMap<usize, Option<KeyedIndex>>,
}

impl<'a> Indexer<'a> {
    /// Makes entries of indexes, but of those that a floor says are refused.
    pub(crate) fn new(indexes: &'a [BlindIndex], floor: &'a PolicyFloor) -> Self {
        Self { indexes, floor, keyed: BTreeMap::new() }
    }

    /// The entries of a record's fields, in their order; `keys` are those of the class of an index.
    pub(crate) fn entries<'f, 'k>(
        &mut self,
        fields: impl IntoIterator<Item = (&'f FieldName, &'f Content)>,
        keys: impl Fn(&BlindIndex) -> Option<&'k ClassKeys>,
    ) -> Result<BTreeSet<IndexEntry>, VaultError> {
        let mut entries = BTreeSet::new();
        for (name, content) in fields {
            let mut indexes = self.indexes.iter().enumerate();
            let Some((at, index)) = indexes.find(|(_, index)| index.field == *name) else {
                continue;
            };
            if !self.keyed.contains_key(&at) {
                let keys = keys(index).ok_or(VaultError::WrongKey)?;
                let keyed = self.keyed(index, keys).map_err(|CryptoError| VaultError::Internal)?;
                self.keyed.insert(at, keyed);
            }
            let keyed = self.keyed.get(&at).and_then(Option::as_ref);
            entries.extend(keyed.and_then(|keyed| keyed.entry(content)));
        }
        Ok(entries)
    }

    fn keyed(
        &self,
        index: &BlindIndex,
        keys: &ClassKeys,
    ) -> Result<Option<KeyedIndex>, CryptoError> {
        let keyed = index.keyed(keys.newest_identifier()?)?;
        Ok(Some(keyed).filter(|keyed| !self.floor.is_refused(keyed.id)))
    }
}
