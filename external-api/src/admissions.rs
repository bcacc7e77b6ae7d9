//! What each tenant's clients are measured by, asked of the vault and remembered for a moment.
//!
//! It promises that the source address of every request is measured, by a list at most a second
//! old, and counted: what is remembered is the list, how often who may ask, and whether a
//! password is required, never that somebody was let in. It relies on the vault, which refuses a
//! client from elsewhere and one without a password too, and remembers nothing.

use core::{net::IpAddr, time::Duration};
use std::{sync::Arc, time::Instant};

use quick_cache::sync::Cache;
use tresor_proto::{
    AddressList, Failure, RefusalReason, TenantId, TenantLimits,
    vault::{self, IntrospectRequest, RequestContext},
};

use crate::{
    pace::Pace,
    vault::{Vault, malformed},
};

const TENANTS_MAX: usize = 4_096;
const AGE_MAX: Duration = Duration::from_secs(1);

/// What clients are measured by, by tenant.
pub(crate) struct Admissions {
    vault: Vault,
    cache: Cache<TenantId, Arc<Measure>>,
    pace: Pace,
}

/// What a tenant's clients are measured by, as it was when it was asked for.
struct Measure {
    fetched: Instant,
    addresses: AddressList,
    is_password_required: bool,
    limits: TenantLimits,
    /// The same with every default filled in, as the vault tells them.
    told_limits: vault::TenantLimits,
}

/// That a client may come from where it does.
pub(crate) struct Admission {
    /// Whether it has to show a user and a password.
    pub(crate) is_password_required: bool,
}

impl Admissions {
    /// None yet; they are fetched from `vault`.
    pub(crate) fn new(vault: Vault) -> Self {
        Self { vault, cache: Cache::new(TENANTS_MAX), pace: Pace::default() }
    }

    /// Lets a client of `tenant` in that comes from `address`, or not.
    ///
    /// # Errors
    /// `unauthenticated` when it may not come from there, or is nobody's client; `rate_limited`.
    pub(crate) async fn admit(
        &self,
        tenant: TenantId,
        address: IpAddr,
        context: impl FnOnce() -> RequestContext,
    ) -> Result<Admission, Failure> {
        let measure = match self.cache.get(&tenant) {
            Some(measure) if measure.fetched.elapsed() < AGE_MAX => measure,
            Some(_) | None => self.fetch(tenant, context()).await?,
        };
        if !measure.addresses.allows(address) {
            return Err(RefusalReason::AddressNotAllowed.into());
        }
        self.pace.count(tenant, address, &measure.limits)?;
        Ok(Admission { is_password_required: measure.is_password_required })
    }

    /// Whether clients of `tenant` have to show a user and a password, as far as is known.
    pub(crate) fn is_password_required(&self, tenant: TenantId) -> bool {
        self.cache.peek(&tenant).is_some_and(|measure| measure.is_password_required)
    }

    /// How much a tenant may ask for, as far as is known.
    pub(crate) fn limits(&self, tenant: TenantId) -> Option<vault::TenantLimits> {
        self.cache.peek(&tenant).map(|measure| measure.told_limits)
    }

    async fn fetch(
        &self,
        tenant: TenantId,
        context: RequestContext,
    ) -> Result<Arc<Measure>, Failure> {
        let request = IntrospectRequest { context: Some(context) };
        let told = self.vault.introspect(request).await?;
        let measure = Arc::new(Measure {
            fetched: Instant::now(),
            addresses: AddressList::parse(&told.allowed_addresses).map_err(|_| malformed())?,
            is_password_required: told.password_required,
            limits: TenantLimits::from_wire(told.limits.as_ref()).map_err(|_| malformed())?,
            told_limits: told.limits.unwrap_or_default(),
        });
        self.cache.insert(tenant, Arc::clone(&measure));
        Ok(measure)
    }
}
