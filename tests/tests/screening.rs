//! Screening as customers and their data-protection officers meet it: `tresor screen`, and the dry
//! run and explained uploads with curl.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;

use serde_json::{Value, json};
use tresor_tests::{Site, repository, run};

const CSV: &str = "vorname;status;x;f4\n\
    Anna;offen;DE89370400440532013000;Frau Schmidt ruft zurück unter 0171 2345678.\n\
    Bernd;erledigt;;\n\
    Cleo;offen\n";

/// `tresor screen` on a file of this name and content, with more arguments.
fn screen(directory: &tempfile::TempDir, csv: &str, arguments: &[&str]) -> tresor_tests::Ran {
    fs::write(directory.path().join("customers.csv"), csv).unwrap();
    let mut command = std::process::Command::new(tresor_tests::binary("tresor"));
    command.current_dir(directory.path()).args(["screen", "customers.csv"]).args(arguments);
    run(&mut command, "")
}

#[test]
fn a_report_tells_what_each_column_is_without_a_value() {
    let directory = tempfile::tempdir().unwrap();
    let ran = screen(&directory, CSV, &["--output", "json"]);
    assert_eq!(ran.code, 3, "a row is refused: {}", ran.stderr);
    let report = ran.json();
    assert_eq!((&report["records"], &report["rejected"]), (&json!(2), &json!(1)));
    let columns = report["columns"].as_array().unwrap();
    let told = |at: usize, key: &str| columns[at][key].clone();
    assert_eq!(
        (told(0, "info_type"), told(0, "examples")),
        (json!("FIRST_NAME"), json!(["A.", "B."]))
    );
    assert_eq!((told(1, "action"), told(1, "actions")), (json!("clear"), json!({"clear": 2})));
    assert_eq!((told(2, "code"), told(2, "source")), (json!("value"), json!("value")));
    assert_eq!(told(2, "examples"), json!(["DE•••3000"]));
    assert_eq!(told(3, "in_text")["PHONE_NUMBER"], 1);
    assert_eq!(report["in_text"], told(3, "in_text"));
    for value in ["Anna", "DE8937", "2345678", "Schmidt"] {
        assert!(!ran.stdout.contains(value), "{value}");
    }

    let table = screen(&directory, CSV, &[]).stdout;
    for shown in ["DE•••3000", "1 PHONE_NUMBER", "2 records, 4 columns: 3 sealed, 1 clear"] {
        assert!(table.contains(shown), "{shown} is not in {table}");
    }
    assert!(!table.contains("Anna") && !table.contains("2345678"));
}

#[test]
fn the_page_of_a_report_stands_alone_and_is_not_written_over_anything() {
    let directory = tempfile::tempdir().unwrap();
    let csv = "<script>alert(1)</script>;\"<img src=x>\";vorname\n1;2;Annegret\n";
    screen(&directory, csv, &["--html", "report.html"]).ok();
    let page = fs::read_to_string(directory.path().join("report.html")).unwrap();
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    for absent in ["<script", "<img", "<link", "http:", "https:", "Annegret"] {
        assert!(!page.contains(absent), "{absent}");
    }
    let again = screen(&directory, csv, &["--html", "report.html"]);
    assert_eq!(again.code, 1, "{}", again.stderr);
    assert_eq!(fs::read_to_string(directory.path().join("report.html")).unwrap(), page);
}

#[test]
fn a_dry_run_by_curl_gives_the_report_of_the_command_line() {
    let site = Site::start("sled");
    let tenant = site.tenant("burg");
    let file = repository().join("examples/planning_de.csv");
    let (data, file) = (format!("@{}", file.display()), file.display().to_string());
    let by_command = site.tresor(&["screen", &file, "--output", "json"]).ok().json();
    let ask = |headers: &[&str]| {
        let arguments = [&["-H", "Content-Type: text/csv", "--data-binary", &data], headers];
        site.curl_bare(&tenant.directory.join("client"), "/v1/screen", &arguments.concat(), None)
    };
    let answer = ask(&["-H", "Accept: application/json"]);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let mut by_route = answer.json();
    let summary = by_route.as_object_mut().unwrap().remove("summary").unwrap();
    assert_eq!((&summary["complete"], &summary["rejected"]), (&json!(true), &json!(0)));
    assert_eq!(by_route, by_command);

    let lines = ask(&[]).lines();
    let (last, rows) = lines.split_last().unwrap();
    assert_eq!(last["report"], by_command);
    assert_eq!(by_command["records"], json!(rows.len()));
    let columns = by_command["columns"].as_array().unwrap().len();
    assert!(rows.iter().all(|row| row["verdicts"].as_array().unwrap().len() == columns));
    assert_eq!(
        site.curl(&tenant, "/v1/collections/customers/records", &[]).json()["records"],
        json!([])
    );
}

#[test]
fn an_upload_tells_with_each_row_why_its_fields_are_what_they_are() {
    let site = Site::start("sled");
    let tenant = site.tenant("burg");
    fs::write(site.path("customers.csv"), CSV).unwrap();
    let data = format!("@{}", site.path("customers.csv").display());
    let arguments = ["-H", "Content-Type: text/csv", "--data-binary", &data];
    let path = "/v1/collections/customers/records?explain=true";
    let lines = site.curl(&tenant, path, &arguments).lines();
    let codes = |row: &Value| -> Vec<String> {
        let verdicts = row["verdicts"].as_array().unwrap().iter();
        verdicts.map(|verdict| verdict["code"].as_str().unwrap().to_owned()).collect()
    };
    let expected = ["field_name", "technical_name", "value", "in_text"];
    assert_eq!(codes(&lines[0]), expected);
    assert_eq!(codes(&lines[1])[2..], ["empty", "empty"]);

    let upload = ["upload", "customers.csv", "--collection", "customers"];
    let explained = ["--results", "rows.ndjson", "--explain"];
    let ran = site.customer(&tenant, &[&upload[..], &explained].concat());
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    let written = fs::read_to_string(site.path("rows.ndjson")).unwrap();
    let rows: Vec<Value> =
        written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((rows.len(), codes(&rows[0])), (3, expected.map(str::to_owned).to_vec()));
    assert!(!written.contains("Anna") && !written.contains("2345678"));
}

#[test]
fn a_policy_is_tried_on_a_file_before_it_is_put() {
    let site = Site::start("sled");
    let tenant = site.tenant("burg");
    fs::write(
        site.path("customers.csv"),
        "vorname;f1;x\nAnna;Kellerwohnung;17\nBo;Kellerraum;18\n",
    )
    .unwrap();
    let policy = "fields:
  f1: { action: clear }
  vorname: { action: reject }
  telefon: { action: clear }
";
    fs::write(site.path("new.yaml"), policy).unwrap();
    let alone = ["collection", "test", "new.yaml", "customers.csv", "--output", "json"];
    let told = site.tresor(&alone).ok().json();
    assert_eq!((&told["rejected_by_policy"], &told["changes"]), (&json!(2), &Value::Null));
    let remarks = told["remarks"].as_array().unwrap().iter();
    let remarks: Vec<_> = remarks.map(|remark| (&remark["field"], &remark["code"])).collect();
    let telefon = json!("telefon");
    let codes = [json!("clear_despite_name"), json!("not_seen")];
    assert_eq!(remarks, [(&telefon, &codes[0]), (&telefon, &codes[1])]);

    let against = ["--collection", "customers", "--tenant", &tenant.name];
    let told = site.operator(&[&alone[..], &against].concat()).ok().json();
    let changes = &told["changes"];
    assert_eq!((&changes["policy_version"], &changes["records"]), (&json!(1), &json!(2)));
    assert_eq!(changes["refused"], json!({"before": 0, "after": 2}));
    let field = |name: &str| {
        let fields = changes["fields"].as_array().unwrap().iter();
        fields.clone().find(|field| field["name"] == name).cloned()
    };
    let moved = json!([{"before": {"action": "seal", "class": "other"},
        "after": {"action": "clear", "class": null}, "values": 2}]);
    assert_eq!(field("f1").unwrap()["changes"], moved);
    assert_eq!(field("f1").unwrap()["declared"]["after"], "{action: clear}");
    assert_eq!(field("x"), None);

    let put = ["collection", "put", "customers", "--tenant", &tenant.name, "-f", "new.yaml"];
    let put = [&put[..], &["--sample", "customers.csv"]].concat();
    let shown = site.operator(&[&put[..], &["--dry-run"]].concat()).ok().stdout;
    assert!(shown.contains("records refused: 0 now, 2 then"), "{shown}");
    let asked = site.operator(&put);
    assert_ne!(asked.code, 0, "there is nobody to ask: {}", asked.stdout);
    let show = ["collection", "show", "customers", "--tenant", &tenant.name, "--output", "json"];
    assert_eq!(site.operator(&show).ok().json()["policy_version"], 1);
    site.operator(&[&put[..], &["--yes"]].concat()).ok();
    assert_eq!(site.operator(&show).ok().json()["policy_version"], 2);
}

#[test]
fn a_policy_may_flag_take_declared_fields_only_and_copy_a_note() {
    let site = Site::start("sled");
    let tenant = site.tenant("burg");
    let policy = "fields:
  notiz: { info_type: FREE_TEXT, redacted_copy: kurz }
  x: { action: clear }
only_declared: true
declared_clear_but_personal: flag
";
    fs::write(site.path("policy.yaml"), policy).unwrap();
    let put = ["collection", "put", "customers", "--tenant", &tenant.name, "-f", "policy.yaml"];
    site.operator(&put).ok();
    let row = json!({"notiz": "Frau Schmidt ruft an unter 0171 2345678.",
        "x": "DE89370400440532013000", "menge": 7});
    fs::write(site.path("row.json"), row.to_string()).unwrap();
    let data = format!("@{}", site.path("row.json").display());
    let arguments = ["-H", "Content-Type: application/json", "--data-binary", &data];
    let records = "/v1/collections/customers/records";
    let stored = site.curl(&tenant, records, &arguments);
    assert_eq!(stored.status, 201, "{}", stored.body);
    let stored = stored.json();
    assert_eq!(stored["flagged"], json!(["x"]));
    let read = site.curl(&tenant, &format!("{records}/{}", stored["id"].as_str().unwrap()), &[]);
    let copy = "Frau [PERSON_NAME] ruft an unter [PHONE_NUMBER].";
    let expected = json!({"notiz": "•••", "x": "DE89370400440532013000", "kurz": copy});
    assert_eq!(read.json()["record"], expected);
    // What comes under the copy's name is refused, also below it.
    for kurz in [json!("other"), json!({"a": "x"}), json!(["x"]), json!({"0": "x"})] {
        let row = json!({"notiz": "Frau Schmidt ruft an.", "kurz": kurz});
        fs::write(site.path("row.json"), row.to_string()).unwrap();
        let refused = site.curl(&tenant, records, &arguments);
        assert_eq!(refused.json()["code"], "rejected_by_policy", "{}", refused.body);
    }
}
