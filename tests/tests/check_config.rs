//! `tresor check-config`: what it takes, and what it finds wrong, all at once.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::Command,
};

use tempfile::TempDir;
use tresor_tests::{Ran, binary, repository, run};

/// The configurations under `deploy`, with certificates and a passphrase of its own.
struct Etc(TempDir);

impl Etc {
    fn new(days: &str) -> Self {
        let etc = Self(tempfile::tempdir().unwrap());
        etc.tresor(&["ca", "init", "--dir", "certificates"]).ok();
        for name in ["internal-api", "edge"] {
            let issue = ["ca", "issue", "service", name, "--dir", "certificates"];
            etc.tresor(&[&issue[..], &["--dns", "localhost", "--days", days]].concat()).ok();
        }
        etc.write("passphrase", "a passphrase of tests\n");
        for name in ["internal-api.toml", "external-api.toml"] {
            let text = fs::read_to_string(repository().join("deploy/config").join(name)).unwrap();
            let text = text.replace("/etc/tresor/passphrase", "passphrase");
            etc.write(name, &text.replace("/etc/tresor/", "certificates/"));
        }
        etc
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        self.set_mode(name, 0o600);
    }

    fn set_mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), Permissions::from_mode(mode)).unwrap();
    }

    fn tresor(&self, arguments: &[&str]) -> Ran {
        run(Command::new(binary("tresor")).args(arguments).current_dir(self.0.path()), "")
    }

    fn check(&self, more: &[&str]) -> Ran {
        let check = ["check-config", "internal-api.toml", "external-api.toml"];
        self.tresor(&[&check[..], more].concat())
    }
}

#[test]
fn the_configurations_under_deploy_have_no_mistake() {
    let etc = Etc::new("90");
    let ran = etc.check(&[]).ok();
    assert_eq!(ran.stdout.matches("no mistake").count(), 2, "{}", ran.stdout);
    assert!(ran.stdout.contains("in 89 days"), "{}", ran.stdout);
    let json = etc.check(&["--output", "json"]).ok().json();
    let services = ["internal-api", "external-api"];
    for (file, service) in json["files"].as_array().unwrap().iter().zip(services) {
        assert_eq!(file["service"], service);
        assert_eq!(file["warnings"].as_array().unwrap().len(), 0, "{file}");
        // Its own, its branch's, and that of the authority it takes.
        let paths: Vec<_> = file["certificates"].as_array().unwrap().iter().collect();
        let expected = ["tls.certificate_chain", "tls.certificate_chain", "tls.authorities"];
        for (certificate, path) in paths.into_iter().zip(expected) {
            assert_eq!(certificate["path"], path);
        }
    }
}

#[test]
fn every_mistake_is_told_with_its_path_and_no_secret() {
    let etc = Etc::new("90");
    let text = fs::read_to_string(etc.path("internal-api.toml")).unwrap();
    let text = text.replace("listen = \"127.0.0.1:7443\"", "listen = \"nowhere\"\ncolour = 1");
    etc.write("internal-api.toml", &text);
    etc.set_mode("passphrase", 0o644);
    etc.set_mode("certificates/internal-api.key", 0o640);
    fs::remove_file(etc.path("certificates/services.pem")).unwrap();
    fs::copy(etc.path("certificates/services.crl"), etc.path("certificates/operators.crl"))
        .unwrap();
    // Another's key: right by itself, and not the certificate's.
    fs::remove_file(etc.path("certificates/edge.key")).unwrap();
    fs::copy(etc.path("certificates/internal-api.key"), etc.path("certificates/edge.key")).unwrap();
    etc.set_mode("certificates/edge.key", 0o600);
    let ran = etc.check(&[]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    for (path, what) in [
        ("internal-api.toml:13: listen", "expected an address"),
        ("internal-api.toml:14: colour", "unknown key"),
        ("seal.passphrase_file", "chmod 600"),
        ("tls.private_key", "chmod 600"),
        ("tls.authorities", "there is no such file"),
        ("control.revocation_lists", "none of the authorities has signed"),
        ("tls.private_key", "does not belong to the certificate"),
    ] {
        let is_told = |line: &str| line.contains(path) && line.contains(what);
        assert!(ran.stdout.lines().any(is_told), "{path}, {what}: {}", ran.stdout);
    }
    let everything = ran.stdout + &ran.stderr;
    assert!(!everything.contains("a passphrase of tests") && !everything.contains("nowhere"));
    assert!(!everything.contains("PRIVATE KEY"));
}

#[test]
fn a_certificate_that_ends_soon_is_warned_of() {
    let etc = Etc::new("7");
    let json = etc.check(&["--output", "json"]).ok().json();
    for file in json["files"].as_array().unwrap() {
        let warnings = file["warnings"].as_array().unwrap();
        // The external API shows its certificate at both its ends.
        let tables =
            if file["service"] == "external-api" { &["tls", "vault.tls"][..] } else { &["tls"] };
        assert_eq!(warnings.len(), tables.len(), "{file}");
        for (warning, table) in warnings.iter().zip(tables) {
            assert_eq!(warning["path"], format!("{table}.certificate_chain"));
            assert!(warning["message"].as_str().unwrap().contains("6 days"), "{file}");
        }
    }
}

#[test]
fn a_file_of_nobody_is_a_wrong_call() {
    let etc = Etc::new("90");
    etc.write("other.toml", "colour = 1\n");
    assert_eq!(etc.tresor(&["check-config", "other.toml"]).code, 2);
    let told = etc.tresor(&["check-config", "other.toml", "--service", "external-api"]);
    assert_eq!(told.code, 1);
    assert!(told.stdout.contains("listen: is missing"), "{}", told.stdout);
    let told = etc.tresor(&["check-config", "none.toml"]);
    assert!(told.stderr.contains("there is no such file"), "{}", told.stderr);
}
