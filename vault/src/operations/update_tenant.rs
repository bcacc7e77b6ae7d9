//! Changes a tenant's settings, and whether anybody of it is let in.
//!
//! It promises that the next request, and the next batch of an open stream, is held to what was
//! changed: nothing that was decided before is remembered. It relies on the registry for that,
//! which never gives a row older than the last change.

use tresor_proto::{AddressList, PasswordRule, TenantId, TenantLimits, TenantRef};

use crate::{
    access::OperatorPermit,
    error::VaultError,
    registry::{Standing, Tenant, TenantRecord},
    vault::Vault,
};

/// How often a tenant is read again to be suspended, when its settings change meanwhile.
const SUSPEND_ATTEMPTS_MAX: usize = 16;

/// What is to become of a tenant's settings.
#[derive(Clone, Debug, Default)]
pub struct TenantChange {
    /// The tenant as it was read; a change in between is a `conflict`.
    pub etag: Option<String>,
    /// Its addresses.
    pub addresses: AddressChange,
    /// Whether its clients show a password; `None` for as it is.
    pub password_rule: Option<PasswordRule>,
    /// How much it may ask for; `None` for as it is.
    pub limits: Option<TenantLimits>,
}

/// What is to become of a list of addresses.
#[derive(Clone, Debug)]
pub enum AddressChange {
    /// Another list.
    Replace(AddressList),
    /// Entries more, entries fewer.
    Edit {
        /// More.
        added: AddressList,
        /// Fewer.
        removed: AddressList,
    },
}

impl Default for AddressChange {
    fn default() -> Self {
        Self::Edit { added: AddressList::default(), removed: AddressList::default() }
    }
}

impl TenantChange {
    /// Makes the change.
    fn apply(self, record: &mut TenantRecord) -> Result<(), VaultError> {
        if self.etag.is_some_and(|etag| etag != record.etag()) {
            return Err(VaultError::Conflict);
        }
        record.allowed_addresses = match self.addresses {
            AddressChange::Replace(list) => list,
            AddressChange::Edit { added, removed } => {
                record.allowed_addresses.changed(&added, &removed)?
            }
        };
        record.password_rule = self.password_rule.unwrap_or(record.password_rule);
        record.limits = self.limits.unwrap_or(record.limits);
        Ok(())
    }
}

impl Vault {
    /// Changes a tenant's settings; in a dry run only says what it would be.
    ///
    /// # Errors
    /// `not_found`; `conflict` when it has changed, or is being deleted; `invalid_request` when the
    /// addresses cannot be changed so.
    pub async fn update_tenant(
        &self,
        permit: &OperatorPermit,
        tenant: &TenantRef,
        change: TenantChange,
        is_dry_run: bool,
    ) -> Result<Tenant, VaultError> {
        let mut record = self.kept_tenant(tenant).await?;
        change.apply(&mut record)?;
        if is_dry_run {
            return Ok(record.to_tenant(self.is_quarantined(record.id)));
        }
        self.registry().update_tenant(&record).await?;
        let (tenant, service) = (record.id, permit.name());
        tracing::info!(%tenant, %service, "the tenant's settings are changed");
        self.tenant(permit, &TenantRef::Id(tenant)).await
    }

    /// Lets nobody of a tenant in any more, whatever else is changed meanwhile, and forgets its
    /// keys. Done again, it changes nothing.
    ///
    /// # Errors
    /// `not_found`; `conflict` when it is being deleted.
    pub async fn suspend_tenant(
        &self,
        permit: &OperatorPermit,
        tenant: &TenantRef,
    ) -> Result<Tenant, VaultError> {
        let mut attempts = SUSPEND_ATTEMPTS_MAX;
        let id = loop {
            attempts -= 1;
            match self.try_suspend(permit, self.kept_tenant(tenant).await?).await {
                // What came between was a change of settings: nothing that this hangs on.
                Err(VaultError::Conflict) if attempts > 0 => {}
                suspended => break suspended?,
            }
        };
        self.forget_keys_of(id);
        self.tenant(permit, &TenantRef::Id(id)).await
    }

    async fn try_suspend(
        &self,
        permit: &OperatorPermit,
        mut record: TenantRecord,
    ) -> Result<TenantId, VaultError> {
        if record.standing == Standing::Served {
            record.standing = Standing::Suspended { since_ms: self.clock().now_ms() };
            self.registry().update_tenant(&record).await?;
            let (tenant, service) = (record.id, permit.name());
            tracing::info!(%tenant, %service, "the tenant is suspended");
        }
        Ok(record.id)
    }

    /// Lets a suspended tenant in again. Done again, it changes nothing.
    ///
    /// # Errors
    /// `not_found`; `conflict` when it is being deleted.
    pub async fn resume_tenant(
        &self,
        permit: &OperatorPermit,
        tenant: &TenantRef,
    ) -> Result<Tenant, VaultError> {
        let mut record = self.kept_tenant(tenant).await?;
        let id = record.id;
        if record.standing != Standing::Served {
            record.standing = Standing::Served;
            self.registry().update_tenant(&record).await?;
            tracing::info!(tenant = %id, service = %permit.name(), "the tenant is resumed");
        }
        self.tenant(permit, &TenantRef::Id(id)).await
    }

    /// A tenant that is not being deleted.
    pub(super) async fn kept_tenant(&self, tenant: &TenantRef) -> Result<TenantRecord, VaultError> {
        let record = self.registry().tenant(tenant).await?.ok_or(VaultError::NotFound)?;
        match record.standing {
            Standing::Deleting { .. } => Err(VaultError::Conflict),
            Standing::Served | Standing::Suspended { .. } => Ok(record),
        }
    }

    /// Forgets what a tenant's customers have opened and lent.
    pub(super) fn forget_keys_of(&self, tenant: TenantId) {
        self.unlocked_cache().forget_tenant(tenant);
        self.loans().forget_tenant(tenant);
    }
}
