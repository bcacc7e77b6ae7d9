use std::io;
use std::sync::{Arc, Mutex};

use tracing::{debug, error, info, info_span, trace, warn};

use serde_json::Value;

use super::*;

#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What `log` writes at `trace`, where everything of ours is shown.
fn logged(format: LogFormat, log: impl FnOnce()) -> String {
    let level = Level::TRACE;
    logged_at(&LogSettings { format, level }, log)
}

fn logged_at(settings: &LogSettings, log: impl FnOnce()) -> String {
    let output = Output::default();
    let writer = output.clone();
    let subscriber = subscriber(settings, move || writer.clone());
    tracing::subscriber::with_default(subscriber, log);
    let bytes = output.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

const FORMATS: [LogFormat; 2] = [LogFormat::Json, LogFormat::Text];

#[test]
fn an_allowed_field_is_logged() {
    for format in FORMATS {
        let output = logged(format, || {
            info!(tenant = "t1", count = 3_u64, "records stored");
        });
        for part in ["records stored", "tenant", "t1", "count", "3", "INFO"] {
            assert!(output.contains(part), "{output}");
        }
    }
}

#[test]
fn a_field_that_is_not_allowed_never_reaches_the_output() {
    for format in FORMATS {
        let output = logged(format, || {
            let span = info_span!(
                "put",
                value = "Mustermann",
                tenant = "t1",
                late = tracing::field::Empty
            );
            let _entered = span.enter();
            span.record("late", "Mustermann");
            trace!(customer_token = "trsr_secret", value = ?"Mustermann", error = %"Mustermann", "put");
        });
        assert!(output.contains("t1"), "{output}");
        for secret in ["Mustermann", "trsr_secret", "customer_token", "value", "late"] {
            assert!(!output.contains(secret), "{output}");
        }
    }
}

#[test]
fn the_fields_of_a_span_stand_in_every_line_inside() {
    let output = logged(LogFormat::Json, || {
        let span = info_span!("request", request_id = "r1", status = tracing::field::Empty);
        let _entered = span.enter();
        span.record("status", 200_u64);
        info!(method = "Get", "answered");
    });
    let line: Value = serde_json::from_str(&output).unwrap();
    assert_eq!(line["request_id"], "r1");
    assert_eq!(line["status"], 200);
    assert_eq!(line["method"], "Get");
    assert_eq!(line["message"], "answered");
    assert_eq!(line["target"], "tresor_door::logs::tests");
    assert!(line["time"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn a_dependency_is_silent_below_warn_even_at_trace() {
    for format in FORMATS {
        let output = logged(format, || {
            let frame = "Headers { tresor-customer-token: trsr_secret }";
            trace!(target: "h2::codec::framed_read", frame, "received");
            debug!(target: "h2::codec::framed_write", ?frame, "send");
            info!(target: "hyper::proto::h1::conn", "parsed {frame}");
            let span = info_span!(target: "tonic::transport", "serve", peer = frame);
            span.in_scope(|| info!("inside"));
        });
        assert!(output.contains("inside"), "{output}");
        assert!(!output.contains("trsr_secret"), "{output}");
        assert!(!output.contains("h2"), "{output}");
    }
}

#[test]
fn of_a_dependencys_warning_only_the_place_is_logged() {
    for format in FORMATS {
        let output = logged(format, || {
            let reason = "trsr_secret";
            warn!(target: "h2::proto::connection", reason, "went away: {reason}");
            error!(target: "rustls::conn", message = "trsr_secret");
        });
        assert!(output.contains("h2::proto::connection"), "{output}");
        assert!(output.contains("rustls::conn"), "{output}");
        assert!(output.contains("event of a dependency"), "{output}");
        assert!(!output.contains("trsr_secret"), "{output}");
    }
}

#[test]
fn a_crate_is_ours_by_its_whole_name() {
    for target in ["tresor", "tresor_vault::seal", "internal_api::stack", "external_api"] {
        assert!(is_ours(target), "{target}");
    }
    for target in ["tresorish", "h2", "internal_api2", "hyper::tresor_vault", "log", ""] {
        assert!(!is_ours(target), "{target}");
    }
}

#[test]
fn the_level_bounds_what_is_shown() {
    let settings = LogSettings { format: LogFormat::Text, level: Level::ERROR };
    let output = logged_at(&settings, || {
        info!("quiet");
        warn!(target: "h2", "quiet");
        error!("loud");
    });
    assert!(output.contains("loud") && output.lines().count() == 1, "{output}");
}

#[test]
fn no_field_can_begin_a_line_of_its_own() {
    for format in FORMATS {
        let output = logged(format, || {
            info!(collection = "a\n2026-01-01T00:00:00Z ERROR forged", "listed");
        });
        assert_eq!(output.lines().count(), 1, "{output}");
    }
}

#[test]
fn a_long_field_is_cut() {
    let output = logged(LogFormat::Text, || {
        info!(collection = "ä".repeat(10_000), "listed");
    });
    assert!(output.len() < 2_000, "{}", output.len());
}

#[test]
fn a_panic_is_logged_without_its_text() {
    let output = logged(LogFormat::Json, || {
        let old = std::panic::take_hook();
        std::panic::set_hook(Box::new(log_panic));
        let result = std::panic::catch_unwind(|| panic!("no boundary in `Mustermann`"));
        std::panic::set_hook(old);
        assert!(result.is_err());
    });
    assert!(output.contains("logs/tests.rs"), "{output}");
    assert!(!output.contains("Mustermann"), "{output}");
}

#[test]
fn the_settings_come_from_a_table() {
    let read = |text: &str| {
        crate::config::parse(std::path::Path::new("d.toml"), text, |root| {
            root.table_or_empty("log", LogSettings::read)
        })
    };
    assert_eq!(read("").unwrap(), LogSettings::default());
    assert_eq!(
        read("log.level = \"trace\"\nlog.format = \"json\"").unwrap(),
        LogSettings { format: LogFormat::Json, level: Level::TRACE }
    );
    assert!(read("log.level = \"loud\"").is_err());
}

#[test]
fn the_manual_names_the_fields_that_are_logged() {
    let manual = include_str!("../../../docs/operations.md");
    let fields = format!("`{}`", FIELDS_ALLOWED.join(" "));
    assert!(manual.lines().any(|line| line == fields), "docs/operations.md lacks {fields}");
}

#[test]
fn who_changed_a_seal_is_logged_and_whether_it_was_a_dry_run() {
    for format in FORMATS {
        let (operator, seal) = ("svc/operator", "spare");
        let output = logged(format, || {
            info!(%operator, %seal, dry_run = true, "a seal is removed");
        });
        for part in ["operator", "svc/operator", "seal", "spare", "dry_run", "true"] {
            assert!(output.contains(part), "{output}");
        }
    }
}
