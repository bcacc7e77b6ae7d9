//! Tells how complete the blind indexes of a collection are, and asks for those to be built that are
//! not.
//!
//! Nothing is built here: an operator has no class key. The customer lends a customer token for it.

use tresor_proto::{
    CollectionName, DataClass, Failure, FieldName, RefusalReason, TenantId, TenantRef,
    storage::{OperationKind, OperationRow, OperationStage, OperationState, OperationTarget},
};
use uuid::Builder;

use super::key_operations::KeyOperation;
use crate::{
    access::{OperatorPermit, PolicyPermit},
    blind_index::BlindIndex,
    error::VaultError,
    policy_floor::{self, PolicyFloor},
    registry::Collection,
    vault::Vault,
};

/// How it stands with the blind index of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexState {
    /// The field.
    pub field: FieldName,
    /// Bits of an entry.
    pub bits: u16,
    /// Whether it holds every record.
    pub is_complete: bool,
    /// Whether it is not written, since it would have too few distinct values.
    pub is_refused: bool,
}

/// What is built, or would be.
#[derive(Clone, Debug)]
pub struct IndexBuild {
    /// The fields.
    pub fields: Vec<FieldName>,
    /// The classes that the customer has to lend.
    pub classes: Vec<DataClass>,
    /// The operation; none in a dry run.
    pub operation: Option<KeyOperation>,
}

/// A declared index, and how it stands.
type Known = (BlindIndex, IndexState);

impl Vault {
    /// Tells how it stands with the blind indexes of a collection, in the order of its policy.
    ///
    /// # Errors
    /// `integrity` when what the database says of them does not authenticate, `storage_unavailable`.
    pub async fn index_states(
        &self,
        permit: &PolicyPermit,
        collection: &Collection,
    ) -> Result<Vec<IndexState>, VaultError> {
        let known = self.known_indexes(permit.tenant(), collection).await?;
        Ok(known.into_iter().map(|(_, state)| state).collect())
    }

    /// Asks for the blind indexes of a collection to be built over the records that are there: those
    /// that are not complete, or all when all are.
    ///
    /// # Errors
    /// `not_found` for an unknown tenant or collection, or a tenant that has not enrolled;
    /// `invalid_request` when the newest policy declares no index; `conflict` while identifier keys
    /// are replaced.
    pub async fn build_index(
        &self,
        permit: &OperatorPermit,
        tenant: &TenantRef,
        collection: &CollectionName,
        is_dry_run: bool,
    ) -> Result<IndexBuild, VaultError> {
        let tenant = self.enrolled_tenant(tenant).await?;
        self.refuse_while_rekeying(tenant).await?;
        let collection = self.registry().collection(tenant, collection, None).await?;
        let known = self.known_indexes(tenant, &collection).await?;
        if known.is_empty() {
            return Err(Failure::invalid("collection", "no field of it is searchable").into());
        }
        let is_whole = known.iter().all(|(_, state)| state.is_complete);
        let to_build = known.into_iter().filter(|(_, state)| is_whole || !state.is_complete);
        let indexes: Vec<_> = to_build.map(|(index, _)| index).collect();
        let mut classes: Vec<_> = indexes.iter().map(|index| index.class).collect();
        classes.sort_unstable();
        classes.dedup();
        let fields: Vec<_> = indexes.into_iter().map(|index| index.field).collect();
        let operation = match is_dry_run {
            true => None,
            false => Some(self.ask_for_indexing(tenant, &collection, (&fields, &classes)).await?),
        };
        if let Some(operation) = &operation {
            let (service, operation, count) = (permit.name(), operation.id, fields.len());
            tracing::info!(%tenant, %service, %operation, count, "indexes are to be built");
        }
        Ok(IndexBuild { fields, classes, operation })
    }

    /// The indexes that a policy declares, and how each stands.
    async fn known_indexes(
        &self,
        tenant: TenantId,
        collection: &Collection,
    ) -> Result<Vec<Known>, VaultError> {
        let indexes = BlindIndex::all_of(collection);
        if indexes.is_empty() {
            return Ok(Vec::new());
        }
        let (floor, is_enrolled) = match self.policy_floor(tenant, &collection.name).await {
            Ok(floor) => (floor, true),
            Err(VaultError::Denied(RefusalReason::TenantNotEnrolled)) => {
                (PolicyFloor::none(&collection.name), false)
            }
            Err(error) => return Err(error),
        };
        let mut known = Vec::with_capacity(indexes.len());
        for index in indexes {
            let since = collection.index_since(&index.field);
            let (is_complete, is_refused) = match is_enrolled {
                // There is no record yet.
                false => (since == 1, false),
                true => {
                    let id = self.newest_id(tenant, &index).await?;
                    let is_refused = floor.is_refused(id);
                    (floor.is_complete(id, since) && !is_refused, is_refused)
                }
            };
            let (field, bits) = (index.field.clone(), index.bits);
            known.push((index, IndexState { field, bits, is_complete, is_refused }));
        }
        Ok(known)
    }

    async fn policy_floor(
        &self,
        tenant: TenantId,
        collection: &CollectionName,
    ) -> Result<PolicyFloor, VaultError> {
        let keyring = self.keyring(tenant).await?;
        let key = policy_floor::key(collection);
        let row = self.store(tenant).await?.read(vec![key]).await?.pop().flatten();
        let collection = collection.clone();
        let read = move || PolicyFloor::read((tenant, &keyring.rows), &collection, row.as_deref());
        self.key_worker().run(read).await?
    }

    /// Registers the operation, or gives the one that is registered for the same already.
    async fn ask_for_indexing(
        &self,
        tenant: TenantId,
        collection: &Collection,
        (fields, classes): (&[FieldName], &[DataClass]),
    ) -> Result<KeyOperation, VaultError> {
        let now_ms = self.clock().now_ms();
        let target =
            |class: &DataClass| OperationTarget { data_class: u32::from(class.code()), epoch: 0 };
        let row = OperationRow {
            tenant: tenant.to_bytes().to_vec(),
            targets: classes.iter().map(target).collect(),
            state: OperationState::Open as i32,
            stage: OperationStage::Counting as i32,
            created_ms: now_ms,
            updated_ms: now_ms,
            kind: OperationKind::Index as i32,
            collection: collection.name.as_str().to_owned(),
            policy_version: collection.policy_version,
            fields: fields.iter().map(|field| field.as_str().to_owned()).collect(),
            ..OperationRow::default()
        };
        let is_same = |other: &OperationRow| {
            other.kind == row.kind
                && (&other.collection, other.policy_version, &other.fields)
                    == (&row.collection, row.policy_version, &row.fields)
        };
        let under_way = self.operations_under_way(tenant).await?;
        if let Some(same) = under_way.iter().find(|record| is_same(&record.row)) {
            return self.show_operation(same).await;
        }
        let mut random = [0; 10];
        self.entropy().fill(&mut random).map_err(|_| VaultError::Internal)?;
        let id = Builder::from_unix_timestamp_millis(now_ms, &random).into_uuid();
        self.registry().create_operation(id, &row).await?;
        let created = self.registry().operation(id).await?.ok_or(VaultError::NotFound)?;
        self.show_operation(&created).await
    }
}
