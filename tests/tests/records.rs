//! Records through the external API with curl: upload, read, list, delete, and what bad rows get.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;

use serde_json::{Value, json};
use tresor_tests::{Answer, Site, Tenant};

const RECORDS: &str = "/v1/collections/customers/records";

fn post(site: &Site, tenant: &Tenant, query: &str, content_type: &str, body: &str) -> Answer {
    let file = site.path("body");
    fs::write(&file, body).unwrap();
    let (header, data) = (format!("Content-Type: {content_type}"), format!("@{}", file.display()));
    site.curl(tenant, &format!("{RECORDS}{query}"), &["-H", &header, "--data-binary", &data])
}

fn statuses(lines: &[Value]) -> Vec<&str> {
    lines.iter().filter_map(|line| line["status"].as_str()).collect()
}

fn field<'a>(record: &'a Value, name: &str) -> &'a Value {
    let fields = record["fields"].as_array().unwrap();
    fields.iter().find(|field| field["name"] == name).unwrap()
}

#[test]
fn a_json_object_is_stored_and_read_back_as_it_was() {
    let site = Site::start("sled");
    let tenant = site.tenant("burg");
    let record = r#"{"vorname":"Anna","mail":"anna@example.org","betrag":1.10,
        "anschrift":{"strasse":"Am Ring 7","ort":"Burg"},"telefone":["+49 30 1234567"]}"#;
    let stored = post(&site, &tenant, "", "application/json", record);
    assert_eq!(stored.status, 201, "{}", stored.body);
    let id = stored.json()["id"].as_str().unwrap().to_owned();

    let plain = site.curl(&tenant, &format!("{RECORDS}/{id}?reveal=plain"), &[]);
    assert_eq!(plain.status, 200, "{}", plain.body);
    let read = &plain.json()["record"];
    assert_eq!(read["vorname"], "Anna");
    assert_eq!(read["anschrift"], json!({"strasse": "Am Ring 7", "ort": "Burg"}));
    assert_eq!(read["telefone"], json!(["+49 30 1234567"]));
    assert!(plain.body.contains("1.10"), "the literal is kept: {}", plain.body);

    let masked = site.curl(&tenant, &format!("{RECORDS}/{id}"), &[]).json();
    assert_eq!(masked["record"]["mail"], "a•••@example.org");
    assert_eq!(field(&masked, "vorname")["state"], "masked");
    assert!(!masked.to_string().contains("Anna"));
    let redacted = site.curl(&tenant, &format!("{RECORDS}/{id}?reveal=redacted"), &[]).json();
    assert_eq!(redacted["record"]["mail"], Value::Null);
    assert_eq!(field(&redacted, "mail")["info_type"], "EMAIL_ADDRESS");

    let deleted = site.curl(&tenant, &format!("{RECORDS}/{id}"), &["-X", "DELETE"]);
    assert_eq!(deleted.status, 204);
    let gone = site.curl(&tenant, &format!("{RECORDS}/{id}"), &[]);
    assert_eq!((gone.status, gone.code()), (404, "not_found".to_owned()));
}

#[test]
fn a_broken_row_is_told_with_its_line_and_the_rest_is_stored() {
    let site = Site::start("redb");
    let tenant = site.tenant("burg");
    let csv = "nr;vorname;mail\n1;Anna;anna@example.org\n2;Bo\n3;Cleo;cleo@example.org\n";
    let lines = post(&site, &tenant, "?id_field=nr", "text/csv", csv).lines();
    assert_eq!(statuses(&lines), ["stored", "rejected", "stored"]);
    assert_eq!(lines[1]["line"], 3);
    assert_eq!(lines[1]["problem"]["code"], "invalid_request");
    assert_eq!(lines[2]["id"], "3");
    let summary = &lines[3]["summary"];
    assert_eq!((&summary["accepted"], &summary["rejected"]), (&json!(2), &json!(1)));
    assert_eq!(summary["complete"], true);

    let ndjson = "{\"vorname\":\"Anna\"}\n{\"vorname\":\n{\"vorname\":\"Cleo\"}\n";
    let lines = post(&site, &tenant, "", "application/x-ndjson", ndjson).lines();
    assert_eq!(statuses(&lines), ["stored", "rejected", "stored"]);
    assert_eq!(lines[1]["line"], 2);

    let array = "[{\"vorname\":\"Anna\"},{\"vorname\":7},{\"a\":[]}]";
    let lines = post(&site, &tenant, "", "application/json", array).lines();
    assert_eq!(statuses(&lines), ["stored", "stored", "stored"]);
}

#[test]
fn rows_over_a_limit_are_refused_and_the_rest_is_stored() {
    let site = Site::start("sled");
    let tenant = site.tenant("burg");
    let long = format!("{{\"note\":\"{}\"}}", "x".repeat(65_537));
    let wide: Vec<String> = (0..257).map(|i| format!("\"f{i}\":1")).collect();
    let heavy: Vec<String> =
        (0..5).map(|i| format!("\"f{i}\":\"{}\"", "y".repeat(60_000))).collect();
    let rows = [
        long,
        format!("{{{}}}", wide.join(",")),
        format!("{{{}}}", heavy.join(",")),
        "{\"vorname\":\"Anna\"}".to_owned(),
    ];
    let lines = post(&site, &tenant, "", "application/x-ndjson", &rows.join("\n")).lines();
    assert_eq!(statuses(&lines), ["rejected", "rejected", "rejected", "stored"]);
    for line in &lines[..3] {
        assert_eq!(line["problem"]["code"], "too_large");
    }
}

#[test]
fn listing_goes_through_the_pages_in_order() {
    let site = Site::start("sled");
    let tenant = site.tenant("burg");
    let rows: Vec<String> = (0..25).map(|i| format!("{{\"nr\":\"r{i:02}\"}}")).collect();
    let stored = post(&site, &tenant, "?id_field=nr", "application/x-ndjson", &rows.join("\n"));
    assert_eq!(stored.lines().len(), 26);
    let mut ids = Vec::new();
    let mut query = "?page_size=10".to_owned();
    loop {
        let page = site.curl(&tenant, &format!("{RECORDS}{query}"), &[]).json();
        let records = page["records"].as_array().unwrap();
        ids.extend(records.iter().map(|record| record["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_page_token"].as_str() else { break };
        query = format!("?page_size=10&page_token={next}");
    }
    let expected: Vec<String> = (0..25).map(|i| format!("r{i:02}")).collect();
    assert_eq!(ids, expected);
}

#[test]
fn screening_decides_and_stores_nothing() {
    let site = Site::start("sled");
    let tenant = site.tenant("burg");
    let file = site.path("screen.csv");
    fs::write(&file, "vorname;status;x\nAnna;offen;DE89370400440532013000\n").unwrap();
    let data = format!("@{}", file.display());
    let arguments = ["-H", "Content-Type: text/csv", "--data-binary", &data];
    let lines = site.curl(&tenant, "/v1/screen?collection=customers", &arguments).lines();
    let verdicts = lines[0]["verdicts"].as_array().unwrap();
    assert_eq!(verdicts[0]["info_type"], "FIRST_NAME");
    assert_eq!(verdicts[1]["action"], "clear");
    assert_eq!(verdicts[2]["info_type"], "IBAN_CODE");
    assert!(!lines[0].to_string().contains("DE8937"), "evidence never holds the value");
    let listed = site.curl(&tenant, RECORDS, &[]).json();
    assert_eq!(listed["records"], json!([]));
}

#[test]
fn a_record_id_that_is_personal_is_refused() {
    let site = Site::start("sled");
    let tenant = site.tenant("burg");
    let rows = "{\"konto\":\"DE89370400440532013000\"}\n{\"konto\":\"K-17\"}\n";
    let lines = post(&site, &tenant, "?id_field=konto", "application/x-ndjson", rows).lines();
    assert_eq!(statuses(&lines)[0], "rejected");
}

#[test]
fn the_command_line_uploads_reads_and_keeps_the_rejects() {
    let site = Site::start("sled");
    let tenant = site.tenant("burg");
    let file = site.path("visits.csv");
    fs::write(&file, "nr;vorname;iban\n7;Anna;DE89370400440532013000\nbroken\n").unwrap();
    let path = file.to_str().unwrap();
    let upload = ["upload", path, "--collection", "customers", "--id-field", "nr"];
    let ran = site.customer(&tenant, &[&upload[..], &["--output", "json"]].concat());
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    let rejects = fs::read_to_string(site.path("visits.csv.rejects.ndjson")).unwrap();
    assert!(rejects.contains("\"line\":3"), "{rejects}");
    let get = ["get", "7", "--collection", "customers", "--reveal", "plain", "--output", "json"];
    let record = site.customer(&tenant, &get).ok().json();
    assert_eq!(record["record"]["iban"], "DE89370400440532013000");
    let listed = site.customer(&tenant, &["list", "--collection", "customers"]).ok();
    assert!(listed.stdout.contains('7'));
    fs::write(site.path("one.json"), "{\"nr\":\"8\",\"vorname\":\"Bo\"}").unwrap();
    let one = site.path("one.json");
    let upload = ["upload", one.to_str().unwrap(), "--collection", "customers"];
    let summary = site.customer(&tenant, &[&upload[..], &["--output", "json"]].concat()).ok();
    assert!(summary.stdout.contains("\"accepted\": 1"), "{}", summary.stdout);
    let delete = ["delete", "7", "--collection", "customers", "--yes"];
    site.customer(&tenant, &delete).ok();
    assert_eq!(site.customer(&tenant, &get).code, 1);
}

#[test]
fn a_policy_gives_a_field_its_mask_and_what_is_redacted_tells_a_class_of_lengths() {
    let site = Site::start("sled");
    let tenant = site.tenant("burg");
    let record = r#"{"nr":"7","iban":"DE89370400440532013000","geburtsdatum":"1959-10-04"}"#;
    assert_eq!(post(&site, &tenant, "?id_field=nr", "application/json", record).status, 201);
    let masked = || site.curl(&tenant, &format!("{RECORDS}/7"), &[]).json();
    assert_eq!(masked()["record"]["iban"], "DE•••3000");
    assert_eq!(masked()["record"]["geburtsdatum"], "1959•••");

    let policy =
        "fields:\n  iban: { info_type: IBAN_CODE, mask: { keep_first: 4, keep_last: 0 } }\n";
    fs::write(site.path("policy.yaml"), policy).unwrap();
    let put = ["collection", "put", "customers", "-f", "policy.yaml", "--tenant", "burg"];
    site.operator(&put).ok();
    assert_eq!(masked()["record"]["iban"], "DE89•••");
    let listed = site.curl(&tenant, RECORDS, &[]).json();
    assert_eq!(listed["records"][0]["record"]["iban"], "DE89•••");
    assert_eq!(field(&masked(), "iban")["length_bytes_max"], Value::Null);

    let redacted = site.curl(&tenant, &format!("{RECORDS}/7?reveal=redacted"), &[]).json();
    assert_eq!(field(&redacted, "iban")["length_bytes_max"], 28);
    assert_eq!(field(&redacted, "geburtsdatum")["length_bytes_max"], 12);
    let get = ["get", "7", "--collection", "customers", "--reveal", "redacted"];
    let table = site.customer(&tenant, &get).ok().stdout;
    assert!(table.contains("(up to 28 bytes)"), "{table}");
}
