//! What was counted of each tenant since the process started.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use tresor_proto::{RefusalReason, TenantId};

/// The counts of all tenants that have called. A tenant calls with a certificate that was issued
/// for it, so there are no more of them than that.
#[derive(Default)]
pub(crate) struct Tally(Mutex<HashMap<TenantId, TenantTally>>);

/// The counts of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TenantTally {
    /// Calls that were let through to be looked at.
    pub(crate) requests: u64,
    /// Calls that were one too many, by reason.
    pub(crate) refused: BTreeMap<RefusalReason, u64>,
}

impl Tally {
    /// The counts of one tenant.
    pub(crate) fn of(&self, tenant: TenantId) -> TenantTally {
        self.counts().get(&tenant).cloned().unwrap_or_default()
    }

    /// The counts of all.
    pub(crate) fn all(&self) -> Vec<(TenantId, TenantTally)> {
        self.counts().iter().map(|(tenant, tally)| (*tenant, tally.clone())).collect()
    }

    pub(super) fn note_request(&self, tenant: TenantId) {
        self.counts().entry(tenant).or_default().requests += 1;
    }

    pub(super) fn note_refusal(&self, tenant: TenantId, reason: RefusalReason) {
        *self.counts().entry(tenant).or_default().refused.entry(reason).or_default() += 1;
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<TenantId, TenantTally>> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
