use crate::{Failure, limits, vault};

/// How much a tenant may ask for, as its operator set it; what he did not set is the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TenantLimits(Set);

/// What was set; 0 for what was not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Set {
    requests_per_second: u32,
    user_requests_per_second: u32,
    customer_token_requests_per_second: u32,
    address_requests_per_second: u32,
    reveals_per_day: u64,
    searches_per_day: u64,
    concurrent_requests: u32,
}

impl TenantLimits {
    /// Reads what was set; nothing at all is the default.
    ///
    /// # Errors
    /// `invalid_request` for a limit beyond what can be told from none.
    pub fn from_wire(wire: Option<&vault::TenantLimits>) -> Result<Self, Failure> {
        let Some(wire) = wire else { return Ok(Self::default()) };
        let seconds = [
            ("requests_per_second", wire.requests_per_second),
            ("user_requests_per_second", wire.user_requests_per_second),
            ("customer_token_requests_per_second", wire.customer_token_requests_per_second),
            ("address_requests_per_second", wire.address_requests_per_second),
            ("concurrent_requests", wire.concurrent_requests),
        ];
        let days = [
            ("reveals_per_day", wire.reveals_per_day),
            ("searches_per_day", wire.searches_per_day),
        ];
        let seconds = seconds.map(|(name, set)| (name, u64::from(set), limits::RATE_MAX.into()));
        let days = days.map(|(name, set)| (name, set, limits::BUDGET_MAX));
        for (name, set, max) in seconds.into_iter().chain(days) {
            if set > max {
                return Err(Failure::invalid(&format!("limits.{name}"), format!("over {max}")));
            }
        }
        Ok(Self(Set {
            requests_per_second: wire.requests_per_second,
            user_requests_per_second: wire.user_requests_per_second,
            customer_token_requests_per_second: wire.customer_token_requests_per_second,
            address_requests_per_second: wire.address_requests_per_second,
            reveals_per_day: wire.reveals_per_day,
            searches_per_day: wire.searches_per_day,
            concurrent_requests: wire.concurrent_requests,
        }))
    }

    /// What was set, as it travels and is stored.
    #[must_use]
    pub fn to_wire(&self) -> vault::TenantLimits {
        vault::TenantLimits {
            requests_per_second: self.0.requests_per_second,
            user_requests_per_second: self.0.user_requests_per_second,
            customer_token_requests_per_second: self.0.customer_token_requests_per_second,
            address_requests_per_second: self.0.address_requests_per_second,
            reveals_per_day: self.0.reveals_per_day,
            searches_per_day: self.0.searches_per_day,
            concurrent_requests: self.0.concurrent_requests,
        }
    }

    /// What counts, with the defaults. `concurrent_requests` is the default of who tells it, which
    /// knows how much it can do at once.
    #[must_use]
    pub fn effective(&self, concurrent_requests: u32) -> vault::TenantLimits {
        vault::TenantLimits {
            requests_per_second: self.requests_per_second(),
            user_requests_per_second: self.user_requests_per_second(),
            customer_token_requests_per_second: self.customer_token_requests_per_second(),
            address_requests_per_second: self.address_requests_per_second(),
            reveals_per_day: self.reveals_per_day(),
            searches_per_day: self.searches_per_day(),
            concurrent_requests: self.concurrent_requests().unwrap_or(concurrent_requests),
        }
    }

    /// Requests a second of all its clients.
    #[must_use]
    pub fn requests_per_second(&self) -> u32 {
        or_default(self.0.requests_per_second, limits::TENANT_REQUESTS_PER_SECOND)
    }

    /// Requests a second of one user.
    #[must_use]
    pub fn user_requests_per_second(&self) -> u32 {
        or_default(self.0.user_requests_per_second, limits::USER_REQUESTS_PER_SECOND)
    }

    /// Requests a second with one customer token.
    #[must_use]
    pub fn customer_token_requests_per_second(&self) -> u32 {
        let set = self.0.customer_token_requests_per_second;
        or_default(set, limits::CUSTOMER_TOKEN_REQUESTS_PER_SECOND)
    }

    /// Requests a second from one address.
    #[must_use]
    pub fn address_requests_per_second(&self) -> u32 {
        or_default(self.0.address_requests_per_second, limits::ADDRESS_REQUESTS_PER_SECOND)
    }

    /// Records shown plain a day.
    #[must_use]
    pub fn reveals_per_day(&self) -> u64 {
        or_default(self.0.reveals_per_day, limits::REVEALS_PER_DAY)
    }

    /// Searches a day.
    #[must_use]
    pub fn searches_per_day(&self) -> u64 {
        or_default(self.0.searches_per_day, limits::SEARCHES_PER_DAY)
    }

    /// Requests at once; `None` for a part of what can be done at once.
    #[must_use]
    pub fn concurrent_requests(&self) -> Option<u32> {
        (self.0.concurrent_requests != 0).then_some(self.0.concurrent_requests)
    }
}

fn or_default<N: Default + PartialEq>(set: N, default: N) -> N {
    if set == N::default() { default } else { set }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_is_the_default_and_stays_unset() {
        let wire = vault::TenantLimits { reveals_per_day: 5, ..Default::default() };
        let set = TenantLimits::from_wire(Some(&wire)).unwrap();
        assert_eq!(set.to_wire(), wire);
        let told = set.effective(32);
        assert_eq!((told.reveals_per_day, told.concurrent_requests), (5, 32));
        assert_eq!(told.requests_per_second, limits::TENANT_REQUESTS_PER_SECOND);
        assert_eq!(TenantLimits::from_wire(None).unwrap(), TenantLimits::default());
    }

    #[test]
    fn a_limit_that_would_be_none_is_refused_by_its_name() {
        let over = vault::TenantLimits { user_requests_per_second: u32::MAX, ..Default::default() };
        let failure = TenantLimits::from_wire(Some(&over)).unwrap_err();
        assert_eq!(failure.violations()[0].field, "limits.user_requests_per_second");
        let over = vault::TenantLimits { searches_per_day: u64::MAX, ..Default::default() };
        let failure = TenantLimits::from_wire(Some(&over)).unwrap_err();
        assert_eq!(failure.violations()[0].field, "limits.searches_per_day");
    }
}
