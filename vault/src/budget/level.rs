//! How much of a budget is spent. It drains by a day's worth a day.

use tresor_proto::limits::BUDGET_ALARM_PER_CENT;

/// Milliseconds of a day.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// One budget of one tenant.
#[derive(Default)]
pub(super) struct Level {
    per_day: u64,
    /// In parts of a unit, of which there are as many as milliseconds in a day: so that each
    /// millisecond drains a whole number of them.
    spent: u128,
    seen_ms: u64,
    /// Set by the alarm until half of it has come back, so that it rings once a filling.
    has_rung: bool,
    pub(super) refused: u64,
    pub(super) alarms: u64,
}

impl Level {
    /// Drains up to now; from now on by `per_day`.
    pub(super) fn see(&mut self, per_day: u64, now_ms: u64) {
        // A clock that was set back drains nothing until it is where it was.
        let elapsed = u128::from(now_ms.saturating_sub(self.seen_ms));
        self.spent = self.spent.saturating_sub(elapsed * u128::from(self.per_day));
        self.seen_ms = self.seen_ms.max(now_ms);
        self.per_day = per_day;
        if self.per_cent() < BUDGET_ALARM_PER_CENT / 2 {
            self.has_rung = false;
        }
    }

    /// How much there is a day.
    pub(super) fn per_day(&self) -> u64 {
        self.per_day
    }

    /// How much is spent; what has come back in part counts as spent.
    pub(super) fn used(&self) -> u64 {
        u64::try_from(self.spent.div_ceil(u128::from(DAY_MS))).unwrap_or(u64::MAX)
    }

    /// Spends as much of `wanted` as there is, and gives how much that was.
    pub(super) fn take_up_to(&mut self, wanted: u64) -> u64 {
        let taken = self.per_day.saturating_sub(self.used()).min(wanted);
        self.spent += u128::from(taken) * u128::from(DAY_MS);
        taken
    }

    /// Takes back what was not needed.
    pub(super) fn give_back(&mut self, unneeded: u64) {
        self.spent = self.spent.saturating_sub(u128::from(unneeded) * u128::from(DAY_MS));
    }

    /// Whether an operator is to be told now.
    pub(super) fn rings(&mut self) -> bool {
        if self.has_rung || self.per_cent() < BUDGET_ALARM_PER_CENT {
            return false;
        }
        self.has_rung = true;
        self.alarms += 1;
        true
    }

    /// How long until there is one more.
    pub(super) fn wait_ms(&self) -> u64 {
        let day = u128::from(DAY_MS);
        let room = u128::from(self.per_day) * day;
        let over = (self.spent + day).saturating_sub(room);
        let wait = over.div_ceil(u128::from(self.per_day.max(1)));
        u64::try_from(wait).unwrap_or(u64::MAX)
    }

    fn per_cent(&self) -> u64 {
        let per_day = u128::from(self.per_day.max(1));
        u64::try_from(u128::from(self.used()) * 100 / per_day).unwrap_or(u64::MAX)
    }
}
