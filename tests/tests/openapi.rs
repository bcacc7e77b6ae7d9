//! `/openapi.json`: valid by a validator nobody here wrote, complete, and kept by the answers.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{collections::BTreeSet, fs, process::Command};

use serde_json::Value;
use tresor_tests::{Site, Tenant, is_long, repository, run, tool};
use walkdir::WalkDir;

/// The document as the external API serves it, in a file.
fn document(site: &Site, tenant: &Tenant) -> (String, Value) {
    let answer = site.curl_bare(&tenant.directory.join("client"), "/openapi.json", &[], None);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let path = site.path("openapi.json").display().to_string();
    fs::write(&path, &answer.body).unwrap();
    (path, answer.json())
}

/// The routes of the document, as `GET /path`.
fn routes(document: &Value) -> BTreeSet<String> {
    let paths = document["paths"].as_object().unwrap();
    let routes = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().keys();
        methods.map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    routes.collect()
}

/// The routes that docs/api.md names in its table.
fn documented_routes() -> BTreeSet<String> {
    let text = fs::read_to_string(repository().join("docs/api.md")).unwrap();
    let rows = text.lines().skip_while(|line| !line.starts_with("| route |"));
    let rows = rows.take_while(|line| line.starts_with('|')).skip(2);
    let cells = rows.flat_map(|row| row.split('|').nth(1).unwrap().split('`'));
    cells.filter(|text| text.contains(" /")).map(str::to_owned).collect()
}

#[test]
fn the_document_is_valid_and_kept_by_every_answer() {
    let site = Site::start_with_log("sled", "info");
    let tenant = site.tenant("burg");
    let policy = "fields:\n  vorname: { info_type: FIRST_NAME, searchable: exact }\n";
    fs::write(site.path("policy.yaml"), policy).unwrap();
    let put = ["collection", "put", "customers", "-f", "policy.yaml", "--tenant", "burg"];
    site.operator(&put).ok();
    let (path, document) = document(&site, &tenant);
    assert_eq!(document["openapi"], "3.1.0");
    let python = tool("python3");
    run(Command::new(&python).args(["-m", "openapi_spec_validator", &path]), "").ok();

    let mut command = Command::new(python);
    command.arg(repository().join("tests/clients/conformance.py")).arg(path);
    command.arg(site.url("").rsplit(':').next().unwrap()).arg(site.path("ca/ca.pem"));
    command.arg(tenant.directory.join("client.pem")).arg(tenant.directory.join("client.key"));
    command.arg(tenant.directory.join("code"));
    let ran = run(&mut command, tenant.customer_token()).ok();
    assert!(ran.stdout.contains(" 0 failed"), "{}{}", ran.stdout, ran.stderr);
}

/// The query parameters of the document.
fn parameters(document: &Value) -> BTreeSet<String> {
    let operations = document["paths"].as_object().unwrap().values();
    let operations = operations.flat_map(|item| item.as_object().unwrap().values());
    let parameters =
        operations.filter_map(|operation| operation["parameters"].as_array()).flatten();
    let query = parameters.filter(|parameter| parameter["in"] == "query");
    query.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect()
}

/// The query parameters that the source takes by name.
fn taken(source: &str) -> impl Iterator<Item = String> {
    let calls = [".parsed(\"", ".text(\""].into_iter().flat_map(|call| source.split(call).skip(1));
    calls.map(|rest| rest.split('"').next().unwrap().to_owned())
}

#[test]
fn the_document_names_every_query_parameter_and_no_other() {
    let site = Site::start_with_log("sled", "info");
    let tenant = site.registered_tenant("burg");
    let (_, document) = document(&site, &tenant);
    let files = ["upload.rs", "screen.rs", "records.rs"];
    let read = |file| fs::read_to_string(repository().join("external-api/src").join(file)).unwrap();
    let taken: BTreeSet<String> =
        files.into_iter().flat_map(|file| taken(&read(file)).collect::<Vec<_>>()).collect();
    assert_eq!(parameters(&document), taken);
}

#[test]
fn the_document_names_every_route_and_no_other() {
    let site = Site::start_with_log("sled", "info");
    let tenant = site.registered_tenant("burg");
    let (_, document) = document(&site, &tenant);
    assert_eq!(routes(&document), documented_routes());
    // A route is registered with its description; axum's own way would leave it undocumented.
    for entry in WalkDir::new(repository().join("external-api/src")) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let text = fs::read_to_string(entry.path()).unwrap();
            for way in [".route(", ".route_service(", ".nest_service(", ".nest("] {
                assert!(!text.contains(way), "{}: {way}", entry.path().display());
            }
        }
    }
}

/// What schemathesis holds an answer against; whether random rows are accepted is for screening.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_schema_conformance,response_headers_conformance,unsupported_method";

#[test]
fn schemathesis_finds_nothing() {
    // It asks some thousand things; ./check --long installs it.
    if !is_long() {
        return;
    }
    let site = Site::start_with_log("sled", "info");
    let tenant = site.tenant("burg");
    let (path, _) = document(&site, &tenant);
    // In a file: what is in the arguments is seen by all.
    let token = tenant.customer_token();
    let config = format!(
        "headers = {{ \"Tresor-Customer-Token\" = \"{token}\" }}\n\
         parameters = {{ \"path.collection\" = \"customers\" }}\n"
    );
    site.write_private("schemathesis.toml", &config);
    let mut command = Command::new(tool("st"));
    command.current_dir(site.path("")).arg("--config-file").arg(site.path("schemathesis.toml"));
    command.args(["run", &path, "--url", &site.url(""), "--checks", CHECKS]);
    command.args(["--phases", "examples,coverage,fuzzing", "--max-examples", "100"]);
    command.args(["--seed", "1", "--generation-deterministic", "--no-color"]);
    command.arg("--continue-on-failure");
    command.arg("--tls-verify").arg(site.path("ca/ca.pem"));
    command.arg("--request-cert").arg(tenant.directory.join("client.pem"));
    command.arg("--request-cert-key").arg(tenant.directory.join("client.key"));
    run(&mut command, "").ok();
}
