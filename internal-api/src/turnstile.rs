//! How often tenants, their users and their customer tokens may call, and how much at once.
//!
//! It promises that one tenant takes nothing from another: each has buckets of its own, and seats
//! that no other tenant's calls can take all of. A call is counted before its customer token is
//! looked at, so that guessing one is bounded too. It relies on evidence that was verified for whom
//! a call acts for, and on permits for what a tenant may; the edge turns away most before.

mod tally;
#[cfg(test)]
mod tests;

use core::time::Duration;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use quick_cache::sync::Cache;
use tresor_door::{Place, Rates, Shares};
use tresor_proto::{
    CustomerTokenId, Failure, RefusalReason, ServiceName, TenantId, TenantLimits, UserName,
};
use tresor_vault::{Caller, Permit};

use crate::caller::Origin;
pub(crate) use tally::{Tally, TenantTally};

/// Tenants whose limits are remembered, to count their calls by before they are looked up.
const TENANTS_REMEMBERED: usize = 65_536;
/// What part of a tenant's calls batches of streams leave to the others.
const CALLS_PART: u32 = 4;

/// A place among the calls that run at once.
pub(crate) type TenantSeat = Place<TenantId>;

/// The turnstile of the data plane.
pub(crate) struct Turnstile {
    tenants: Rates<TenantId>,
    /// Of a tenant's calls, those that are batches of streams.
    batches: Rates<TenantId>,
    users: Rates<(TenantId, UserName)>,
    customer_tokens: Rates<(TenantId, CustomerTokenId)>,
    /// Of each service's seats its tenants have shares; there are as many services as are configured.
    seats: Mutex<HashMap<ServiceName, Arc<Shares<TenantId>>>>,
    seats_max: usize,
    known: Cache<TenantId, TenantLimits>,
    tally: Tally,
}

/// Whose call it is, as its permit says.
struct Holder {
    service: ServiceName,
    tenant: TenantId,
    limits: TenantLimits,
    user: Option<UserName>,
    customer_token: Option<CustomerTokenId>,
}

impl Turnstile {
    /// A turnstile before the `seats_max` seats of each service.
    pub(crate) fn new(seats_max: usize) -> Self {
        Self {
            tenants: Rates::default(),
            batches: Rates::default(),
            users: Rates::default(),
            customer_tokens: Rates::default(),
            seats: Mutex::default(),
            seats_max,
            known: Cache::new(TENANTS_REMEMBERED),
            tally: Tally::default(),
        }
    }

    /// Counts the call of a tenant's client, before anything is looked up for it.
    ///
    /// # Errors
    /// `rate_limited`.
    pub(crate) fn approach(&self, caller: &Caller) -> Result<(), Failure> {
        match caller {
            Caller::Client { tenant, .. } => self.count(*tenant),
            // Whom a service calls for is known with its permit.
            Caller::Service { .. } => Ok(()),
        }
    }

    /// Lets a permitted call in: its user and its customer token have not called too often, and its
    /// tenant has a seat left, which it keeps as long as it lasts.
    ///
    /// # Errors
    /// `rate_limited`, `overloaded`.
    pub(crate) fn enter<V>(
        &self,
        caller: &Caller,
        permit: &Permit<V>,
        origin: &Origin,
    ) -> Result<(), Failure> {
        let holder = Holder {
            service: origin.service.name.clone(),
            tenant: permit.tenant(),
            limits: *permit.limits(),
            user: permit.user().cloned(),
            customer_token: permit.customer_token_id(),
        };
        let is_counted = matches!(caller, Caller::Client { .. });
        let seat = self.pass(&holder, is_counted)?;
        origin.notes.keep_seat(seat);
        Ok(())
    }

    /// Waits until the next batch of a tenant's stream is not one too many. A quarter of what the
    /// tenant may call is left to calls that cannot wait, however many streams it has.
    pub(crate) async fn pace(&self, tenant: TenantId) {
        while let Err(wait) = self.take_batch(tenant) {
            tokio::time::sleep(wait).await;
        }
        while let Err(wait) = self.take_one(tenant) {
            tokio::time::sleep(wait).await;
        }
    }

    /// How many calls of one tenant run at once, unless its operator says otherwise: all but the
    /// last quarter, which is the others'.
    pub(crate) fn seats_default(&self) -> u32 {
        let seats = self.seats_max.saturating_sub(self.seats_max / 4).max(1);
        u32::try_from(seats).unwrap_or(u32::MAX)
    }

    /// What was counted.
    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// How many calls of a tenant run now.
    pub(crate) fn seats_taken(&self, tenant: TenantId) -> usize {
        self.seats().values().map(|seats| seats.taken_by(&tenant)).sum()
    }

    fn pass(&self, holder: &Holder, is_counted: bool) -> Result<TenantSeat, Failure> {
        let tenant = holder.tenant;
        if self.known.get(&tenant) != Some(holder.limits) {
            self.known.insert(tenant, holder.limits);
        }
        if !is_counted {
            self.count(tenant)?;
        }
        self.count_holder(holder)?;
        let seat = self.seat(holder);
        seat.ok_or_else(|| self.refuse(tenant, RefusalReason::TenantConcurrency, None))
    }

    fn seat(&self, holder: &Holder) -> Option<TenantSeat> {
        let set = holder.limits.concurrent_requests().unwrap_or_else(|| self.seats_default());
        let mut all = self.seats();
        let new = || Shares::new(self.seats_max);
        let seats = Arc::clone(all.entry(holder.service.clone()).or_insert_with(new));
        let taken: usize = all.values().map(|seats| seats.taken_by(&holder.tenant)).sum();
        let elsewhere = taken.saturating_sub(seats.taken_by(&holder.tenant));
        let here = usize::try_from(set).unwrap_or(usize::MAX).saturating_sub(elsewhere);
        seats.take_of(holder.tenant, here).ok()
    }

    fn seats(&self) -> MutexGuard<'_, HashMap<ServiceName, Arc<Shares<TenantId>>>> {
        // Nothing panics while it is held.
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count_holder(&self, holder: &Holder) -> Result<(), Failure> {
        let (tenant, limits) = (holder.tenant, &holder.limits);
        if let Some(user) = &holder.user {
            let taken = self.users.take(&(tenant, user.clone()), limits.user_requests_per_second());
            taken.map_err(|wait| self.refuse(tenant, RefusalReason::UserRate, Some(wait)))?;
        }
        if let Some(customer_token) = holder.customer_token {
            let per_second = limits.customer_token_requests_per_second();
            let taken = self.customer_tokens.take(&(tenant, customer_token), per_second);
            let refuse = |wait| self.refuse(tenant, RefusalReason::CustomerTokenRate, Some(wait));
            taken.map_err(refuse)?;
        }
        Ok(())
    }

    fn count(&self, tenant: TenantId) -> Result<(), Failure> {
        let taken = self.take_one(tenant);
        taken.map_err(|wait| self.refuse(tenant, RefusalReason::TenantRate, Some(wait)))?;
        self.tally.note_request(tenant);
        Ok(())
    }

    fn take_one(&self, tenant: TenantId) -> Result<(), Duration> {
        self.tenants.take(&tenant, self.requests_per_second(tenant))
    }

    fn take_batch(&self, tenant: TenantId) -> Result<(), Duration> {
        let all = self.requests_per_second(tenant);
        self.batches.take(&tenant, all.saturating_sub(all.div_ceil(CALLS_PART)))
    }

    fn requests_per_second(&self, tenant: TenantId) -> u32 {
        self.known.get(&tenant).unwrap_or_default().requests_per_second()
    }

    fn refuse(&self, tenant: TenantId, reason: RefusalReason, wait: Option<Duration>) -> Failure {
        self.tally.note_refusal(tenant, reason);
        let failure = Failure::from(reason);
        match wait {
            Some(wait) => failure.with_retry_after(wait),
            None => failure,
        }
    }
}
