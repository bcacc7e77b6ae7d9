//! Writes repeated under idempotency keys, through both doors: cut off, at another vault process,
//! with another body, by another tenant.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{fs, process::Command};

use serde_json::{Value, json};
use tresor_tests::{Answer, Site, Tenant, repository, run, tool};

const RECORDS: &str = "/v1/collections/customers/records";
const ROWS: usize = 3_000;

fn post(site: &Site, tenant: &Tenant, key: &str, content_type: &str, body: &str) -> Answer {
    post_from(site, tenant, key, 1, (content_type, body))
}

/// Posts rows of which the first has the number `first_row`.
fn post_from(
    site: &Site,
    tenant: &Tenant,
    key: &str,
    first_row: usize,
    (content_type, body): (&str, &str),
) -> Answer {
    let file = site.path("body");
    fs::write(&file, body).unwrap();
    let content_type = format!("Content-Type: {content_type}");
    let (key, data) = (format!("Idempotency-Key: {key}"), format!("@{}", file.display()));
    let path = format!("{RECORDS}?first_row={first_row}");
    site.curl(tenant, &path, &["-H", &content_type, "-H", &key, "--data-binary", &data])
}

fn csv() -> String {
    csv_from(1)
}

fn csv_from(first_row: usize) -> String {
    let row = |n| format!("{n};Anna {n};anna-{n}@example.org;offen\n");
    "nr;vorname;mail;status\n".to_owned() + &(first_row..=ROWS).map(row).collect::<String>()
}

/// Uploads the first half and hangs up; gives the lines told until then.
fn cut_off_upload(site: &Site, tenant: &Tenant, key: &str, rows: usize) -> Vec<Value> {
    fs::write(site.path("half"), csv()).unwrap();
    let mut command = Command::new(tool("python3"));
    command.arg(repository().join("tests/clients/cut_upload.py"));
    command.arg(site.url("").rsplit(':').next().unwrap()).arg(site.path("ca/ca.pem"));
    command.arg(tenant.directory.join("client.pem")).arg(tenant.directory.join("client.key"));
    command.args([RECORDS, key]).arg(site.path("half")).arg(rows.to_string());
    let told = run(&mut command, tenant.customer_token()).ok().stdout;
    told.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The ids of all records.
fn ids(site: &Site, tenant: &Tenant) -> Vec<String> {
    let (mut ids, mut token) = (Vec::new(), String::new());
    loop {
        let page = site.curl(tenant, &format!("{RECORDS}?page_size=1000{token}"), &[]).json();
        let records = page["records"].as_array().unwrap();
        ids.extend(records.iter().map(|record| record["id"].as_str().unwrap().to_owned()));
        match page["next_page_token"].as_str() {
            Some(next) => token = format!("&page_token={next}"),
            None => return ids,
        }
    }
}

fn told_ids(lines: &[Value]) -> Vec<&str> {
    lines.iter().filter_map(|line| line["id"].as_str()).collect()
}

#[test]
fn an_upload_cut_off_half_way_and_repeated_stores_every_row_once() {
    for engine in ["sled", "redb"] {
        let mut site = Site::start_with_log(engine, "info");
        let tenant = site.tenant("burg");
        let told = cut_off_upload(&site, &tenant, "upload-1", ROWS / 4);
        assert!((ROWS / 4..ROWS).contains(&told.len()), "{}", told.len());

        let repeated = post(&site, &tenant, "upload-1", "text/csv", &csv()).lines();
        let summary = &repeated[ROWS]["summary"];
        assert_eq!((&summary["accepted"], &summary["rejected"]), (&json!(ROWS), &json!(0)));
        let replayed = usize::try_from(summary["replayed"].as_u64().unwrap()).unwrap();
        assert!((told.len()..ROWS).contains(&replayed), "{replayed}");
        let ids_repeated = told_ids(&repeated);
        assert_eq!(told_ids(&told), ids_repeated[..told.len()]);
        assert!(repeated[..told.len()].iter().all(|line| line["replayed"] == true));

        assert_eq!(site.vault().stop(), 0);
        site.start_vault();
        let again = post(&site, &tenant, "\"upload-1\"", "text/csv", &csv()).lines();
        assert_eq!(again[ROWS]["summary"]["replayed"], ROWS);
        assert_eq!(told_ids(&again), ids_repeated);
        let (rest, first_row) = (csv_from(ROWS - 9), ROWS - 9);
        let rest = post_from(&site, &tenant, "upload-1", first_row, ("text/csv", &rest)).lines();
        assert_eq!(rest[10]["summary"]["replayed"], 10, "{rest:?}");
        let mut expected: Vec<_> = ids_repeated.iter().map(|id| (*id).to_owned()).collect();
        expected.sort();
        assert_eq!(ids(&site, &tenant), expected, "{engine}");
    }
}

#[test]
fn a_key_belongs_to_one_body_and_to_one_customer() {
    let site = Site::start_with_log("sled", "info");
    let (burg, herne) = (site.tenant("burg"), site.tenant("herne"));
    let anna = r#"{"vorname":"Anna"}"#;
    let first = post(&site, &burg, "k", "application/json", anna);
    assert_eq!((first.status, &first.json()["replayed"]), (201, &Value::Null), "{}", first.body);
    let again = post(&site, &burg, "k", "application/json", anna);
    assert_eq!((again.status, &again.json()["replayed"]), (201, &json!(true)), "{}", again.body);
    assert_eq!(first.json()["id"], again.json()["id"]);

    let other = post(&site, &burg, "k", "application/json", r#"{"vorname":"Bo"}"#);
    assert_eq!((other.status, other.code()), (409, "conflict".to_owned()));
    assert_eq!(other.json()["violations"][0]["field"], "idempotency_key");
    assert_eq!(other.json()["detail"], "the idempotency key was used for something else");
    let rows = "{\"vorname\":\"Bo\"}\n{\"vorname\":\"Cleo\"}\n";
    let lines = post(&site, &burg, "k", "application/x-ndjson", rows).lines();
    assert_eq!(lines[0]["problem"]["code"], "conflict");
    assert_eq!(lines[1]["status"], "stored", "a row of its own number");
    assert_eq!(ids(&site, &burg).len(), 2);

    let elsewhere = post(&site, &herne, "k", "application/json", anna);
    assert_eq!((elsewhere.status, &elsewhere.json()["replayed"]), (201, &Value::Null));
    assert_ne!(elsewhere.json()["id"], first.json()["id"]);
    assert_eq!(ids(&site, &herne).len(), 1);
}

#[test]
fn a_malformed_key_is_refused_and_nothing_is_stored() {
    let site = Site::start_with_log("sled", "info");
    let tenant = site.tenant("burg");
    for key in ["two words", "\"open", &"a".repeat(129), "quo\"ted", "a\r\nIdempotency-Key: b"] {
        let refused = post(&site, &tenant, key, "application/json", r#"{"vorname":"Anna"}"#);
        assert_eq!(refused.status, 400, "{key}: {}", refused.body);
        assert_eq!(refused.json()["violations"][0]["field"], "idempotency_key", "{key}");
        assert!(!refused.body.contains(key), "{}", refused.body);
    }
    assert_eq!(ids(&site, &tenant).len(), 0);
}

#[test]
fn python_repeats_calls_and_streams() {
    let mut site = Site::start_with_log("sled", "info");
    let tenant = site.tenant("burg");
    site.write_configs(&[&tenant.id]);
    assert_eq!(site.vault().stop(), 0);
    site.start_vault();
    let mut command = Command::new(tool("python3"));
    command.arg(repository().join("tests/clients/idempotency.py")).arg(site.data_plane());
    command.arg(repository().join("proto")).arg(site.path("ca")).arg(site.path("stubs"));
    command.arg(&tenant.id);
    let ran = run(&mut command, tenant.customer_token()).ok();
    assert!(ran.stdout.contains("17 passed, 0 failed"), "{}{}", ran.stdout, ran.stderr);
}
