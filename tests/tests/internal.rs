//! The internal API with clients nobody here wrote: Python's grpcio and grpcurl.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use tresor_tests::{Site, Tenant, grpcurl, repository, run, tool};

/// A site where `billing` may call for the tenant.
fn site_with_billing() -> (Site, Tenant) {
    let mut site = Site::start("sled");
    let tenant = site.tenant("burg");
    site.write_configs(&[&tenant.id]);
    assert_eq!(site.vault().stop(), 0);
    site.start_vault();
    (site, tenant)
}

fn context(tenant: &Tenant) -> Value {
    json!({"tenant": tenant.id, "customer_token": tenant.customer_token(), "request_id": "t-1"})
}

#[test]
fn python_puts_ingests_gets_lists_and_deletes() {
    let (site, tenant) = site_with_billing();
    let script = repository().join("tests/clients/records.py");
    let mut command = Command::new(tool("python3"));
    command.arg(script).arg(site.data_plane()).arg(repository().join("proto"));
    command.arg(site.path("ca")).arg(site.path("stubs")).arg(&tenant.id);
    let ran = run(&mut command, tenant.customer_token()).ok();
    assert!(ran.stdout.contains("12 passed, 0 failed"), "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn grpcurl_finds_the_services_by_reflection_and_calls_them() {
    let (site, tenant) = site_with_billing();
    let (data, control) = (site.data_plane(), site.control_plane());
    let listed = Command::new(tool("grpcurl"))
        .arg("-cacert")
        .arg(site.path("ca/ca.pem"))
        .arg("-cert")
        .arg(site.path("ca/billing.pem"))
        .arg("-key")
        .arg(site.path("ca/billing.key"))
        .args([&data, "list"])
        .output()
        .unwrap();
    let services = String::from_utf8_lossy(&listed.stdout).into_owned();
    for service in ["tresor.vault.v1.RecordService", "grpc.health.v1.Health"] {
        assert!(services.contains(service), "{services}");
    }
    let put = json!({
        "context": context(&tenant),
        "destination": {"collection": "customers"},
        "records": [{"id": "g1", "reference": "row 1", "fields": [
            {"name": "vorname", "value": {"text": "Anna"}, "info_type": "FIRST_NAME"}]}],
    });
    let stored = grpcurl(&site, "billing", &data, "tresor.vault.v1.RecordService/Put", &put).ok();
    assert_eq!(stored.json()["results"][0]["reference"], "row 1");
    let get = json!({
        "context": context(&tenant), "collection": "customers", "ids": ["g1", "g2"],
        "reveal": "REVEAL_PLAIN",
    });
    let read = grpcurl(&site, "billing", &data, "tresor.vault.v1.RecordService/Get", &get).ok();
    let results = read.json()["results"].clone();
    assert_eq!(results[0]["record"]["fields"][0]["value"]["text"], "Anna");
    assert_eq!(results[1]["status"]["code"], 5, "NOT_FOUND");
    let health = json!({});
    let serving = grpcurl(&site, "operator", &control, "grpc.health.v1.Health/Check", &health).ok();
    assert_eq!(serving.json()["status"], "SERVING");
}

#[test]
fn the_roles_of_services_keep_apart() {
    let (site, tenant) = site_with_billing();
    let (data, control) = (site.data_plane(), site.control_plane());
    let get = "tresor.vault.v1.RecordService/Get";
    let body = json!({"context": context(&tenant), "collection": "customers", "ids": ["g1"]});
    let tenants = "tresor.vault.v1.TenantService/ListTenants";
    // An operator opens nothing, a service registers nobody, an edge comes with evidence only.
    for (identity, server, method, body) in [
        ("operator", &data, get, &body),
        ("operator", &control, get, &body),
        ("billing", &control, tenants, &json!({})),
        ("edge", &control, tenants, &json!({})),
        ("edge", &data, get, &body),
    ] {
        let ran = grpcurl(&site, identity, server, method, body);
        assert_ne!(ran.code, 0, "{identity} {method}: {}", ran.stdout);
        assert!(!ran.stderr.contains("Anna"));
    }
    grpcurl(&site, "operator", &control, tenants, &json!({})).ok();
}

/// A token of the customer's, beside its first.
fn issued(site: &Site, tenant: &Tenant) -> Tenant {
    let directory = tenant.directory.join("second");
    std::fs::create_dir(&directory).unwrap();
    let file = directory.join("customer.token");
    let issue = ["keys", "token", "issue", "--kind", "read_write", "--token-file"];
    site.customer(tenant, &[&issue[..], &[file.to_str().unwrap()]].concat()).ok();
    Tenant { directory, ..tenant.clone() }
}

#[test]
fn python_is_refused_at_its_next_request_once_its_customer_token_is_revoked() {
    let (site, tenant) = site_with_billing();
    let second = issued(&site, &tenant);
    let mut command = Command::new(tool("python3"));
    command.arg(repository().join("tests/clients/revoked.py")).arg(site.data_plane());
    command.arg(repository().join("proto")).arg(site.path("ca")).arg(site.path("stubs"));
    command.arg(&tenant.id).env("PYTHONDONTWRITEBYTECODE", "1");
    let mut python = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut input, output) = (python.stdin.take().unwrap(), python.stdout.take().unwrap());
    let mut output = BufReader::new(output);
    writeln!(input, "{}", second.customer_token()).unwrap();
    let mut said = String::new();
    output.read_line(&mut said).unwrap();
    assert_eq!(said, "open\n", "its stream is open and its keys are cached");

    let id = second.customer_token().split('_').nth(1).unwrap().to_owned();
    site.customer(&tenant, &["keys", "token", "revoke", &id, "--yes"]).ok();
    writeln!(input, "revoked").unwrap();
    let mut said = String::new();
    output.read_to_string(&mut said).unwrap();
    let calls = ["ingest", "get", "list", "put", "delete"];
    let refused: Vec<_> = calls.map(|call| format!("{call} UNAUTHENTICATED")).into();
    assert_eq!(said.lines().collect::<Vec<_>>(), refused);
    assert!(python.wait().unwrap().success());

    let listed = json!({"context": context(&tenant), "collection": "customers"});
    let method = "tresor.vault.v1.RecordService/List";
    let listed = grpcurl(&site, "billing", &site.data_plane(), method, &listed).ok().json();
    let ids: Vec<_> = listed["results"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
    assert_eq!(ids, ["before"], "nothing came in or went after the revocation");
}
