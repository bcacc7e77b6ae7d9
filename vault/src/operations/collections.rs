//! Puts and gives collections and their policies.

use tresor_proto::{CollectionName, Policy, TenantRef};

use crate::{
    access::{OperatorPermit, PolicyPermit},
    error::VaultError,
    registry::Collection,
    vault::Vault,
};

impl Vault {
    /// Makes a collection of a tenant, or gives it a new version of its policy.
    ///
    /// # Errors
    /// `not_found` for an unknown tenant, `conflict` when another change came between, the tenant is
    /// being deleted, or another of its collections means something else by an info type;
    /// `invalid_request` for a pattern that is none or too large.
    pub async fn put_collection(
        &self,
        permit: &OperatorPermit,
        tenant: &TenantRef,
        name: CollectionName,
        policy: Policy,
    ) -> Result<Collection, VaultError> {
        let record = self.kept_tenant(tenant).await?;
        let info_types = policy.info_types().clone();
        let checked = tokio::task::spawn_blocking(move || info_types.check_patterns()).await;
        checked.map_err(|_| VaultError::Internal)??;
        let now_ms = self.clock().now_ms();
        let collection = self.registry().put_collection(record.id, name, policy, now_ms).await?;
        tracing::info!(
            tenant = %record.id,
            collection = %collection.name,
            version = collection.policy_version,
            service = %permit.name(),
            "collection put"
        );
        Ok(collection)
    }

    /// Gives a collection with its newest policy, or with one version of it.
    ///
    /// # Errors
    /// `not_found` for an unknown collection or version.
    pub async fn collection(
        &self,
        permit: &PolicyPermit,
        name: &CollectionName,
        policy_version: Option<u64>,
    ) -> Result<Collection, VaultError> {
        self.registry().collection(permit.tenant(), name, policy_version).await
    }

    /// Gives all collections of a tenant, in the order of their names.
    ///
    /// # Errors
    /// Those of the registry.
    pub async fn collections(&self, permit: &PolicyPermit) -> Result<Vec<Collection>, VaultError> {
        self.registry().collections(permit.tenant()).await
    }
}
