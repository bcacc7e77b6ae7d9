//! What is looked for: terms held against the policy, and their entries.

use std::sync::Arc;

use tresor_proto::{DataClass, Failure, FieldName};
use zeroize::Zeroizing;

use super::SearchTerm;
use crate::{
    access::TokenHolder,
    blind_index::BlindIndex,
    crypto_error::CryptoError,
    error::VaultError,
    operations::reveal::Sought,
    policy_floor::PolicyFloor,
    registry::Collection,
    unlocked::{ClassKeys, UnlockedCache},
};

/// Terms of a search.
const TERMS_MAX: usize = 8;

/// A term that can be looked up.
pub(super) struct IndexedTerm {
    index: BlindIndex,
    /// Since which version of the policy the index is declared.
    since: u64,
    normal: Zeroizing<Vec<u8>>,
}

/// Terms as entries.
pub(super) struct Query {
    pub(super) sought: Arc<[Sought]>,
    pub(super) is_index_complete: bool,
}

/// Whose keys make the entries.
pub(super) struct Seeker {
    pub(super) holder: Arc<TokenHolder>,
    pub(super) cache: Arc<UnlockedCache>,
    pub(super) now_ms: u64,
}

/// Holds terms against a policy.
pub(super) fn indexed(
    collection: &Collection,
    terms: &[SearchTerm],
) -> Result<Vec<IndexedTerm>, VaultError> {
    if !(1..=TERMS_MAX).contains(&terms.len()) {
        return Err(Failure::invalid("terms", "from 1 to 8").into());
    }
    let indexes = BlindIndex::all_of(collection);
    let indexed = |term: &SearchTerm| {
        let index = indexes.iter().find(|index| index.field == term.field);
        let index = index.ok_or_else(|| refused(&term.field, "is not searchable"))?;
        let since = collection.index_since(&index.field);
        let normal = index.rule.normalise(&term.content);
        let normal = normal.ok_or_else(|| refused(&term.field, "has nothing to be found by"))?;
        Ok(IndexedTerm { index: index.clone(), since, normal })
    };
    terms.iter().map(indexed).collect()
}

impl Query {
    /// Makes the entries of terms, with the keys of the classes of their indexes.
    pub(super) fn of(
        seeker: &Seeker,
        floor: &PolicyFloor,
        terms: &[IndexedTerm],
    ) -> Result<Self, VaultError> {
        let holder = seeker.holder.holder().ok_or(VaultError::Internal)?;
        let classes = terms.iter().map(|term| term.index.class);
        let unlocked = seeker.cache.unlock(holder, classes, seeker.now_ms);
        let unlocked = unlocked.map_err(|CryptoError| VaultError::Integrity)?;
        let (mut sought, mut is_index_complete) = (Vec::new(), true);
        for term in terms {
            let keys = unlocked.class(term.index.class).ok_or(VaultError::WrongKey)?;
            is_index_complete &= term.is_complete(floor, keys)?;
            sought.push(term.sought(keys).map_err(|CryptoError| VaultError::Internal)?);
        }
        Ok(Self { sought: sought.into(), is_index_complete })
    }
}

impl IndexedTerm {
    /// Whether its index holds every record; `invalid_request` when it is refused.
    fn is_complete(&self, floor: &PolicyFloor, keys: &ClassKeys) -> Result<bool, VaultError> {
        let mut is_complete = false;
        for (version, _) in keys.identifiers() {
            let id = self.index.id(version).map_err(|CryptoError| VaultError::Internal)?;
            if floor.is_refused(id) {
                return Err(refused(&self.index.field, "has too few values to be searchable"));
            }
            is_complete |= floor.is_complete(id, self.since);
        }
        Ok(is_complete)
    }

    /// The class of its field.
    pub(super) fn class(&self) -> DataClass {
        self.index.class
    }

    fn sought(&self, keys: &ClassKeys) -> Result<Sought, CryptoError> {
        let (index, normal) = (&self.index, self.normal.clone());
        let entry = |key| Ok(index.keyed(key)?.entry_of(&normal));
        let entries = keys.identifiers().map(entry).collect::<Result<_, CryptoError>>()?;
        Ok(Sought { field: index.field.clone(), rule: index.rule, normal, entries })
    }
}

fn refused(field: &FieldName, why: &str) -> VaultError {
    Failure::invalid("terms", format!("field {field} {why}")).into()
}
