//! The vault's door under careless and hostile services (`clients/bad_calls.py`): whatever they do,
//! others are served, seats come back, memory stays bounded, and no record is half there.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
#![allow(clippy::print_stdout, reason = "what was measured is shown by the runner")]

use std::fs;

use tresor_tests::{Site, bad_calls, is_long, run};

/// Mebibytes the process may hold at most: unlocking takes 64 of them, what is sent is far more.
const RESIDENT_MEBIBYTES_MAX: u64 = 200;

fn rounds() -> u32 {
    if is_long() { 20 } else { 1 }
}

/// The most memory the process has ever had resident, in MiB.
fn resident_peak(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

/// Plays scenarios against a vault with eight seats for each service.
fn bears(scenarios: &[&str]) {
    let mut site = Site::start_with_log("redb", "info");
    let tenant = site.tenant("burg");
    site.write_configs(&[&tenant.id]);
    let config = fs::read_to_string(site.path("internal-api.toml")).unwrap();
    let config = config.replacen("[[services]]", "[limits]\nrequests_max = 16\n[[services]]", 1);
    site.write_private("internal-api.toml", &config);
    assert_eq!(site.vault().stop(), 0);
    site.start_vault();
    for scenario in (0..rounds()).flat_map(|_| scenarios) {
        let mut command = bad_calls(&site, &tenant, scenario);
        let ran = run(&mut command, tenant.customer_token());
        assert_eq!(ran.code, 0, "{scenario}: {}", ran.stderr);
        let peak = resident_peak(site.vault().id());
        println!("{scenario}: {peak} MiB at most: {}", ran.stdout.trim());
        assert!(peak < RESIDENT_MEBIBYTES_MAX, "{scenario}: {peak} MiB");
    }
    assert_eq!(site.vault().stop(), 0);
    let log = site.vault().log();
    assert!(!log.contains("panic") && !log.contains("quarantined"), "{log}");
}

#[test]
fn a_deadline_that_is_exceeded_leaves_no_half_record() {
    bears(&["deadline"]);
}

#[test]
fn unknown_methods_and_floods_of_headers_and_streams_are_refused_and_others_served() {
    bears(&["unknown", "metadata", "streams"]);
}

#[test]
fn clients_that_go_away_or_do_not_listen_lose_nothing_and_take_no_seat() {
    bears(&["half_way", "deaf"]);
}

#[test]
fn one_call_too_many_is_told_when_to_come_back() {
    bears(&["crowd"]);
}
