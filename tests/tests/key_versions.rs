//! Files of format-preserving surrogates, while identifier keys are replaced: each tells the version of
//! its key and is of one, whether a run goes on by itself or is gone on with.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tresor_tests::{Process, Ran, Site, Tenant};

const POLICY: &str = "fields:
  nr: { action: clear }
  telefon: { info_type: PHONE_NUMBER, tokenize: format-preserving }
";
/// Values that are asked for at once.
const BATCH: usize = 1_000;
/// So many batches that a run is met while it writes.
const LINES: usize = 8 * BATCH;
const ROWS: usize = 3_000;
/// How long something may take to come.
const WAIT_MAX: Duration = Duration::from_secs(60);
const METERS: [&str; 8] = [
    "--info-type",
    "METER_ID",
    "--kind",
    "format-preserving",
    "--format",
    "digits",
    "--output",
    "json",
];

struct Setting {
    site: Site,
    tenant: Tenant,
}

impl Setting {
    fn new() -> Self {
        let site = Site::start_with_log("sled", "warn");
        let tenant = site.tenant("burg");
        Self { site, tenant }
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.site.customer(&self.tenant, arguments)
    }

    /// Replaces the identifier keys; the older ones are there on.
    fn rekey(&self) {
        let rekey =
            ["keys", "rekey-identifiers", "--tenant", "burg", "--destroy-after", "30d", "--yes"];
        self.site.operator(&rekey).ok();
        self.run(&["keys", "token", "lend", "--yes", "--wait"]).ok();
    }

    /// Starts a run and kills it once some of its rows are done; gives how many.
    fn cut_off(&self, arguments: &[&str], progress: &str) -> u64 {
        let mut command = self.site.customer_command(&self.tenant, arguments);
        let mut process = Process::start(&mut command, &self.site.path("cut.log"));
        let progress = self.site.path(progress);
        let rows = wait_for(|| rows_of(&progress).filter(|rows| *rows > 0));
        process.kill();
        assert!(progress.exists(), "it was not cut off: {}", process.log());
        rows_of(&progress).unwrap().max(rows)
    }

    /// That a run is refused, as often as it is tried, and writes nothing.
    fn assert_refused(&self, arguments: &[&str], out: &str) {
        let draft = || fs::read(self.site.path(&format!("{out}.tresor-part"))).unwrap();
        self.assert_stopped(&self.run(arguments), out);
        let written = draft();
        self.assert_stopped(&self.run(arguments), out);
        assert!(draft() == written, "what is written is kept as it is");
    }

    fn assert_stopped(&self, ran: &Ran, out: &str) {
        let told = &ran.stderr;
        assert_eq!(ran.code, 1, "{told}");
        assert!(told.contains("identifier keys") && told.contains("--restart"), "{told}");
        assert!(told.contains("2 now") && told.contains("version 1"), "{told}");
        assert!(!told.contains("same command") && !self.site.path(out).exists(), "{told}");
    }
}

/// How many rows are done, as far as that is written down.
fn rows_of(progress: &Path) -> Option<u64> {
    serde_json::from_slice::<Value>(&fs::read(progress).ok()?).ok()?["rows"].as_u64()
}

fn wait_for<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < WAIT_MAX, "it does not come");
        sleep(Duration::from_millis(1));
    }
}

fn meters(numbers: core::ops::Range<usize>) -> String {
    numbers.map(|number| format!("{:08}\n", number * 97 + 11)).collect()
}

/// A run that reads what the test writes.
fn piped(mut command: Command, log: &Path) -> std::process::Child {
    let log = fs::File::create(log).unwrap();
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log).spawn().unwrap()
}

#[test]
fn no_file_of_surrogates_is_of_two_keys() {
    let setting = Setting::new();
    let values = meters(0..LINES);
    setting.site.write("meters.txt", &values);
    let tokenize = |file, out| [&["tokenize", file, "--out", out][..], &METERS].concat();
    setting.site.write("few.txt", &meters(0..3));
    let whole = setting.run(&tokenize("few.txt", "old.txt")).ok().json();
    assert_eq!(whole["key_versions"], json!({ "METER_ID": 1 }), "{whole}");

    let command = setting.site.customer_command(&setting.tenant, &tokenize("-", "piped.txt"));
    let mut run = piped(command, &setting.site.path("piped.log"));
    let mut input = run.stdin.take().unwrap();
    input.write_all(meters(0..BATCH + 1).as_bytes()).unwrap();
    let draft = setting.site.path("piped.txt.tresor-part");
    let first = wait_for(|| {
        let written = fs::read_to_string(&draft).unwrap_or_default();
        (written.lines().count() == BATCH && written.ends_with('\n')).then_some(written)
    });
    let cut = tokenize("meters.txt", "cut.txt");
    let rows = setting.cut_off(&cut, "cut.txt.tresor-progress");
    assert!((1..LINES as u64).contains(&rows), "it was done: {rows}");
    setting.rekey();

    input.write_all(meters(BATCH + 1..2 * BATCH).as_bytes()).unwrap();
    drop(input);
    assert_eq!(run.wait().unwrap().code(), Some(1));
    let told = setting.site.read("piped.log");
    assert!(told.contains("identifier keys") && told.contains("from the beginning"), "{told}");
    assert!(!setting.site.path("piped.txt").exists());
    assert_eq!(fs::read_to_string(&draft).unwrap(), first, "nothing of the newer key");

    setting.assert_refused(&cut, "cut.txt");
    let anew = setting.run(&[&cut[..], &["--restart"]].concat()).ok().json();
    assert_eq!(anew["key_versions"], json!({ "METER_ID": 2 }), "{anew}");
    let form = ["--info-type", "METER_ID", "--format", "digits", "--reveal", "plain"];
    for (file, version, values) in [("old.txt", "1", meters(0..3)), ("cut.txt", "2", values)] {
        let back = format!("{file}.back");
        let plain = ["detokenize", file, "--key-version", version, "--out", &back];
        setting.run(&[&plain[..], &form].concat()).ok();
        assert!(setting.site.read(&back) == values, "{file} is of version {version}");
    }
    let older = ["surrogates", "renew", "old.txt", "--info-type", "METER_ID", "--format", "digits"];
    let to = ["--key-version", "1", "--out", "map.csv", "--output", "json"];
    let renewed = setting.run(&[&older[..], &to].concat()).ok().json();
    assert_eq!(renewed["key_versions"], json!({ "METER_ID": 2 }), "{renewed}");
    let noted = setting.run(&[&["tokenize", "few.txt"][..], &METERS[..6]].concat()).ok();
    assert!(noted.stderr.contains("METER_ID are of key version 2"), "{}", noted.stderr);
}

#[test]
fn no_copy_of_an_upload_is_of_two_keys() {
    let setting = Setting::new();
    setting.site.write("policy.yaml", POLICY);
    let put = ["collection", "put", "people", "-f", "policy.yaml", "--tenant", "burg"];
    setting.site.operator(&put).ok();
    let row = |nr: usize| format!("{nr};+49 30 {:07}\n", nr * 97 + 1_000_000);
    let csv: String = (0..ROWS).map(row).collect();
    setting.site.write("many.csv", &format!("nr;telefon\n{csv}"));
    setting.site.write("one.csv", "nr;telefon\none;+49 30 1000000\n");
    let upload = |file| {
        let collection = ["--collection", "people", "--id-field", "nr", "--output", "json"];
        [&["upload", file][..], &collection].concat()
    };
    let copied = |file, out| [&upload(file)[..], &["--out", out]].concat();
    let one = setting.run(&copied("one.csv", "one.out.csv")).ok().json();
    assert_eq!(one["key_versions"], json!({ "telefon": 1 }), "{one}");
    let many = copied("many.csv", "out.csv");
    let rows = setting.cut_off(&many, "many.csv.tresor-progress");
    assert!((1..ROWS as u64).contains(&rows), "it was done: {rows}");
    setting.rekey();
    setting.assert_refused(&many, "out.csv");
    let anew = setting.run(&[&many[..], &["--restart"]].concat()).ok().json();
    assert_eq!(anew["key_versions"], json!({ "telefon": 2 }), "{anew}");
    let plain = ["detokenize", "out.csv", "--column", "telefon", "--info-type", "PHONE_NUMBER"];
    let to = ["--key-version", "2", "--reveal", "plain", "--out", "back.csv"];
    setting.run(&[&plain[..], &to].concat()).ok();
    assert!(
        setting.site.read("back.csv") == setting.site.read("many.csv"),
        "throughout of version 2"
    );

    let get = ["get", "one", "--collection", "people"];
    let shown = setting.run(&[&get[..], &["--output", "json"]].concat()).ok().json();
    assert_eq!(shown["fields"][1]["key_version"], 2, "{shown}");
    let table = setting.run(&get).ok().stdout;
    assert!(table.contains("key version"), "{table}");
    let listed = setting.run(&["list", "--collection", "people", "--output", "json"]).ok().json();
    assert_eq!(listed["records"][0]["fields"][1]["key_version"], 2, "{}", listed["records"][0]);
}
