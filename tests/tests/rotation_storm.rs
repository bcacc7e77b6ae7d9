//! All keys of a vault are replaced again and again, under load at both doors, while the vault runs
//! or is killed at random: no request fails, no row is lost, nothing hangs on a key that is gone.
//!
//! The load, the rotations and the comparison are Python's (`clients/storm.py`), which repeats only
//! what the table of errors says may be repeated.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
#![allow(clippy::print_stdout, reason = "what was measured is shown by the runner")]

use std::{
    fs,
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::Value;
use tresor_tests::{Load, Random, Site, is_long};

/// What every rotation is counted as.
const ROTATIONS: [&str; 4] = ["rotate-cipher", "rotate-data", "rotate-root", "seal"];
/// What clients do, beside replacing keys.
const REQUESTS: [&str; 7] = ["put", "get", "list", "delete", "issue", "rotate", "revoke"];
/// What opens the data directory, but for the customer token.
const KEY_FILES: [&str; 2] = ["system/seal.trs", "system/keyring.trk"];

/// How often each rotation is to end in a run without kills.
fn rotations() -> u64 {
    if is_long() { 50 } else { 1 }
}

/// Requests of a run without kills, at least.
fn requests() -> u64 {
    if is_long() { 20_000 } else { 500 }
}

/// Kills of a run.
fn kills() -> u64 {
    if is_long() { 100 } else { 5 }
}

/// A vault under load, and the keys it had before.
struct Storm {
    site: Site,
    load: Load,
    random: Random,
    old_keys: Vec<(PathBuf, Vec<u8>)>,
    begun: Instant,
}

impl Storm {
    fn begin(engine: &'static str) -> Self {
        let mut random = Random::of_this_run();
        let mut site = Site::start_with_log(engine, "info");
        let mut load = Load::storm(&site, &mut random);
        site.name_spare_seal();
        assert_eq!(site.vault().stop(), 0);
        let keyring = Path::new("keyrings").join(&load.tenant.id).with_extension("trk");
        let files = KEY_FILES.into_iter().map(PathBuf::from).chain([keyring]);
        let read = |file: PathBuf| (file.clone(), fs::read(site.data_dir().join(file)).unwrap());
        let old_keys = files.map(read).collect();
        site.start_vault();
        load.tell("begin");
        Self { site, load, random, old_keys, begun: Instant::now() }
    }

    /// Kills the vault at a random moment, also while it starts, and starts it anew; now and then
    /// the edge too.
    fn kill(&mut self) {
        // Now and then there is time for what takes long, as the work of passphrases does.
        let is_long = self.random.within(0..4) == 0;
        let lifetime_ms = if is_long { 2_000..8_000 } else { 100..1_500 };
        sleep(Duration::from_millis(self.random.within(lifetime_ms)));
        self.site.vault().kill();
        if self.random.within(0..4) == 0 {
            self.site.launch_vault();
            sleep(Duration::from_millis(self.random.within(0..400)));
            self.site.vault().kill();
        }
        self.site.start_vault();
        if self.random.within(0..4) == 0 {
            self.site.edge().kill();
            self.site.start_edge();
        }
    }

    /// Brings every rotation to its end and compares; gives what was done.
    fn end(&mut self, kills: u64) -> Value {
        let done = self.load.count("stop");
        let seconds = self.begun.elapsed().as_secs().max(1);
        let rate = count(&done, "requests") / seconds;
        println!("{kills} kills, {rate} requests/s in {seconds} s: {done}");
        self.load.count("check");
        self.site.vault().kill();
        self.site.start_vault();
        let checked = self.load.count("check");
        println!("keys destroyed: {}", count(&checked, "keys destroyed"));
        assert!(count(&checked, "keys destroyed") > 0, "{checked}");
        for what in ROTATIONS.iter().chain(&REQUESTS) {
            assert!(count(&done, what) > 0, "{what} was not tried: {done}");
        }
        let log = self.site.vault().log();
        assert!(!log.contains("quarantined") && !log.contains("panic"), "{log}");
        done
    }

    /// Puts the keys of before the storm back, as a thief has them who has the customer token too:
    /// every record was sealed anew since.
    fn rob(mut self) {
        assert_eq!(self.site.vault().stop(), 0);
        for (file, bytes) in &self.old_keys {
            fs::write(self.site.data_dir().join(file), bytes).unwrap();
        }
        self.site.start_vault();
        assert_eq!(self.load.count("robbed"), 0, "an old keyring opens records of today");
    }
}

fn count(done: &Value, what: &str) -> u64 {
    done[what].as_u64().unwrap_or(0)
}

fn no_request_fails_while_all_keys_are_replaced(engine: &'static str) {
    let mut storm = Storm::begin(engine);
    loop {
        sleep(Duration::from_millis(500));
        let done = storm.load.count("progress");
        let is_replaced = ROTATIONS.iter().all(|what| count(&done, what) >= rotations());
        if is_replaced && count(&done, "requests") >= requests() {
            break;
        }
    }
    let done = storm.end(0);
    let broken = count(&done, "retried, connection");
    assert_eq!(broken, 0, "a connection broke, though nobody was killed: {done}");
    storm.rob();
}

fn no_request_fails_while_the_vault_is_killed_too(engine: &'static str) {
    let mut storm = Storm::begin(engine);
    for _ in 0..kills() {
        storm.kill();
        storm.load.count("progress");
    }
    let done = storm.end(kills());
    let broken = count(&done, "retried, connection") + count(&done, "retried, overloaded");
    assert!(broken >= kills(), "the kills met nothing under way: {done}");
    storm.rob();
}

#[test]
fn no_request_fails_while_all_keys_are_replaced_with_sled() {
    no_request_fails_while_all_keys_are_replaced("sled");
}

#[test]
fn no_request_fails_while_all_keys_are_replaced_with_redb() {
    no_request_fails_while_all_keys_are_replaced("redb");
}

#[test]
fn no_request_fails_while_keys_are_replaced_and_the_vault_is_killed_with_sled() {
    no_request_fails_while_the_vault_is_killed_too("sled");
}

#[test]
fn no_request_fails_while_keys_are_replaced_and_the_vault_is_killed_with_redb() {
    no_request_fails_while_the_vault_is_killed_too("redb");
}
