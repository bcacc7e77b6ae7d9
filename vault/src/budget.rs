//! Budgets of a day: how many records a tenant is shown plain, how often it searches. The guard
//! against who holds all credentials and copies the whole database, one request after the other.
//!
//! They promise that no more is granted than is left, that what is spent comes back evenly over a
//! day, and that an operator is told once when four fifths are spent. They live as long as the
//! process holds its directory, locked or not, and begin anew with it. They rely on the clock.

mod level;
#[cfg(test)]
mod tests;

use core::time::Duration;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tresor_proto::{Failure, RefusalReason, TenantId, TenantLimits};

use crate::error::VaultError;
use level::Level;

/// What there is a budget of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BudgetKind {
    /// Records shown plain.
    Reveals,
    /// Searches.
    Searches,
}

/// How it stands with one budget of one tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetUse {
    /// Whose it is.
    pub tenant: TenantId,
    /// What of.
    pub kind: BudgetKind,
    /// How much is spent and has not come back yet.
    pub used: u64,
    /// How much there is a day.
    pub per_day: u64,
    /// How often something was refused, since the process started.
    pub refused: u64,
    /// How often an operator was told, since the process started.
    pub alarms: u64,
}

/// All budgets. A tenant has an entry as soon as it has spent something.
#[derive(Default)]
pub(crate) struct Budgets(Mutex<HashMap<(TenantId, BudgetKind), Level>>);

/// What was granted. What is not needed of it is given back with [`Grant::keep`]; a caller that
/// goes away gives nothing back.
pub(crate) struct Grant {
    /// The budget it is of; `None` for what takes none.
    of: Option<(Arc<Budgets>, TenantId, BudgetKind)>,
    granted: u64,
    /// When there is more.
    wait: Duration,
}

impl BudgetKind {
    /// Its name in counts.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reveals => "reveals",
            Self::Searches => "searches",
        }
    }

    /// Why something is refused when it is spent.
    #[must_use]
    pub fn refusal(self) -> RefusalReason {
        match self {
            Self::Reveals => RefusalReason::RevealBudget,
            Self::Searches => RefusalReason::SearchBudget,
        }
    }

    fn per_day(self, limits: &TenantLimits) -> u64 {
        match self {
            Self::Reveals => limits.reveals_per_day(),
            Self::Searches => limits.searches_per_day(),
        }
    }
}

impl Budgets {
    /// Grants as much of `wanted` as there is.
    pub(crate) fn grant(
        self: &Arc<Self>,
        (tenant, kind): (TenantId, BudgetKind),
        limits: &TenantLimits,
        wanted: u64,
        now_ms: u64,
    ) -> Grant {
        let mut levels = self.levels();
        let level = levels.entry((tenant, kind)).or_default();
        level.see(kind.per_day(limits), now_ms);
        let granted = level.take_up_to(wanted);
        if granted < wanted {
            level.refused += 1;
        }
        if level.rings() {
            let budget = kind.as_str();
            tracing::warn!(
                tenant = %tenant,
                count = level.used(),
                "80 % of the {budget} of a day are spent"
            );
        }
        let wait = Duration::from_millis(level.wait_ms());
        Grant { of: Some((Arc::clone(self), tenant, kind)), granted, wait }
    }

    /// How it stands with each, as they were last seen under `now_ms`.
    pub(crate) fn uses(&self, now_ms: u64) -> Vec<BudgetUse> {
        let mut levels = self.levels();
        let to_use = |((tenant, kind), level): (&(TenantId, BudgetKind), &mut Level)| {
            level.see(level.per_day(), now_ms);
            BudgetUse {
                tenant: *tenant,
                kind: *kind,
                used: level.used(),
                per_day: level.per_day(),
                refused: level.refused,
                alarms: level.alarms,
            }
        };
        levels.iter_mut().map(to_use).collect()
    }

    /// Forgets what a tenant has spent, which is no more.
    pub(crate) fn forget_tenant(&self, tenant: TenantId) {
        self.levels().retain(|(whose, _), _| *whose != tenant);
    }

    fn levels(&self) -> MutexGuard<'_, HashMap<(TenantId, BudgetKind), Level>> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Grant {
    /// What takes no budget.
    pub(crate) fn of_what_is_free(granted: u64) -> Self {
        Self { of: None, granted, wait: Duration::ZERO }
    }

    /// How much was granted.
    pub(crate) fn granted(&self) -> usize {
        usize::try_from(self.granted).unwrap_or(usize::MAX)
    }

    /// Itself, unless nothing was granted.
    pub(crate) fn or_refused(self) -> Result<Self, VaultError> {
        if self.granted == 0 { Err(self.refusal()) } else { Ok(self) }
    }

    /// What is told where nothing was granted.
    pub(crate) fn refusal(&self) -> VaultError {
        match &self.of {
            Some((_, _, kind)) => Failure::from(kind.refusal()).with_retry_after(self.wait).into(),
            None => VaultError::Internal,
        }
    }

    /// Gives back what is more than `needed`.
    pub(crate) fn keep(self, needed: usize) {
        let needed = u64::try_from(needed).unwrap_or(u64::MAX);
        let Some((budgets, tenant, kind)) = self.of else { return };
        if let Some(level) = budgets.levels().get_mut(&(tenant, kind)) {
            level.give_back(self.granted.saturating_sub(needed));
        }
    }
}
