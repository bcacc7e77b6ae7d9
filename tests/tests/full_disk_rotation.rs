//! The disk runs full while data keys are replaced: every other change of keys is refused for want
//! of space and changes nothing, reading goes on, and when there is space the same process brings
//! the rotation to its end.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{fmt::Write as _, fs, thread::sleep, time::Duration};

use serde_json::Value;
use tresor_tests::{Ran, Site, SmallDisk, Tenant, with_own_mounts};

const RECORDS: usize = 300;
const DISK_MEBIBYTES: u32 = 96;
/// Everything that changes keys, beside what is under way.
const CHANGES: [&[&str]; 5] = [
    &["keys", "rotate-cipher", "--tenant", "burg", "--yes"],
    &["keys", "rotate-root", "--yes"],
    &["keys", "rotate-data", "--tenant", "burg", "--class", "device", "--yes"],
    &["seal", "add", "spare", "--yes"],
    &["seal", "migrate", "--from", "passphrase", "--to", "spare", "--yes"],
];

fn operator(site: &Site, arguments: &[&str]) -> Ran {
    site.operator(&[arguments, &["--output", "json"]].concat())
}

fn upload(site: &Site, tenant: &Tenant) {
    let mut rows = "nr,vorname,mail\n".to_owned();
    (0..RECORDS).for_each(|n| writeln!(rows, "r{n},Anna,anna{n}@example.org").unwrap());
    fs::write(site.path("rows.csv"), rows).unwrap();
    let upload = ["upload", "rows.csv", "--collection", "customers", "--id-field", "nr"];
    site.customer(tenant, &upload).ok();
}

/// Whether every record is there and readable.
fn assert_whole(site: &Site, tenant: &Tenant) {
    let path = "/v1/collections/customers/records?reveal=plain&page_size=1000";
    let listed = site.curl(tenant, path, &[]).json();
    let records = listed["records"].as_array().unwrap();
    let is_whole = |record: &Value| record["record"]["vorname"] == "Anna";
    assert!(records.len() == RECORDS && records.iter().all(is_whole), "{listed}");
}

/// The keys of the vault and of the tenant, as far as changes of keys show.
fn keys(site: &Site) -> Vec<Value> {
    let all = operator(site, &["keys", "status"]).ok().json();
    let tenant = operator(site, &["keys", "status", "--tenant", "burg"]).ok().json();
    let keys = [&all["system"], &tenant["tenants"][0]["keys"]];
    let keys = keys.into_iter().flat_map(|keys| keys.as_array().unwrap().clone());
    let shown = |key: Value| ["key", "class", "version", "state", "due"].map(|it| key[it].clone());
    keys.map(|key| shown(key).to_vec().into()).collect()
}

fn mark_and_lend(site: &Site, tenant: &Tenant) -> String {
    let mark = ["keys", "rotate-data", "--tenant", "burg", "--rate", "200", "--yes"];
    let marked = operator(site, &mark).ok().json();
    site.customer(tenant, &["keys", "token", "lend", "--yes"]).ok();
    marked["operation"].as_str().unwrap().to_owned()
}

fn state(site: &Site, operation: &str) -> String {
    let shown = operator(site, &["keys", "operations", "show", operation]).ok().json();
    shown["state"].as_str().unwrap().to_owned()
}

fn assert_refused(ran: &Ran) {
    let said = [ran.stdout.as_str(), &ran.stderr].concat();
    assert!(ran.code != 0 && said.contains("storage_unavailable"), "{said}");
}

fn rotations_wait_for_space(engine: &'static str) {
    let mut site = Site::start_with_log(engine, "info");
    let tenant = site.tenant("burg");
    upload(&site, &tenant);
    assert_eq!(site.vault().stop(), 0);
    site.name_spare_seal();
    let disk = SmallDisk::under(&site.data_dir(), DISK_MEBIBYTES);
    site.start_vault();

    let operation = mark_and_lend(&site, &tenant);
    disk.fill(0);
    let before = keys(&site);
    for change in CHANGES {
        assert_refused(&operator(&site, change));
    }
    let issue = site.curl(&tenant, "/v1/keys/tokens", &["--json", r#"{"kind":"grant"}"#]);
    assert_eq!((issue.status, issue.code().as_str()), (503, "storage_unavailable"));
    assert_eq!(keys(&site), before, "what was refused changed something");
    assert_whole(&site, &tenant);
    assert_ne!(state(&site, &operation), "done");

    let process = site.vault().id();
    disk.free();
    let is_done = |_| {
        sleep(Duration::from_millis(200));
        state(&site, &operation) == "done"
    };
    assert!((0..300).any(is_done), "{}", site.vault().log());
    CHANGES.iter().for_each(|change| drop(operator(&site, change).ok()));
    assert_whole(&site, &tenant);
    assert!(site.vault().is_running() && site.vault().id() == process);
    let after = keys(&site);
    site.vault().kill();
    site.start_vault();
    assert_eq!(keys(&site), after);
    assert_whole(&site, &tenant);
    assert!(!site.vault().log().contains("quarantined"), "{}", site.vault().log());
}

#[test]
fn rotations_wait_for_space_on_a_full_disk_with_sled() {
    with_own_mounts("rotations_wait_for_space_on_a_full_disk_with_sled", || {
        rotations_wait_for_space("sled");
    });
}

#[test]
fn rotations_wait_for_space_on_a_full_disk_with_redb() {
    with_own_mounts("rotations_wait_for_space_on_a_full_disk_with_redb", || {
        rotations_wait_for_space("redb");
    });
}
