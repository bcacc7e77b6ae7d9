//! Tenants on their way out.

use tresor_proto::vault;
use tresor_vault::{Standing, Tenant, TenantState};

use super::time::to_timestamp;

/// A tenant, as its operator sees it.
pub(crate) fn to_wire(tenant: &Tenant) -> vault::Tenant {
    let state = match tenant.state {
        TenantState::Created => vault::TenantState::Created,
        TenantState::Active => vault::TenantState::Active,
        TenantState::Quarantined => vault::TenantState::Quarantined,
        TenantState::Suspended => vault::TenantState::Suspended,
        TenantState::Deleting => vault::TenantState::Deleting,
    };
    let (suspended_ms, deleting_ms) = match tenant.standing {
        Standing::Served => (None, None),
        Standing::Suspended { since_ms } => (Some(since_ms), None),
        Standing::Deleting { suspended_ms, since_ms } => (Some(suspended_ms), Some(since_ms)),
    };
    vault::Tenant {
        id: tenant.id.to_string(),
        name: tenant.name.as_str().to_owned(),
        state: state as i32,
        created: Some(to_timestamp(tenant.created_ms)),
        enrolled: tenant.enrolled_ms.map(to_timestamp),
        allowed_addresses: tenant.allowed_addresses.to_texts(),
        password_rule: vault::PasswordRule::from(tenant.password_rule) as i32,
        limits: Some(tenant.limits.to_wire()),
        suspended: suspended_ms.map(to_timestamp),
        deleting: deleting_ms.map(to_timestamp),
        etag: tenant.etag.clone(),
    }
}
