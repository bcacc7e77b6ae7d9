//! Gives tenants to operators.

use tresor_proto::{TenantName, TenantRef};

use crate::{
    access::OperatorPermit,
    error::VaultError,
    record::Page,
    registry::{Tenant, TenantRecord},
    vault::Vault,
};

impl Vault {
    /// Gives one tenant.
    ///
    /// # Errors
    /// `not_found` for an unknown one.
    pub async fn tenant(
        &self,
        _permit: &OperatorPermit,
        tenant: &TenantRef,
    ) -> Result<Tenant, VaultError> {
        let record = self.registry().tenant(tenant).await?.ok_or(VaultError::NotFound)?;
        Ok(self.to_tenant(&record))
    }

    /// Gives up to `limit` tenants after `after`, in the order of their names.
    ///
    /// # Errors
    /// Those of the registry.
    pub async fn tenants(
        &self,
        _permit: &OperatorPermit,
        after: Option<&TenantName>,
        limit: usize,
    ) -> Result<Page<Tenant>, VaultError> {
        let records = self.registry().tenants(after, limit + 1).await?;
        let has_more = records.len() > limit;
        let items: Vec<_> =
            records.iter().take(limit).map(|record| self.to_tenant(record)).collect();
        let last = items.last().filter(|_| has_more);
        let next = last.map(|tenant| tenant.name.as_str().to_owned());
        Ok(Page { items, next })
    }

    fn to_tenant(&self, record: &TenantRecord) -> Tenant {
        record.to_tenant(self.is_quarantined(record.id))
    }
}
