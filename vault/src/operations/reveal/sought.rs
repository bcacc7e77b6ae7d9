//! What a search asks of a record before it is shown.
//!
//! It promises that a record is found only by what its verified row lists and its opened value says:
//! entries that a database writer adds lead to no wrong record, and where entries are so short that
//! different values share one, the value decides. It relies on the reader's keys.

use tresor_proto::{Content, FieldName, RecordId, storage};
use zeroize::Zeroizing;

use super::Reader;
use crate::{
    blind_index::{IndexEntry, NormalRule},
    crypto_error::CryptoError,
    sealed_group::RecordPlace,
    stored_field::StoredField,
};

/// A field that is to have a value.
pub(crate) struct Sought {
    pub(crate) field: FieldName,
    pub(crate) rule: NormalRule,
    /// The normalised value.
    pub(crate) normal: Zeroizing<Vec<u8>>,
    /// Its entry, under each version of the key.
    pub(crate) entries: Vec<IndexEntry>,
}

impl Sought {
    fn is_listed(&self, row: &storage::Record) -> bool {
        let is_listed =
            |entry: &IndexEntry| row.index_entries.iter().any(|of| entry.as_bytes() == of);
        self.entries.iter().any(is_listed)
    }

    fn is(&self, content: &Content) -> bool {
        self.rule.normalise(content).is_some_and(|normal| normal == self.normal)
    }
}

impl Reader {
    /// Whether a record holds all that is sought.
    pub(super) fn holds(&self, id: &RecordId, row: &storage::Record) -> Result<bool, CryptoError> {
        if !self.sought.iter().all(|sought| sought.is_listed(row)) {
            return Ok(false);
        }
        for sought in self.sought.iter() {
            let content = self.content(id, row, sought.field.as_str())?;
            if !content.is_some_and(|content| sought.is(&content)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The value of a field; `None` when the record has no such field, or the customer token does
    /// not open it.
    fn content(
        &self,
        id: &RecordId,
        row: &storage::Record,
        name: &str,
    ) -> Result<Option<Content>, CryptoError> {
        let Some(field) = StoredField::find(row, name) else { return Ok(None) };
        let class = field.class()?;
        let holder = self.holder.holder().ok_or(CryptoError)?;
        let unlocked = self.cache.unlock(holder, class, self.now_ms)?;
        let collection = &self.view.collection;
        let record = RecordPlace { tenant: self.tenant, collection, record: id };
        let keys = class.and_then(|class| unlocked.class(class));
        field.content(record, row.erasure_bucket, keys)
    }
}

impl core::fmt::Debug for Sought {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Sought").field(&self.field).finish()
    }
}
