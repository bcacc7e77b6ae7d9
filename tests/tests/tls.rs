//! What each listener speaks, asked by other people's programs: openssl in every run; `testssl.sh`
//! and `sslyze` in the long one.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{path::PathBuf, process::Command};

use tresor_tests::{Ran, Site, is_long, run, tool};

/// A listener, and what gets in there.
struct Door {
    address: String,
    identity: PathBuf,
    alpn: &'static str,
}

/// Every listener that speaks TLS.
fn doors(site: &Site) -> [Door; 3] {
    let client = site.registered_tenant("burg").directory.join("client");
    [
        (site.url("").replace("https://", ""), client, "http/1.1"),
        (site.data_plane(), site.path("ca/edge"), "h2"),
        (site.control_plane(), site.path("ca/operator"), "h2"),
    ]
    .map(|(address, identity, alpn)| Door { address, identity, alpn })
}

/// `openssl s_client` with these arguments, beside those that get in.
fn openssl(site: &Site, door: &Door, arguments: &[&str], input: &str) -> Ran {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", &door.address, "-servername", "localhost"]);
    command.arg("-CAfile").arg(site.path("ca/ca.pem")).arg("-verify_return_error");
    command.arg("-cert").arg(door.identity.with_extension("pem"));
    command.arg("-key").arg(door.identity.with_extension("key"));
    run(command.args(arguments), input)
}

/// What was agreed on, or nothing.
fn agreed(site: &Site, door: &Door, arguments: &[&str]) -> Option<String> {
    let ran = openssl(site, door, &[&["-alpn", door.alpn][..], arguments].concat(), "");
    let line = ran.stdout.lines().find(|line| line.starts_with("New, "))?.to_owned();
    (!line.contains("(NONE)")).then_some(line)
}

#[test]
fn every_listener_speaks_tls_1_3_with_strong_ciphers_and_nothing_older() {
    let site = Site::start_with_log("redb", "info");
    for door in doors(&site) {
        let address = &door.address;
        for cipher in
            ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]
        {
            let agreed = agreed(&site, &door, &["-ciphersuites", cipher]);
            assert_eq!(agreed, Some(format!("New, TLSv1.3, Cipher is {cipher}")), "{address}");
        }
        let weak = ["-ciphersuites", "TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256"];
        for refused in [&weak[..], &["-groups", "ffdhe2048"], &["-groups", "P-521"]] {
            assert_eq!(agreed(&site, &door, refused), None, "{address} {refused:?}");
        }
        for older in ["-tls1_2", "-tls1_1", "-tls1"] {
            let seclevel = [older, "-cipher", "ALL:@SECLEVEL=0"];
            assert_eq!(agreed(&site, &door, &seclevel), None, "{address} {older}");
        }
    }
}

#[test]
fn no_listener_compresses_renegotiates_resumes_or_takes_early_data() {
    let site = Site::start_with_log("redb", "info");
    for door in doors(&site) {
        let session = site.path("session").display().to_string();
        // As it would be kept for the next time, if there were one.
        let kept = ["-alpn", door.alpn, "-sess_out", &session];
        let told = openssl(&site, &door, &kept, "R\nk\n").stdout;
        for claim in ["Compression: NONE", "Expansion: NONE", "Early data was not sent"] {
            assert!(told.contains(claim), "{}: {claim}: {told}", door.address);
        }
        assert!(told.contains("Secure Renegotiation IS NOT supported"), "{told}");
        assert!(!told.contains("New Session Ticket"), "{}: {told}", door.address);
        assert!(!site.path("session").exists(), "{} gave a session", door.address);
        let wrong = openssl(&site, &door, &["-alpn", "smtp"], "");
        assert!(wrong.stderr.contains("no application protocol"), "{}", wrong.stderr);
    }
}

/// Lists of what was revoked lie on the machines as files; no certificate says where from.
const BY_DESIGN: &str = "cert_revocation";

/// The findings of a report of testssl.sh that are worse than low.
fn worse_than_low(report: &str) -> Vec<String> {
    let findings: Vec<serde_json::Value> = serde_json::from_str(report).unwrap();
    assert!(findings.len() > 30, "{report}");
    let is_worse = |finding: &&serde_json::Value| {
        let severity = finding["severity"].as_str().unwrap();
        let is_worse = ["MEDIUM", "HIGH", "CRITICAL", "FATAL"].contains(&severity);
        is_worse && finding["id"] != BY_DESIGN
    };
    findings.iter().filter(is_worse).map(ToString::to_string).collect()
}

#[test]
fn testssl_and_sslyze_find_nothing_worse_than_low() {
    // Minutes, most of which testssl.sh waits; ./check --long installs both.
    if !is_long() {
        return;
    }
    let site = Site::start_with_log("redb", "info");
    for door in doors(&site) {
        sslyze(&site, &door);
        let report = site.path(&format!("testssl-{}.json", door.address));
        let mut command = Command::new("testssl");
        command.args(["--quiet", "--color", "0", "--warnings", "off", "--ip", "127.0.0.1"]);
        command.arg("--add-ca").arg(site.path("ca/ca.pem"));
        command.arg("--jsonfile").arg(&report).arg(&door.address);
        let ran = run(&mut command, "");
        let findings = worse_than_low(&std::fs::read_to_string(&report).unwrap());
        assert!(findings.is_empty(), "{}: {findings:#?}\n{}", door.address, ran.stdout);
    }
}

/// Against Mozilla's profile of modern configurations, but for how long certificates live: theirs
/// are the operator's own, and revoked within a second.
fn sslyze(site: &Site, door: &Door) {
    let mut command = Command::new(tool("sslyze"));
    command.args(["--mozilla_config", "modern", "--certinfo_ca_file"]);
    let ran = run(command.arg(site.path("ca/ca.pem")).arg(&door.address), "");
    let (_, verdict) = ran.stdout.split_once("COMPLIANCE AGAINST").unwrap();
    assert!(verdict.contains("Not compliant") || verdict.contains("OK - Compliant"), "{verdict}");
    let flaws = verdict.lines().map(str::trim).filter(|line| line.starts_with("* "));
    let mut flaws = flaws.filter(|line| !line.starts_with("* maximum_certificate_lifespan"));
    assert_eq!(flaws.next(), None, "{}: {verdict}", door.address);
}
