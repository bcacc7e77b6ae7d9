//! How long whoever guesses passwords has to wait before the next guess.
//!
//! It promises that the wait hangs on the source of the guesses too, so that nobody can lock a user
//! out from elsewhere, that it grows with every failure to a minute, and that its memory is bounded.
//! Going away before the answer counts as a failure, and who has to wait tries one at a time, so that
//! guessing at the same time gains nothing; those who know their password may come together.

use std::{
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use quick_cache::unsync::Cache;
use tresor_proto::{Failure, RefusalReason, TenantId, UserName};

use crate::error::VaultError;

/// Failures of one user from one source before there is a wait: anybody mistypes.
const USER_FREE: u32 = 3;
/// Failures from one source, whoever the user, before there is a wait.
const SOURCE_FREE: u32 = 20;
/// The first wait, which doubles with every failure, and the longest.
const WAIT_MIN_MS: u64 = 1_000;
const WAIT_MAX_MS: u64 = 60_000;
/// Doublings that lead beyond the longest.
const WAIT_DOUBLINGS_MAX: u32 = 6;
/// When failures are forgotten: far longer than the longest wait, so that waiting for it gains
/// nothing.
const FORGOTTEN_MS: u64 = 60 * 60 * 1_000;
/// Users and sources that are remembered; beyond it, the least used are forgotten.
const REMEMBERED_MAX: usize = 65_536;
/// The bits of an IPv6 address that one customer has (RFC 6177): its neighbours are the same source.
const IPV6_PREFIX_BITS: u32 = 64;

/// What is remembered of failures.
pub(crate) struct LoginDelays(Mutex<Remembered>);

struct Remembered {
    users: Cache<(TenantId, UserName, IpAddr), Failures>,
    sources: Cache<(TenantId, IpAddr), Failures>,
}

#[derive(Clone, Copy, Default)]
struct Failures {
    count: u32,
    last_ms: u64,
    /// Attempts that have begun and not ended.
    pending: u32,
}

/// An attempt to log in that has begun; it has failed unless it is told otherwise.
pub(crate) struct Attempt<'a> {
    delays: &'a LoginDelays,
    tenant: TenantId,
    user: UserName,
    source: IpAddr,
    begun_ms: u64,
    end: End,
}

/// How an attempt has ended.
#[derive(Clone, Copy)]
enum End {
    Failed,
    Succeeded,
    NotMade,
}

impl Default for LoginDelays {
    fn default() -> Self {
        let (users, sources) = (Cache::new(REMEMBERED_MAX), Cache::new(REMEMBERED_MAX));
        Self(Mutex::new(Remembered { users, sources }))
    }
}

impl LoginDelays {
    /// Begins an attempt.
    ///
    /// # Errors
    /// `rate_limited` with the time that is left to wait; that does not count as an attempt.
    pub(crate) fn begin(
        &self,
        tenant: TenantId,
        user: &UserName,
        source: IpAddr,
        now_ms: u64,
    ) -> Result<Attempt<'_>, VaultError> {
        let source = network_of(source);
        let mut remembered = self.remembered();
        let Remembered { users, sources } = &mut *remembered;
        let (user_key, source_key) = ((tenant, user.clone(), source), (tenant, source));
        let by_user = at(users, &user_key, now_ms);
        let by_source = at(sources, &source_key, now_ms);
        let left_ms =
            by_user.left_ms(USER_FREE, now_ms).max(by_source.left_ms(SOURCE_FREE, now_ms));
        if left_ms > 0 {
            let failure = Failure::from(RefusalReason::LoginDelayed);
            return Err(failure.with_retry_after(Duration::from_millis(left_ms)).into());
        }
        users.insert(user_key, by_user.with_another());
        sources.insert(source_key, by_source.with_another());
        drop(remembered);
        let (user, end) = (user.clone(), End::Failed);
        Ok(Attempt { delays: self, tenant, user, source, begun_ms: now_ms, end })
    }

    fn remembered(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt<'_> {
    /// It has succeeded: the failures before are forgotten.
    pub(crate) fn succeed(mut self) {
        self.end = End::Succeeded;
    }

    /// It was not made after all.
    pub(crate) fn take_back(mut self) {
        self.end = End::NotMade;
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let mut remembered = self.delays.remembered();
        let Remembered { users, sources } = &mut *remembered;
        let by_user = (self.tenant, self.user.clone(), self.source);
        end(users, by_user, self.end, self.begun_ms);
        end(sources, (self.tenant, self.source), self.end, self.begun_ms);
    }
}

impl Failures {
    fn left_ms(self, free: u32, now_ms: u64) -> u64 {
        let Some(beyond) = self.count.checked_sub(free) else {
            return 0;
        };
        let wait_ms = WAIT_MIN_MS << beyond.min(WAIT_DOUBLINGS_MAX);
        let left_ms = wait_ms.min(WAIT_MAX_MS).saturating_sub(now_ms.saturating_sub(self.last_ms));
        if self.pending > 0 { left_ms.max(WAIT_MIN_MS) } else { left_ms }
    }

    fn with_another(self) -> Self {
        Self { pending: self.pending.saturating_add(1), ..self }
    }

    fn after(self, end: End, begun_ms: u64) -> Self {
        let pending = self.pending.saturating_sub(1);
        let (count, last_ms) = match end {
            End::Failed => (self.count.saturating_add(1), self.last_ms.max(begun_ms)),
            End::Succeeded => (0, 0),
            End::NotMade => (self.count, self.last_ms),
        };
        Self { count, last_ms, pending }
    }
}

/// What is remembered under a key. A clock that was set back makes nobody wait longer.
fn at<K: Hash + Eq + Clone>(cache: &mut Cache<K, Failures>, key: &K, now_ms: u64) -> Failures {
    let found = cache.get(key).copied().unwrap_or_default();
    let last_ms = found.last_ms.min(now_ms);
    if now_ms.saturating_sub(last_ms) >= FORGOTTEN_MS {
        return Failures { pending: found.pending, ..Failures::default() };
    }
    if last_ms != found.last_ms {
        cache.insert(key.clone(), Failures { last_ms, ..found });
    }
    Failures { last_ms, ..found }
}

fn end<K: Hash + Eq>(cache: &mut Cache<K, Failures>, key: K, end: End, begun_ms: u64) {
    let found = cache.get(&key).copied().unwrap_or_default();
    match found.after(end, begun_ms) {
        Failures { count: 0, pending: 0, .. } => drop(cache.remove(&key)),
        left => cache.insert(key, left),
    }
}

fn network_of(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let network = address.to_bits() >> (128 - IPV6_PREFIX_BITS);
            IpAddr::V6(Ipv6Addr::from_bits(network << (128 - IPV6_PREFIX_BITS)))
        }
    }
}

#[cfg(test)]
mod tests;
