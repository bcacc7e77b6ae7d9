//! Whoever is one tenant, at whatever is another's, for every method of the descriptors and every
//! route of `/openapi.json` (`clients/matrix.py`). The roles of services and operators have a matrix
//! of their own (`internal-api/tests/internal_api/roles.rs`).

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{fs, process::Command};

use serde_json::json;
use tresor_tests::{Site, Tenant, repository, run, tool};

fn store(site: &Site, tenant: &Tenant, collection: &str, record: &str) {
    let body = format!("{{\"nr\":\"{record}\",\"vorname\":\"Anna\"}}");
    let body = ["-H", "Content-Type: application/json", "--data-binary", &body];
    let path = format!("/v1/collections/{collection}/records?id_field=nr");
    let stored = site.curl(tenant, &path, &body);
    assert_eq!(stored.status, 201, "{}", stored.body);
}

#[test]
fn nobody_gets_at_what_is_anothers_by_any_method_or_route_and_all_are_told_the_same() {
    let mut site = Site::start_with_log("redb", "info");
    let (own, other) = (site.tenant("burg"), site.tenant("herne"));
    site.write_configs(&[&own.id]);
    assert_eq!(site.vault().stop(), 0);
    site.start_vault();
    site.operator(&["collection", "put", "only-other", "--tenant", "herne"]).ok();
    let policy = "fields:\n  vorname: { info_type: FIRST_NAME, searchable: exact }\n";
    fs::write(site.path("policy.yaml"), policy).unwrap();
    let searchable = ["collection", "put", "customers", "-f", "policy.yaml", "--tenant"];
    site.operator(&[&searchable[..], &["burg"]].concat()).ok();
    store(&site, &own, "customers", "r1");
    for (collection, record) in [("customers", "r2"), ("only-other", "r1")] {
        store(&site, &other, collection, record);
    }
    let mut command = Command::new(tool("python3"));
    command.arg(repository().join("tests/clients/matrix.py")).arg(site.data_plane());
    command.arg(site.url("").rsplit(':').next().unwrap()).arg(repository().join("proto"));
    command.arg(site.path("ca")).arg(site.path("stubs"));
    command.args([&own.directory, &other.directory]).args([&own.id, &other.id]);
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    let tokens = format!("{}\n{}\n", own.customer_token(), other.customer_token());
    let told = run(&mut command, tokens).ok().json();
    assert_eq!(told["wrong"], json!({}), "{told:#}");
    assert!(told["calls"].as_u64() > Some(200), "{told}");

    // What is another's is as it was, and he is served.
    for (collection, record) in [("customers", "r2"), ("only-other", "r1")] {
        let path = format!("/v1/collections/{collection}/records/{record}?reveal=plain");
        let read = site.curl(&other, &path, &[]);
        assert_eq!(read.json()["record"]["vorname"], "Anna", "{}", read.body);
    }
    let listed = site.curl(&other, "/v1/collections/customers/records", &[]).json();
    assert_eq!(listed["records"].as_array().unwrap().len(), 1, "{listed}");
}
