//! The plain listeners for probes, beset by silent connections of somebody on the machine.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    io::{ErrorKind, Read as _},
    net::TcpStream,
    process::Command,
};

use tresor_tests::{Site, run};

const SILENT: usize = 500;
/// Connections that a plain listener leaves open.
const PLAIN_CONNECTIONS_MAX: usize = 32;

fn besiege(url: &str) -> Vec<TcpStream> {
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    (0..SILENT).map(|_| TcpStream::connect(address).unwrap()).collect()
}

/// Whether the other side has neither closed nor said anything.
fn is_open(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    stream.read(&mut [0; 16]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

/// The soft and the hard limit of open files.
fn open_files(process: u32) -> (String, String) {
    let limits = std::fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    let mut words = line.split_whitespace().map(str::to_owned);
    (words.next().unwrap(), words.next().unwrap())
}

#[test]
fn silent_connections_to_the_probes_take_few_descriptors_and_everybody_is_served() {
    let mut site = Site::start("redb");
    let tenant = site.tenant("burg");
    for besieged in [site.vault_health(""), site.edge_health("")] {
        let mut silent = besiege(&besieged);
        let ready = format!("{besieged}readyz");
        run(Command::new("curl").args(["--silent", "--fail", &ready]), "").ok();
        let open = silent.iter_mut().map(is_open).filter(|&is_open| is_open).count();
        assert!((1..=PLAIN_CONNECTIONS_MAX).contains(&open), "{besieged}: {open} open");
        let page = site.curl(&tenant, "/v1/collections/customers/records", &[]);
        assert!([200, 404].contains(&page.status), "{}", page.body);
        site.operator(&["tenant", "show", "burg"]).ok();
    }
    for process in [site.vault().id(), site.edge().id()] {
        let (soft, hard) = open_files(process);
        assert_eq!(soft, hard);
    }
}
