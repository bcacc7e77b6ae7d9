//! Counts what an onlooker of a tenant's database learns from its blind indexes.
//!
//! It takes no key and no customer token, and reads nothing but the keys of the entries, page by
//! page; writers go on meanwhile.

use tresor_proto::{CollectionName, FieldName, TenantRef};

use crate::{
    access::OperatorPermit,
    blind_index::{BlindIndex, Frequencies, IndexFrequencies},
    crypto_error::CryptoError,
    error::VaultError,
    store::{Keyspace, ScanRange, Store},
    vault::Vault,
};

/// Entries read at once.
const PAGE_ENTRIES: usize = 4_096;

/// An indexed field, and what its entries tell.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexAnalysis {
    /// The field.
    pub field: FieldName,
    /// Bits of an entry.
    pub bits: u16,
    /// What is told by how often entries come.
    pub frequencies: IndexFrequencies,
}

impl Vault {
    /// Counts the entries of a collection's indexes, with the advice for hiding each value among
    /// so many others.
    ///
    /// # Errors
    /// `not_found` for an unknown tenant or collection, `storage_unavailable`.
    pub async fn analyze_collection(
        &self,
        permit: &OperatorPermit,
        tenant: &TenantRef,
        name: &CollectionName,
        hidden_among: u64,
    ) -> Result<Vec<IndexAnalysis>, VaultError> {
        let tenant = self.tenant(permit, tenant).await?.id;
        let collection = self.registry().collection(tenant, name, None).await?;
        let (store, keyring) = (self.store(tenant).await?, self.keyring(tenant).await?);
        let mut analyses = Vec::new();
        for index in BlindIndex::all_of(&collection) {
            let version = keyring.keyring.newest_identifier_version(index.class);
            let id = index.id(version).map_err(|CryptoError| VaultError::Internal)?;
            let frequencies = Frequencies::new(usize::from(index.bits / 8));
            let counted = count(store.as_ref(), id.as_bytes(), frequencies).await?;
            analyses.push(IndexAnalysis {
                field: index.field,
                bits: index.bits,
                frequencies: counted.finish(hidden_among),
            });
        }
        Ok(analyses)
    }
}

/// Counts all entries of an index.
async fn count(
    store: &dyn Store,
    id: &[u8],
    mut frequencies: Frequencies,
) -> Result<Frequencies, VaultError> {
    let mut after = None;
    loop {
        let range = ScanRange { keyspace: Keyspace::Index, prefix: id.to_vec(), after };
        let page = store.scan(range, PAGE_ENTRIES).await?;
        for row in &page {
            let entry = row.key.get(id.len()..id.len() + frequencies.entry_bytes());
            frequencies.add(entry.unwrap_or_default());
        }
        match page.into_iter().next_back() {
            None => return Ok(frequencies),
            Some(last) => after = Some(last.key),
        }
    }
}
