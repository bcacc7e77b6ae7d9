//! Hostile clients beside an honest one (`clients/abuse.py`, `clients/neighbour.py`), at both
//! processes' listeners: the honest one is served, memory stays bounded, and nothing is restarted.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
#![allow(clippy::print_stdout, reason = "what was measured is shown by the runner")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tresor_tests::{Site, Tenant, is_long, repository, tool};

const RECORDS: &str = "/v1/collections/customers/records";
const PUT: &str = "/tresor.vault.v1.RecordService/Put";
/// Mebibytes that either process may ever have had resident.
const RESIDENT_MEBIBYTES_MAX: u64 = 512;
/// Mebibytes by which one service may make the vault grow: its half of the budget of messages, and
/// as much again for what it sends ahead.
const MEBIBYTES_OF_A_SERVICE: u64 = 128;
/// Handshakes under way that one address may have, and connections that one tenant or service may.
const HANDSHAKES_OF_ONE: u64 = 64;
const CONNECTIONS_OF_A_TENANT: u64 = 256;
const CONNECTIONS_OF_A_SERVICE: u64 = 64;

/// How often the neighbour is served at least while the abuse goes on, and how long that is waited
/// for: however slow the machine, that it is served is what counts.
const SERVED_MIN: u64 = 2;
const SERVED_WITHIN: Duration = Duration::from_secs(60);

/// How long each manner of abuse goes on at least.
fn seconds() -> &'static str {
    if is_long() { "30" } else { "0.5" }
}

/// A listener under attack, and what the attacker shows there.
#[derive(Clone, Copy)]
enum Door {
    Edge,
    Data,
    Control,
}

struct Siege {
    site: Site,
    attacker: Tenant,
    attacked: Tenant,
    neighbour: Neighbour,
}

/// The honest client; it asks until it is dropped.
struct Neighbour {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Siege {
    fn new() -> Self {
        Self::by(Site::tenant)
    }

    /// By an attacker that `make` has made.
    fn by(make: fn(&Site, &str) -> Tenant) -> Self {
        let mut site = Site::start_with_log("redb", "warn");
        let (attacker, attacked) = (make(&site, "burg"), site.tenant("herne"));
        site.write_configs(&[&attacker.id]);
        assert_eq!(site.vault().stop(), 0);
        site.start_vault();
        let body = ["-H", "Content-Type: application/json", "--data-binary", "{\"nr\":\"r1\"}"];
        let stored = site.curl(&attacked, &format!("{RECORDS}?id_field=nr"), &body);
        assert_eq!(stored.status, 201, "{}", stored.body);
        let neighbour = Neighbour::start(&site, &attacked);
        Self { site, attacker, attacked, neighbour }
    }

    /// What the attacker did, while the neighbour was served.
    fn abuse(&mut self, door: Door, manner: &str) -> Value {
        self.neighbour.told();
        let mut attack = self.attack(door, manner);
        let mut attack = attack.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut input = attack.stdin.take().unwrap();
        writeln!(input, "{}", self.attacker.customer_token()).unwrap();
        self.neighbour.wait_until_served();
        drop(input);
        let ended = attack.wait_with_output().unwrap();
        let neighbour = self.neighbour.told();
        assert!(ended.status.success(), "{manner}");
        let did: Value = serde_json::from_slice(&ended.stdout).unwrap();
        let peaks = [self.site.edge().id(), self.site.vault().id()].map(resident_peak);
        println!("{} {manner}: {did}, neighbour {neighbour}, MiB {peaks:?}", door.name());
        assert_eq!(neighbour["failed"], json!([]), "{manner}: {did}");
        assert!(peaks.iter().all(|&peak| peak < RESIDENT_MEBIBYTES_MAX), "{manner}: {peaks:?}");
        did
    }

    fn attack(&self, door: Door, manner: &str) -> Command {
        let (address, identity, path) = match door {
            Door::Edge => (self.site.url(""), self.attacker.directory.join("client"), RECORDS),
            Door::Data => (self.site.data_plane(), self.site.path("ca/billing"), PUT),
            Door::Control => (self.site.control_plane(), self.site.path("ca/operator"), PUT),
        };
        let mut command = Command::new(tool("python3"));
        command.arg(repository().join("tests/clients/abuse.py")).arg(manner);
        command.arg(address.rsplit(':').next().unwrap()).arg(self.site.path("ca/ca.pem"));
        command.arg(identity.with_extension("pem")).arg(identity.with_extension("key"));
        command.args([seconds(), path]).env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    /// Both processes are those that were attacked, and serve everybody, the attacker too.
    fn end(mut self) {
        for tenant in [&self.attacker, &self.attacked] {
            let page = self.site.curl(tenant, RECORDS, &[]);
            assert_eq!(page.status, 200, "{}", page.body);
        }
        self.site.operator(&["tenant", "show", "burg"]).ok();
        assert!(self.site.edge().is_running() && self.site.vault().is_running());
        let logs = [self.site.edge().log(), self.site.vault().log()].concat();
        assert!(!logs.contains("panic") && !logs.contains("quarantined"), "{logs}");
    }
}

impl Neighbour {
    fn start(site: &Site, tenant: &Tenant) -> Self {
        let mut command = Command::new(tool("python3"));
        command.arg(repository().join("tests/clients/neighbour.py"));
        command.arg(site.url("").rsplit(':').next().unwrap()).arg(site.path("ca/ca.pem"));
        command.arg(tenant.directory.join("client.pem")).arg(tenant.directory.join("client.key"));
        command.arg(format!("{RECORDS}/r1")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        writeln!(input, "{}", tenant.customer_token()).unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, input, output }
    }

    /// What became of its requests since it was last asked.
    fn told(&mut self) -> Value {
        self.answer("")
    }

    /// Waits until it has been served since it was last asked.
    fn wait_until_served(&mut self) {
        let begun = Instant::now();
        while self.answer("served?").as_u64() < Some(SERVED_MIN) {
            assert!(begun.elapsed() < SERVED_WITHIN, "not served: {}", self.told());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn answer(&mut self, question: &str) -> Value {
        writeln!(self.input, "{question}").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Door {
    fn name(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::Data => "data plane",
            Self::Control => "control plane",
        }
    }
}

/// The most memory the process has ever had resident, in MiB.
fn resident_peak(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

#[test]
fn strangers_by_the_thousand_hold_no_more_than_their_share() {
    let mut siege = Siege::new();
    for door in [Door::Edge, Door::Data, Door::Control] {
        for manner in ["silent", "half_hello"] {
            let held = siege.abuse(door, manner)["held"].as_u64().unwrap();
            assert!((1..=HANDSHAKES_OF_ONE).contains(&held), "{held} handshakes");
        }
    }
    siege.end();
}

#[test]
fn idle_and_slow_clients_hold_no_more_than_their_share() {
    let mut siege = Siege::new();
    for (door, manners, share) in [
        (Door::Edge, &["idle", "slow_headers", "slow_headers_http2"][..], CONNECTIONS_OF_A_TENANT),
        (Door::Data, &["idle", "slow_headers_http2"], CONNECTIONS_OF_A_SERVICE),
    ] {
        for manner in manners {
            let held = siege.abuse(door, manner)["held"].as_u64().unwrap();
            assert!((1..=share).contains(&held), "{held} connections");
        }
        siege.abuse(door, "slow_bodies");
    }
    siege.end();
}

#[test]
fn floods_of_frames_are_borne() {
    let mut siege = Siege::new();
    for door in [Door::Edge, Door::Data] {
        for manner in ["rapid_reset", "made_to_reset", "continuation", "empty_continuation"] {
            let did = siege.abuse(door, manner);
            assert!(did["cut"].as_u64() > Some(0), "{manner}: nobody cut it: {did}");
        }
        for manner in ["pings", "settings", "priorities", "empty_data"] {
            siege.abuse(door, manner);
        }
    }
    siege.end();
}

#[test]
fn a_storm_of_logins_is_borne_and_locks_nobody_out() {
    let mut siege = Siege::by(Site::tenant_with_user);
    let did = siege.abuse(Door::Edge, "logins");
    assert_eq!(did.get("200"), None, "{did}");
    assert!(did["401"].as_u64().max(did["429"].as_u64()) > Some(0), "{did}");
    // The user whose password was guessed at comes in from elsewhere.
    siege.end();
}

#[test]
fn giants_and_bombs_are_refused_in_bounded_memory() {
    let mut siege = Siege::new();
    for door in [Door::Edge, Door::Data] {
        let did = siege.abuse(door, "giants");
        assert!(did["refused"].as_u64() > Some(0), "{did}");
        assert_eq!(did.get("answered"), None, "one was taken whole: {did}");
        let did = siege.abuse(door, "bombs");
        assert!(did["answered"].as_u64() > Some(0), "{did}");
    }
    siege.abuse(Door::Edge, "hoard");
    siege.end();
}

#[test]
fn a_service_that_announces_more_than_there_is_room_for_waits_for_itself() {
    let mut siege = Siege::new();
    let before = resident_peak(siege.site.vault().id());
    for manner in ["announcements", "hoard"] {
        let did = siege.abuse(Door::Data, manner);
        assert!(did["refused"].as_u64() > Some(0), "it got all seats: {did}");
        let grown = resident_peak(siege.site.vault().id()) - before;
        assert!(grown < MEBIBYTES_OF_A_SERVICE, "{manner}: {grown} MiB");
    }
    siege.end();
}
