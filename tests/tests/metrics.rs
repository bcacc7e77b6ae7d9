//! `GET /metrics` of both processes: what was answered and refused is counted, and nothing that
//! belongs to a person or opens a door is in a label.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use tresor_tests::{Site, Tenant, basic, run};

const NUMBER: &str = "k4711";
const VALUE: &str = "erika.mustermann@example.de";
const GET: &str = "call=\"GET /v1/collections/{collection}/records/{id}\"";

/// What a process tells at `url`.
fn told(url: &str) -> String {
    let ran = run(Command::new("curl").args(["--silent", "--fail", "--include", url]), "").ok();
    let (head, text) = ran.stdout.split_once("\r\n\r\n").unwrap();
    let is_open_metrics =
        head.to_lowercase().contains("content-type: application/openmetrics-text");
    assert!(is_open_metrics, "{head}");
    assert!(text.ends_with("# EOF\n"), "{text}");
    text.to_owned()
}

/// The value of one series, 0 when it is not told.
fn value(text: &str, name: &str, labels: &[&str]) -> u64 {
    let is_asked = |line: &&str| {
        line.starts_with(&format!("{name}{{")) && labels.iter().all(|label| line.contains(label))
    };
    let lines: Vec<_> = text.lines().filter(is_asked).collect();
    assert!(lines.len() <= 1, "{lines:?}");
    lines.first().map_or(0, |line| line.rsplit_once(' ').unwrap().1.parse().unwrap())
}

fn upload(site: &Site, tenant: &Tenant) {
    let row = format!("{{\"nr\":\"{NUMBER}\",\"email\":\"{VALUE}\"}}");
    let body = ["--header", "Content-Type: application/json", "--data-binary", &row];
    let stored = site.curl(tenant, "/v1/collections/customers/records?id_field=nr", &body);
    assert_eq!(stored.status, 201, "{}", stored.body);
}

#[test]
fn what_is_answered_and_refused_is_counted_by_both_processes() {
    let site = Site::start("redb");
    let tenant = site.tenant("burg");
    upload(&site, &tenant);
    let one_record = format!("/v1/collections/customers/records/{NUMBER}");
    assert_eq!(site.curl(&tenant, &one_record, &[]).status, 200);
    let client = tenant.directory.join("client");
    let wrong = format!("Tresor-Customer-Token: {}", site.tenant("turm").customer_token());
    for _ in 0..3 {
        assert_eq!(site.curl_bare(&client, &one_record, &[], Some(&wrong)).status, 401);
    }
    for _ in 0..2 {
        assert_eq!(site.curl_bare(&client, &one_record, &[], None).status, 401);
    }
    assert_eq!(site.curl(&tenant, "/v1/nothing/erika", &[]).status, 404);

    let edge = told(&site.edge_health("metrics"));
    assert_eq!(value(&edge, "tresor_requests_total", &[GET, "code=\"200\""]), 1);
    assert_eq!(value(&edge, "tresor_requests_total", &[GET, "code=\"401\""]), 5);
    assert_eq!(value(&edge, "tresor_request_duration_seconds_count", &[GET]), 6);
    assert_eq!(value(&edge, "tresor_requests_total", &["call=\"GET none\"", "404"]), 1);
    let no_token = ["reason=\"customer_token_missing\""];
    assert_eq!(value(&edge, "tresor_refusals_total", &no_token), 2);
    let vault = told(&site.vault_health("metrics"));
    let get = "call=\"RecordService/Get\"";
    assert_eq!(value(&vault, "tresor_requests_total", &[get, "code=\"UNAUTHENTICATED\""]), 3);
    assert_eq!(value(&vault, "tresor_requests_total", &[get, "code=\"OK\""]), 1);
    let unknown_token = ["reason=\"customer_token_unknown\""];
    assert_eq!(value(&vault, "tresor_refusals_total", &unknown_token), 3);
    assert!(value(&vault, "tresor_connections", &["listener=\"data\""]) >= 1, "{vault}");

    let secrets = [NUMBER, VALUE, "erika", &tenant.customer_token(), &wrong];
    for needle in secrets {
        assert!(!edge.contains(needle) && !vault.contains(needle), "{needle}");
    }
}

#[test]
fn a_column_that_begins_to_hold_something_else_is_told_without_its_values() {
    let site = Site::start_with_log("redb", "info");
    let tenant = site.tenant("burg");
    let row = |contact: &str| format!("{{\"zweitens\":\"{contact}\"}}\n");
    let rows = row("+49 30 90 98 76 54").repeat(2_000) + &row(VALUE).repeat(2_000);
    let file = site.path("rows.ndjson");
    std::fs::write(&file, rows).unwrap();
    let from = format!("@{}", file.display());
    let body = ["--header", "Content-Type: application/x-ndjson", "--data-binary", &from];
    assert_eq!(site.curl(&tenant, "/v1/collections/customers/records", &body).status, 200);
    let edge = told(&site.edge_health("metrics"));
    assert_eq!(value(&edge, "tresor_column_drifts_total", &[]), 1);
    let log = std::fs::read_to_string(site.path("external-api.log")).unwrap();
    for part in ["begins to hold something else", "PHONE_NUMBER", "EMAIL_ADDRESS"] {
        assert!(log.contains(part), "{part} in {log}");
    }
    assert!(!log.contains(VALUE) && !log.contains("zweitens"), "{log}");
}

#[test]
fn connections_that_are_refused_are_counted_by_reason() {
    let site = Site::start("redb");
    let plain = run(Command::new("curl").args(["--silent", "--insecure", &site.url("/")]), "");
    assert_ne!(plain.code, 0, "without a certificate nobody gets in");
    let edge = told(&site.edge_health("metrics"));
    let refused = "tresor_connections_refused_total{listener=\"customers\",reason=";
    assert!(edge.contains(refused), "{edge}");
}

/// Reads the vault's metrics until they tell of logins, or of none.
fn until_logins(site: &Site, are_any: bool) -> String {
    let begun = Instant::now();
    loop {
        let vault = told(&site.vault_health("metrics"));
        if (value(&vault, "tresor_logins_under_way", &[]) > 0) == are_any {
            return vault;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{vault}");
    }
}

#[test]
fn passwords_that_are_being_checked_are_told_while_they_are() {
    let site = Site::start_with_log("redb", "info");
    let tenant = site.tenant_with_user("burg");
    until_logins(&site, false);
    let (client, is_seen) = (tenant.directory.join("client"), AtomicBool::new(false));
    let vault = std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0.. {
                if is_seen.load(Ordering::Relaxed) {
                    return;
                }
                let header = basic(&format!("nobody-{number}"), "a wrong password");
                assert_ne!(site.curl_bare(&client, "/v1/limits", &[], Some(&header)).status, 200);
            }
        });
        let vault = std::panic::catch_unwind(|| until_logins(&site, true));
        is_seen.store(true, Ordering::Relaxed);
        vault.unwrap()
    });
    assert!(!vault.contains("nobody"), "{vault}");
    until_logins(&site, false);
}
