//! What a process counts, as Prometheus reads it: `GET /metrics` on the loopback listener.
//!
//! It promises that a label holds nothing but names of our own and ids of tenants, and that there
//! are no more series than there are names. It relies on whoever counts to name a call by its
//! route or its method, never by what a client wrote.

mod figures;

use core::time::Duration;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::{Router, response::IntoResponse, routing::get};
use http::header::CONTENT_TYPE;
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};

use crate::{OpenConnections, Refusals};
use figures::Watched;
pub use figures::{Figures, Sample};

/// What [`text::encode`] writes.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Upper bounds of durations, in seconds: from what a cache answers to the deadline of a request.
const DURATION_BOUNDS: [f64; 12] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0, 30.0];

/// The counts of a process. Cheap to clone; clones share them.
#[derive(Clone, Debug)]
pub struct Metrics {
    requests: Family<RequestLabels, Counter>,
    durations: Family<DurationLabels, Histogram, fn() -> Histogram>,
    refusals: Family<RefusalLabels, Counter>,
    watched: Watched,
    registry: Arc<Registry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    call: String,
    code: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DurationLabels {
    call: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefusalLabels {
    reason: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Counts that begin at nothing.
    #[must_use]
    pub fn new() -> Self {
        let (requests, refusals) = (Family::default(), Family::default());
        let histogram: fn() -> Histogram = || Histogram::new(DURATION_BOUNDS);
        let durations = Family::new_with_constructor(histogram);
        let watched = Watched::default();
        let mut registry = Registry::with_prefix("tresor");
        registry.register("requests", "Requests answered, by call and code", requests.clone());
        registry.register("request_duration_seconds", "How long they took", durations.clone());
        registry.register("refusals", "Requests refused, by reason", refusals.clone());
        registry.register_collector(Box::new(watched.clone()));
        Self { requests, durations, refusals, watched, registry: Arc::new(registry) }
    }

    /// Counts a request that has ended. `call` is a route or a method of ours.
    pub fn answered(&self, call: &str, code: &str, took: Duration) {
        let labels = RequestLabels { call: call.to_owned(), code: code.to_owned() };
        self.requests.get_or_create(&labels).inc();
        let labels = DurationLabels { call: call.to_owned() };
        self.durations.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Counts a refusal.
    pub fn refused(&self, reason: &'static str) {
        self.refusals.get_or_create(&RefusalLabels { reason }).inc();
    }

    /// Tells the connections of a listener, and how many it refused.
    pub fn watch_listener(
        &self,
        listener: &'static str,
        open: OpenConnections,
        refusals: Refusals,
    ) {
        self.watch(move || {
            let open = Sample::new(open.count()).with("listener", listener);
            let refused = refusals.counts().into_iter().map(|(reason, count)| {
                Sample::new(count).with("listener", listener).with("reason", reason)
            });
            vec![
                Figures::gauge("connections", "Connections that are open", vec![open]),
                Figures::counter(
                    "connections_refused",
                    "Connections refused, by reason",
                    refused.collect(),
                ),
            ]
        });
    }

    /// Tells figures that are asked for when somebody reads them.
    pub fn watch(&self, figures: impl Fn() -> Vec<Figures> + Send + Sync + 'static) {
        self.watched.add(figures);
    }

    /// All of it, as `OpenMetrics` text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        if text::encode(&mut text, &self.registry).is_err() {
            // Writing to a string does not fail; a reader is told rather than misled.
            text.clear();
            let _ = writeln!(text, "# the metrics cannot be written");
        }
        text
    }

    /// `GET /metrics`.
    pub fn router<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let metrics = self.clone();
        let tell =
            async move || ([(CONTENT_TYPE, OPEN_METRICS)], metrics.to_text()).into_response();
        Router::new().route("/metrics", get(tell))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_counted_by_call_and_code_and_its_duration_by_call() {
        let metrics = Metrics::new();
        metrics.answered("GET /v1/limits", "200", Duration::from_millis(2));
        metrics.answered("GET /v1/limits", "429", Duration::from_millis(700));
        metrics.answered("GET /v1/limits", "429", Duration::from_millis(1));
        let text = metrics.to_text();
        for line in [
            "tresor_requests_total{call=\"GET /v1/limits\",code=\"200\"} 1",
            "tresor_requests_total{call=\"GET /v1/limits\",code=\"429\"} 2",
            "tresor_request_duration_seconds_count{call=\"GET /v1/limits\"} 3",
            "tresor_request_duration_seconds_bucket{le=\"0.0025\",call=\"GET /v1/limits\"} 2",
        ] {
            assert!(text.lines().any(|told| told == line), "{line} in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"), "{text}");
    }

    #[test]
    fn refusals_are_counted_by_reason() {
        let metrics = Metrics::new();
        for reason in ["address", "address", "tenant_rate"] {
            metrics.refused(reason);
        }
        let text = metrics.to_text();
        assert!(text.contains("tresor_refusals_total{reason=\"address\"} 2\n"), "{text}");
        assert!(text.contains("tresor_refusals_total{reason=\"tenant_rate\"} 1\n"), "{text}");
    }

    #[test]
    fn a_figure_is_asked_for_at_every_reading_and_told_once_for_all_who_watch() {
        let metrics = Metrics::new();
        let asked = Arc::new(std::sync::atomic::AtomicU64::new(0));
        for tenant in ["one", "other"] {
            let asked = Arc::clone(&asked);
            metrics.watch(move || {
                let count = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                vec![Figures::gauge("open", "Open", vec![Sample::new(count).with("of", tenant)])]
            });
        }
        let first = metrics.to_text();
        assert!(first.contains("tresor_open{of=\"one\"} 0\n"), "{first}");
        assert!(first.contains("tresor_open{of=\"other\"} 1\n"), "{first}");
        assert_eq!(first.matches("# TYPE tresor_open gauge").count(), 1, "{first}");
        assert!(metrics.to_text().contains("tresor_open{of=\"one\"} 2\n"));
    }
}
