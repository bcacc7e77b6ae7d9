//! Copies whose upload is killed, and gone on with.

use std::{
    fs,
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tresor_tests::Process;

use super::{Setting, rows, upload};

/// Nothing in it is another each time.
const REPEATABLE: &str = "fields:
  nr: { action: clear }
  name: { info_type: LAST_NAME, tokenize: deterministic }
  telefon: { info_type: PHONE_NUMBER, tokenize: format-preserving }
";
pub(super) const ROWS: usize = 3_000;
/// How long an upload may take to come on.
const ADVANCE_MAX: Duration = Duration::from_secs(60);

#[test]
fn a_copy_is_the_same_however_often_its_upload_is_killed() {
    let setting = Setting::new(REPEATABLE);
    let row = |nr: usize| format!("{nr};Muster{};+49 30 {:07}\n", nr % 700, nr * 97 + 1_000_000);
    let csv: String = (0..ROWS).map(row).collect();
    let file = setting.file("many.csv", &format!("nr;name;telefon\n{csv}"));
    let (out, mut known) = (setting.site.path("killed.csv"), 0);
    for _ in 0..2 {
        known = killed(&setting, &file, &out, known);
    }
    fs::write(&out, "another's").unwrap();
    let refused = setting.site.customer(&setting.tenant, &upload(&file, &out));
    assert!(refused.code == 1 && refused.stderr.contains("same command"), "{}", refused.stderr);
    assert_eq!(fs::read_to_string(&out).unwrap(), "another's");
    fs::remove_file(&out).unwrap();
    let (code, told, killed) = setting.upload(&file, "killed.csv");
    assert_eq!((code, &told["complete"]), (0, &json!(true)), "{told}");
    assert!(told["resumed_after_row"].as_u64().unwrap() >= known);
    let again = setting.file("again.csv", &fs::read_to_string(&file).unwrap());
    let (_, _, whole) = setting.upload(&again, "whole.csv");
    assert_eq!(rows(&killed).len(), ROWS);
    assert!(killed == whole, "what was killed differs from what was not");
    let left = fs::read_dir(setting.site.path(".")).unwrap();
    let left = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(left.into_iter().all(|name| !name.contains(".tresor-part")));
}

#[test]
fn no_copy_is_of_two_policies() {
    let setting = Setting::new(REPEATABLE);
    let csv: String = (0..ROWS).map(|nr| format!("{nr};Muster{nr}\n")).collect();
    let file = setting.file("many.csv", &format!("nr;name\n{csv}"));
    let out = setting.site.path("out.csv");
    killed(&setting, &file, &out, 0);
    let masked = "fields:\n  nr: { action: clear }\n  name: { info_type: LAST_NAME }\n";
    setting.file("policy.yaml", masked);
    let put = ["collection", "put", "people", "-f", "policy.yaml", "--tenant", "burg"];
    setting.site.operator(&put).ok();
    let again = upload(&file, &out);
    for _ in 0..2 {
        let refused = setting.site.customer(&setting.tenant, &again);
        assert_eq!(refused.code, 1, "{}", refused.stderr);
        let told = refused.stderr;
        assert!(told.contains("policy") && told.contains("--restart"), "{told}");
        assert!(!told.contains("same command") && !out.exists(), "{told}");
    }
    let restart = [&again[..], &["--restart"]].concat();
    setting.site.customer(&setting.tenant, &restart).ok();
    let rows = rows(&fs::read_to_string(&out).unwrap());
    assert_eq!(rows.len(), ROWS);
    assert!(rows.iter().all(|row| !row[1].starts_with("srg_")), "masks throughout");
}

/// Begins an upload, or goes on with it, and kills it once more than `rows` of its rows are
/// acknowledged; gives how many.
pub(super) fn killed(setting: &Setting, file: &Path, out: &Path, rows: u64) -> u64 {
    let mut command = setting.site.customer_command(&setting.tenant, &upload(file, out));
    let mut process = Process::start(&mut command, &setting.site.path("upload.log"));
    let known = come_on(file, rows, &process);
    process.kill();
    assert!(known < ROWS as u64 && !out.exists(), "it is not done");
    known
}

/// Waits until more than `rows` are acknowledged; gives how many.
fn come_on(file: &Path, rows: u64, process: &Process) -> u64 {
    let begun = Instant::now();
    loop {
        let text = fs::read(file.with_extension("csv.tresor-progress")).unwrap_or_default();
        let progress = serde_json::from_slice::<Value>(&text).unwrap_or_default();
        match progress["rows"].as_u64() {
            Some(now) if now > rows => return now,
            _ => assert!(begun.elapsed() < ADVANCE_MAX, "it stays: {}", process.log()),
        }
        sleep(Duration::from_millis(2));
    }
}
