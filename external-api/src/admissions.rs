//! Where each tenant's clients may come from, asked of the vault and remembered for a moment.
//!
//! It promises that the source address of every request is measured, by a list at most five
//! seconds old: what is remembered is the list, never that somebody was let in. It relies on the
//! vault, which refuses a client from elsewhere too, and remembers nothing.

use core::{net::IpAddr, time::Duration};
use std::time::Instant;

use quick_cache::sync::Cache;
use tresor_proto::{
    AddressList, Failure, RefusalReason, TenantId,
    vault::{IntrospectRequest, RequestContext},
};

use crate::vault::{Vault, malformed};

const TENANTS_MAX: usize = 4_096;
const AGE_MAX: Duration = Duration::from_secs(5);

/// The address lists in use, by tenant.
pub(crate) struct Admissions {
    vault: Vault,
    cache: Cache<TenantId, (Instant, AddressList)>,
}

impl Admissions {
    /// None yet; they are fetched from `vault`.
    pub(crate) fn new(vault: Vault) -> Self {
        Self { vault, cache: Cache::new(TENANTS_MAX) }
    }

    /// Lets a client of `tenant` in that comes from `address`, or not.
    ///
    /// # Errors
    /// `unauthenticated` when it may not come from there, or is nobody's client.
    pub(crate) async fn admit(
        &self,
        tenant: TenantId,
        address: IpAddr,
        context: impl FnOnce() -> RequestContext,
    ) -> Result<(), Failure> {
        let is_allowed = match self.cache.get(&tenant) {
            Some((fetched, list)) if fetched.elapsed() < AGE_MAX => list.allows(address),
            Some(_) | None => self.fetch(tenant, context()).await?.allows(address),
        };
        if is_allowed { Ok(()) } else { Err(RefusalReason::AddressNotAllowed.into()) }
    }

    async fn fetch(
        &self,
        tenant: TenantId,
        context: RequestContext,
    ) -> Result<AddressList, Failure> {
        let request = IntrospectRequest { context: Some(context) };
        let told = self.vault.introspect(request).await?;
        let list = AddressList::parse(&told.allowed_addresses).map_err(|_| malformed())?;
        self.cache.insert(tenant, (Instant::now(), list.clone()));
        Ok(list)
    }
}
