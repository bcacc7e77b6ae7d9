//! Two operators at once, each with the real command: the second is told who is at it.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    fs,
    net::TcpListener,
    thread::{self, ScopedJoinHandle},
};

use tresor_tests::{Ran, Site};

/// A vault whose configuration names a seal at a service that takes connections and says nothing.
fn site_with_a_silent_seal(service: &TcpListener) -> Site {
    let mut site = Site::start("redb");
    let table = format!(
        "[seal.bao]\nprovider = \"transit\"\naddress = \"https://{}\"\nkey = \"root\"\n\
         [seal.bao.tls]\ncertificate_chain = \"ca/internal-api.pem\"\n\
         private_key = \"ca/internal-api.key\"\nauthorities = \"ca/ca.pem\"\n[control]\n",
        service.local_addr().unwrap()
    );
    let configuration = fs::read_to_string(site.path("internal-api.toml")).unwrap();
    site.write_private("internal-api.toml", &configuration.replace("[control]\n", &table));
    assert_eq!(site.vault().stop(), 0);
    site.start_vault();
    site
}

/// Lets one command come to where it waits for the service, does `meanwhile`, and lets it go.
fn while_one_waits(site: &Site, service: &TcpListener, first: &[&str], meanwhile: impl FnOnce()) {
    thread::scope(|scope| {
        let first: ScopedJoinHandle<'_, Ran> = scope.spawn(|| site.operator(first));
        let waiting = service.accept().unwrap();
        meanwhile();
        drop(waiting);
        let first = first.join().unwrap();
        assert!(first.stderr.contains("does not answer"), "{}{}", first.stdout, first.stderr);
    });
}

#[test]
fn the_second_operator_is_told_who_is_at_it_since_when_and_with_what() {
    let service = TcpListener::bind("127.0.0.1:0").unwrap();
    let site = site_with_a_silent_seal(&service);
    let seconds: [&[&str]; 4] = [
        &["keys", "rotate-root", "--yes"],
        &["keys", "rotate-cipher", "--all", "--yes"],
        &["seal", "remove", "passphrase", "--yes"],
        &["seal", "migrate", "--from", "passphrase", "--to", "bao", "--yes"],
    ];
    for second in seconds {
        while_one_waits(&site, &service, &["seal", "add", "bao", "--yes"], || {
            let told = site.operator(second);
            assert_ne!(told.code, 0, "{}", told.stdout);
            for part in ["operator is at it since 20", ": adding a seal; try again when"] {
                assert!(told.stderr.contains(part), "{second:?}: {}", told.stderr);
            }
        });
    }
    // The first has ended, so the next one begins.
    site.operator(&["keys", "rotate-root", "--yes"]).ok();
}

#[test]
fn a_dry_run_disturbs_no_other_operator() {
    let service = TcpListener::bind("127.0.0.1:0").unwrap();
    let site = site_with_a_silent_seal(&service);
    let dry_run = ["seal", "add", "bao", "--dry-run"];
    while_one_waits(&site, &service, &dry_run, || {
        site.operator(&["keys", "rotate-cipher", "--all", "--yes"]).ok();
    });
}
