//! Tenants that are being deleted: begun with their last change, ended with their last row.
//!
//! It promises that a deletion once begun is found again after a restart, as long as anything of
//! the tenant is in the registry.

use prost::Message as _;
use tresor_proto::{TenantId, storage};

use super::{
    Registry, Standing, TenantRecord,
    tenants::{id_key, name_key},
};
use crate::{
    error::VaultError,
    reencryption::tenant_of,
    store::{Keyspace, Precondition, ScanRange, StoreKey, Write},
};

/// Rows removed at once.
const PAGE_ROWS: usize = 256;
/// Deletions read at once.
const DELETIONS_PAGE: usize = 64;
/// What belongs to a tenant by the beginning of its keys.
const KEYSPACES: [Keyspace; 3] = [Keyspace::Users, Keyspace::Collections, Keyspace::Census];

impl Registry {
    /// Marks a tenant, if its row is still what was read; from then on it is being deleted.
    pub(crate) async fn begin_deletion(
        &self,
        mut record: TenantRecord,
        begun_ms: u64,
    ) -> Result<(), VaultError> {
        let Standing::Suspended { since_ms: suspended_ms } = record.standing else {
            return Err(VaultError::Conflict);
        };
        record.standing = Standing::Deleting { suspended_ms, since_ms: begun_ms };
        let writes = vec![
            self.put(id_key(record.id), &record.to_row())?,
            self.put(deletion_key(record.id), &storage::DeletionRow { begun_ms })?,
        ];
        self.apply(vec![record.unchanged()], writes).await
    }

    /// A page of the tenants that are being deleted, after `after`; an empty one is the end.
    pub(crate) async fn deletions(
        &self,
        after: Option<TenantId>,
    ) -> Result<Vec<TenantId>, VaultError> {
        let after = after.map(|tenant| deletion_key(tenant).key);
        let range = ScanRange { keyspace: Keyspace::Deletions, prefix: Vec::new(), after };
        let mut tenants = Vec::new();
        for row in self.store.scan(range, DELETIONS_PAGE).await? {
            let id = row.key.as_slice().try_into().map_err(|_| VaultError::Integrity)?;
            let key = StoreKey::new(Keyspace::Deletions, row.key.clone());
            // A row that somebody else has put there deletes nobody.
            self.decode::<storage::DeletionRow>(&key, &row.value)?;
            tenants.push(TenantId::from_bytes(id));
        }
        Ok(tenants)
    }

    /// Removes everything of a tenant but that there is one, and its name.
    pub(crate) async fn remove_belongings(&self, tenant: TenantId) -> Result<(), VaultError> {
        for keyspace in KEYSPACES {
            self.remove_all(keyspace, tenant.to_bytes().to_vec()).await?;
        }
        self.remove_operations(tenant).await
    }

    /// Removes a tenant with its name: the end of its deletion.
    pub(crate) async fn remove_tenant(&self, record: &TenantRecord) -> Result<(), VaultError> {
        let keys = [id_key(record.id), name_key(&record.name), deletion_key(record.id)];
        self.apply(vec![record.unchanged()], keys.map(Write::Remove).into()).await
    }

    async fn remove_all(&self, keyspace: Keyspace, prefix: Vec<u8>) -> Result<(), VaultError> {
        loop {
            let range = ScanRange { keyspace, prefix: prefix.clone(), after: None };
            let rows = self.store.scan(range, PAGE_ROWS).await?;
            if rows.is_empty() {
                return Ok(());
            }
            let remove =
                |row: crate::store::StoreRow| Write::Remove(StoreKey::new(keyspace, row.key));
            self.apply(Vec::new(), rows.into_iter().map(remove).collect()).await?;
        }
    }

    /// Removes the operations of a tenant, also those that have ended. A row that does not
    /// authenticate stays: it may be anybody's.
    async fn remove_operations(&self, tenant: TenantId) -> Result<(), VaultError> {
        let mut after = None;
        loop {
            let (keyspace, prefix) = (Keyspace::Operations, Vec::new());
            let rows = self.store.scan(ScanRange { keyspace, prefix, after }, PAGE_ROWS).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = Some(last.key.clone());
            let keys = rows.into_iter().filter_map(|row| {
                let key = StoreKey::new(keyspace, row.key);
                let message = self.authentic(&key, &row.value).ok()?;
                let operation = storage::OperationRow::decode(message).ok()?;
                (tenant_of(&operation) == Ok(tenant)).then_some(key)
            });
            let removals: Vec<_> = keys.map(Write::Remove).collect();
            if !removals.is_empty() {
                self.apply(Vec::new(), removals).await?;
            }
        }
    }
}

/// The preconditions of whatever is written for a tenant: there is one, and it is not being deleted.
/// Its settings may change meanwhile.
pub(super) fn kept(tenant: TenantId) -> [Precondition; 2] {
    [Precondition::Present(id_key(tenant)), Precondition::Absent(deletion_key(tenant))]
}

fn deletion_key(tenant: TenantId) -> StoreKey {
    StoreKey::new(Keyspace::Deletions, tenant.to_bytes())
}

#[cfg(test)]
mod tests {
    use tresor_proto::{
        CollectionName, Policy, TenantId, TenantLimits, TenantRef, UserName,
        storage::{self, OperationRow, UserRow},
    };
    use uuid::Uuid;

    use super::{DELETIONS_PAGE, deletion_key};
    use crate::{
        budget::BudgetKind,
        error::VaultError,
        house::House,
        registry::{Census, Standing},
        store::StoreEngine,
    };

    /// What is answered when something of each kind is written for the house's tenant.
    async fn write_all(house: &House) -> Vec<Result<(), VaultError>> {
        let (registry, tenant) = (house.vault().registry(), house.tenant);
        let operation =
            OperationRow { tenant: tenant.to_bytes().to_vec(), ..OperationRow::default() };
        let name = CollectionName::parse("late").unwrap();
        vec![
            registry.add_user(tenant, &UserName::parse("late").unwrap(), &UserRow::default()).await,
            registry.put_collection(tenant, name, Policy::default(), 1).await.map(drop),
            registry.put_census(tenant, &Census::default()).await,
            registry.create_operation(Uuid::from_u128(1), &operation).await,
        ]
    }

    #[tokio::test]
    async fn nothing_is_written_for_a_tenant_while_it_is_deleted_and_after() {
        let house = House::build(StoreEngine::Memory).await;
        let (registry, here) = (house.vault().registry(), TenantRef::Id(house.tenant));
        let read = async || registry.tenant(&here).await.unwrap().unwrap();
        let mut record = read().await;
        record.standing = Standing::Suspended { since_ms: 1 };
        registry.update_tenant(&record).await.unwrap();
        registry.begin_deletion(read().await, 2).await.unwrap();
        let refused = vec![Err(VaultError::Conflict); 4];
        assert_eq!(write_all(&house).await, refused, "while");
        registry.remove_tenant(&read().await).await.unwrap();
        assert_eq!(write_all(&house).await, refused, "after");
    }

    #[tokio::test]
    async fn what_is_written_for_a_tenant_does_not_hang_on_its_settings() {
        let house = House::build(StoreEngine::Memory).await;
        assert_eq!(write_all(&house).await, vec![Ok(()); 4]);
    }

    #[tokio::test]
    async fn deletions_that_fail_keep_no_other_from_its_end() {
        let house = House::build(StoreEngine::Memory).await;
        let (registry, here) = (house.vault().registry(), TenantRef::Id(house.tenant));
        // Of tenants that are not there, and sort before every other.
        let nobody = |number: u8| {
            TenantId::from_bytes([[0; 15].as_slice(), &[number]].concat().try_into().unwrap())
        };
        for number in 0..=u8::try_from(DELETIONS_PAGE).unwrap() {
            let row = storage::DeletionRow { begun_ms: 1 };
            let write = registry.put(deletion_key(nobody(number)), &row).unwrap();
            registry.apply(Vec::new(), vec![write]).await.unwrap();
        }
        let limits = TenantLimits::default();
        let whose = (house.tenant, BudgetKind::Reveals);
        drop(house.vault().budgets().grant(whose, &limits, 1, 1));
        let read = async || registry.tenant(&here).await.unwrap().unwrap();
        let mut record = read().await;
        record.standing = Standing::Suspended { since_ms: 1 };
        registry.update_tenant(&record).await.unwrap();
        registry.begin_deletion(read().await, 2).await.unwrap();
        assert_eq!(house.vault().budget_uses().len(), 1);
        house.work_off().await;
        assert!(registry.tenant(&here).await.unwrap().is_none());
        assert_eq!(house.vault().budget_uses(), [], "its budgets are forgotten");
    }
}
