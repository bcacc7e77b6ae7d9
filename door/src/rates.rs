//! How often each may ask: a token bucket for every one, of two seconds' worth.
//!
//! It promises that nobody's bucket is emptied by another, that a refusal says how long to wait,
//! and that no more buckets are kept than there are places: of more, those that rest are forgotten,
//! and full again. It relies on governor for the buckets, and on its user to name who asks.

use core::num::NonZeroU32;
use core::time::Duration;
use std::hash::Hash;
use std::sync::Arc;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use quick_cache::sync::Cache;
use tresor_proto::limits::{BURST_SECONDS, RATES_REMEMBERED_MAX};

/// The buckets of all.
pub struct Rates<K, C: Clock = DefaultClock> {
    clock: C,
    buckets: Cache<K, Arc<Bucket<C>>>,
}

/// A bucket, and what it was made for: with another rate another one is made.
struct Bucket<C: Clock> {
    per_second: u32,
    limiter: RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<C::Instant>>,
}

impl<K: Clone + Eq + Hash> Default for Rates<K> {
    fn default() -> Self {
        Self::with_clock(DefaultClock::default())
    }
}

impl<K: Clone + Eq + Hash, C: Clock + Clone> Rates<K, C> {
    /// Nobody has asked yet, by this clock.
    #[must_use]
    pub fn with_clock(clock: C) -> Self {
        Self { clock, buckets: Cache::new(RATES_REMEMBERED_MAX) }
    }

    /// Takes one from the bucket of `who`, which fills by `per_second`.
    ///
    /// # Errors
    /// How long it is empty.
    pub fn take(&self, who: &K, per_second: u32) -> Result<(), Duration> {
        let bucket = match self.buckets.get(who) {
            Some(bucket) if bucket.per_second == per_second => bucket,
            Some(_) | None => {
                let bucket = Arc::new(Bucket::new(per_second, self.clock.clone()));
                self.buckets.insert(who.clone(), Arc::clone(&bucket));
                bucket
            }
        };
        let wait = |until: governor::NotUntil<C::Instant>| until.wait_time_from(self.clock.now());
        bucket.limiter.check().map_err(wait)
    }

    /// How many buckets are kept.
    #[must_use]
    pub fn count(&self) -> usize {
        self.buckets.len()
    }
}

impl<C: Clock> Bucket<C> {
    fn new(per_second: u32, clock: C) -> Self {
        let at_least_one = |number: u32| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let burst = at_least_one(per_second.saturating_mul(BURST_SECONDS));
        let quota = Quota::per_second(at_least_one(per_second)).allow_burst(burst);
        Self { per_second, limiter: RateLimiter::direct_with_clock(quota, clock) }
    }
}

impl<K, C: Clock> core::fmt::Debug for Rates<K, C> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Rates")
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    fn taken(rates: &Rates<u32, FakeRelativeClock>, who: u32, per_second: u32) -> usize {
        (0..1_000).take_while(|_| rates.take(&who, per_second).is_ok()).count()
    }

    #[test]
    fn a_bucket_is_empty_after_two_seconds_worth_and_says_truly_when_it_is_not() {
        let clock = FakeRelativeClock::default();
        let rates = Rates::with_clock(clock.clone());
        assert_eq!(taken(&rates, 1, 10), 20);
        let wait = rates.take(&1, 10).unwrap_err();
        assert_eq!(wait, Duration::from_millis(100));
        clock.advance(wait - Duration::from_nanos(1));
        assert!(rates.take(&1, 10).is_err());
        clock.advance(Duration::from_nanos(1));
        assert!(rates.take(&1, 10).is_ok());
        clock.advance(Duration::from_secs(60));
        assert_eq!(taken(&rates, 1, 10), 20, "no more than a burst comes back");
    }

    #[test]
    fn who_empties_his_bucket_takes_nothing_from_another() {
        let rates = Rates::with_clock(FakeRelativeClock::default());
        assert_eq!(taken(&rates, 1, 5), 10);
        assert_eq!(taken(&rates, 2, 5), 10);
    }

    #[test]
    fn another_rate_counts_at_once() {
        let rates = Rates::with_clock(FakeRelativeClock::default());
        assert_eq!(taken(&rates, 1, 100), 200);
        assert_eq!(taken(&rates, 1, 1), 2);
        assert_eq!(taken(&rates, 1, 100), 200);
    }

    #[test]
    fn a_million_of_them_take_no_more_room_than_there_is() {
        let rates = Rates::default();
        for who in 0..1_000_000_u32 {
            assert_eq!(rates.take(&who, 1), Ok(()));
        }
        assert!(rates.count() <= RATES_REMEMBERED_MAX, "{}", rates.count());
    }
}
