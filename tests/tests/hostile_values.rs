//! Values that hide what they are, and files made to hurt, through each door: `tresor screen`, a dry run
//! and an upload. What is hidden is sealed behind all of them, and all of them say the same.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

#[path = "../fuzz/random.rs"]
#[allow(dead_code, reason = "shared; each test uses a part")]
mod random;

use std::fs;

use random::{Random, cases};
use serde_json::{Value, json};
use tresor_tests::{Answer, Site, Tenant};

/// Bytes of the longest value.
const VALUE_BYTES_MAX: usize = 64 * 1024;
const NDJSON: &str = "application/x-ndjson";

struct Setting {
    site: Site,
    tenant: Tenant,
}

/// What a door says of a file: the rows it takes and those it refuses, and of the former the verdicts.
#[derive(Debug, PartialEq)]
struct Told {
    counts: [u64; 2],
    verdicts: Vec<Value>,
}

impl Setting {
    fn new() -> Self {
        let site = Site::start_with_log("sled", "warn");
        let tenant = site.tenant("burg");
        Self { site, tenant }
    }

    fn post(&self, path: &str, content_type: &str, body: &[u8]) -> Answer {
        let file = self.site.path("body");
        fs::write(&file, body).unwrap();
        let data = format!("@{}", file.display());
        let content_type = format!("Content-Type: {content_type}");
        let arguments = ["-H", &content_type, "--data-binary", &data];
        self.site.curl(&self.tenant, path, &arguments)
    }

    /// What a door of the external API says.
    fn asked(&self, path: &str, content_type: &str, body: &[u8]) -> Told {
        let lines = self.post(path, content_type, body).lines();
        let (last, rows) = lines.split_last().unwrap();
        assert_eq!(last["summary"]["complete"], true, "{last}");
        let counts = ["accepted", "rejected"].map(|name| last["summary"][name].as_u64().unwrap());
        let taken = rows.iter().filter(|row| row["problem"].is_null());
        Told { counts, verdicts: taken.map(|row| row["verdicts"].clone()).collect() }
    }

    /// What both doors of the external API say, which is the same.
    fn both(&self, content_type: &str, body: &[u8]) -> Told {
        let dry = self.asked("/v1/screen?collection=customers", content_type, body);
        let upload = "/v1/collections/customers/records?explain=true";
        assert_eq!(self.asked(upload, content_type, body), dry, "{}", body.escape_ascii());
        dry
    }

    /// What the command line says of a file.
    fn report(&self, name: &str, body: &[u8]) -> Value {
        let file = self.site.path(name);
        fs::write(&file, body).unwrap();
        let ran = self.site.tresor(&["screen", file.to_str().unwrap(), "--output", "json"]);
        let report = ran.json();
        let expected = if report["rejected"] == 0 { 0 } else { 3 };
        assert_eq!(ran.code, expected, "{}", ran.stderr);
        report
    }
}

/// Puts a sign between every two of a value's characters.
fn spread(value: &str, sign: &str) -> String {
    value.chars().map(String::from).collect::<Vec<_>>().join(sign)
}

/// The value in full-width letters and digits.
fn wide(value: &str) -> String {
    let widen = |c: char| match c {
        '!'..='~' => char::from_u32(u32::from(c) + 0xFEE0).unwrap(),
        _ => c,
    };
    value.chars().map(widen).collect()
}

/// The value with Cyrillic letters that look like Latin ones, and Arabic digits.
fn alike(value: &str) -> String {
    let swap = |c: char| match c {
        'a' => 'а',
        'e' => 'е',
        'o' => 'о',
        'E' => 'Е',
        '0'..='9' => char::from_u32(u32::from(c) - 0x30 + 0x660).unwrap(),
        _ => c,
    };
    value.chars().map(swap).collect()
}

/// What is personal, as it does not look.
fn hidden() -> Vec<String> {
    let values = [
        "DE89370400440532013000",
        "4111 1111 1111 1111",
        "+49 431 556677",
        "anna.kern@example.org",
        "192.168.2.17",
    ];
    let marks = ["\u{200b}", "\u{ad}", "\u{2060}", "\u{202e}", "\u{1}", "\u{feff}", "\u{e0041}"];
    let spread_all = |value| marks.map(|mark| spread(value, mark));
    let others = |value| [wide(value), alike(value), format!("\u{202e}{value}\u{202c}")];
    values.iter().flat_map(|value| spread_all(value).into_iter().chain(others(value))).collect()
}

#[test]
fn what_hides_what_it_is_is_sealed_behind_every_door() {
    let setting = Setting::new();
    let hidden = hidden();
    let note = |value: &str| format!("bitte notieren {value} danke");
    let rows = hidden.iter().map(|value| json!({"f1": value, "status": value, "f2": note(value)}));
    let body: String = rows.map(|row| format!("{row}\n")).collect();
    let told = setting.both(NDJSON, body.as_bytes());
    assert_eq!(told.counts, [hidden.len() as u64, 0]);
    for (verdicts, value) in told.verdicts.iter().zip(&hidden) {
        for verdict in verdicts.as_array().unwrap() {
            assert_eq!(verdict["action"], "seal", "{value:?}: {verdict}");
        }
    }
    let report = setting.report("hidden.ndjson", body.as_bytes());
    for column in report["columns"].as_array().unwrap() {
        assert_eq!(column["actions"], json!({"seal": hidden.len()}), "{column}");
    }
    // Nothing of what was hidden is in an example, however it is written.
    let shown = report.to_string();
    let is_shown = |value: &&String| shown.contains(value.as_str());
    assert_eq!(hidden.iter().filter(is_shown).count(), 0);
}

/// Records at the bounds: of length, of breadth, of depth.
fn greatest() -> Vec<String> {
    let units = ["a", "0", "@", ".", ":", "-", "1-", "a@b.", "Ä ", "Frau Müller, ", "\u{200b}1"];
    let long = units.map(|unit| json!({"f1": unit.repeat(VALUE_BYTES_MAX / unit.len())}));
    let broad =
        |fields: usize| Value::from_iter((0..fields).map(|at| (format!("f{at}"), json!(at))));
    let deep = |depth: usize| format!("{{\"a\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
    let rows = long.into_iter().chain([broad(256), broad(257)]).map(|row| row.to_string());
    rows.chain([deep(15), deep(16), deep(50_000)]).collect()
}

#[test]
fn records_at_the_bounds_are_screened_or_refused_alike_by_every_door() {
    let setting = Setting::new();
    let body = greatest().join("\n");
    let told = setting.both(NDJSON, body.as_bytes());
    assert_eq!(told.counts, [13, 3]);
    let report = setting.report("greatest.ndjson", body.as_bytes());
    assert_eq!((&report["records"], &report["rejected"]), (&json!(13), &json!(3)));
}

const ROW: &str = "{\"name\":\"J\u{f6}rg M\u{fc}ller\",\"iban\":\"DE89370400440532013000\",\"f1\":\"\u{202e}4111 1111\u{200b}1111 1111\",\
                   \"notiz\":\"Frau Anna Kern, Hauptstra\u{df}e 12, 30911 Burg, Tel. +49 431 556677\",\"a\":{\"b\":[1,null,\"x\"]}}";
const LINE: &str =
    "J\u{f6}rg;DE89370400440532013000;\"Frau \"\"Kern\"\"; 0171 2345678\";\u{ff11}\u{ff12}\n";

#[test]
fn files_of_random_damage_are_told_alike_by_every_door() {
    let setting = Setting::new();
    let mut random = Random::of_this_run();
    for _ in 0..cases(4, 200) {
        let lines = (0..150).map(|_| [&random.mutated(ROW.as_bytes())[..], b"\n"].concat());
        let body = lines.collect::<Vec<_>>().concat();
        let told = setting.both(NDJSON, &body);
        assert!(told.counts[0] > 10 && told.counts[1] > 10, "{:?}", told.counts);
        let report = setting.report("damaged.ndjson", &body);
        assert_eq!(
            [&report["records"], &report["rejected"]].map(Value::as_u64),
            told.counts.map(Some)
        );

        let lines = (0..150).map(|_| random.mutated(LINE.as_bytes()));
        let body = [&b"name;iban;notiz;f1\n"[..], &lines.collect::<Vec<_>>().concat()].concat();
        let told = setting.both("text/csv", &body);
        let report = setting.report("damaged.csv", &body);
        assert_eq!(
            [&report["records"], &report["rejected"]].map(Value::as_u64),
            told.counts.map(Some)
        );
    }
    let limits = setting.site.curl(&setting.tenant, "/v1/limits", &[]);
    assert_eq!(limits.status, 200, "it serves: {}", limits.body);
}
