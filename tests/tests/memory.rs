//! Images of the memory of both processes: a minute after the last use they hold nothing of a
//! customer, no customer token, no key it opens, no password and no value; nor does a locked vault,
//! which holds no key of its own either. The edge holds sessions, while they live.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
#![allow(clippy::print_stdout, reason = "what was found is shown by the runner")]

#[path = "memory/scene.rs"]
mod scene;

use std::{
    fs,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use scene::Scene;
use tresor_tests::{MemoryImage, Needles, Process, Site, repository, run, tool};

/// The time of the promise, and some for what happens every second.
const IDLE: Duration = Duration::from_secs(63);

/// How often, and how long, a thread is waited for that has not come to rest.
const REST_TRIES: usize = 20;
const REST: Duration = Duration::from_millis(100);

/// Which needles are in an image; where, is shown by the runner.
fn found(what: &str, image: &MemoryImage, needles: &Needles) -> Vec<String> {
    let hits = image.hits(needles);
    println!("{what}: {} KiB, {} kinds of hits", image.bytes() / 1_024, hits.len());
    for (hit, count) in &hits {
        println!("  {count} × {}: {}", hit.needle, hit.place);
    }
    hits.into_keys().map(|hit| hit.needle).collect()
}

/// Which needles are in a process at once, but for threads that a busy machine has not let come to
/// rest yet.
fn left(what: &str, process: &Process, needles: &Needles) -> Vec<String> {
    let mut left = found(what, &process.memory(), needles);
    for _ in 0..REST_TRIES {
        if !left.is_empty() {
            sleep(REST);
            left = found(what, &process.memory(), needles);
        }
    }
    left
}

/// What the processor keeps of threads that wait is no memory: it is told, not promised.
fn tell_of_registers(process: &Process, needles: &Needles) {
    let mut command = Command::new(tool("python3"));
    command.arg(repository().join("tests/clients/registers.py")).arg(process.id().to_string());
    let threads = run(&mut command, "").ok().stdout;
    let mut hits = 0;
    for registers in threads.lines() {
        needles.find(&hex::decode(registers).unwrap(), |_, _| hits += 1);
    }
    println!("registers of {} threads: {hits} hits", threads.lines().count());
}

fn nothing_is_left(engine: &'static str) {
    let mut scene = Scene::set(engine);
    scene.use_everything();
    let at_once = found("vault, at once", &scene.site.vault().memory(), &scene.customers);
    assert!(at_once.contains(&"data key of identity, epoch 1".to_owned()), "the search finds");
    let at_once = found("edge, at once", &scene.site.edge().memory(), &scene.customers);
    assert!(!at_once.is_empty(), "the search finds");
    sleep(IDLE);

    let (vault, edge) = (scene.site.vault().memory(), scene.site.edge().memory());
    assert_eq!(found("vault, idle", &vault, &scene.customers), [""; 0]);
    assert_eq!(found("vault, idle: keys replaced", &vault, &scene.replaced), [""; 0]);
    assert_eq!(found("vault, idle: sessions", &vault, &scene.sessions), [""; 0]);
    assert_eq!(found("edge, idle", &edge, &scene.customers), [""; 0]);
    // A session is what the edge keeps of a password, while it lives: in its cache, nowhere else.
    let sessions = edge.hits(&scene.sessions);
    assert!(!sessions.is_empty(), "the search finds");
    let is_heap = |place: &str| ["anonymous rw-p", "[heap] rw-p"].contains(&place);
    assert!(sessions.keys().all(|hit| is_heap(&hit.place)), "{sessions:?}");
    let servers = scene.servers();
    let own = found("vault, idle: its own keys", &vault, &servers);
    assert!(["root key", "cipher key"].iter().all(|name| own.contains(&(*name).to_owned())));
    assert_eq!(found("edge, idle: the vault's keys", &edge, &servers), [""; 0]);

    scene.read();
    scene.site.operator(&["seal", "lock", "--yes"]).ok();
    assert_eq!(left("vault, locked", scene.site.vault(), &scene.customers), [""; 0]);
    assert_eq!(left("vault, locked: sessions", scene.site.vault(), &scene.sessions), [""; 0]);
    assert_eq!(left("vault, locked: its own keys", scene.site.vault(), &servers), [""; 0]);
    tell_of_registers(scene.site.vault(), &scene.customers);
    scene.site.operator(&["seal", "unlock"]).ok();
    scene.read();
}

#[test]
fn a_minute_after_the_last_use_and_when_locked_nothing_is_left_in_memory_with_sled() {
    nothing_is_left("sled");
}

#[test]
fn a_minute_after_the_last_use_and_when_locked_nothing_is_left_in_memory_with_redb() {
    nothing_is_left("redb");
}

/// A program of root's without any of its rights.
fn powerless(command: &mut Command) -> &mut Command {
    command.args(["--bounding-set", "-all", "--inh-caps", "-all", "--no-new-privs"])
}

/// A process that sleeps, with a variable in its memory.
fn sleeper(value: &str) -> Child {
    let mut command = Command::new("setpriv");
    let sleeper = powerless(&mut command).args(["sleep", "600"]).env("VARIABLE", value).spawn();
    let sleeper = sleeper.unwrap();
    // Until it has become the program that sleeps.
    let name = format!("/proc/{}/comm", sleeper.id());
    while fs::read_to_string(&name).unwrap() != "sleep\n" {
        sleep(Duration::from_millis(5));
    }
    sleeper
}

#[test]
fn nobody_looks_into_the_vault_and_memory_that_cannot_be_locked_is_told() {
    let mut site = Site::start_with_log("redb", "info");
    for process in [site.vault().id(), site.edge().id()] {
        let limits = fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"]);
    }
    let is_locked = |process: &Process| {
        let status = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
        !status.contains("VmLck:\t       0 kB")
    };
    let warning = "memory cannot be locked";
    for process in [Site::vault, Site::edge] {
        let process: &Process = process(&mut site);
        assert_ne!(process.log().contains(warning), is_locked(process), "locked, or said");
    }
    assert_eq!(site.vault().stop(), 0);
    fs::remove_file(site.path("internal-api.log")).unwrap();
    let mut command = Command::new("prlimit");
    powerless(command.args(["--memlock=0", "setpriv"]));
    site.start_vault_by(&mut command);
    assert!(!is_locked(site.vault()) && site.vault().log().contains(warning));

    // One of the same user, which no right of root's helps: it sees others of its kind.
    let mut sleeper = sleeper("Xaverius-Sentinel");
    let sees = |process: u32| {
        let mut look = Command::new("setpriv");
        let environment = format!("/proc/{process}/environ");
        let look = powerless(&mut look).args(["cat", &environment]).stdin(Stdio::null());
        look.output().unwrap().status.success()
    };
    assert!(sees(sleeper.id()), "the look is real");
    assert!(!sees(site.vault().id()));
    sleeper.kill().unwrap();
    sleeper.wait().unwrap();
}

#[test]
fn what_is_in_the_memory_of_a_process_is_found() {
    let mut needles = Needles::default();
    needles.add_text("planted", "Xaverius-Sentinel");
    for (value, hits) in [("Xaverius-Sentinel", 1), ("Xaverius-Sentine1", 0)] {
        let mut sleeper = sleeper(value);
        let image = MemoryImage::of(sleeper.id());
        assert_eq!(image.hits(&needles).len(), hits, "{value}");
        sleeper.kill().unwrap();
        sleeper.wait().unwrap();
    }
}
