//! The two processes: configuration, health, shutdown, crash.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{fs, process::Command};

use tresor_tests::{Site, binary, is_long, repository, run};

const RECORDS: &str = "/v1/collections/customers/records";

#[test]
fn all_mistakes_of_a_configuration_are_told_at_once() {
    let site = Site::start("sled");
    for (name, program) in
        [("internal-api.toml", "internal-api"), ("external-api.toml", "external-api")]
    {
        let good = fs::read_to_string(site.path(name)).unwrap();
        let bad = good.replacen("listen = \"127.0.0.1:", "unknown_key = 1\nlisten = \"nowhere:", 1);
        let bad = bad.replacen("level = \"trace\"", "level = \"loud\"", 1);
        site.write_private("bad.toml", &bad);
        let config = site.path("bad.toml");
        let ran = run(Command::new(binary(program)).arg("--config").arg(config), "");
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        for mistake in ["unknown_key", "listen", "log.level"] {
            assert!(ran.stderr.contains(mistake), "{mistake}: {}", ran.stderr);
        }
        assert!(!ran.stderr.contains("nowhere"), "values are not repeated: {}", ran.stderr);
    }
}

#[test]
fn a_private_key_or_passphrase_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut site = Site::start("sled");
    assert_eq!(site.vault().stop(), 0);
    for name in ["passphrase", "ca/internal-api.key"] {
        let path = site.path(name);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let config = site.path("internal-api.toml");
        let ran = run(Command::new(binary("internal-api")).arg("--config").arg(config), "");
        assert_ne!(ran.code, 0);
        assert!(ran.stderr.contains("600"), "it says how to mend it: {}", ran.stderr);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

#[test]
fn a_wrong_passphrase_is_told_and_changes_nothing() {
    let mut site = Site::start("sled");
    assert_eq!(site.vault().stop(), 0);
    site.write_private("passphrase", "another passphrase\n");
    let config = site.path("internal-api.toml");
    let ran = run(Command::new(binary("internal-api")).arg("--config").arg(config), "");
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("passphrase"), "{}", ran.stderr);
    site.write_private("passphrase", "a passphrase of tests\n");
    site.start_vault();
}

#[test]
fn the_configurations_under_deploy_name_only_known_keys() {
    for name in ["internal-api", "external-api"] {
        let config = repository().join(format!("deploy/config/{name}.toml"));
        let ran = run(Command::new(binary(name)).arg("--check").arg("--config").arg(config), "");
        assert!(!ran.stderr.contains("unknown"), "{}", ran.stderr);
    }
}

#[test]
fn what_was_acknowledged_survives_a_stop_and_a_crash() {
    for engine in ["sled", "redb"] {
        let mut site = Site::start(engine);
        let tenant = site.tenant("burg");
        let store = |site: &Site, id: &str| {
            let body = format!("{{\"nr\":\"{id}\",\"vorname\":\"Anna\"}}");
            let arguments = ["-H", "Content-Type: application/json", "--data-binary", &body];
            let stored = site.curl(&tenant, &format!("{RECORDS}?id_field=nr"), &arguments);
            assert_eq!(stored.status, 201, "{}", stored.body);
        };
        store(&site, "s-1");
        assert_eq!(site.vault().stop(), 0);
        let refused = site.curl(&tenant, RECORDS, &[]);
        assert_eq!(refused.status, 503, "{}", refused.body);
        site.start_vault();
        store(&site, "c-1");
        site.vault().kill();
        site.start_vault();
        let listed = site.curl(&tenant, &format!("{RECORDS}?reveal=plain"), &[]);
        assert_eq!(listed.status, 200, "{}", listed.body);
        let page = listed.json();
        let ids: Vec<_> = page["records"].as_array().unwrap().iter().map(|r| &r["id"]).collect();
        assert_eq!(ids, ["c-1", "s-1"]);
        assert_eq!(page["records"][0]["record"]["vorname"], "Anna");
        assert_eq!(site.edge().stop(), 0);
    }
}

/// The benchmark of starts, as a test: the first tenant that is asked for is served at once.
#[test]
fn a_vault_with_many_tenants_starts_and_serves() {
    let tenants = if is_long() { "1000" } else { "20" };
    let mut command = Command::new(binary("tresor-bench"));
    let ran = run(command.args(["starts", "--tenants", tenants]), "").ok();
    for how in ["sled, after an orderly end", "sled, after a kill", "redb, after a kill"] {
        assert!(ran.stdout.contains(&format!("{how}: ready in ")), "{}", ran.stdout);
    }
}

/// The benchmark of surrogates, as a test: every trade runs, in single calls and over streams.
#[test]
fn surrogates_are_traded_beside_their_ceilings() {
    let mut command = Command::new(binary("tresor-bench"));
    command.args(["--engines", "redb", "--seconds", "0.01", "--rounds", "1"]);
    command.args(["--only", ", 100 × 1", "surrogates", "--loaded", "1000"]);
    let ran = run(&mut command, "").ok();
    for trade in ["tokenize random", "tokenize deterministic, known", "format-preserving, plain"] {
        assert_eq!(
            ran.stdout.matches(&format!("{trade}, 100 × 1 | **")).count(),
            2,
            "{}",
            ran.stdout
        );
    }
}

/// The benchmark of searches, as a test: each finds its one record.
#[test]
fn searches_find_their_records_beside_their_ceiling() {
    let (records, searches) = if is_long() { ("100000", "2000") } else { ("2000", "50") };
    let mut command = Command::new(binary("tresor-bench"));
    command.args(["--engines", "sled", "search", "--records", records, "--searches", searches]);
    let ran = run(&mut command, "").ok();
    for asked in ["vault", "echo"] {
        let line = format!("| {records} | {asked} | {searches} | ");
        assert!(ran.stdout.contains(&line), "{}", ran.stdout);
    }
}
