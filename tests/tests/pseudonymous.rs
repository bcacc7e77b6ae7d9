//! `tresor upload --out`: the same file with surrogates and masks, and surrogates that go with their
//! records.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "pseudonymous/going_on.rs"]
mod going_on;
#[path = "pseudonymous/notes.rs"]
mod notes;
#[path = "pseudonymous/stock.rs"]
mod stock;

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use tresor_tests::{Site, Tenant};

const POLICY: &str = "fields:
  nr: { action: clear }
  name: { info_type: LAST_NAME, tokenize: deterministic, searchable: exact }
  iban: { info_type: IBAN_CODE, tokenize: random }
  telefon: { info_type: PHONE_NUMBER, tokenize: format-preserving }
  email: { info_type: EMAIL_ADDRESS }
  konto: { info_type: BANK_ACCOUNT, mask: { keep_first: 2, keep_last: 2 } }
  intern: { action: drop }
";
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
fn an_id_that_comes_twice_is_told_and_no_copy_is_made_of_it() {
    let setting = Setting::new(POLICY);
    let file = setting.file("twice.csv", "nr,name\n1,Muster\n2,Beispiel\n1,Meier\n");
    let out = setting.site.path("twice-copy.csv");
    let ran = setting.site.customer(&setting.tenant, &upload(&file, &out));
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("rows 1 and 3 have the same id"), "{}", ran.stderr);
    assert!(!out.exists());
    let listed = setting.site.curl(&setting.tenant, "/v1/collections/people/records", &[]).json();
    assert_eq!(listed["records"], json!([]), "nothing was sent: {listed}");
    let data = format!("@{}", file.display());
    let arguments = ["-H", "Content-Type: text/csv", "--data-binary", &data];
    let path = "/v1/collections/people/records?id_field=nr&pseudonymous=true";
    let lines = setting.site.curl(&setting.tenant, path, &arguments).lines();
    let told = |row: usize| {
        let has = |name: &str| lines[row].get(name).is_some();
        (lines[row]["superseded"] == true, has("surrogates"), has("pseudonymous"))
    };
    assert_eq!([told(0), told(1)], [(true, false, false), (false, true, true)], "{lines:?}");
    assert_eq!((told(2), &lines[3]["summary"]["superseded"]), ((false, true, true), &json!(1)));
}
