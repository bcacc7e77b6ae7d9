//! Sentinel values and secrets through every operation and its refusals, with logs at `trace`:
//! afterwards none of them is found in any file of the installation but those of the customer.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::{Child, Command},
    thread::{self, sleep},
    time::Duration,
};

use serde_json::{Value, json};
use tresor_tests::{Answer, Site, Tenant, basic, hits_in_directory, run};

const RECORDS: &str = "/v1/collections/customers/records";

/// Personal values that nothing but a leak can put into a file.
const SENTINELS: [&str; 5] = [
    "Xaverius-Sentinel",
    "sentinel.q7@example.org",
    "DE02120300000000202051",
    "Der Schluessel liegt beim Sentinel-Nachbarn",
    "Sentinelweg 77b",
];

/// Values that are never uploaded: they are traded for surrogates, or looked for.
const TRADED: [&str; 4] =
    ["Sentinel-Tauschwert 88", "9988776655443322", "Sentinel-Suchwert 99", "Sentinel-Fehlwert 77"];

/// No secret, but nobody's business either: it may hang on what is uploaded.
const IDEMPOTENCY_KEY: &str = "upload-of-the-sentinels-4711";

fn body() -> String {
    let [name, mail, iban, note, street] = SENTINELS;
    format!(
        "{{\"nr\":\"r1\",\"vorname\":\"{name}\",\"mail\":\"{mail}\",\"iban\":\"{iban}\",\
         \"bemerkung\":\"{note}\",\"strasse\":\"{street}\"}}"
    )
}

fn call_everything(site: &Site, tenant: &Tenant) {
    // Through standard input would meet the customer token; a file of the customer's it is.
    let file = tenant.directory.join("body.json");
    fs::write(&file, body()).unwrap();
    let data = format!("@{}", file.display());
    let json = ["-H", "Content-Type: application/json", "--data-binary", &data];
    let key = format!("Idempotency-Key: {IDEMPOTENCY_KEY}");
    let keyed = [&["-H", &key], &json[..]].concat();
    for replayed in [false, true] {
        let stored = site.curl(tenant, RECORDS, &keyed);
        assert_eq!((stored.status, stored.body.contains("replayed")), (201, replayed));
    }
    let reused = site.curl(tenant, &format!("{RECORDS}?id_field=nr"), &keyed);
    assert_eq!(reused.status, 409, "{}", reused.body);
    let stored = site.curl(tenant, &format!("{RECORDS}?id_field=nr&explain=true"), &json);
    assert_eq!(stored.status, 201, "{}", stored.body);
    let again = site.curl(tenant, &format!("{RECORDS}?id_field=nr"), &json);
    assert_eq!(again.status, 201, "{}", again.body);
    let csv = ["-H", "Content-Type: text/csv", "--data-binary", &data];
    let refusals = [
        (RECORDS.to_owned(), &csv[..]),
        ("/v1/collections/unknown/records".to_owned(), &json[..]),
        (format!("{RECORDS}?id_field=mail"), &json[..]),
        (format!("{RECORDS}?id_field=none"), &json[..]),
        ("/v1/screen".to_owned(), &json[..]),
        ("/v1/enrol".to_owned(), &json[..]),
    ];
    for (path, arguments) in &refusals {
        let _ = site.curl(tenant, path, arguments);
    }
    for reveal in ["plain", "masked", "redacted", "nonsense"] {
        let _ = site.curl(tenant, &format!("{RECORDS}/r1?reveal={reveal}"), &[]);
        let _ = site.curl(tenant, &format!("{RECORDS}?reveal={reveal}"), &[]);
    }
    let _ = site.customer(tenant, &["get", "r1", "--collection", "customers"]);
    trade_and_search(site, tenant);
}

/// Trades values for surrogates of each kind and back, and looks for values that are there, that are
/// not, and where nothing may be looked for.
fn trade_and_search(site: &Site, tenant: &Tenant) {
    let [random, digits, found, absent] = TRADED;
    let post = |path: &str, body: &Value| {
        let file = tenant.directory.join("body.json");
        fs::write(&file, body.to_string()).unwrap();
        let data = format!("@{}", file.display());
        site.curl(tenant, path, &["-H", "Content-Type: application/json", "--data-binary", &data])
    };
    let items = json!([
        { "value": random }, { "value": random, "kind": "deterministic" },
        { "value": digits, "info_type": "METER_ID", "kind": "format-preserving", "format": "digits" },
        { "value": random, "kind": "format-preserving", "format": "digits" }, { "value": [random] },
    ]);
    let made = post("/v1/tokenize", &json!({ "info_type": "FREE_TEXT", "items": items })).json();
    let surrogates = made["results"].as_array().unwrap().iter();
    let surrogates = surrogates.filter(|it| it["surrogate"].is_string());
    let items: Vec<_> = surrogates.map(|it| json!({ "surrogate": it["surrogate"] })).collect();
    assert_eq!(items.len(), 3, "{made}");
    for reveal in ["plain", "masked", "redacted", "nonsense"] {
        let body = json!({ "reveal": reveal, "items": items, "info_type": "METER_ID", "format": "digits" });
        let back = post("/v1/detokenize", &body);
        assert_eq!(back.body.contains(random), reveal == "plain", "{}", back.body);
    }
    let policy = tenant.directory.join("policy.yaml");
    fs::write(&policy, "fields:\n  name: { info_type: LAST_NAME, searchable: exact }\n").unwrap();
    let put = ["collection", "put", "people", "--tenant", &tenant.name, "-f"];
    site.operator(&[&put[..], &[policy.to_str().unwrap()]].concat()).ok();
    let stored = post("/v1/collections/people/records", &json!({ "name": found }));
    assert_eq!(stored.status, 201, "{}", stored.body);
    for (field, value, status, records) in
        [("name", found, 200, 1), ("name", absent, 200, 0), ("other", absent, 400, 0)]
    {
        let body = json!({ "reveal": "plain", "terms": [{ "field": field, "value": value }] });
        let answer = post("/v1/collections/people/records:search", &body);
        assert_eq!(answer.status, status, "{}", answer.body);
        assert_eq!(answer.body.matches(found).count(), records, "{}", answer.body);
    }
}

fn recovery_token(tenant: &Tenant) -> String {
    let text = fs::read_to_string(tenant.directory.join("customer.token.recovery")).unwrap();
    text.trim().to_owned()
}

const WRONG_PASSWORD: &str = "Sentinel-Fehlversuch 4711";
const NEW_PASSWORD: &str = "Sentinel-Nachfolger 4712";

/// Shows a wrong password, and changes the right one; gives all passwords there were.
fn try_passwords(site: &Site, tenant: &Tenant) -> [String; 4] {
    let user = tenant.user.as_ref().unwrap();
    let client = tenant.directory.join("client");
    let wrong = basic(&user.name, WRONG_PASSWORD);
    let refused = site.curl_bare(&client, RECORDS, &[], Some(&wrong));
    assert_eq!((refused.status, refused.body.contains("Sentinel")), (401, false));
    let file = tenant.directory.join("new-password.json");
    fs::write(&file, format!("{{\"new_password\":\"{NEW_PASSWORD}\"}}")).unwrap();
    let data = format!("@{}", file.display());
    let body = ["-H", "Content-Type: application/json", "--data-binary", &data];
    let changed = site.curl_bare(&client, "/v1/password", &body, Some(&user.header()));
    assert_eq!(changed.status, 204, "{}", changed.body);
    let one_time = fs::read_to_string(tenant.directory.join("planner.one-time")).unwrap();
    let others = [WRONG_PASSWORD, NEW_PASSWORD, one_time.trim()].map(str::to_owned);
    let [wrong, new, one_time] = others;
    [user.password(), wrong, new, one_time]
}

fn secret_of(customer_token: &str) -> &str {
    customer_token.rsplit('_').next().unwrap()
}

#[test]
fn no_file_holds_a_sealed_value_a_customer_token_a_password_or_an_idempotency_key() {
    for engine in ["sled", "redb"] {
        let mut site = Site::start(engine);
        let (burg, herne) = (site.tenant_with_user("burg"), site.tenant("herne"));
        call_everything(&site, &burg);
        let stolen = format!("Tresor-Customer-Token: {}", burg.customer_token());
        let _ = site.curl_bare(&herne.directory.join("client"), RECORDS, &[], Some(&stolen));
        let customer_token = burg.customer_token();
        let recovery_token = recovery_token(&burg);
        let secrets = [&customer_token, &recovery_token].map(|text| secret_of(text));
        let code = fs::read_to_string(burg.directory.join("code")).unwrap();
        let deleted = site.curl(&burg, &format!("{RECORDS}/r1"), &["-X", "DELETE"]);
        assert_eq!(deleted.status, 204);
        let passwords = try_passwords(&site, &burg);
        // While it runs, and after it has stopped: what the customer keeps is the customer's.
        fs::remove_dir_all(&burg.directory).unwrap();
        let mut values = [&SENTINELS[..], &TRADED].concat();
        values.extend([IDEMPOTENCY_KEY, code.trim(), &customer_token, &recovery_token]);
        values.extend(secrets);
        values.extend(passwords.iter().map(String::as_str));
        assert_eq!(hits_in_directory(&site.path(""), &values), [], "{engine}, running");
        assert_eq!(site.edge().stop(), 0);
        assert_eq!(site.vault().stop(), 0);
        assert_eq!(hits_in_directory(&site.path(""), &values), [], "{engine}, stopped");
        let log = fs::read_to_string(site.path("internal-api.log")).unwrap();
        assert!(log.contains("customer enrolled"), "the search has logs to look into");
    }
}

/// Nothing of these values is in any file but the customer's, which is taken away before.
fn assert_nothing_is_found(site: &Site, tenant: &Tenant, when: &str) {
    let (customer_token, recovery_token) = (tenant.customer_token(), recovery_token(tenant));
    fs::remove_dir_all(&tenant.directory).unwrap();
    let mut values = [&SENTINELS[..], &TRADED].concat();
    values.extend([secret_of(&customer_token), secret_of(&recovery_token)]);
    assert_eq!(hits_in_directory(&site.path(""), &values), [], "{when}");
}

/// While the values are in its memory and an upload is under way.
#[test]
fn a_vault_that_aborts_leaves_no_value_in_any_file() {
    for engine in ["sled", "redb"] {
        let mut site = Site::start(engine);
        let tenant = site.tenant("burg");
        call_everything(&site, &tenant);
        write_rows(&tenant.directory.join("rows"));
        let (path, process) = (site.path("answer"), site.vault().id());
        thread::scope(|scope| {
            let upload = scope.spawn(|| upload(&site, &tenant, &path, &SLOWLY));
            wait_for_rows(&path, || upload.is_finished());
            run(Command::new("kill").arg("-ABRT").arg(process.to_string()), "").ok();
        });
        assert!(!site.vault().has_dumped_core(), "{engine}: an image of its memory was written");
        assert_nothing_is_found(&site, &tenant, engine);
    }
}

const ROWS: usize = 2_000;

/// Rows that take a while, with a value to look for in each.
fn write_rows(file: &Path) {
    let mut rows = String::new();
    for number in 0..ROWS {
        let name = SENTINELS[0];
        writeln!(rows, "{{\"nr\":\"r{number}\",\"vorname\":\"{name}\"}}").unwrap();
    }
    fs::write(file, rows).unwrap();
}

/// Over HTTP/1.1, where a client that is answered while it sends stops sending.
const SLOWLY: [&str; 4] = ["--http1.1", "--limit-rate", "60k", "--no-buffer"];

fn upload(site: &Site, tenant: &Tenant, answer: &Path, options: &[&str]) -> Answer {
    let data = format!("@{}", tenant.directory.join("rows").display());
    let answer = answer.display().to_string();
    let lines = ["-H", "Content-Type: application/x-ndjson", "--data-binary", &data];
    let arguments = [options, &["--output", &answer], &lines].concat();
    site.curl(tenant, &format!("{RECORDS}?id_field=nr"), &arguments)
}

fn stored_rows(answer: &Path) -> usize {
    let answer = fs::read_to_string(answer).unwrap_or_default();
    answer.lines().filter(|line| line.contains("\"status\":\"stored\"")).count()
}

fn wait_for_rows(answer: &Path, is_over: impl Fn() -> bool) {
    while stored_rows(answer) == 0 && !is_over() {
        sleep(Duration::from_millis(5));
    }
}

fn summary(answer: &Path) -> Value {
    let answer = fs::read_to_string(answer).unwrap();
    let last: Value = serde_json::from_str(answer.lines().next_back().unwrap()).unwrap();
    last["summary"].clone()
}

#[test]
fn an_upload_that_loses_its_vault_is_told_so_and_leaves_no_value_in_any_file() {
    let mut site = Site::start("redb");
    let tenant = site.tenant("burg");
    write_rows(&tenant.directory.join("rows"));
    let (path, process) = (site.path("answer"), site.vault().id());
    let answer = thread::scope(|scope| {
        let upload = scope.spawn(|| upload(&site, &tenant, &path, &SLOWLY));
        wait_for_rows(&path, || upload.is_finished());
        run(Command::new("kill").arg("-KILL").arg(process.to_string()), "").ok();
        upload.join().unwrap()
    });
    let broken = summary(&path);
    assert_eq!((answer.status, &broken["complete"]), (200, &false.into()), "{broken}");
    assert_eq!(broken["problem"]["code"], "overloaded", "{broken}");
    assert_eq!(broken["accepted"], stored_rows(&path), "{broken}");
    assert!((1..ROWS).contains(&stored_rows(&path)), "{broken}");
    site.vault().kill();
    site.start_vault();
    assert_eq!(upload(&site, &tenant, &path, &[]).status, 200);
    let whole = summary(&path);
    assert_eq!((&whole["complete"], &whole["accepted"]), (&true.into(), &ROWS.into()));
    site.vault().kill();
    assert_nothing_is_found(&site, &tenant, "after a kill in the middle");
}

/// A process that cannot make threads as long as this lives (strace, attached: needs its rights).
struct WithoutThreads(Child);

impl WithoutThreads {
    fn of(process: u32) -> Self {
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=clone,clone3"]);
        strace.args(["-e", "inject=clone,clone3:error=ENOMEM", "-p", &process.to_string()]);
        let mut tracer = strace.spawn().unwrap();
        let status = format!("/proc/{process}/status");
        while fs::read_to_string(&status).unwrap().contains("TracerPid:\t0\n") {
            assert!(tracer.try_wait().unwrap().is_none(), "strace may not attach: run as root");
            sleep(Duration::from_millis(20));
        }
        Self(tracer)
    }

    fn end(mut self) {
        run(Command::new("kill").arg("-INT").arg(self.0.id().to_string()), "").ok();
        let _ = self.0.wait().unwrap();
    }
}

/// A call that opens its tenant's database, for which sled needs a thread and none is to be had,
/// panics with the values in its hands.
#[test]
fn a_call_that_panics_leaves_no_value_in_any_file() {
    let mut site = Site::start("sled");
    let tenant = site.tenant("burg");
    call_everything(&site, &tenant);
    let data = format!("@{}", tenant.directory.join("body.json").display());
    let json = ["-H", "Content-Type: application/json", "--data-binary", &data];
    assert_eq!(site.vault().stop(), 0);
    site.start_vault();
    let without_threads = WithoutThreads::of(site.vault().id());
    assert_eq!(site.curl(&tenant, RECORDS, &json).status, 503);
    let log = fs::read_to_string(site.path("internal-api.log")).unwrap();
    assert!(log.contains("a thread panicked"), "{log}");
    without_threads.end();
    assert_eq!(site.vault().stop(), 0);
    site.start_vault();
    assert_eq!(site.curl(&tenant, RECORDS, &json).status, 201);
    assert_nothing_is_found(&site, &tenant, "after a panic");
}
