//! Builds the blind indexes of a collection over the records that are there.
//!
//! It promises that an index is called complete only after a whole scan, begun when no write under
//! a policy without it was taken any more, found every entry there; and that an index over so few
//! values that their frequencies tell them is not kept, unless the policy forces it. It relies on
//! class keys that the customer lends, like all long work.

use std::sync::Arc;

use tresor_proto::{
    CollectionName, TenantId,
    storage::{OperationKind, OperationRow, OperationStage, OperationState},
};

use super::{
    reindex::{IndexWork, Pass},
    step::{begin, tenant_of},
};
use crate::{
    blind_index::{BlindIndex, IndexId},
    crypto_error::CryptoError,
    error::VaultError,
    policy_floor::{self, PolicyFloor},
    registry::Collection,
    store::{Keyspace, Outcome, ScanRange, Store},
    vault::Vault,
};

/// Records from which on too few distinct values are refused: below, nobody can tell.
const RECORDS_TO_TELL: usize = 1_000;
/// Distinct values that so many records have at least.
const DISTINCT_VALUES_MIN: usize = 100;
/// More than any byte of a record's id.
const AFTER_IDS: u8 = 0xFF;

/// Whether an operation builds indexes.
pub(crate) fn is_about_indexes(row: &OperationRow) -> bool {
    row.kind() == OperationKind::Index
}

impl Vault {
    /// What a step of an operation that builds indexes does to rows.
    pub(super) async fn index_work(&self, row: &OperationRow) -> Result<IndexWork, VaultError> {
        let pass = match row.stage() {
            OperationStage::Removing => Pass::Remove,
            OperationStage::Verifying => Pass::Verify,
            OperationStage::Unspecified
            | OperationStage::Counting
            | OperationStage::Resealing
            | OperationStage::Destroying => Pass::Write,
        };
        let is_refused = |index: &BlindIndex| {
            row.refused_fields.iter().any(|field| field == index.field.as_str())
        };
        let mut indexes = self.indexes_of(row).await?.1;
        indexes.retain(|index| is_refused(index) == (pass == Pass::Remove));
        Ok(IndexWork { indexes, pass })
    }

    /// What comes at the end of a scan.
    pub(super) async fn end_of_index_scan(
        &self,
        store: &Arc<dyn Store>,
        row: &mut OperationRow,
    ) -> Result<(), VaultError> {
        match row.stage() {
            OperationStage::Unspecified | OperationStage::Destroying => {
                return Err(VaultError::Integrity);
            }
            OperationStage::Counting => {
                self.keep_older_writers_out(store, row).await?;
                begin(row, OperationStage::Resealing);
            }
            OperationStage::Resealing => self.refuse_few_values(store, row).await?,
            OperationStage::Removing if row.left > 0 => begin(row, OperationStage::Removing),
            OperationStage::Removing => begin(row, OperationStage::Verifying),
            OperationStage::Verifying if row.damaged > 0 => {
                row.set_state(OperationState::NeedsAttention);
            }
            OperationStage::Verifying if row.left > 0 => begin(row, OperationStage::Verifying),
            OperationStage::Verifying => self.call_complete(store, row).await?,
        }
        Ok(())
    }

    /// From now on whoever writes knows the indexes, also those that were refused before.
    async fn keep_older_writers_out(
        &self,
        store: &Arc<dyn Store>,
        row: &OperationRow,
    ) -> Result<(), VaultError> {
        let (tenant, version) = (tenant_of(row)?, row.policy_version);
        let ids = self.index_ids(row, |_| true).await?;
        let edit = move |floor: PolicyFloor| {
            let admitted = |floor: PolicyFloor, id: &IndexId| match floor.is_refused(*id) {
                true => floor.with_refused(*id, false),
                false => floor,
            };
            ids.iter().fold(floor.raised(version), admitted)
        };
        self.edit_floor((tenant, store), row, edit).await
    }

    /// Refuses the indexes that have too few distinct values: their entries are taken away.
    async fn refuse_few_values(
        &self,
        store: &Arc<dyn Store>,
        row: &mut OperationRow,
    ) -> Result<(), VaultError> {
        let (collection, indexes) = self.indexes_of(row).await?;
        let is_forced = |index: &BlindIndex| {
            let search = collection.policy.field(&index.field).and_then(|field| field.search);
            search.is_some_and(|search| search.is_forced())
        };
        for index in indexes.iter().filter(|index| !is_forced(index)) {
            let id = self.newest_id(tenant_of(row)?, index).await?;
            if has_few_values(store.as_ref(), id, index.bits).await? {
                row.refused_fields.push(index.field.as_str().to_owned());
            }
        }
        if row.refused_fields.is_empty() {
            begin(row, OperationStage::Verifying);
            return Ok(());
        }
        let refused = row.refused_fields.clone();
        let ids = self.index_ids(row, |index| refused.contains(&index.field.as_str().to_owned()));
        let ids = ids.await?;
        let edit = move |floor: PolicyFloor| {
            ids.iter().fold(floor, |floor, id| floor.with_refused(*id, true))
        };
        self.edit_floor((tenant_of(row)?, store), row, edit).await?;
        begin(row, OperationStage::Removing);
        Ok(())
    }

    /// Every record has its entries of those that are not refused.
    async fn call_complete(
        &self,
        store: &Arc<dyn Store>,
        row: &mut OperationRow,
    ) -> Result<(), VaultError> {
        let (refused, version) = (row.refused_fields.clone(), row.policy_version);
        let ids = self.index_ids(row, |index| !refused.contains(&index.field.as_str().to_owned()));
        let ids = ids.await?;
        let edit = move |floor: PolicyFloor| {
            ids.iter().fold(floor, |floor, id| floor.with_built(*id, version))
        };
        self.edit_floor((tenant_of(row)?, store), row, edit).await?;
        row.verified_ms = self.clock().now_ms();
        row.set_state(match row.refused_fields.as_slice() {
            [] => OperationState::Done,
            _ => OperationState::NeedsAttention,
        });
        Ok(())
    }

    /// The indexes an operation is about, with the policy that declares them.
    async fn indexes_of(
        &self,
        row: &OperationRow,
    ) -> Result<(Collection, Vec<BlindIndex>), VaultError> {
        let name = CollectionName::parse(&row.collection).map_err(|_| VaultError::Integrity)?;
        let version = Some(row.policy_version);
        let collection = self.registry().collection(tenant_of(row)?, &name, version).await?;
        let mut indexes = BlindIndex::all_of(&collection);
        indexes.retain(|index| row.fields.iter().any(|field| field == index.field.as_str()));
        Ok((collection, indexes))
    }

    async fn index_ids(
        &self,
        row: &OperationRow,
        is_wanted: impl Fn(&BlindIndex) -> bool,
    ) -> Result<Vec<IndexId>, VaultError> {
        let tenant = tenant_of(row)?;
        let mut ids = Vec::new();
        for index in self.indexes_of(row).await?.1.iter().filter(|index| is_wanted(index)) {
            ids.push(self.newest_id(tenant, index).await?);
        }
        Ok(ids)
    }

    /// The id of an index under the key that new entries are made with.
    pub(crate) async fn newest_id(
        &self,
        tenant: TenantId,
        index: &BlindIndex,
    ) -> Result<IndexId, VaultError> {
        let keyring = self.keyring(tenant).await?;
        let version = keyring.keyring.newest_identifier_version(index.class);
        index.id(version).map_err(|CryptoError| VaultError::Internal)
    }

    /// Changes the floor of an operation's collection; `conflict` when somebody else did meanwhile.
    async fn edit_floor(
        &self,
        (tenant, store): (TenantId, &Arc<dyn Store>),
        row: &OperationRow,
        edit: impl FnOnce(PolicyFloor) -> PolicyFloor + Send + 'static,
    ) -> Result<(), VaultError> {
        let name = CollectionName::parse(&row.collection).map_err(|_| VaultError::Integrity)?;
        let read = store.read(vec![policy_floor::key(&name)]).await?.pop().flatten();
        let keyring = self.keyring(tenant).await?;
        let change = move || {
            let keys = (tenant, &keyring.rows);
            let floor = edit(PolicyFloor::read(keys, &name, read.as_deref())?);
            floor.change(keys).map_err(|CryptoError| VaultError::Internal)
        };
        let change = self.key_worker().run(change).await??;
        match store.apply(vec![change]).await?.first() {
            Some(Outcome::Applied) => Ok(()),
            Some(Outcome::PreconditionFailed) | None => Err(VaultError::Conflict),
        }
    }
}

/// Whether an index has so few distinct values, over so many records, that how often each occurs
/// tells an onlooker which it is.
async fn has_few_values(store: &dyn Store, id: IndexId, bits: u16) -> Result<bool, VaultError> {
    let prefix = id.as_bytes().to_vec();
    let range = |after| ScanRange { keyspace: Keyspace::Index, prefix: prefix.clone(), after };
    let mut after = None;
    for _ in 0..DISTINCT_VALUES_MIN {
        let Some(row) = store.scan(range(after), 1).await?.pop() else {
            let records = store.scan(range(None), RECORDS_TO_TELL).await?;
            return Ok(records.len() == RECORDS_TO_TELL);
        };
        let entry_bytes = prefix.len() + usize::from(bits / 8);
        let entry = row.key.get(..entry_bytes).ok_or(VaultError::Integrity)?;
        after = Some([entry, &[AFTER_IDS]].concat());
    }
    Ok(false)
}
