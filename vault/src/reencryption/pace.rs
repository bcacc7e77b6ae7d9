//! How fast operations go: limits, and what is told of their speed.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use uuid::Uuid;

/// The paces of the operations this process works on.
#[derive(Debug, Default)]
pub(crate) struct Paces(Mutex<HashMap<Uuid, Pace>>);

#[derive(Clone, Copy, Debug)]
struct Pace {
    began: Instant,
    records: u64,
    next: Instant,
}

impl Paces {
    /// How long an operation has to wait before its next page.
    pub(super) fn pause(&self, id: Uuid) -> Option<Duration> {
        let next = self.lock().get(&id)?.next;
        Some(next.saturating_duration_since(Instant::now())).filter(|pause| !pause.is_zero())
    }

    /// Counts a page of an operation that may do `rate_max` records a second; 0 for no limit.
    pub(super) fn count(&self, id: Uuid, records: usize, rate_max: u32) {
        let now = Instant::now();
        let count = u32::try_from(records).unwrap_or(u32::MAX);
        let mut paces = self.lock();
        let pace = paces.entry(id).or_insert(Pace { began: now, records: 0, next: now });
        pace.records += u64::from(count);
        if rate_max > 0 {
            pace.next = now + Duration::from_secs_f64(f64::from(count) / f64::from(rate_max));
        }
    }

    /// Forgets an operation that has stopped.
    pub(super) fn forget(&self, id: Uuid) {
        self.lock().remove(&id);
    }

    /// Records a second since it was taken up.
    pub(crate) fn rate(&self, id: Uuid) -> Option<f64> {
        let pace = *self.lock().get(&id)?;
        let seconds = pace.began.elapsed().as_secs_f64();
        #[allow(clippy::cast_precision_loss, reason = "a rate is told in three digits")]
        let records = pace.records as f64;
        (seconds > 0.0).then_some(records / seconds)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Pace>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
