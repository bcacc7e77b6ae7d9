//! The vault process is told to stop while it works: calls under way end or are told to come back,
//! what was acknowledged is there afterwards, and the process ends in order within its grace.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
#![allow(clippy::print_stdout, reason = "what was measured is shown by the runner")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    process::{Child, ChildStdout, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use tresor_tests::{Load, Random, Site, bad_calls, is_long, run};

/// Shutdowns of one engine.
fn shutdowns() -> u32 {
    if is_long() { 200 } else { 5 }
}

fn a_shutdown_under_load_loses_nothing(engine: &'static str) {
    let mut random = Random::of_this_run();
    let mut site = Site::start_with_log(engine, "info");
    let mut load = Load::start(&site, &mut random);
    assert_eq!(site.vault().stop(), 0);
    site.start_vault();
    for _ in 0..shutdowns() {
        load.tell("load");
        sleep(Duration::from_millis(random.within(100..400)));
        assert_eq!(site.vault().stop(), 0, "{}", site.vault().log());
        load.tell("wait");
        site.start_vault();
        load.tell("check");
    }
    let done = load.count("end");
    println!("{engine}: {done}");
    let ends = done.as_object().unwrap().keys().filter(|kind| kind.starts_with("ended "));
    assert_eq!(ends.collect::<Vec<_>>(), ["ended UNAVAILABLE"], "{done}");
    let log = site.vault().log();
    for trouble in ["grace is over", "quarantined", "panic"] {
        assert!(!log.contains(trouble), "{trouble}: {log}");
    }
}

#[test]
fn a_shutdown_under_load_loses_nothing_with_sled() {
    a_shutdown_under_load_loses_nothing("sled");
}

#[test]
fn a_shutdown_under_load_loses_nothing_with_redb() {
    a_shutdown_under_load_loses_nothing("redb");
}

/// A client with calls that end only when the vault ends them.
fn hanging_calls(site: &mut Site) -> (Child, BufReader<ChildStdout>) {
    let tenant = site.tenant("herne");
    site.write_configs(&[&tenant.id]);
    let config = fs::read_to_string(site.path("internal-api.toml")).unwrap();
    site.write_private("internal-api.toml", &format!("shutdown_grace_ms = 1000\n{config}"));
    assert_eq!(site.vault().stop(), 0);
    site.start_vault();
    let mut command = bad_calls(site, &tenant, "hang");
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = child.unwrap();
    writeln!(child.stdin.take().unwrap(), "{}", tenant.customer_token()).unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    (child, output)
}

#[test]
fn a_call_that_does_not_end_is_cut_off_and_a_second_signal_changes_nothing() {
    let mut site = Site::start_with_log("sled", "info");
    let (mut child, mut output) = hanging_calls(&mut site);
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert_eq!(line, "hanging\n");
    run(Command::new("kill").arg("-TERM").arg(site.vault().id().to_string()), "").ok();
    assert_eq!(site.vault().stop(), 0, "{}", site.vault().log());
    assert!(site.vault().log().contains("the grace is over"), "{}", site.vault().log());
    let mut codes = String::new();
    output.read_to_string(&mut codes).unwrap();
    assert_eq!(codes, "put UNAVAILABLE overloaded\ningest UNAVAILABLE overloaded\n");
    assert!(child.wait().unwrap().success());
}
