use core::fmt;

use serde_json::Value;
use tracing::field::{Field, Visit};

/// The fields that are logged; any other is dropped. None of them may carry a value of a record,
/// a secret, or the text of a foreign error.
pub const FIELDS_ALLOWED: &[&str] = &[
    "accepted",
    "address",
    "by",
    "bytes",
    "code",
    "collection",
    "column",
    "count",
    "customer_token_id",
    "dry_run",
    "duration_ms",
    "error_code",
    "file",
    "held",
    "holds",
    "line",
    "message",
    "method",
    "operation",
    "operator",
    "peer",
    "reason",
    "record",
    "rejected",
    "replaces",
    "request_id",
    "route",
    "seal",
    "service",
    "signal",
    "state",
    "status",
    "tenant",
    "version",
];

/// Characters of one field; more is cut.
const FIELD_CHARACTERS_MAX: usize = 512;

/// The allowed fields of a span or an event, in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Allowed(pub(super) Vec<(&'static str, Value)>);

impl Allowed {
    /// Sets a field; a later value replaces an earlier one.
    pub(super) fn set(&mut self, name: &'static str, value: Value) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    /// The one place where a field is let through; `value` is not even made for any other.
    fn record(&mut self, field: &Field, value: impl FnOnce() -> Value) {
        if let Some(name) = FIELDS_ALLOWED.iter().find(|name| **name == field.name()) {
            self.set(name, value());
        }
    }
}

impl Visit for Allowed {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record(field, || cut(&format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record(field, || cut(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.record(field, || value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.record(field, || value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.record(field, || value.into());
    }
}

fn cut(text: &str) -> Value {
    let end = text.char_indices().nth(FIELD_CHARACTERS_MAX);
    let kept = end.and_then(|(end, _)| text.get(..end)).unwrap_or(text);
    Value::String(kept.to_owned())
}
