//! `tresor upload --out`: the same file with surrogates and masks, and surrogates that go with their
//! records.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tresor_tests::{Process, Site, Tenant};

const POLICY: &str = "fields:
  nr: { action: clear }
  name: { info_type: LAST_NAME, tokenize: deterministic, searchable: exact }
  iban: { info_type: IBAN_CODE, tokenize: random }
  telefon: { info_type: PHONE_NUMBER, tokenize: format-preserving }
  email: { info_type: EMAIL_ADDRESS }
  konto: { info_type: BANK_ACCOUNT, mask: { keep_first: 2, keep_last: 2 } }
  intern: { action: drop }
";
/// The same without what is another each time.
const REPEATABLE: &str = "fields:
  nr: { action: clear }
  name: { info_type: LAST_NAME, tokenize: deterministic }
  telefon: { info_type: PHONE_NUMBER, tokenize: format-preserving }
";
const ROWS: usize = 3_000;
/// How long an upload may take to come on.
const ADVANCE_MAX: Duration = Duration::from_secs(60);

struct Setting {
    site: Site,
    tenant: Tenant,
}

impl Setting {
    fn new(policy: &str) -> Self {
        let site = Site::start_with_log("sled", "warn");
        let tenant = site.tenant("burg");
        fs::write(site.path("policy.yaml"), policy).unwrap();
        let put = ["collection", "put", "people", "-f", "policy.yaml", "--tenant", "burg"];
        site.operator(&put).ok();
        Self { site, tenant }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let file = self.site.path(name);
        fs::write(&file, text).unwrap();
        file
    }

    /// Uploads a file with a copy; gives the exit code, what was told, and the copy.
    fn upload(&self, file: &Path, out: &str) -> (i32, Value, String) {
        let ran = self.site.customer(&self.tenant, &upload(file, &self.site.path(out)));
        let copy = fs::read_to_string(self.site.path(out));
        (ran.code, ran.json(), copy.unwrap_or_else(|_| panic!("{}{}", ran.stdout, ran.stderr)))
    }

    /// What a surrogate is traded for.
    fn detokenized(&self, surrogate: &str) -> Value {
        let body = json!({ "reveal": "plain", "items": [{ "surrogate": surrogate }] });
        let file = self.file("body", &body.to_string());
        let data = format!("@{}", file.display());
        let json = "Content-Type: application/json";
        let arguments = ["-H", json, "--data-binary", &data];
        self.site.curl(&self.tenant, "/v1/detokenize", &arguments).json()["results"][0].clone()
    }
}

#[test]
fn files_with_different_masks_can_be_joined_by_their_surrogates() {
    let setting = Setting::new(
        "fields:
  nr: { action: clear }
  name: { info_type: LAST_NAME, tokenize: deterministic, mask: { keep_first: 3, keep_last: 1 } }
  inhaber: { info_type: LAST_NAME, tokenize: deterministic, mask: { keep_first: 1, keep_last: 3 } }
",
    );
    let rows = "nr,name,inhaber\n1,Mustermann,Beispielhaus\n2,Beispielhaus,Mustermann\n";
    let file = setting.file("people.csv", rows);
    let (code, told, copy) = setting.upload(&file, "copy.csv");
    assert_eq!(code, 0, "{told}");
    let rows: Vec<Vec<_>> = copy.lines().map(|row| row.split(',').collect()).collect();
    assert_eq!((rows[1][1], rows[1][2]), (rows[2][2], rows[2][1]), "{copy}");
    let names = setting.file("names.txt", "Mustermann\nBeispielhaus\n");
    let kind = ["--info-type", "LAST_NAME", "--kind", "deterministic", "--out"];
    let asked = setting.site.path("asked.txt");
    let tokenize = [&["tokenize", names.to_str().unwrap()][..], &kind, &[asked.to_str().unwrap()]];
    setting.site.customer(&setting.tenant, &tokenize.concat()).ok();
    let asked_text = fs::read_to_string(&asked).unwrap();
    assert_eq!(asked_text.lines().collect::<Vec<_>>(), rows[1][1..], "the one of the records");
    let detokenize = ["detokenize", asked.to_str().unwrap()];
    let masked = setting.site.customer(&setting.tenant, &detokenize).ok().stdout;
    assert_eq!(masked, "M•••n\nB•••s\n", "what both fields show");
}

fn upload<'a>(file: &'a Path, out: &'a Path) -> Vec<&'a str> {
    let (file, out) = (file.to_str().unwrap(), out.to_str().unwrap());
    vec![
        "upload",
        file,
        "--collection",
        "people",
        "--id-field",
        "nr",
        "--out",
        out,
        "--output",
        "json",
    ]
}

/// The columns of the rows below the header.
fn rows(csv: &str) -> Vec<Vec<String>> {
    let columns = |line: &str| line.trim_end().split(';').map(str::to_owned).collect();
    csv.lines().skip(1).map(columns).collect()
}

#[test]
fn the_copy_is_the_same_file_with_surrogates_and_masks() {
    let setting = Setting::new(POLICY);
    let header = "\u{feff}nr;name;iban;telefon;email;konto;intern\r\n";
    let csv = format!(
        "{header}1;Muster;DE89370400440532013000;+49 30 1234567;erika@example.org;1234567890;x\r\n\
         2;Muster;DE89370400440532013000;+49 30 1234567;max@example.org;;y\r\n\
         3;broken;row\r\n\
         4;;;;;;\r\n"
    );
    let file = setting.file("people.csv", &csv);
    let (code, told, copy) = setting.upload(&file, "out.csv");
    assert_eq!((code, &told["pseudonymous_records"], &told["rejected"]), (3, &json!(3), &json!(1)));
    assert!(copy.starts_with(header) && copy.ends_with("\r\n"), "{copy}");
    let rows = rows(&copy);
    let numbers: Vec<_> = rows.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(numbers, ["1", "2", "4"], "in order, without the row that was refused");
    let (first, second, empty) = (&rows[0], &rows[1], &rows[2]);
    assert!(first[1].starts_with("srg_last_") && first[1] == second[1], "{copy}");
    assert!(first[2].starts_with("srg_iban_") && first[2] != second[2], "{copy}");
    assert!(first[3].starts_with("+49 ") && first[3] == second[3], "{copy}");
    assert_eq!(first[4..], ["e•••@example.org", "12•••90", ""]);
    assert_eq!(empty[1..4], ["", "", ""], "nothing stands in for nothing");
    for secret in ["Muster", "DE89", "1234567", "erika"] {
        assert!(!copy.contains(secret), "{secret} in {copy}");
    }
    assert_eq!(setting.detokenized(&first[2])["value"], "DE89370400440532013000");
    let refused =
        setting.site.customer(&setting.tenant, &upload(&file, &setting.site.path("out.csv")));
    assert!(refused.stderr.contains("is there already"), "{}", refused.stderr);
}

#[test]
fn two_copies_join_by_their_deterministic_surrogates() {
    let setting = Setting::new(POLICY);
    let names = ["Muster", "Maier", "Müller"];
    let csv: String = (0..9).map(|nr| format!("{nr};{}\n", names[nr % 3])).collect();
    let (_, _, csv) = setting.upload(&setting.file("a.csv", &format!("nr;name\n{csv}")), "a.out");
    let lines = names.map(|name| json!({ "nr": name.len(), "name": name }).to_string() + "\n");
    let (_, told, json) = setting.upload(&setting.file("b.ndjson", &lines[..2].concat()), "b.out");
    assert_eq!(told["fields_tokenized"], 2, "{told}");
    let of_csv: Vec<String> = rows(&csv).into_iter().map(|row| row[1].clone()).collect();
    let of_json = json.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    for record in of_json {
        let joined = of_csv.iter().filter(|surrogate| record["name"] == surrogate.as_str());
        assert_eq!(joined.count(), 3, "{record} in {csv}");
    }
    let distinct: HashSet<_> = of_csv.iter().collect();
    assert_eq!(distinct.len(), 3);
}

#[test]
fn a_copy_is_the_same_however_often_its_upload_is_killed() {
    let setting = Setting::new(REPEATABLE);
    let row = |nr: usize| format!("{nr};Muster{};+49 30 {:07}\n", nr % 700, nr * 97 + 1_000_000);
    let csv: String = (0..ROWS).map(row).collect();
    let file = setting.file("many.csv", &format!("nr;name;telefon\n{csv}"));
    let (out, mut known) = (setting.site.path("killed.csv"), 0);
    for _ in 0..2 {
        let mut command = setting.site.customer_command(&setting.tenant, &upload(&file, &out));
        let mut process = Process::start(&mut command, &setting.site.path("upload.log"));
        known = come_on(&file, known, &process);
        process.kill();
        assert!(known < ROWS as u64 && !out.exists(), "it is not done");
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
    let mut command = setting.site.customer_command(&setting.tenant, &upload(&file, &out));
    let mut process = Process::start(&mut command, &setting.site.path("upload.log"));
    let known = come_on(&file, 0, &process);
    process.kill();
    assert!(known < ROWS as u64 && !out.exists(), "it is not done");
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

#[test]
fn a_surrogate_goes_with_the_last_record_and_with_what_is_replaced() {
    let setting = Setting::new(POLICY);
    let upload = |name: &str, text: &str| {
        let file = setting.file(&format!("{name}.csv"), &format!("nr;name;iban\n{text}\n"));
        let (_, _, copy) = setting.upload(&file, &format!("{name}.out"));
        rows(&copy).remove(0)
    };
    let delete = |nr: &str| {
        let delete = ["delete", nr, "--collection", "people", "--yes"];
        setting.site.customer(&setting.tenant, &delete).ok();
    };
    let one = upload("one", "1;Muster;DE1");
    let two = upload("two", "2;Muster;DE2");
    assert_eq!(one[1], two[1]);
    let replaced = upload("replaced", "1;Muster;DE3");
    assert_eq!(replaced[1], one[1]);
    assert_eq!(setting.detokenized(&one[2])["problem"]["code"], "not_found");
    assert_eq!(setting.detokenized(&replaced[2])["value"], "DE3");
    delete("1");
    assert_eq!(setting.detokenized(&two[1])["value"], "Muster");
    delete("2");
    for surrogate in [&one[1], &two[2], &replaced[2]] {
        assert_eq!(setting.detokenized(surrogate)["problem"]["code"], "not_found", "{surrogate}");
    }
}

#[test]
fn the_analysis_tells_what_frequencies_tell() {
    let setting = Setting::new(POLICY);
    // One comes three times, one twice, ten once.
    let names = ["Muster", "Muster", "Muster", "Maier", "Maier"].map(str::to_owned);
    let names = names.into_iter().chain((0..10).map(|number| format!("Selten{number}")));
    let rows: String = names.enumerate().map(|(nr, name)| format!("{nr};{name}\n")).collect();
    let file = setting.file("names.csv", &format!("nr;name\n{rows}"));
    setting.upload(&file, "names.out");
    let analyze = ["collection", "analyze", "people", "--tenant", "burg", "--output", "json"];
    let told = setting.site.operator(&analyze).ok().json()["indexes"][0].clone();
    let counts = ["entries", "distinct", "most_frequent", "told", "told_records"];
    assert_eq!(counts.map(|name| told[name].as_u64().unwrap()), [15, 12, 3, 2, 5], "{told}");
    assert_eq!((&told["field"], &told["bits"]), (&json!("name"), &json!(128)));
    assert_eq!(told["advised_bits"], Value::Null, "twelve names hide in no 256 entries");
    let entropy = told["entropy_bits"].as_f64().unwrap();
    assert!((entropy - 3.457).abs() < 0.01, "{entropy}");
    let table = setting.site.operator(&analyze[..5]).ok().stdout;
    assert!(table.contains("2 in 5 records") && table.contains("no index"), "{table}");
}

#[test]
fn the_inventory_tells_what_is_held_and_no_value() {
    let setting = Setting::new(POLICY);
    let values = ["Muster", "Maier", "DE89370400440532013000", "+493411234567", "m@example.org"];
    let [muster, maier, iban, telefon, email] = values;
    let rows = format!("1;{muster};{iban};{telefon};{email};x\n2;{maier};;;{email};x\n3;;;;;x\n");
    let file = setting.file("p.csv", &format!("nr;name;iban;telefon;email;intern\n{rows}"));
    setting.upload(&file, "p.out");
    let inventory = ["collection", "inventory", "--output", "json"];
    let ran = setting.site.operator(&inventory).ok();
    let told = ran.json()["tenants"][0].clone();
    assert_eq!(told["tenant"], "burg");
    let people = told["collections"][1].clone();
    let counts = ["records", "damaged", "policy_version"].map(|name| people[name].as_u64());
    assert_eq!((&people["collection"], counts), (&json!("people"), [Some(3), Some(0), Some(1)]));
    let held = |fields: &Value| -> Vec<_> {
        let names = ["field", "info_type", "class", "records", "tokenized", "searchable"];
        let fields = fields.as_array().unwrap().iter();
        fields.map(|field| Value::from_iter(names.map(|name| field[name].clone()))).collect()
    };
    // Sealed is what is empty, too: nobody tells it from the others.
    let expected = [
        json!(["email", "EMAIL_ADDRESS", "contact", 3, 0, 0]),
        json!(["iban", "IBAN_CODE", "financial", 3, 1, 0]),
        json!(["name", "LAST_NAME", "identity", 3, 2, 2]),
        json!(["telefon", "PHONE_NUMBER", "contact", 3, 1, 0]),
    ];
    assert_eq!(held(&people["fields"]), expected);
    let mut surrogates = held(&told["surrogates"]["fields"]);
    surrogates.sort_by_key(Value::to_string);
    let expected = [
        json!([null, "IBAN_CODE", "financial", 1, 1, 0]),
        json!([null, "LAST_NAME", "identity", 2, 2, 0]),
    ];
    assert_eq!(surrogates, expected);
    assert!(people["fields"][0]["earliest"].is_string(), "{people}");
    let one = [&inventory[..2], &["--tenant", "burg", "--collection", "people"]].concat();
    let table = setting.site.operator(&one).ok().stdout;
    assert!(table.contains("IBAN_CODE") && !table.contains("(surrogates)"), "{table}");
    for value in values {
        assert!(!ran.stdout.contains(value) && !table.contains(value), "{value}");
    }
}
