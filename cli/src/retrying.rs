//! When to try again what a service could not do, and how long to wait before.
//!
//! It promises that nobody waits for what will not pass: a wrong address, a wrong certificate, a
//! server that asks to come back much later. It relies on the table of errors for what may pass.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};

use crate::error::CliError;

/// The first pause; each further one is twice as long, with some chance in it.
const PAUSE_MIN: Duration = Duration::from_millis(500);
/// No pause is longer unless the server asks for it.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// Who is asked to wait longer than this is told to come back instead.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(120);

/// The pauses before so many attempts more.
pub(crate) fn pauses(retries: usize) -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(PAUSE_MIN)
        .with_max_delay(PAUSE_MAX)
        .with_max_times(retries)
        .with_jitter()
        .build()
}

/// Whether it is worth waiting: until the server has answered, a wrong address or certificate is
/// the likelier cause.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Patience {
    has_answered: bool,
}

impl Patience {
    /// The server has answered.
    pub(crate) fn answered(&mut self) {
        self.has_answered = true;
    }

    /// How long to wait before the next attempt; `None` when there is to be none.
    pub(crate) fn pause(
        &mut self,
        error: &CliError,
        left: &mut ExponentialBackoff,
    ) -> Option<Duration> {
        self.has_answered |= error.is_reached();
        let asked = error.retry_after().unwrap_or_default();
        let may_pass = error.may_pass() && self.has_answered && asked <= RETRY_AFTER_MAX;
        left.next().filter(|_| may_pass).map(|pause| pause.max(asked))
    }
}

#[cfg(test)]
mod tests {
    use tresor_proto::ErrorCode;

    use super::*;

    fn told(code: ErrorCode) -> CliError {
        CliError::failed("x").with_code(code)
    }

    #[test]
    fn what_will_not_pass_is_not_tried_again() {
        let pause = |error: &CliError| Patience::default().pause(error, &mut pauses(3));
        assert!(pause(&told(ErrorCode::Overloaded)).is_some());
        assert!(pause(&told(ErrorCode::WrongKey)).is_none());
        let later = told(ErrorCode::RateLimited).with_retry_after(Some(Duration::from_secs(3_600)));
        assert!(pause(&later).is_none());
        let soon = told(ErrorCode::RateLimited).with_retry_after(Some(Duration::from_secs(60)));
        assert_eq!(pause(&soon), Some(Duration::from_secs(60)));
        assert!(pause(&CliError::failed("x").passing()).is_none(), "nobody has answered yet");
        assert!(pause(&CliError::failed("x").passing().reached()).is_some(), "somebody stalls");
    }

    #[test]
    fn there_are_so_many_attempts_and_no_more() {
        let (mut patience, mut left) = (Patience::default(), pauses(2));
        let overloaded = told(ErrorCode::Overloaded);
        let waits = [(); 3].map(|()| patience.pause(&overloaded, &mut left).is_some());
        assert_eq!(waits, [true, true, false]);
    }
}
