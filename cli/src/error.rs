//! What the command line says when something is wrong, and the exit codes.
//!
//! An error is one sentence, the code it travelled with, and what to do about it. It never holds a
//! secret or a value: sentences are our own or come from a [`Failure`], which promises the same.

use std::{process::ExitCode, time::Duration};

use tresor_door::in_words;
use tresor_proto::{ErrorCode, Failure, Violation};

/// How a command ended; its number is the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// All was done.
    Done = 0,
    /// Nothing, or not the point of it, was done.
    Failed = 1,
    /// The command was called wrongly.
    Usage = 2,
    /// Some items were done and some were refused.
    SomeRejected = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command ended early. Boxed, since it is returned by almost every function.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.message)]
pub(crate) struct CliError(Box<Details>);

#[derive(Debug)]
struct Details {
    exit: Exit,
    code: Option<ErrorCode>,
    message: String,
    advice: Option<String>,
    violations: Vec<Violation>,
    is_passing: bool,
    is_unsent: bool,
    is_reached: bool,
    retry_after: Option<Duration>,
}

impl CliError {
    /// The command could not do its work.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message.into())
    }

    /// The command was called wrongly.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message.into())
    }

    /// A file could not be read or written.
    pub(crate) fn file(doing: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        let why = in_words(error.kind());
        Self::failed(format!("cannot {doing} {}: {why}", path.display()))
    }

    fn new(exit: Exit, message: String) -> Self {
        Self(Box::new(Details {
            exit,
            code: None,
            message,
            advice: None,
            violations: Vec::new(),
            is_passing: false,
            is_unsent: false,
            is_reached: false,
            retry_after: None,
        }))
    }

    /// Says what to do about it.
    pub(crate) fn advise(mut self, advice: impl Into<String>) -> Self {
        self.0.advice = Some(advice.into());
        self
    }

    /// Adds the code a service gave.
    pub(crate) fn with_code(mut self, code: ErrorCode) -> Self {
        self.0.advice = self.0.advice.take().or_else(|| advice_for(code).map(str::to_owned));
        self.0.code = Some(code);
        self
    }

    /// Names the fields at fault.
    pub(crate) fn with_violations(mut self, violations: Vec<Violation>) -> Self {
        self.0.violations = violations;
        self
    }

    /// Says that the same may succeed later.
    pub(crate) fn passing(mut self) -> Self {
        self.0.is_passing = true;
        self
    }

    /// Says that nothing has been sent.
    pub(crate) fn unsent(mut self) -> Self {
        self.0.is_unsent = true;
        self
    }

    /// Says that there is a server, which let us in, whatever became of it then.
    pub(crate) fn reached(mut self) -> Self {
        self.0.is_reached = true;
        self
    }

    /// Adds how long the service asks to wait.
    pub(crate) fn with_retry_after(mut self, delay: Option<Duration>) -> Self {
        self.0.retry_after = delay;
        self
    }

    /// Whether the same may succeed later: by the table of errors, or because the way was at fault.
    pub(crate) fn may_pass(&self) -> bool {
        let is_passing =
            |code: ErrorCode| code.is_retryable() || code == ErrorCode::DeadlineExceeded;
        self.0.is_passing || self.0.code.is_some_and(is_passing)
    }

    /// Whether nothing has been sent.
    pub(crate) fn is_unsent(&self) -> bool {
        self.0.is_unsent
    }

    /// Whether a server was reached, so that address and certificate are not at fault.
    pub(crate) fn is_reached(&self) -> bool {
        self.0.is_reached || self.0.code.is_some()
    }

    /// How long the service asks to wait.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        self.0.exit
    }

    /// The code a service gave.
    pub(crate) fn code(&self) -> Option<ErrorCode> {
        self.0.code
    }

    /// What to do about it.
    pub(crate) fn advice(&self) -> Option<&str> {
        self.0.advice.as_deref()
    }

    /// The fields at fault.
    pub(crate) fn violations(&self) -> &[Violation] {
        &self.0.violations
    }

    /// As one JSON object.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let violation =
            |v: &Violation| serde_json::json!({ "field": v.field, "description": v.description });
        serde_json::json!({ "error": {
            "code": self.0.code.map(ErrorCode::as_str),
            "message": self.0.message,
            "advice": self.0.advice,
            "violations": self.0.violations.iter().map(violation).collect::<Vec<_>>(),
        }})
    }
}

impl From<Failure> for CliError {
    fn from(failure: Failure) -> Self {
        let error = Self::failed(failure.message()).with_code(failure.code());
        let mut error = error.with_violations(failure.violations().to_vec());
        // A conflict that says what it is with is not over when the command is run again.
        if failure.code() == ErrorCode::Conflict
            && failure.message() != Failure::from(ErrorCode::Conflict).message()
        {
            error.0.advice = None;
        }
        error
    }
}

impl From<tonic::Status> for CliError {
    fn from(status: tonic::Status) -> Self {
        use std::error::Error as _;
        match status.source() {
            Some(transport) => Self::failed(format!("no answer: {}", innermost(transport)))
                .advise("check --server, and that --ca, --cert and --key belong to this service"),
            None if !is_from_a_service(&status) => Self::failed("this is not a control plane")
                .advise("--server is the vault's `control_listen`, not the external API"),
            None => Failure::from(&status).into(),
        }
    }
}

impl From<std::io::Error> for CliError {
    fn from(error: std::io::Error) -> Self {
        Self::failed(format!("input or output failed: {}", in_words(error.kind())))
    }
}

/// Whether gRPC was spoken at all: what is not a service of it gives an answer that cannot be
/// decoded, or none of that name. Our own errors carry their code in the details.
fn is_from_a_service(status: &tonic::Status) -> bool {
    use tonic::Code::{Internal, Unimplemented, Unknown};
    !status.details().is_empty() || !matches!(status.code(), Internal | Unimplemented | Unknown)
}

/// The last of a chain of causes: the one that says something.
pub(crate) fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

fn advice_for(code: ErrorCode) -> Option<&'static str> {
    match code {
        ErrorCode::Unauthenticated => Some(
            "check the certificate, the user with its password, and the customer token or code: \
             they must belong to one tenant and be valid now",
        ),
        ErrorCode::Forbidden => Some(
            "the certificate, the user or the customer token may not do that; a one-time \
                 password is only good for `tresor password`",
        ),
        ErrorCode::NotFound => Some("check the name or id; what belongs to others looks absent"),
        ErrorCode::Conflict => Some("something changed meanwhile; run the command again"),
        ErrorCode::TooLarge => Some("`GET /v1/limits` names every limit"),
        ErrorCode::WrongKey => Some("use a customer token that covers this class"),
        ErrorCode::RejectedByPolicy => Some("`tresor screen FILE` shows why"),
        ErrorCode::RateLimited
        | ErrorCode::Overloaded
        | ErrorCode::Locked
        | ErrorCode::StorageUnavailable
        | ErrorCode::DeadlineExceeded => Some("try again in a moment"),
        ErrorCode::Integrity => {
            Some("the stored data were changed or damaged; tell the operator, and keep the files")
        }
        ErrorCode::Internal => Some("tell the operator the time and the request id"),
        ErrorCode::InvalidRequest
        | ErrorCode::AlreadyExists
        | ErrorCode::Gone
        | ErrorCode::UnsupportedMediaType => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_keeps_its_code_and_violations() {
        let error = CliError::from(Failure::invalid("name", "too short"));
        assert_eq!(error.code(), Some(ErrorCode::InvalidRequest));
        assert_eq!(error.violations()[0].field, "name");
        assert_eq!(error.exit(), Exit::Failed);
    }

    #[test]
    fn a_missing_file_is_called_a_missing_file() {
        let path = std::path::Path::new("no.csv");
        let error = CliError::file("read", path, &std::io::ErrorKind::NotFound.into());
        assert_eq!(error.to_string(), "cannot read no.csv: there is no such file");
    }

    #[test]
    fn advice_given_is_not_replaced_by_that_of_the_code() {
        let error = CliError::failed("x").advise("own").with_code(ErrorCode::Conflict);
        assert_eq!(error.advice(), Some("own"));
    }

    #[test]
    fn a_status_made_by_a_service_gives_its_code() {
        let status = tonic::Status::from(Failure::from(ErrorCode::AlreadyExists));
        assert_eq!(CliError::from(status).code(), Some(ErrorCode::AlreadyExists));
        let status = tonic::Status::from(Failure::from(ErrorCode::Internal));
        assert_eq!(CliError::from(status).code(), Some(ErrorCode::Internal));
    }

    #[test]
    fn a_status_that_no_service_made_says_so() {
        for code in [tonic::Code::Internal, tonic::Code::Unimplemented, tonic::Code::Unknown] {
            let error = CliError::from(tonic::Status::new(code, "invalid compression flag: 123"));
            assert_eq!(error.to_string(), "this is not a control plane");
            assert_eq!(error.code(), None);
        }
    }

    #[test]
    fn a_conflict_that_explains_itself_is_not_to_be_run_again() {
        let advice = |failure: Failure| CliError::from(failure).advice().map(str::to_owned);
        assert!(advice(Failure::from(ErrorCode::Conflict)).is_some());
        let last = "the last seal cannot be removed";
        assert_eq!(advice(Failure::new(ErrorCode::Conflict, last)), None);
    }
}
