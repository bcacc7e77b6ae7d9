//! Redacted copies of notes are readable, so that they stand in the copy of a file, too.

use std::fs;

use serde_json::{Value, json};

use super::{
    Setting,
    going_on::{ROWS, killed},
    rows,
};

const POLICY: &str = "fields:
  nr: { action: clear }
  notiz: { info_type: FREE_TEXT, redacted_copy: Notiz kurz }
only_declared: true
";
const NOTE: &str = "Frau Schmidt ruft an unter 0171 2345678.";
const SHORT: &str = "Frau [PERSON_NAME] ruft an unter [PHONE_NUMBER].";

#[test]
fn a_redacted_copy_is_a_column_of_the_copy_of_a_csv() {
    let setting = Setting::new(POLICY);
    let csv = format!("\u{feff}nr;notiz;menge\r\n1;;7\r\n2;{NOTE};8\r\n3;ruft an;9\r\n");
    let (code, told, copy) = setting.upload(&setting.file("people.csv", &csv), "out.csv");
    assert_eq!(code, 0, "{told}");
    let header = "\u{feff}nr;notiz;menge;Notiz kurz\r\n";
    // That a sealed text is empty is not told by its mask; that it has no copy is.
    let expected = format!("{header}1;•••;;\r\n2;•••;;{SHORT}\r\n3;•••;;ruft an\r\n");
    assert_eq!(copy, expected);
    let none = setting.file("none.csv", "nr;notiz\n");
    assert_eq!(setting.upload(&none, "none.out").2, "nr;notiz\n");
}

#[test]
fn a_redacted_copy_is_a_key_of_each_record_that_is_told_or_written_as_json() {
    let setting = Setting::new(POLICY);
    let lines = format!("{{\"nr\":\"1\"}}\n{{\"nr\":\"2\",\"notiz\":\"{NOTE}\"}}\n");
    let file = setting.file("people.ndjson", &lines);
    let (code, told, copy) = setting.upload(&file, "out.ndjson");
    assert_eq!(code, 0, "{told}");
    let written: Vec<Value> = copy.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let expected = [
        json!({"nr": "1", "Notiz kurz": null}),
        json!({"nr": "2", "notiz": "•••", "Notiz kurz": SHORT}),
    ];
    assert_eq!(written, expected);
    let data = format!("@{}", file.display());
    let arguments = ["-H", "Content-Type: application/x-ndjson", "--data-binary", &data];
    let records = "/v1/collections/people/records?pseudonymous=true";
    let answer = setting.site.curl(&setting.tenant, records, &arguments);
    let rows = answer.body.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let told: Vec<_> = rows.filter_map(|row| row.get("pseudonymous").cloned()).collect();
    assert_eq!(told, expected, "{}", answer.body);
}

#[test]
fn a_column_of_its_own_is_there_after_an_upload_was_gone_on_with() {
    let setting = Setting::new(POLICY);
    let row = |nr: usize| format!("{nr};Frau Schmidt ruft {nr} mal an\n");
    let csv: String = (0..ROWS).map(row).collect();
    let file = setting.file("many.csv", &format!("nr;notiz\n{csv}"));
    let out = setting.site.path("out.csv");
    let known = killed(&setting, &file, &out, 0);
    let (code, told, copy) = setting.upload(&file, "out.csv");
    assert_eq!((code, &told["complete"]), (0, &json!(true)), "{told}");
    assert!(told["resumed_after_row"].as_u64().unwrap() >= known, "{told}");
    assert!(copy.starts_with("nr;notiz;Notiz kurz\n"), "{copy:.80}");
    let rows = rows(&copy);
    let is_whole = |(nr, row): (usize, &Vec<String>)| {
        row[..] == [nr.to_string(), "•••".into(), format!("Frau [PERSON_NAME] ruft {nr} mal an")]
    };
    assert!(rows.len() == ROWS && rows.iter().enumerate().all(is_whole));
    assert!(!fs::read_to_string(&out).unwrap().contains("Schmidt"));
}
