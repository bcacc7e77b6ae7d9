//! Who has shown wrong passwords, and how long the vault has it wait.
//!
//! It promises that nobody learns from the sessions in use whether a guess is right faster than the
//! vault lets it guess: within the wait not even the right password counts, from where the guesses
//! come, while from elsewhere it does. It relies on the vault to tell the wait, and its memory is
//! bounded.

use std::{
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use quick_cache::unsync::Cache;
use tresor_proto::{ErrorCode, Failure, RefusalReason, TenantId, UserName};

/// Passwords that may be shown for a user without the right one among them, before no other is
/// looked at until the vault has answered: as many as the vault has nobody wait for.
const FREE: u32 = 3;
/// How long that is at most, and the wait when the vault told no time: the shortest of its waits.
const WAIT_MIN: Duration = Duration::from_secs(1);
/// Users with sources that are remembered, as many as in the vault.
const REMEMBERED_MAX: usize = 65_536;

/// A user of a tenant, and the subscriber who shows passwords for it.
pub(crate) type Guesser = (TenantId, UserName, IpAddr);

/// What is remembered of guesses.
pub(crate) struct Guesses(Mutex<Cache<Guesser, Guessed>>);

#[derive(Clone, Copy, Default)]
struct Guessed {
    /// Shown to the vault since the last right one, with those that it has not judged yet.
    count: u32,
    /// As the vault has told.
    waits_until: Option<Instant>,
    /// As long as the vault judges one beyond the free ones.
    is_judged_until: Option<Instant>,
}

impl Default for Guesses {
    fn default() -> Self {
        Self(Mutex::new(Cache::new(REMEMBERED_MAX)))
    }
}

impl Guesses {
    /// Lets nobody pass who has to wait: asked before it is known whether a password is right.
    ///
    /// # Errors
    /// `rate_limited` with the time that is left.
    pub(crate) fn pass(&self, guesser: &Guesser, now: Instant) -> Result<(), Failure> {
        match self.lock().get(guesser) {
            Some(guessed) => guessed.pass(now),
            None => Ok(()),
        }
    }

    /// Another password goes to the vault. It counts as wrong until the vault has judged it, so that
    /// guessing at the same time gains nothing.
    ///
    /// # Errors
    /// The same as [`Self::pass`].
    pub(crate) fn begin(&self, guesser: &Guesser, now: Instant) -> Result<(), Failure> {
        let mut remembered = self.lock();
        let mut guessed = remembered.get(guesser).copied().unwrap_or_default();
        guessed.pass(now)?;
        guessed.count = guessed.count.saturating_add(1);
        if guessed.count > FREE {
            guessed.is_judged_until = Some(now + WAIT_MIN);
        }
        remembered.insert(guesser.clone(), guessed);
        Ok(())
    }

    /// The vault has judged it.
    pub(crate) fn end<T>(&self, guesser: &Guesser, answer: &Result<T, Failure>, now: Instant) {
        let mut remembered = self.lock();
        let Err(failure) = answer else {
            remembered.remove(guesser);
            return;
        };
        if let Some(guessed) = remembered.get(guesser).copied() {
            remembered.insert(guesser.clone(), guessed.after(failure, now));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Cache<Guesser, Guessed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guessed {
    fn pass(self, now: Instant) -> Result<(), Failure> {
        let until = self.waits_until.max(self.is_judged_until);
        let left = until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        if left.is_zero() {
            return Ok(());
        }
        Err(Failure::from(RefusalReason::LoginDelayed).with_retry_after(left))
    }

    fn after(self, failure: &Failure, now: Instant) -> Self {
        let judged = Self { is_judged_until: None, ..self };
        if failure.code() == ErrorCode::RateLimited {
            let wait = failure.retry_after().unwrap_or(WAIT_MIN);
            return Self { waits_until: now.checked_add(wait).max(self.waits_until), ..judged };
        }
        if failure.code() == ErrorCode::Unauthenticated {
            return judged;
        }
        // The vault has not looked at it.
        Self { count: self.count.saturating_sub(1), ..judged }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRONG: Result<(), RefusalReason> = Err(RefusalReason::PasswordWrong);

    fn guesser(user: &str, source: &str) -> Guesser {
        let user = UserName::parse(user).unwrap();
        (TenantId::from_bytes([7; 16]), user, source.parse().unwrap())
    }

    /// One attempt, as it goes to the vault and comes back.
    fn attempt(guesses: &Guesses, guesser: &Guesser, told: &Result<(), Failure>, now: Instant) {
        guesses.begin(guesser, now).unwrap();
        guesses.end(guesser, told, now);
    }

    fn wait(seconds: u64) -> Result<(), Failure> {
        let wait = Duration::from_secs(seconds);
        Err(Failure::from(RefusalReason::LoginDelayed).with_retry_after(wait))
    }

    #[test]
    fn who_was_told_to_wait_does_not_pass_before_and_everybody_else_does() {
        let (guesses, now) = (Guesses::default(), Instant::now());
        let here = guesser("planner", "192.0.2.1");
        attempt(&guesses, &here, &wait(60), now);
        let refused = guesses.pass(&here, now + Duration::from_secs(18)).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::RateLimited);
        assert_eq!(refused.reason(), Some(RefusalReason::LoginDelayed));
        assert_eq!(refused.retry_after(), Some(Duration::from_secs(42)));
        for other in [guesser("planner", "192.0.2.2"), guesser("second", "192.0.2.1")] {
            guesses.pass(&other, now).unwrap();
        }
        guesses.pass(&here, now + Duration::from_secs(60)).unwrap();
    }

    #[test]
    fn guesses_at_the_same_time_are_few_and_those_after_them_come_one_by_one() {
        let (guesses, now) = (Guesses::default(), Instant::now());
        let here = guesser("planner", "192.0.2.1");
        let begun = (0..400).filter(|_| guesses.begin(&here, now).is_ok()).count();
        assert_eq!(begun, 4, "none of which the vault has answered");
        assert_eq!(guesses.pass(&here, now).unwrap_err().retry_after(), Some(WAIT_MIN));
        guesses.end(&here, &WRONG.map_err(Failure::from), now);
        let begun = (0..400).filter(|_| guesses.begin(&here, now).is_ok()).count();
        assert_eq!(begun, 1);
        guesses.end(&here, &wait(2), now);
        guesses.end(&here, &WRONG.map_err(Failure::from), now);
        guesses.pass(&here, now + WAIT_MIN).expect_err("an earlier answer ends no wait");
    }

    #[test]
    fn the_right_password_clears_and_what_was_not_looked_at_does_not_count() {
        let (guesses, now) = (Guesses::default(), Instant::now());
        let here = guesser("planner", "192.0.2.1");
        for _ in 0..9 {
            attempt(&guesses, &here, &Err(RefusalReason::LoginsWaiting.into()), now);
        }
        for _ in 0..3 {
            attempt(&guesses, &here, &WRONG.map_err(Failure::from), now);
            guesses.pass(&here, now).unwrap();
        }
        guesses.begin(&here, now).unwrap();
        guesses.pass(&here, now).unwrap_err();
        guesses.end(&here, &Ok(()), now);
        guesses.pass(&here, now).unwrap();
        assert_eq!(guesses.lock().len(), 0);
    }
}
