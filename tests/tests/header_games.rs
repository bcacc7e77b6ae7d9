//! Headers that lie or have two meanings, over real TLS: whom a proxy says it asks for, and where
//! one request ends and the next begins (`clients/header_games.py`).

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{fs, process::Command};

use serde_json::{Value, json};
use tresor_tests::{Site, Tenant, repository, run, tool};

/// The addresses the tenant behind proxies may come from.
const ALLOWED: [&str; 2] = ["203.0.113.0/24", "2001:db8:7::/48"];
const GOOD: &str = "203.0.113.5";
const BAD: &str = "198.51.100.1";
/// Who is believed, and who is not.
const PROXY: &str = "127.0.0.9";
const STRANGER: &str = "127.0.0.1";

/// A site whose external API believes proxies, and a tenant that comes from [`ALLOWED`] only.
fn behind_proxies(setting: &str) -> (Site, Tenant) {
    let mut site = Site::start_with_log("redb", "info");
    let text = fs::read_to_string(site.path("external-api.toml")).unwrap();
    site.write_private("external-api.toml", &format!("{text}[proxies]\n{setting}\n"));
    assert_eq!(site.edge().stop(), 0);
    site.start_edge();
    let tenant = site.registered_tenant_from("burg", &ALLOWED);
    (site, tenant)
}

/// What became of a game: how many were played, and what went wrong.
fn play(site: &Site, game: &str, identity: &std::path::Path, address: &str, path: &str) -> Value {
    let mut command = Command::new(tool("python3"));
    command.arg(repository().join("tests/clients/header_games.py")).arg(game);
    command.arg(address.rsplit(':').next().unwrap()).arg(site.path("ca/ca.pem"));
    command.arg(identity.with_extension("pem")).arg(identity.with_extension("key"));
    command.arg(path).env("PYTHONDONTWRITEBYTECODE", "1");
    run(&mut command, "\n").ok().json()
}

fn assert_all_right(result: &Value) {
    assert!(result["played"].as_u64() >= Some(20), "{result}");
    assert_eq!(result["wrong"], json!({}), "{result:#}");
}

/// The status that a client behind `interface` gets with these headers.
fn asked(site: &Site, tenant: &Tenant, interface: &str, headers: &[&str]) -> (u16, Value) {
    let identity = tenant.directory.join("client");
    let mut told = Vec::new();
    for protocol in ["--http1.1", "--http2"] {
        let mut arguments = vec![protocol, "--interface", interface];
        arguments.extend(headers.iter().flat_map(|header| ["-H", *header]));
        let answer = site.curl_bare(&identity, "/v1/limits", &arguments, None);
        let mut problem = answer.json();
        problem.as_object_mut().unwrap().remove("request_id");
        told.push((answer.status, problem));
    }
    assert_eq!(told[0], told[1], "the protocols differ: {headers:?}");
    told.remove(0)
}

#[test]
fn where_a_client_comes_from_is_what_the_nearest_proxy_says_and_nobody_else() {
    let (site, tenant) =
        behind_proxies("x_forwarded_for = [\"127.0.0.9\", \"127.0.0.16/28\", \"fd00::/8\"]");
    let forwarded = |entries: &str| format!("X-Forwarded-For: {entries}");
    let mut refusals = Vec::new();
    for (interface, values, is_let_in) in [
        (PROXY, &[GOOD][..], true),
        (PROXY, &["2001:db8:7::1"], true),
        (PROXY, &["[2001:db8:7::1]:4711"], true),
        (PROXY, &["::ffff:203.0.113.5"], true),
        (PROXY, &["198.51.100.1, 203.0.113.5"], true),
        (PROXY, &["nonsense, 203.0.113.5 ,127.0.0.20,\tfd00::1"], true),
        (PROXY, &[BAD, GOOD], true),
        (PROXY, &[GOOD, BAD], false),
        (PROXY, &["203.0.113.5, 198.51.100.1"], false),
        (PROXY, &["203.0.113.5, 127.0.0.1"], false),
        (PROXY, &["127.0.0.9"], false),
        (PROXY, &["203.0.113.5, unknown"], false),
        (PROXY, &["203.0.113.5,"], false),
        (PROXY, &["203.0.113.5 198.51.100.1"], false),
        (PROXY, &["203.0.113.05"], false),
        (PROXY, &["3405803781"], false),
        (PROXY, &["203.0.113.5", "\u{e9}"], false),
        (PROXY, &[], false),
        (STRANGER, &[GOOD], false),
        (STRANGER, &[GOOD, GOOD], false),
        (STRANGER, &["203.0.113.5, 127.0.0.9"], false),
        ("127.0.0.10", &[GOOD], false),
    ] {
        let headers: Vec<String> = values.iter().map(|value| forwarded(value)).collect();
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let (status, body) = asked(&site, &tenant, interface, &headers);
        assert_eq!(status, if is_let_in { 200 } else { 401 }, "{interface} {values:?}");
        if !is_let_in {
            refusals.push(body);
        }
    }
    for name in ["Forwarded: for=", "X-Real-IP: ", "X-Client-IP: ", "True-Client-IP: "] {
        let header = format!("{name}{GOOD}");
        for interface in [PROXY, STRANGER] {
            let (status, body) = asked(&site, &tenant, interface, &[&header]);
            assert_eq!(status, 401, "{interface} {header}");
            refusals.push(body);
        }
    }
    assert!(refusals.windows(2).all(|pair| pair[0] == pair[1]), "{refusals:?}");
}

#[test]
fn a_proxy_of_the_configuration_is_heard_and_must_speak_and_nobody_else_gets_in() {
    let (site, tenant) = behind_proxies("protocol_v2 = [\"127.0.0.9\"]");
    let identity = tenant.directory.join("client");
    assert_all_right(&play(&site, "proxy", &identity, &site.url(""), "/v1/limits"));
}

#[test]
fn no_request_is_smuggled_within_another() {
    let mut site = Site::start_with_log("redb", "info");
    let tenant = site.tenant("burg");
    site.write_configs(&[&tenant.id]);
    assert_eq!(site.vault().stop(), 0);
    site.start_vault();

    let identity = tenant.directory.join("client");
    assert_all_right(&play(&site, "http1", &identity, &site.url(""), "/v1/limits"));
    assert_all_right(&play(&site, "http2", &identity, &site.url(""), "/v1/limits"));
    let health = "/grpc.health.v1.Health/Check";
    for (identity, address) in
        [("ca/billing", site.data_plane()), ("ca/operator", site.control_plane())]
    {
        assert_all_right(&play(&site, "http2", &site.path(identity), &address, health));
    }
    assert_eq!(site.curl(&tenant, "/v1/limits", &[]).status, 200);
}
