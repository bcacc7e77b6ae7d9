//! How often a tenant's clients may ask, all together and from one address.
//!
//! It promises that who asks too often is told so before anything else is done for him, and that
//! one address, or one tenant, takes nothing from another. It relies on the vault for how often each
//! may, and for the rates of users and customer tokens, which it knows.

use std::net::IpAddr;

use tresor_door::{Rates, subscriber};
use tresor_proto::{Failure, RefusalReason, TenantId, TenantLimits};

/// The rates of all tenants and their addresses.
#[derive(Default)]
pub(crate) struct Pace {
    addresses: Rates<(TenantId, IpAddr)>,
    tenants: Rates<TenantId>,
}

impl Pace {
    /// Counts a request, or says that it is one too many.
    ///
    /// # Errors
    /// `rate_limited`, with when to come back.
    pub(crate) fn count(
        &self,
        tenant: TenantId,
        address: IpAddr,
        limits: &TenantLimits,
    ) -> Result<(), Failure> {
        let refuse =
            |reason: RefusalReason| move |wait| Failure::from(reason).with_retry_after(wait);
        // The address first, so that it does not use up what is the others' too.
        self.addresses
            .take(&(tenant, subscriber(address)), limits.address_requests_per_second())
            .map_err(refuse(RefusalReason::AddressRate))?;
        self.tenants
            .take(&tenant, limits.requests_per_second())
            .map_err(refuse(RefusalReason::TenantRate))
    }
}

#[cfg(test)]
mod tests {
    use tresor_proto::vault;

    use super::*;

    const ONE: TenantId = TenantId::from_bytes([1; 16]);
    const OTHER: TenantId = TenantId::from_bytes([2; 16]);

    fn limits(wire: &vault::TenantLimits) -> TenantLimits {
        TenantLimits::from_wire(Some(wire)).unwrap()
    }

    /// Asks until it is refused: how often it was not, and why it was.
    fn flood(
        pace: &Pace,
        tenant: TenantId,
        address: &str,
        limits: &TenantLimits,
    ) -> (u32, Failure) {
        let address = address.parse().unwrap();
        let refused = (0..10_000).find_map(|asked| {
            pace.count(tenant, address, limits).err().map(|failure| (asked, failure))
        });
        refused.unwrap()
    }

    #[test]
    fn who_floods_from_one_address_is_refused_and_others_of_the_tenant_are_not() {
        let limits = limits(&vault::TenantLimits {
            address_requests_per_second: 1,
            requests_per_second: 1_000,
            ..Default::default()
        });
        let pace = Pace::default();
        let (_, failure) = flood(&pace, ONE, "2001:db8::1", &limits);
        assert_eq!(failure.reason(), Some(RefusalReason::AddressRate));
        assert!(failure.retry_after().unwrap().as_millis() <= 1_000, "{failure:?}");
        let same_network = "2001:db8::2".parse().unwrap();
        assert!(pace.count(ONE, same_network, &limits).is_err());
        for (tenant, other) in [(ONE, "192.0.2.1"), (OTHER, "2001:db8::1")] {
            assert_eq!(pace.count(tenant, other.parse().unwrap(), &limits), Ok(()));
        }
    }

    #[test]
    fn a_tenant_that_floods_from_everywhere_is_refused_and_another_is_served() {
        let limits = limits(&vault::TenantLimits { requests_per_second: 1, ..Default::default() });
        let pace = Pace::default();
        let (_, failure) = flood(&pace, ONE, "192.0.2.1", &limits);
        assert_eq!(failure.reason(), Some(RefusalReason::TenantRate));
        let elsewhere = "192.0.2.2".parse().unwrap();
        assert!(pace.count(ONE, elsewhere, &limits).is_err());
        assert_eq!(pace.count(OTHER, elsewhere, &limits), Ok(()));
    }
}
