//! Reads a collection page by page.

use tresor_proto::RecordId;

use super::{get::check_reveal, record_prefix};
use crate::{
    access::{Permit, Read},
    error::VaultError,
    mask::FieldMasks,
    record::{Page, RevealedRecord, View},
    store::{Keyspace, ScanRange, StoreRow},
    vault::Vault,
};

/// An id with its record, or why it is not shown.
type Item = (RecordId, Result<RevealedRecord, VaultError>);

impl Vault {
    /// Reads up to `limit` records after `after`, in the order of their ids. A record that does
    /// not authenticate does not stop the page.
    ///
    /// # Errors
    /// For all: `not_found` for an unknown collection, `integrity` when somebody put a row under a
    /// key that is no record id, otherwise as [`Vault::get`]. A page ends early when the tenant's
    /// reveals do.
    pub async fn list(
        &self,
        permit: &Permit<Read>,
        view: &View,
        after: Option<&RecordId>,
        limit: usize,
    ) -> Result<Page<Item>, VaultError> {
        check_reveal(permit, view)?;
        let newest = self.registry().collection(permit.tenant(), &view.collection, None).await?;
        let reader = self.reader(permit, view, FieldMasks::of(&newest.policy))?;
        let grant = self.grant_reveals(permit, view, limit)?;
        let limit = limit.min(grant.granted());
        let store = self.store(permit.tenant()).await?;
        let prefix = record_prefix(&view.collection);
        let after = after.map(|id| [&prefix, id.as_str().as_bytes()].concat());
        let name_bytes = prefix.len();
        let range = ScanRange { keyspace: Keyspace::Records, prefix, after };
        let mut rows = store.scan(range, limit + 1).await?;
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let ids: Vec<_> =
            rows.iter().map(|row| id_of(row, name_bytes)).collect::<Result<_, VaultError>>()?;
        let rows = rows.into_iter().map(|row| Some(row.value)).collect();
        let next = ids.last().filter(|_| has_more).map(|id| id.as_str().to_owned());
        let records = self.show(store.as_ref(), reader, ids.clone(), rows).await?;
        grant.keep(records.iter().filter(|record| record.is_ok()).count());
        // One that was deleted before it could be read again is not listed.
        let is_there = |(_, record): &Item| record.as_ref().err() != Some(&VaultError::NotFound);
        let items = ids.into_iter().zip(records).filter(is_there).collect();
        Ok(Page { items, next })
    }
}

/// The id in a record's key, after the collection's name.
fn id_of(row: &StoreRow, name_bytes: usize) -> Result<RecordId, VaultError> {
    let id = row.key.get(name_bytes..).and_then(|id| core::str::from_utf8(id).ok());
    RecordId::parse(id.unwrap_or_default()).map_err(|_| VaultError::Integrity)
}
