//! What a customer does with its tokens, over the external API with curl and with the command line:
//! hand one out that only writes, bind it, let it end, lose all of them and come back.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;

use serde_json::Value;
use tresor_tests::{Site, Tenant};

const RECORDS: &str = "/v1/collections/customers/records?id_field=nr";
const RECORD: &str = "/v1/collections/customers/records/r1?reveal=plain";
const TOKENS: &str = "/v1/keys/tokens";

fn store(site: &Site, tenant: &Tenant, id: &str) -> u16 {
    let body = format!("{{\"nr\":\"{id}\",\"vorname\":\"Anna\",\"mail\":\"anna@example.org\"}}");
    let body = ["-H", "Content-Type: application/json", "--data-binary", &body];
    site.curl(tenant, RECORDS, &body).status
}

/// The customer with another of its tokens, which `fetch` puts into a file.
fn holding(tenant: &Tenant, name: &str, fetch: impl FnOnce(&str)) -> Tenant {
    let directory = tenant.directory.join(name);
    fs::create_dir(&directory).unwrap();
    for file in ["client.pem", "client.key"] {
        fs::copy(tenant.directory.join(file), directory.join(file)).unwrap();
    }
    let other = Tenant { directory, ..tenant.clone() };
    fetch(other.directory.join("customer.token").to_str().unwrap());
    other
}

/// The customer with a token that one issues.
fn issued(site: &Site, by: &Tenant, name: &str, arguments: &[&str]) -> Tenant {
    holding(by, name, |file| {
        let issue = ["keys", "token", "issue", "--name", name, "--token-file", file];
        site.customer(by, &[&issue[..], arguments].concat()).ok();
    })
}

/// The customer with its recovery token.
fn recovering(tenant: &Tenant) -> Tenant {
    let spare = tenant.directory.join("customer.token.recovery");
    holding(tenant, "spare", |file| {
        fs::copy(spare, file).unwrap();
    })
}

fn id(tenant: &Tenant) -> String {
    tenant.customer_token().split('_').nth(1).unwrap().to_owned()
}

fn post(site: &Site, tenant: &Tenant, path: &str, body: &str) -> (u16, Value) {
    let answer = site.curl(tenant, path, &["--json", body]);
    (answer.status, answer.json())
}

#[test]
fn a_customer_hands_out_and_ends_tokens_by_the_command_line() {
    let site = Site::start_with_log("redb", "info");
    let tenant = site.tenant("burg");
    assert_eq!(store(&site, &tenant, "r1"), 201);
    let uploader = issued(&site, &tenant, "uploader", &["--kind", "write_only"]);
    assert_eq!(store(&site, &uploader, "r2"), 201);
    assert_eq!(site.curl(&uploader, RECORD, &[]).status, 403);
    assert_eq!(site.curl(&uploader, TOKENS, &[]).status, 403);
    let reader =
        issued(&site, &tenant, "reader", &["--kind", "read_write", "--classes", "contact"]);
    let seen = site.curl(&reader, RECORD, &[]).json();
    assert_eq!(seen["record"]["mail"], "anna@example.org");
    assert_eq!(seen["record"]["vorname"], Value::Null, "{seen}");
    let listed = site.customer(&tenant, &["keys", "token", "list", "--output", "json"]).ok();
    let listed = listed.json()["customer_tokens"].as_array().unwrap().clone();
    let names: Vec<_> = listed.iter().map(|about| about["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["", "", "uploader", "reader"]);
    assert_eq!(listed[1]["kind"], "recovery");
    let revoke = ["keys", "token", "revoke", &id(&uploader)];
    site.customer(&tenant, &[&revoke[..], &["--dry-run"]].concat()).ok();
    assert_eq!(store(&site, &uploader, "r3"), 201, "a dry run ends nothing");
    site.customer(&tenant, &[&revoke[..], &["--yes"]].concat()).ok();
    assert_eq!(store(&site, &uploader, "r4"), 401);
    let own = id(&tenant);
    let revoke = ["keys", "token", "revoke", &own, "--yes"];
    let refused = site.customer(&tenant, &revoke);
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    assert!(refused.stderr.contains("identity"), "{}", refused.stderr);
    assert_eq!(site.curl(&tenant, RECORD, &[]).status, 200, "the last reader is still there");
    site.customer(&tenant, &[&revoke[..], &["--confirm", "burg"]].concat()).ok();
    assert_eq!(site.curl(&tenant, RECORD, &[]).status, 401);
}

#[test]
fn a_lost_customer_token_is_replaced_with_the_recovery_token_again_and_again() {
    let site = Site::start_with_log("sled", "info");
    let tenant = site.tenant("burg");
    assert_eq!(store(&site, &tenant, "r1"), 201);
    let spare = recovering(&tenant);
    assert_eq!(site.curl(&spare, RECORD, &[]).status, 403);
    assert_eq!(store(&site, &spare, "r2"), 403);
    assert_eq!(site.curl(&spare, TOKENS, &[]).status, 403);
    let mut lost = tenant;
    for name in ["first", "second"] {
        let found = issued(&site, &spare, name, &["--kind", "admin"]);
        let seen = site.curl(&found, RECORD, &[]).json();
        assert_eq!(seen["record"]["vorname"], "Anna");
        let revoke = ["keys", "token", "revoke", &id(&lost), "--yes"];
        site.customer(&found, &revoke).ok();
        assert_eq!(site.curl(&lost, RECORD, &[]).status, 401);
        lost = found;
    }
}

#[test]
fn bounds_and_rotations_hold_over_https() {
    let site = Site::start_with_log("redb", "info");
    let tenant = site.tenant("burg");
    assert_eq!(store(&site, &tenant, "r1"), 201);
    let own = tenant.directory.join("client.pem");
    let bound = ["--kind", "read_write", "--bind-certificate"];
    let here = issued(&site, &tenant, "here", &[&bound[..], &[own.to_str().unwrap()]].concat());
    assert_eq!(site.curl(&here, RECORD, &[]).status, 200);
    let there = issued(&site, &tenant, "there", &[&bound[..], &["ca/edge.pem"]].concat());
    assert_eq!(site.curl(&there, RECORD, &[]).status, 401);
    let (status, refused) =
        post(&site, &tenant, TOKENS, r#"{"kind":"grant","expires":"2001-01-01T00:00:00Z"}"#);
    assert_eq!((status, &refused["violations"][0]["field"]), (400, &"expires".into()));
    let rotate = |of: &Tenant, name: &str, overlap: &[&str]| {
        holding(&tenant, name, |file| {
            let rotate = ["keys", "token", "rotate", &id(of), "--token-file", file, "--yes"];
            site.customer(&tenant, &[&rotate[..], overlap].concat()).ok();
        })
    };
    let new = rotate(&here, "new", &[]);
    for holder in [&here, &new] {
        assert_eq!(site.curl(holder, RECORD, &[]).status, 200, "both work for a week");
    }
    let newer = rotate(&new, "newer", &["--overlap", "0"]);
    assert_eq!(site.curl(&new, RECORD, &[]).status, 401);
    assert_eq!(site.curl(&newer, RECORD, &[]).status, 200);
    let (status, issued) =
        post(&site, &tenant, TOKENS, r#"{"kind":"grant","classes":["contact"]}"#);
    assert_eq!(
        (status, &issued["issued"]["operations"]),
        (201, &serde_json::json!(["read_masked"]))
    );
    let (status, _) = post(&site, &newer, TOKENS, r#"{"kind":"grant"}"#);
    assert_eq!(status, 403, "it manages none");
}

/// The data keys of a class as `epoch state`.
fn data_keys(site: &Site, class: &str) -> Vec<String> {
    let status = ["keys", "status", "--tenant", "burg", "--output", "json"];
    let status = site.operator(&status).ok().json();
    let keys = status["tenants"][0]["keys"].as_array().unwrap().clone();
    let is_it = |key: &&Value| key["key"] == "data key" && key["class"] == class;
    let state = |key: &Value| format!("{} {}", key["version"], key["state"].as_str().unwrap());
    keys.iter().filter(is_it).map(state).collect()
}

#[test]
fn a_customer_lends_its_token_and_the_older_data_key_is_destroyed() {
    let site = Site::start_with_log("sled", "info");
    let tenant = site.tenant("burg");
    for id in ["r1", "r2", "r3"] {
        assert_eq!(store(&site, &tenant, id), 201);
    }
    let rotate = ["keys", "rotate-data", "--tenant", "burg", "--class", "contact", "--yes"];
    let marked = site.operator(&[&rotate[..], &["--output", "json"]].concat()).ok().json();
    let operation = marked["operation"].as_str().unwrap();
    let lend = ["keys", "token", "lend", "--output", "json"];
    let names = issued(&site, &tenant, "names", &["--kind", "admin", "--classes", "identity"]);
    let nothing = site.customer(&names, &[&lend[..], &["--yes"]].concat()).ok().json();
    assert_eq!(nothing["lent"]["classes"], serde_json::json!(["identity"]));
    assert_eq!(nothing["lent"]["operations"].as_array().unwrap().len(), 0);
    let refused = site.customer(&names, &[&lend[..], &["--class", "contact", "--yes"]].concat());
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("wrong_key"), "{}", refused.stderr);
    let reader = issued(&site, &tenant, "reader", &["--kind", "read_write"]);
    let refused = site.customer(&reader, &[&lend[..], &["--yes"]].concat());
    assert!(refused.stderr.contains("forbidden"), "it may not lend: {}", refused.stderr);
    let body = r#"{"lifetime_seconds":60}"#;
    let (status, _) = post(&site, &names, &format!("{TOKENS}/{}:lend", id(&tenant)), body);
    assert_eq!(status, 404, "only what is shown is lent");
    assert_eq!(site.customer(&tenant, &lend).code, 2, "there is no terminal to ask on");
    let shown = site.customer(&tenant, &[&lend[..], &["--dry-run"]].concat()).ok().json();
    let work = &shown["lent"]["operations"][0];
    assert_eq!((&work["id"], &work["state"]), (&operation.into(), &"pending_customer".into()));
    assert_eq!(data_keys(&site, "contact"), ["1 active"], "a dry run makes no key");

    let wait = ["--class", "contact", "--for", "10m", "--yes", "--wait"];
    let lent = site.customer(&tenant, &[&lend[..], &wait].concat()).ok().json();
    assert_eq!(lent["lent"]["classes"], serde_json::json!(["contact"]));
    assert_eq!(lent["lent"]["operations"][0]["id"], operation);
    let show = ["keys", "operations", "show", operation, "--output", "json"];
    let done = site.operator(&show).ok().json();
    assert_eq!((&done["state"], &done["total"]), (&"done".into(), &3.into()), "{done}");
    assert_eq!(data_keys(&site, "contact"), ["1 destroyed", "2 active"]);
    assert_eq!(data_keys(&site, "identity"), ["1 active"]);
    let seen = site.curl(&tenant, RECORD, &[]).json();
    assert_eq!(seen["record"]["mail"], "anna@example.org");
    assert_eq!(seen["record"]["vorname"], "Anna");
}
