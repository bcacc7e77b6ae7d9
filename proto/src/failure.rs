use core::time::Duration;
use std::{borrow::Cow, sync::Arc};

use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::{ErrorCode, RefusalReason};

/// The domain of our `google.rpc.ErrorInfo`.
const DOMAIN: &str = "tresor";

/// How long a caller is asked to wait when nothing better is known.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What a caller is told of an error: its code, one sentence, and which fields are at fault.
///
/// The sentence and the violations never contain a value, a secret or a foreign text: they are
/// written by us, and name at most an identifier the caller sent.
///
/// Two are equal when a caller cannot tell them apart.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Failure {
    code: ErrorCode,
    message: Cow<'static, str>,
    violations: Vec<Violation>,
    retry_after: Option<Duration>,
    /// For our own log: it never travels.
    reason: Option<RefusalReason>,
}

/// A field of the request that is at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field, or the name of the record's field.
    pub field: String,
    /// What is wrong with it; never its value.
    pub description: String,
}

impl Failure {
    /// An error with one sentence of our own.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        let retry_after = code.is_retryable().then_some(RETRY_AFTER);
        Self { code, message: message.into(), violations: Vec::new(), retry_after, reason: None }
    }

    /// The request is malformed at `field`.
    #[must_use]
    pub fn invalid(field: &str, description: impl Into<String>) -> Self {
        Self::from(ErrorCode::InvalidRequest).with_violation(field, description)
    }

    /// Names a field at fault.
    #[must_use]
    pub fn with_violation(mut self, field: &str, description: impl Into<String>) -> Self {
        self.violations
            .push(Violation { field: field.to_owned(), description: description.into() });
        self
    }

    /// Names the fields at fault as parts of `path`.
    #[must_use]
    pub fn below(mut self, path: &str) -> Self {
        for violation in &mut self.violations {
            violation.field.insert_str(0, &format!("{path}."));
        }
        self
    }

    /// Names a field at fault as the caller calls it.
    #[must_use]
    pub fn calling(mut self, field: &str, name: &str) -> Self {
        let called = self.violations.iter_mut().filter(|violation| violation.field == field);
        called.for_each(|violation| name.clone_into(&mut violation.field));
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn with_retry_after(mut self, delay: Duration) -> Self {
        self.retry_after = Some(delay);
        self
    }

    /// Why somebody was not let in, for our own log and counts.
    #[must_use]
    pub fn reason(&self) -> Option<RefusalReason> {
        self.reason
    }

    /// Its code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// Its sentence.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The fields at fault.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// When to try again; `None` when that would not help.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    fn details(&self) -> ErrorDetails {
        let mut details = ErrorDetails::new();
        details.set_error_info(self.code.as_str(), DOMAIN, []);
        for violation in &self.violations {
            details.add_bad_request_violation(&violation.field, &violation.description);
        }
        if self.retry_after.is_some() {
            details.set_retry_info(self.retry_after);
        }
        details
    }

    /// As the status of one item of a batch.
    #[must_use]
    pub fn to_item_status(&self) -> tonic_types::Status {
        let status = Status::from(self.clone());
        let details: &[u8] = status.details();
        prost::Message::decode(details).unwrap_or_else(|_| tonic_types::Status {
            code: self.code.to_grpc() as i32,
            message: self.message.clone().into_owned(),
            details: Vec::new(),
        })
    }

    /// Reads the status of one item of a batch.
    #[must_use]
    pub fn from_item_status(status: &tonic_types::Status) -> Self {
        let details = prost::Message::encode_to_vec(status);
        let code = tonic::Code::from_i32(status.code);
        Self::from(&Status::with_details(code, status.message.clone(), details.into()))
    }
}

impl From<ErrorCode> for Failure {
    fn from(code: ErrorCode) -> Self {
        Self::new(code, code.title())
    }
}

impl From<RefusalReason> for Failure {
    fn from(reason: RefusalReason) -> Self {
        Self { reason: Some(reason), ..Self::from(reason.code()) }
    }
}

impl PartialEq for Failure {
    fn eq(&self, other: &Self) -> bool {
        let told = |failure: &Self| (failure.code, failure.retry_after);
        told(self) == told(other)
            && self.message == other.message
            && self.violations == other.violations
    }
}

impl Eq for Failure {}

impl From<Failure> for Status {
    /// The reason becomes the status's source, which stays on this side of the wire.
    fn from(failure: Failure) -> Self {
        let details = failure.details();
        let reason = failure.reason;
        let mut status = Self::with_error_details(failure.code.to_grpc(), failure.message, details);
        if let Some(reason) = reason {
            status.set_source(Arc::new(reason));
        }
        status
    }
}

impl From<&Status> for Failure {
    fn from(status: &Status) -> Self {
        let details = status.get_error_details();
        let reason = details.error_info().and_then(|info| ErrorCode::from_text(&info.reason));
        let Some(code) = reason else {
            return Self::from(ErrorCode::from_grpc(status.code()));
        };
        let mut failure = Self::new(code, status.message().to_owned());
        failure.retry_after = details.retry_info().and_then(|info| info.retry_delay);
        for violation in details.bad_request().into_iter().flat_map(|bad| &bad.field_violations) {
            failure = failure.with_violation(&violation.field, &violation.description);
        }
        failure
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(code: ErrorCode) -> Failure {
        Failure::from(code).with_violation("records[3].fields[1]", "longer than 65536 bytes")
    }

    #[test]
    fn a_failure_survives_the_wire() {
        for code in ErrorCode::all() {
            let failure = sample(code);
            assert_eq!(Failure::from(&Status::from(failure.clone())), failure);
            assert_eq!(Failure::from_item_status(&failure.to_item_status()), failure);
        }
    }

    #[test]
    fn why_somebody_is_not_let_in_stays_on_this_side() {
        for reason in RefusalReason::all() {
            let failure = Failure::from(reason);
            let status = Status::from(failure.clone());
            assert_eq!(RefusalReason::of(&status), Some(reason));
            let headers = status.into_http::<()>().headers().clone();
            assert!(!format!("{headers:?}").contains(reason.as_str()));
            let told = Failure::from(&Status::from_header_map(&headers).unwrap());
            assert_eq!((told.reason(), &told), (None, &Failure::from(reason.code())));
            assert_eq!(failure, told, "to a caller they are the same");
        }
    }

    #[test]
    fn a_foreign_status_keeps_its_meaning_but_not_its_text() {
        let failure = Failure::from(&Status::unavailable("10.0.0.7: connection refused"));
        assert_eq!(failure, Failure::from(ErrorCode::Overloaded));
    }
}
