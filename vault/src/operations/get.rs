//! Reads records by id.

use tresor_proto::{RecordId, Reveal};

use super::{record_key, reveal::Reader};
use crate::{
    access::{Permit, Read},
    error::VaultError,
    operation_set::Operation,
    record::{RevealedRecord, View},
    vault::Vault,
};

impl Vault {
    /// Reads records; one result an id, in order.
    ///
    /// # Errors
    /// For all: `forbidden` when the customer token may not see as much as asked, `overloaded`,
    /// `storage_unavailable`. For one: `not_found`, `gone`, `integrity`.
    pub async fn get(
        &self,
        permit: &Permit<Read>,
        view: &View,
        ids: &[RecordId],
    ) -> Result<Vec<Result<RevealedRecord, VaultError>>, VaultError> {
        let reader = self.reader(permit, view)?;
        let store = self.store(permit.tenant()).await?;
        let keys = ids.iter().map(|id| record_key(&view.collection, id)).collect();
        let rows = store.read(keys).await?;
        let ids = ids.to_vec();
        let show = move || {
            let show_one = |(id, row): (&RecordId, Option<Vec<u8>>)| {
                reader.record(id, &row.ok_or(VaultError::NotFound)?)
            };
            ids.iter().zip(rows).map(show_one).collect()
        };
        self.key_worker().run(show).await
    }

    /// What is needed to show rows, if the customer token may see as much as is asked.
    pub(super) fn reader(&self, permit: &Permit<Read>, view: &View) -> Result<Reader, VaultError> {
        let needed = match view.reveal {
            Reveal::Redacted | Reveal::Masked => Operation::ReadMasked,
            Reveal::Plain => Operation::ReadPlain,
        };
        if !permit.holder().may(needed) {
            return Err(VaultError::Forbidden);
        }
        Ok(Reader {
            tenant: permit.tenant(),
            view: view.clone(),
            holder: permit.holder().clone(),
            cache: self.unlocked_cache(),
            now_ms: self.clock().now_ms(),
        })
    }
}
