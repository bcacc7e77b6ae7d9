//! The demo, as a new user runs it: on the example, and on files nobody prepared it for.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{fs, process::Command};

use serde_json::Value;
use tresor_tests::{Ran, binary, repository, run};

fn demo(arguments: &[&str]) -> Ran {
    run(Command::new(binary("tresor")).arg("demo").args(arguments).current_dir(repository()), "")
}

fn count(report: &Value, name: &str) -> u64 {
    report[name].as_u64().unwrap()
}

fn column<'a>(report: &'a Value, name: &str) -> &'a Value {
    let columns = report["columns"].as_array().unwrap();
    columns.iter().find(|column| column["name"] == name).unwrap()
}

#[test]
fn the_example_is_stored_sealed_and_no_thief_reads_it() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("kept");
    let kept = data_dir.to_str().unwrap();
    let arguments = ["examples/planning_de.csv", "--output", "json", "--data-dir", kept, "--keep"];
    let report = demo(&arguments).ok().json();
    assert_eq!(count(&report, "records_accepted"), 5_000);
    assert_eq!(count(&report, "records_rejected"), 0);
    assert_eq!(count(&report, "fields_sealed") + count(&report, "fields_clear"), 150_000);
    assert!(count(&report, "fields_sealed") >= 5_000 * 18);
    assert_eq!(count(&report, "fields_tokenized"), 5_000 * 2);
    let controls = report["controls"].as_array().unwrap();
    assert!(controls.iter().any(|control| control["what"].as_str().unwrap().starts_with("search")));
    assert!(count(&report, "sealed_values_checked") > 50_000);
    assert_eq!(count(&report, "plaintext_hits"), 0);
    assert!(count(&report, "attacks_tried") >= 10);
    assert_eq!(count(&report, "attacks_tried"), count(&report, "attacks_refused"));
    assert_eq!(report["columns"].as_array().unwrap().len(), 30);
    assert_eq!(column(&report, "iban")["info_type"], "IBAN_CODE");
    assert_eq!(column(&report, "vorname")["action"], "seal");
    assert_eq!(column(&report, "status")["action"], "clear");
    assert_eq!(column(&report, "erstellt_am")["action"], "clear");
    assert!(data_dir.read_dir().unwrap().next().is_some(), "--keep leaves everything");
}

#[test]
fn any_other_csv_works_too() {
    let directory = tempfile::tempdir().unwrap();
    let files = [
        ("comma.csv", "name,mail,count\n\"Maier, Anna\",anna@example.org,3\n", 1, 0),
        ("harmless.csv", "status;count\nopen;1\ndone;2\n", 2, 0),
        ("broken.csv", "name;mail\nAnna;anna@example.org\nonly one\nBo;bo@example.org\n", 2, 1),
    ];
    for (name, text, accepted, rejected) in files {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        let ran = demo(&[path.to_str().unwrap(), "--output", "json"]);
        assert_eq!(ran.code, if rejected == 0 { 0 } else { 3 }, "{name}: {}", ran.stderr);
        let report = ran.json();
        assert_eq!(count(&report, "records_accepted"), accepted, "{name}");
        assert_eq!(count(&report, "records_rejected"), rejected, "{name}");
        assert_eq!(count(&report, "plaintext_hits"), 0, "{name}");
        assert_eq!(count(&report, "attacks_tried"), count(&report, "attacks_refused"), "{name}");
    }
}

#[test]
fn a_missing_file_is_said_and_fails() {
    let ran = demo(&["no-such-file.csv"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("no-such-file.csv"), "{}", ran.stderr);
}
