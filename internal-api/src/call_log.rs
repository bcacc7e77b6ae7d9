//! One line of the log for each call, and its count, when its answer has ended or its caller has
//! gone.
//!
//! The line holds the service, the method, the code, why it was refused, the duration and the
//! request id, and nothing a message said.

use std::time::Instant;

use http::{HeaderMap, Request};
use tonic::Code;
use tresor_door::{Guard, Metrics};
use tresor_proto::RefusalReason;
use uuid::Uuid;

use crate::{call_names, caller::CallNotes};

const STATUS_HEADER: &str = "grpc-status";
/// The packages served; a path outside them is not repeated in the log.
const PACKAGES: [&str; 2] = ["tresor.vault.v1.", "grpc."];

/// The line of a call that is under way.
pub(crate) struct CallLog {
    service: String,
    method: String,
    notes: CallNotes,
    started: Instant,
    code: Option<Code>,
    metrics: Metrics,
}

impl CallLog {
    /// Begins the line of a call.
    pub(crate) fn begin<B>(request: &Request<B>, notes: CallNotes, metrics: &Metrics) -> Self {
        let (service, method) = split_path(request.uri().path()).unwrap_or(("unknown", "unknown"));
        Self {
            service: service.to_owned(),
            method: method.to_owned(),
            notes,
            started: Instant::now(),
            code: None,
            metrics: metrics.clone(),
        }
    }

    /// Reads the status where gRPC has put it: in the header, when there is no body.
    pub(crate) fn see_status(&mut self, headers: &HeaderMap) {
        if let Some(status) = headers.get(STATUS_HEADER) {
            self.code = Some(Code::from_bytes(status.as_bytes()));
        }
    }

    fn request_id(&self) -> String {
        let made = || Uuid::now_v7().as_hyphenated().to_string();
        let noted = self.notes.request_id();
        noted.map_or_else(made, |noted| noted.as_str().to_owned())
    }
}

impl Guard for CallLog {
    fn see_trailers(&mut self, trailers: &HeaderMap) {
        self.see_status(trailers);
    }
}

impl Drop for CallLog {
    fn drop(&mut self) {
        // Without a status the answer never ended: the caller went away.
        let code = self.code.unwrap_or(Code::Cancelled);
        let took = self.started.elapsed();
        // The log names any method, the counts only those there are: each is kept for ever.
        let call = call_names::known(&self.service, &self.method).unwrap_or("unknown");
        self.metrics.answered(call, code_name(code), took);
        if let Some(reason) = self.notes.refusal() {
            self.metrics.refused(reason.as_str());
        }
        let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(
            service = self.service,
            method = self.method,
            code = code_name(code),
            duration_ms,
            reason = self.notes.refusal().map(RefusalReason::as_str),
            request_id = self.request_id(),
            "call"
        );
    }
}

/// The service and method of a path of ours; `None` for any other, which may hold anything.
fn split_path(path: &str) -> Option<(&str, &str)> {
    let (service, method) = path.strip_prefix('/')?.split_once('/')?;
    let is_ours = PACKAGES.iter().any(|package| service.starts_with(package));
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.';
    let is_plain = path.len() <= 128 && service.bytes().chain(method.bytes()).all(fits);
    (is_ours && is_plain).then_some((service, method))
}

/// The code as the gRPC specification writes it.
fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_ours_is_named() {
        let path = "/tresor.vault.v1.RecordService/Put";
        assert_eq!(split_path(path), Some(("tresor.vault.v1.RecordService", "Put")));
    }

    #[test]
    fn a_foreign_path_is_never_repeated() {
        for path in [
            "/",
            "/admin/erika.mustermann",
            "/tresor.vault.v1.RecordService/Put?name=erika",
            "/tresor.vault.v1.RecordService/a b",
            "/tresor.vault.v1.RecordService/Put/more",
        ] {
            assert_eq!(split_path(path), None, "{path}");
        }
    }
}
