//! `tresor upload` when something breaks: what it goes on with, and that every row is stored once.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    collections::HashSet,
    ffi::OsStr,
    fs,
    io::{self, Read as _},
    net::{Shutdown, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{sleep, spawn},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tresor_tests::{Process, Ran, Site, Tenant, repository, run};

const ROWS: usize = 10_000;
/// A row in so many has a column too many.
const ROWS_PER_BROKEN: usize = 1_500;
/// How long an upload may take to come on.
const ADVANCE_MAX: Duration = Duration::from_secs(60);

/// A file of numbered persons, made of an example; some rows are broken.
fn persons(site: &Site) -> PathBuf {
    let example = fs::read_to_string(repository().join("examples/planning_de.csv")).unwrap();
    let persons: Vec<&str> = example.lines().skip(1).collect();
    let mut csv = "nr;vorname;nachname;email\n".to_owned();
    for number in 1..=ROWS {
        let person: Vec<&str> = persons[number % persons.len()].split(';').collect();
        let broken = if number % ROWS_PER_BROKEN == 0 { ";" } else { "" };
        csv += &format!("{number};{};{};{}{broken}\n", person[0], person[1], person[7]);
    }
    let file = site.path("persons.csv");
    fs::write(&file, csv).unwrap();
    file
}

fn upload<'a>(file: &'a Path, more: &[&'a str]) -> Vec<&'a str> {
    let upload = ["upload", file.to_str().unwrap(), "--collection", "customers"];
    [&upload[..], &["--output", "json"], more].concat()
}

/// Passes connections on to the edge, but of the first one only so many bytes, before it is cut; gives
/// the address, and how many there were.
fn cut_first(edge: &str, bytes: u64) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let edge = edge.trim_start_matches("https://").trim_end_matches('/').to_owned();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    spawn(move || {
        for client in listener.incoming() {
            let is_first = counted.fetch_add(1, Ordering::SeqCst) == 0;
            let client = Arc::new(client.unwrap());
            let server = Arc::new(TcpStream::connect(&edge).unwrap());
            let (answers, asker) = (Arc::clone(&server), Arc::clone(&client));
            spawn(move || io::copy(&mut &*answers, &mut &*asker));
            spawn(move || {
                let limit = if is_first { bytes } else { u64::MAX };
                let _ = io::copy(&mut (&*client).take(limit), &mut &*server);
                [client, server].map(|stream| stream.shutdown(Shutdown::Both))
            });
        }
    });
    (address, connections)
}

/// Rows acknowledged, as far as the progress file says.
fn acknowledged(file: &Path) -> Option<u64> {
    let text = fs::read(file.with_extension("csv.tresor-progress")).ok()?;
    serde_json::from_slice::<Value>(&text).ok()?["rows"].as_u64()
}

/// Starts an upload and waits until more than `rows` are acknowledged, but not all.
fn under_way(site: &Site, tenant: &Tenant, file: &Path, rows: u64) -> Process {
    let mut command = site.customer_command(tenant, &upload(file, &[]));
    let process = Process::start(&mut command, &site.path("upload.log"));
    come_on(file, rows, &process);
    process
}

fn come_on(file: &Path, rows: u64, process: &Process) {
    let begun = Instant::now();
    while acknowledged(file).is_none_or(|now| now <= rows) {
        assert!(begun.elapsed() < ADVANCE_MAX, "it does not come on: {}", process.log());
        sleep(Duration::from_millis(2));
    }
}

/// Every row that is not broken is stored once, every broken one is listed once.
fn assert_whole(site: &Site, tenant: &Tenant, file: &Path, ran: &Ran) {
    let broken = ROWS / ROWS_PER_BROKEN;
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    let totals = ran.json();
    let counts = ["complete", "accepted", "rejected"].map(|name| totals[name].clone());
    assert_eq!(counts, [json!(true), json!(ROWS - broken), json!(broken)], "{totals}");
    assert_eq!(acknowledged(file), None, "nothing is left to go on with");

    let rejects = fs::read_to_string(file.with_extension("csv.rejects.ndjson")).unwrap();
    let place = |line: &str| {
        let entry: Value = serde_json::from_str(line).unwrap();
        (entry["row"].as_u64().unwrap(), entry["line"].as_u64().unwrap())
    };
    let expected = (1..=broken as u64).map(|n| n * ROWS_PER_BROKEN as u64).map(|n| (n, n + 1));
    assert_eq!(rejects.lines().map(place).collect::<Vec<_>>(), expected.collect::<Vec<_>>());

    let list = ["list", "--collection", "customers", "--all", "--reveal", "plain"];
    let listed = site.customer(tenant, &[&list[..], &["--output", "json"]].concat()).ok().json();
    let records = listed["records"].as_array().unwrap();
    let number = |record: &Value| record["record"]["nr"].as_str().unwrap().to_owned();
    let numbers: HashSet<String> = records.iter().map(number).collect();
    assert_eq!((records.len(), numbers.len()), (ROWS - broken, ROWS - broken), "each once");
}

#[test]
fn an_upload_that_is_killed_again_and_again_stores_every_row_once() {
    let site = Site::start_with_log("sled", "warn");
    let tenant = site.tenant("burg");
    let file = persons(&site);
    let mut rows = 0;
    for _ in 0..3 {
        under_way(&site, &tenant, &file, rows).kill();
        let now = acknowledged(&file).expect("it is not done");
        assert!(now > rows && now < ROWS as u64, "{now} rows after {rows}");
        rows = now;
    }
    let ran = site.customer(&tenant, &upload(&file, &[]));
    assert_eq!(ran.json()["resumed_after_row"], rows);
    assert_eq!(ran.json()["fields_sealed"], Value::Null, "of all rows nobody knows it");
    assert_whole(&site, &tenant, &file, &ran);
}

#[test]
fn an_upload_bears_the_end_of_the_external_api_and_of_the_vault() {
    let mut site = Site::start_with_log("redb", "warn");
    let tenant = site.tenant("burg");
    let file = persons(&site);
    let results = site.path("results.ndjson");
    let ends = upload(&file, &["--results", results.to_str().unwrap()]);
    let mut command = site.customer_command(&tenant, &ends);
    let mut process = Process::start(&mut command, &site.path("upload.log"));
    come_on(&file, 0, &process);
    site.edge().kill();
    let rows = acknowledged(&file).expect("it is not done");
    site.start_edge();
    come_on(&file, rows, &process);
    site.vault().kill();
    assert!(acknowledged(&file).is_some(), "it is not done");
    site.start_vault();
    let ran =
        Ran { code: process.end_within(ADVANCE_MAX), stdout: process.log(), stderr: String::new() };
    assert_eq!(ran.json()["resumed_after_row"], Value::Null, "all of it in one run");
    assert_whole(&site, &tenant, &file, &ran);
    let rows = fs::read_to_string(&results).unwrap();
    let rows: Vec<Value> = rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(rows.iter().map(|row| row["row"].as_u64().unwrap()).eq(1..=ROWS as u64));
}

#[test]
fn an_upload_that_gives_up_says_how_to_go_on_and_refuses_a_changed_file() {
    let mut site = Site::start_with_log("redb", "warn");
    let tenant = site.tenant("burg");
    let file = persons(&site);
    let mut command = site.customer_command(&tenant, &upload(&file, &["--retries", "0"]));
    let mut process = Process::start(&mut command, &site.path("upload.log"));
    come_on(&file, 0, &process);
    site.edge().kill();
    assert_eq!(process.end_within(ADVANCE_MAX), 1);
    let rows = acknowledged(&file).expect("it is not done");
    let told = process.log();
    assert!(told.contains(&format!("goes on after row {rows}")), "{told}");
    site.start_edge();

    let csv = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{csv}x;Anna;Muster;anna@example.org\n")).unwrap();
    let refused = site.customer(&tenant, &upload(&file, &[]));
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("has changed since"), "{}", refused.stderr);
    assert!(refused.stderr.contains("--restart"), "{}", refused.stderr);
    assert_eq!(acknowledged(&file), Some(rows), "nothing was sent");

    fs::write(&file, csv).unwrap();
    let elsewhere = ["upload", file.to_str().unwrap(), "--collection", "others"];
    let refused = site.customer(&tenant, &elsewhere);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("collection customers"), "{}", refused.stderr);
    let ran = site.customer(&tenant, &upload(&file, &[]));
    assert_eq!(ran.json()["resumed_after_row"], rows);
    assert_whole(&site, &tenant, &file, &ran);
}

#[test]
fn an_upload_with_a_copy_that_is_cut_before_its_first_row_is_tried_again() {
    let site = Site::start_with_log("sled", "warn");
    let tenant = site.tenant("burg");
    let (file, out) = (site.path("long.ndjson"), site.path("out.ndjson"));
    // The first connection ends within the first row, behind what is asked before it.
    let text = "x".repeat(60_000);
    let row = json!({ "nr": "1", "a": text, "b": text, "c": text }).to_string();
    fs::write(&file, format!("{row}\n")).unwrap();
    let (proxy, connections) = cut_first(&site.url(""), 64 * 1024);
    let direct = site.customer_command(
        &tenant,
        &upload(&file, &["--retries", "3", "--out", out.to_str().unwrap()]),
    );
    let mut command = Command::new(direct.get_program());
    let edge = site.url("");
    let through = |word| if word == OsStr::new(&edge) { OsStr::new(&proxy) } else { word };
    command.args(direct.get_args().map(through)).current_dir(direct.get_current_dir().unwrap());
    let ran = run(&mut command, "").ok();
    assert_eq!((&ran.json()["accepted"], connections.load(Ordering::SeqCst)), (&json!(1), 2));
    assert_eq!(fs::read_to_string(&out).unwrap().lines().count(), 1);
}
