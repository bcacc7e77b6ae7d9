//! Certificates from their issue to their end, against the real processes: each branch has its own
//! doors, what is revoked is refused at once, and what was issued works with other people's tools.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    fs,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tresor_tests::{Answer, Site, Tenant, run};

/// Far more than a second, for a busy machine, and far less than an idle connection is kept.
const SOON: Duration = Duration::from_secs(15);

fn limits(site: &Site, identity: &std::path::Path) -> Answer {
    site.curl_bare(identity, "/v1/limits", &[], None)
}

fn wait_until_refused(site: &Site, identity: &std::path::Path) {
    let begun = Instant::now();
    while limits(site, identity).status != 0 {
        assert!(begun.elapsed() < SOON, "it is still let in");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A connection of openssl's that stays open for as long as it is let.
fn stay(site: &Site, tenant: &Tenant) -> Child {
    let identity = tenant.directory.join("client");
    let address = site.url("").replace("https://", "");
    let mut command = Command::new("openssl");
    command.args(["s_client", "-quiet", "-connect", &address, "-servername", "localhost"]);
    command.arg("-CAfile").arg(site.path("ca/ca.pem"));
    command.arg("-cert").arg(identity.with_extension("pem"));
    command.arg("-key").arg(identity.with_extension("key"));
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    piped.spawn().unwrap()
}

#[test]
fn a_revoked_client_is_cut_off_without_a_restart_and_nobody_else_is() {
    let site = Site::start("sled");
    let (burg, herne) = (site.tenant("burg"), site.tenant("herne"));
    let [lost, kept] = [&burg, &herne].map(|tenant| tenant.directory.join("client"));
    let mut open = [&burg, &herne].map(|tenant| stay(&site, tenant));
    assert_eq!(limits(&site, &lost).status, 200);
    assert!(open.iter_mut().all(|child| child.try_wait().unwrap().is_none()));

    let uri = format!("spiffe://tresor.local/tenant/{}/client/client", burg.id);
    let several = site.tresor(&["ca", "revoke", "client", "--yes"]);
    assert!(several.stderr.contains("several owners"), "{}", several.stderr);
    let looked = site.tresor(&["ca", "revoke", &uri, "--dry-run"]).ok();
    assert!(looked.stdout.contains("would be revoked"), "{}", looked.stdout);
    assert_eq!(limits(&site, &lost).status, 200);

    site.tresor(&["ca", "revoke", &uri, "--yes"]).ok();
    wait_until_refused(&site, &lost);
    let begun = Instant::now();
    while open[0].try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < SOON, "its connection is still open");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(open[1].try_wait().unwrap().is_none(), "the other's connection was cut");
    assert_eq!(limits(&site, &kept).status, 200);
    open[1].kill().unwrap();
    open[1].wait().unwrap();
    let listed = site.tresor(&["ca", "list", "--all", "--output", "json"]).ok().json();
    let certificates = listed["certificates"].as_array().unwrap();
    let revoked: Vec<_> = certificates.iter().filter(|one| one["standing"] == "revoked").collect();
    assert_eq!(revoked.len(), 1, "{listed}");
    assert_eq!(revoked[0]["name"], uri.as_str());
    let again = site.tresor(&["ca", "revoke", &uri, "--yes"]);
    assert!(again.stderr.contains("already"), "{}", again.stderr);
}

#[test]
fn a_certificate_on_the_deny_list_is_refused_at_once_and_let_in_when_it_is_taken_off() {
    let site = Site::start("sled");
    let tenant = site.tenant("burg");
    let identity = tenant.directory.join("client");
    assert_eq!(limits(&site, &identity).status, 200);
    let mut openssl = Command::new("openssl");
    openssl.args(["x509", "-noout", "-fingerprint", "-sha256", "-in"]);
    let fingerprint = run(openssl.arg(identity.with_extension("pem")), "").ok().stdout;
    site.write_private("denied", &fingerprint);
    wait_until_refused(&site, &identity);
    // A broken list changes nothing.
    site.write_private("denied", "nonsense\n");
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(limits(&site, &identity).status, 0);
    site.write_private("denied", "# nobody\n");
    let begun = Instant::now();
    while limits(&site, &identity).status != 200 {
        assert!(begun.elapsed() < SOON, "it is still refused");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn no_branch_gets_in_by_the_door_of_another() {
    let site = Site::start("sled");
    let tenant = site.tenant("burg");
    let client = tenant.directory.join("client");
    let [edge, operator] = ["ca/edge", "ca/operator"].map(|name| site.path(name));
    let doors = [site.url(""), site.data_plane(), site.control_plane()];
    let doors = doors.map(|door| door.replace("https://", "").replace("127.0.0.1", "localhost"));
    for (at, door) in doors.iter().enumerate() {
        for (owner, identity) in [&client, &edge, &operator].into_iter().enumerate() {
            let mut command = Command::new("curl");
            command.args(["--silent", "--max-time", "20", "--cacert"]).arg(site.path("ca/ca.pem"));
            command.arg("--cert").arg(identity.with_extension("pem"));
            command.arg("--key").arg(identity.with_extension("key"));
            command.args(["--write-out", "%{http_code}", "--output", "/dev/null"]);
            let ran = run(command.arg(format!("https://{door}/")), "");
            let is_let_in = ran.stdout != "000";
            assert_eq!(is_let_in, at == owner, "{door}: {}: {}", identity.display(), ran.stdout);
        }
    }
}

#[test]
fn a_renewed_certificate_works_beside_the_old_one_and_as_pkcs12() {
    let site = Site::start("sled");
    let tenant = site.tenant("burg");
    site.write_private("password", "twelve characters or more\n");
    let soon = site.tresor(&["ca", "list", "--expiring", "30d", "--output", "json"]).ok().json();
    assert_eq!(soon["certificates"].as_array().unwrap().len(), 0, "{soon}");
    let uri = format!("spiffe://tresor.local/tenant/{}/client/client", tenant.id);
    let renew = ["ca", "renew", &uri, "--out", "renewed", "--days", "20"];
    let pkcs12 = ["--pkcs12", "--password-file", "password"];
    site.tresor(&[&renew[..], &pkcs12[..]].concat()).ok();
    for identity in [tenant.directory.join("client"), site.path("renewed/client")] {
        assert_eq!(limits(&site, &identity).status, 200, "{}", identity.display());
    }
    let soon = site.tresor(&["ca", "list", "--expiring", "30d", "--output", "json"]).ok().json();
    assert_eq!(soon["certificates"][0]["name"], uri.as_str(), "{soon}");
    assert_eq!(soon["certificates"].as_array().unwrap().len(), 1, "{soon}");

    // Another program opens the file, and finds key, certificate, branch and root in it.
    let mut openssl = Command::new("openssl");
    openssl.args(["pkcs12", "-noenc", "-passin", "stdin", "-in"]);
    let password = fs::read_to_string(site.path("password")).unwrap();
    let opened = run(openssl.arg(site.path("renewed/client.p12")), &password).ok().stdout;
    assert_eq!(opened.matches("BEGIN CERTIFICATE").count(), 3);
    assert_eq!(opened.matches("BEGIN PRIVATE KEY").count(), 1);
    site.write_private("from-pkcs12.pem", &opened);
    site.write_private("from-pkcs12.key", &opened);
    assert_eq!(limits(&site, &site.path("from-pkcs12")).status, 200);
    let mut openssl = Command::new("openssl");
    openssl.args(["pkcs12", "-noout", "-passin", "stdin", "-in"]);
    assert_ne!(run(openssl.arg(site.path("renewed/client.p12")), "wrong\n").code, 0);
    // The same place twice would overwrite a key.
    let again = site.tresor(&renew);
    assert!(again.stderr.contains("exists already"), "{}", again.stderr);
}
