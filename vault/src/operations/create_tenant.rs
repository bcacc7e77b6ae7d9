//! Registers a tenant and makes its one-time enrolment code.

use tresor_proto::{
    AddressList, EnrolmentCode, PasswordRule, Secret, TenantId, TenantName, TenantRef,
    limits::ENROLMENT_CODE_LIFETIME_MS, storage, vault,
};

use super::enrol::code_verifier;
use crate::{access::OperatorPermit, error::VaultError, registry::Tenant, vault::Vault};

/// A tenant to register.
#[derive(Clone, Debug)]
pub struct NewTenant {
    /// Its name.
    pub name: TenantName,
    /// Where its clients may come from.
    pub allowed_addresses: AddressList,
    /// Whether they show a password.
    pub password_rule: PasswordRule,
}

/// A registered tenant with its enrolment code, which is shown this once.
#[derive(Debug)]
pub struct CreatedTenant {
    /// The tenant.
    pub tenant: Tenant,
    /// The code for its customer.
    pub code: EnrolmentCode,
    /// When the code stops working, milliseconds since the epoch.
    pub code_expires_ms: u64,
}

impl Vault {
    /// Registers a tenant. Its keys are made when its customer enrols; no operator sees them.
    ///
    /// # Errors
    /// `already_exists` when the name is taken.
    pub async fn create_tenant(
        &self,
        permit: &OperatorPermit,
        new: NewTenant,
    ) -> Result<CreatedTenant, VaultError> {
        let internal = |_| VaultError::Internal;
        let code = Secret::try_fill(|bytes| self.entropy().fill(bytes)).map_err(internal)?;
        let code = EnrolmentCode::new(code);
        let mut id = [0; 16];
        self.entropy().fill(&mut id).map_err(internal)?;
        let id =
            TenantId::from_bytes(uuid::Builder::from_random_bytes(id).into_uuid().into_bytes());
        let created_ms = self.clock().now_ms();
        let code_expires_ms = created_ms.saturating_add(ENROLMENT_CODE_LIFETIME_MS);
        let row = storage::TenantRow {
            name: new.name.as_str().to_owned(),
            created_ms,
            enrolled_ms: 0,
            enrolment_verifier: code_verifier(id, &code, self.keyrings().pepper())
                .map_err(internal)?
                .to_vec(),
            enrolment_expires_ms: code_expires_ms,
            allowed_addresses: new.allowed_addresses.to_texts(),
            password_rule: vault::PasswordRule::from(new.password_rule) as i32,
            limits: None,
            suspended_ms: 0,
            deleting_ms: 0,
        };
        self.registry().create_tenant(id, &new.name, &row).await?;
        tracing::info!(tenant = %id, service = %permit.name(), "tenant created");
        let record = self.registry().tenant(&TenantRef::Id(id)).await?;
        let tenant = record.ok_or(VaultError::Internal)?.to_tenant(false);
        Ok(CreatedTenant { tenant, code, code_expires_ms })
    }
}
