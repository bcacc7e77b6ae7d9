//! The vault process on a disk that runs full under load: writes are refused and may be tried
//! again, reads go on, also after a restart, and when there is space the same process writes again.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
#![allow(clippy::print_stdout, reason = "what was measured is shown by the runner")]

use std::{process::Command, thread::sleep, time::Duration};

use serde_json::Value;
use tresor_tests::{Load, Random, Site, SmallDisk, Tenant, binary, is_long, run, with_own_mounts};

/// Beside those of the load, which knows all records of its collection.
const RECORDS: &str = "/v1/collections/letters/records";
const DISK_MEBIBYTES: u32 = 96;
/// Less than the vault wants for writing, more than an engine needs to be opened.
const BYTES_LEFT: u64 = 16 * 1024 * 1024;

/// How often the disk runs full.
fn fillings() -> u32 {
    if is_long() { 20 } else { 1 }
}

fn written(counts: &Value) -> u64 {
    let kinds = ["put", "batch", "ingest", "delete"];
    kinds.iter().map(|kind| counts[kind].as_u64().unwrap_or(0)).sum()
}

/// Waits for a while of load in which the counts are as `is_so` wants them.
fn wait_until(load: &mut Load, what: &str, is_so: impl Fn(&Value) -> bool) {
    let mut is_there = || {
        let _ = load.count("progress");
        sleep(Duration::from_millis(500));
        is_so(&load.count("progress"))
    };
    assert!((0..60).any(|_| is_there()), "{what} never came");
}

fn wait_until_refused(load: &mut Load) {
    wait_until(load, "a while without writes", |counts| {
        written(counts) == 0 && counts["refused"].as_u64() > Some(0)
    });
}

fn wait_until_written(load: &mut Load) {
    wait_until(load, "a while without refusals", |counts| {
        written(counts) > 0 && counts["refused"].as_u64().unwrap_or(0) == 0
    });
}

fn put(site: &Site, tenant: &Tenant) -> (u16, String) {
    let body = ["-i", "-H", "Content-Type: application/json", "--data-binary"];
    let body = [&body[..], &["{\"nr\":\"r1\",\"vorname\":\"Anna\"}"]].concat();
    let answer = site.curl(tenant, &format!("{RECORDS}?id_field=nr"), &body);
    (answer.status, answer.body.to_lowercase())
}

/// The customers' door says what to do about it.
fn assert_refused_at_the_edge(site: &Site, tenant: &Tenant) {
    let (status, answer) = put(site, tenant);
    assert_eq!(status, 503, "{answer}");
    for part in ["storage_unavailable", "retry-after: "] {
        assert!(answer.contains(part), "{part}: {answer}");
    }
}

fn enrol(site: &Site, tenant: &Tenant) -> u16 {
    let code = std::fs::read_to_string(tenant.directory.join("code")).unwrap();
    let body = format!("{{\"enrolment_code\":\"{}\"}}", code.trim());
    site.write_private("code.json", &body);
    let data = format!("@{}", site.path("code.json").display());
    let arguments = ["-H", "Content-Type: application/json", "--data-binary", &data];
    site.curl_bare(&tenant.directory.join("client"), "/v1/enrol", &arguments, None).status
}

/// Less is left than the vault wants for writing: reads go on, and so does a new process.
fn the_disk_runs_short(site: &mut Site, load: &mut Load, disk: &SmallDisk) {
    disk.fill(BYTES_LEFT);
    wait_until_refused(load);
    for is_restarted in [false, true] {
        if is_restarted {
            load.tell("stop");
            assert_eq!(site.vault().stop(), 0, "it closes in order");
            site.start_vault();
        }
        assert_refused_at_the_edge(site, &load.tenant);
        let listed = site.curl(&load.tenant, &format!("{RECORDS}?reveal=plain"), &[]);
        assert_eq!(listed.status, 200, "{}", listed.body);
    }
    load.tell("check");
    the_same_process_writes_again(site, load, disk);
}

/// Every byte is gone from one moment to the next: an engine may be neither closed in order nor
/// opened, and says so; as soon as there is a little space it is.
fn the_disk_is_full_at_once(site: &mut Site, load: &mut Load, disk: &SmallDisk, turn: u32) {
    let newcomer = site.registered_tenant(&format!("herne-{turn}"));
    disk.fill(0);
    wait_until_refused(load);
    assert_refused_at_the_edge(site, &load.tenant);
    assert_eq!(enrol(site, &newcomer), 503, "a keyring wants space too");
    load.tell("stop");
    assert!([0, 1].contains(&site.vault().stop()));
    let config = site.path("internal-api.toml");
    let mut full = Command::new("timeout");
    full.args(["--signal=TERM", "3"]).arg(binary("internal-api")).arg("--config").arg(config);
    let ran = run(&mut full, "");
    assert!(!ran.stderr.contains("damaged"), "{}", ran.stderr);
    assert!(ran.code != 1 || ran.stderr.contains("disk is full"), "{}", ran.stderr);
    disk.free_some(BYTES_LEFT);
    site.start_vault();
    load.tell("check");
    assert_refused_at_the_edge(site, &load.tenant);
    the_same_process_writes_again(site, load, disk);
    assert_eq!(enrol(site, &newcomer), 201, "the code was not used up");
}

fn the_same_process_writes_again(site: &mut Site, load: &mut Load, disk: &SmallDisk) {
    let process = site.vault().id();
    load.tell("patience");
    disk.free();
    wait_until_written(load);
    assert_eq!(put(site, &load.tenant).0, 201);
    assert!(site.vault().is_running() && site.vault().id() == process);
}

fn writes_are_refused_while_the_disk_is_full(engine: &'static str) {
    let mut random = Random::of_this_run();
    let mut site = Site::start_with_log(engine, "info");
    let mut load = Load::start(&site, &mut random);
    site.operator(&["collection", "put", "letters", "--tenant", &load.tenant.name]).ok();
    assert_eq!(site.vault().stop(), 0);
    let disk = SmallDisk::under(&site.data_dir(), DISK_MEBIBYTES);
    site.start_vault();
    load.tell("patience");
    wait_until_written(&mut load);
    for turn in 0..fillings() {
        the_disk_runs_short(&mut site, &mut load, &disk);
        the_disk_is_full_at_once(&mut site, &mut load, &disk, turn);
    }
    load.tell("stop");
    load.tell("check");
    assert_eq!(site.vault().stop(), 0);
    site.start_vault();
    load.tell("check");
    println!("{engine}: {}", load.tell("end"));
    assert!(!site.vault().log().contains("quarantined"), "{}", site.vault().log());
}

#[test]
fn a_full_disk_refuses_writes_until_there_is_space_with_sled() {
    with_own_mounts("a_full_disk_refuses_writes_until_there_is_space_with_sled", || {
        writes_are_refused_while_the_disk_is_full("sled");
    });
}

#[test]
fn a_full_disk_refuses_writes_until_there_is_space_with_redb() {
    with_own_mounts("a_full_disk_refuses_writes_until_there_is_space_with_redb", || {
        writes_are_refused_while_the_disk_is_full("redb");
    });
}
