//! Certificates with one flaw each, made with a library nobody here wrote
//! (`clients/bad_certificates.py`), at every listener and as forwarded evidence.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{collections::BTreeMap, path::PathBuf, process::Command};

use tresor_tests::{Site, repository, run, tool};

/// What becomes of each, by its name.
type Verdicts = BTreeMap<String, String>;

/// The program, and how its first arguments begin.
fn maker(site: &Site, branch: &str, uri: &str) -> (Command, PathBuf) {
    let directory = site.path(&format!("bad-{branch}"));
    let mut command = Command::new(tool("python3"));
    command.arg(repository().join("tests/clients/bad_certificates.py"));
    command.arg(site.path(&format!("ca/{branch}"))).arg(uri).arg(&directory);
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    (command, directory)
}

fn verdicts(command: &mut Command) -> Verdicts {
    let verdicts: Verdicts = serde_json::from_str(&run(command, "").ok().stdout).unwrap();
    assert!(verdicts.len() > 40, "{verdicts:?}");
    verdicts
}

/// Whether a listener lets somebody in under a certificate, whatever it answers then.
fn lets_in(site: &Site, address: &str, identity: &std::path::Path) -> bool {
    let mut command = Command::new("curl");
    command.args(["--silent", "--max-time", "20", "--cacert"]).arg(site.path("ca/ca.pem"));
    command.arg("--cert").arg(identity.with_extension("pem"));
    command.arg("--key").arg(identity.with_extension("key"));
    command.args(["--write-out", "%{http_code}", "--output", "/dev/null"]);
    run(command.arg(format!("https://{address}/")), "").stdout != "000"
}

#[test]
fn a_certificate_with_any_flaw_gets_in_nowhere_and_is_no_evidence() {
    let site = Site::start_with_log("redb", "info");
    let tenant = site.tenant("burg");
    let client = format!("spiffe://tresor.local/tenant/{}/client/planner", tenant.id);
    let edge = site.url("").replace("https://", "");
    for (branch, address, uri) in [
        ("clients", &edge, client.as_str()),
        ("services", &site.data_plane(), "spiffe://tresor.local/svc/billing"),
        ("operators", &site.control_plane(), "spiffe://tresor.local/svc/operator"),
    ] {
        let (mut command, directory) = maker(&site, branch, uri);
        let made = verdicts(&mut command);
        let mut let_in: Vec<_> = made.into_keys().collect();
        let_in.retain(|name| lets_in(&site, address, &directory.join(name)));
        assert_eq!(let_in, ["good"], "{branch}");
    }

    let (mut command, _) = maker(&site, "clients", &client);
    command.arg(site.data_plane()).arg(repository().join("proto")).arg(site.path("ca"));
    let mut verdicts = verdicts(command.arg(site.path("stubs")).arg(&tenant.id));
    assert_eq!(verdicts.remove("good").as_deref(), Some("OK"));
    let refused = "UNAUTHENTICATED invalid credential";
    assert!(verdicts.values().all(|verdict| verdict == refused), "{verdicts:#?}");
}
