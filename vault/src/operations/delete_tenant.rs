//! Deletes a tenant for good: its keys first, so that nothing that is left opens, then its
//! database, then what the registry has of it, and last its name.
//!
//! It promises that a deletion once begun comes to its end, whatever ends the process in between:
//! each step can be done again, and the registry says of whom there is something left. It relies on
//! the tenant being suspended, so that nobody makes anything new meanwhile.

use tresor_proto::{ErrorCode, Failure, TenantId, TenantName, TenantRef, limits::USERS_MAX};

use crate::{
    access::OperatorPermit,
    error::VaultError,
    registry::{Standing, Tenant, TenantRecord},
    vault::Vault,
};

/// What other operators are told meanwhile.
const WORK: &str = "deleting a tenant";

/// What is deleted with a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantDeletion {
    /// The tenant.
    pub tenant: Tenant,
    /// Its collections.
    pub collections: usize,
    /// Its users.
    pub users: usize,
    /// Its records at the last census, if one was taken.
    pub records: Option<u64>,
}

impl Vault {
    /// Tells what would be deleted with a tenant.
    ///
    /// # Errors
    /// `not_found`; `conflict` when the tenant is not suspended, or another operator changes keys.
    pub async fn deletion_plan(
        &self,
        permit: OperatorPermit,
        tenant: &TenantRef,
    ) -> Result<TenantDeletion, VaultError> {
        let record = self.suspended_tenant(tenant).await?;
        let plan = self.plan_of(&record).await?;
        // Whether somebody is at keys is found out by trying.
        drop(self.begin_key_work(permit, WORK).await?);
        Ok(plan)
    }

    /// Begins to delete a tenant; [`Vault::work_once`] does it. Nothing stops it any more.
    ///
    /// # Errors
    /// `not_found`; `conflict` when the tenant is not suspended or has changed, or another operator
    /// changes keys; `invalid_request` when it has another name.
    pub async fn begin_deletion(
        &self,
        permit: OperatorPermit,
        tenant: &TenantRef,
        confirmed_name: &TenantName,
    ) -> Result<TenantDeletion, VaultError> {
        // Whoever enrols has come to an end before, and nobody enrols afterwards.
        let _turn = self.enrolment_turn().await;
        let record = self.suspended_tenant(tenant).await?;
        if record.name != *confirmed_name {
            let what = "not the name of this tenant";
            return Err(Failure::invalid("confirmed_name", what).into());
        }
        let work = self.begin_key_work(permit, WORK).await?;
        let (id, plan) = (record.id, self.plan_of(&record).await?);
        self.registry().begin_deletion(record, self.clock().now_ms()).await?;
        tracing::warn!(tenant = %id, service = %work.permit().name(), "the tenant is being deleted");
        let tenant = self.tenant(work.permit(), &TenantRef::Id(id)).await?;
        Ok(TenantDeletion { tenant, ..plan })
    }

    /// Goes on with every deletion, each to its end; one that fails is told and tried again later.
    pub(crate) async fn go_on_deleting(&self) -> Result<(), VaultError> {
        let mut after = None;
        loop {
            let page = self.registry().deletions(after).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(*last);
            for tenant in page {
                self.delete_or_tell(tenant).await;
            }
        }
    }

    async fn delete_or_tell(&self, tenant: TenantId) {
        match self.delete_marked(tenant).await {
            Ok(()) => tracing::warn!(%tenant, "the tenant is deleted"),
            Err(error) => {
                let code = error.code().as_str();
                tracing::error!(%tenant, code, "the tenant cannot be deleted now");
            }
        }
    }

    async fn delete_marked(&self, tenant: TenantId) -> Result<(), VaultError> {
        let record = self.registry().tenant(&TenantRef::Id(tenant)).await?;
        let record = record.ok_or(VaultError::Integrity)?;
        if !matches!(record.standing, Standing::Deleting { .. }) {
            return Err(VaultError::Integrity);
        }
        self.forget_keys_of(tenant);
        let keyrings = self.keyrings_arc();
        self.key_worker().run(move || keyrings.destroy(tenant)).await??;
        self.stores().remove(tenant).await?;
        self.registry().remove_belongings(tenant).await?;
        self.registry().remove_tenant(&record).await?;
        self.budgets().forget_tenant(tenant);
        Ok(())
    }

    async fn suspended_tenant(&self, tenant: &TenantRef) -> Result<TenantRecord, VaultError> {
        let record = self.registry().tenant(tenant).await?.ok_or(VaultError::NotFound)?;
        match record.standing {
            Standing::Suspended { .. } => Ok(record),
            Standing::Served => Err(refusal("the tenant is not suspended")),
            Standing::Deleting { .. } => Err(refusal("the tenant is being deleted")),
        }
    }

    async fn plan_of(&self, record: &TenantRecord) -> Result<TenantDeletion, VaultError> {
        let collections = self.registry().collections(record.id).await?.len();
        let users = self.registry().users(record.id, None, USERS_MAX).await?.len();
        let census = self.registry().census(record.id).await?;
        let tenant = record.to_tenant(self.is_quarantined(record.id));
        let records = census.map(|census| census.records);
        Ok(TenantDeletion { tenant, collections, users, records })
    }
}

fn refusal(told: &'static str) -> VaultError {
    Failure::new(ErrorCode::Conflict, told).into()
}
