//! What a search asks of a record before it is shown.
//!
//! It promises that a record is found only by what its verified row lists and its opened value says:
//! entries that a database writer adds lead to no wrong record, and where entries are so short that
//! different values share one, the value decides. It relies on the reader's keys.

use tresor_proto::{Content, ContentType, FieldName, RecordId, storage};
use zeroize::Zeroizing;

use super::{Reader, class_of};
use crate::{
    blind_index::{IndexEntry, NormalRule},
    crypto_error::CryptoError,
    sealed_group::{self, GroupPlace, RecordPlace},
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
        if let Some(field) = row.clear_fields.iter().find(|field| field.name == name) {
            let content_type = ContentType::from_code(field.content_type).ok_or(CryptoError)?;
            let content = Content::new(content_type, field.value.clone());
            return content.map(Some).map_err(|_| CryptoError);
        }
        let mut sealed = row.groups.iter().flat_map(|group| {
            (0u32..).zip(&group.fields).map(move |(ordinal, field)| (group, ordinal, field))
        });
        let Some((group, ordinal, field)) = sealed.find(|(.., field)| field.name == name) else {
            return Ok(None);
        };
        let class = class_of(group)?;
        let holder = self.holder.holder().ok_or(CryptoError)?;
        let unlocked = self.cache.unlock(holder, [class], self.now_ms)?;
        let Some(keys) = unlocked.class(class) else { return Ok(None) };
        let (epoch, erasure_bucket) = (group.epoch, row.erasure_bucket);
        let collection = &self.view.collection;
        let record = RecordPlace { tenant: self.tenant, collection, record: id };
        let place = GroupPlace { record, class, epoch, erasure_bucket };
        let opened = sealed_group::open(keys.epoch(epoch)?, place, group)?;
        opened.content(ordinal, field).map(Some)
    }
}

impl core::fmt::Debug for Sought {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Sought").field(&self.field).finish()
    }
}
