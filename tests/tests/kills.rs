//! The vault process is killed again and again under mixed load; nothing acknowledged is lost.
//!
//! The load and the comparison are Python's (`clients/load.py`), which keeps a journal of what it
//! was told; a kill takes the process at any moment, but not what the kernel has taken over: power
//! cuts are another test.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
#![allow(clippy::print_stdout, reason = "what was measured is shown by the runner")]

use std::{
    path::PathBuf,
    thread::sleep,
    time::{Duration, Instant},
};

use tresor_tests::{Load, Random, Site, is_long};

/// Kills of one engine.
fn kills() -> u64 {
    if is_long() { 2_500 } else { 100 }
}

/// An enrolment is under way at one kill of so many.
const KILLS_PER_ENROLMENT: u64 = 10;

/// Tenants whose customers have not enrolled yet.
fn registered_tenants(site: &Site) -> Vec<PathBuf> {
    let register = |number| {
        let tenant = site.registered_tenant(&format!("tenant-{number}"));
        site.operator(&["collection", "put", "customers", "--tenant", &tenant.name]).ok();
        tenant.directory
    };
    (0..kills() / KILLS_PER_ENROLMENT).map(register).collect()
}

/// Kills the vault on its way up, so that it is also killed while it recovers.
fn kill_while_it_starts(site: &mut Site, random: &mut Random) {
    site.launch_vault();
    sleep(Duration::from_millis(random.within(0..200)));
    site.vault().kill();
}

fn nothing_acknowledged_is_lost(engine: &'static str) {
    let mut random = Random::of_this_run();
    let mut site = Site::start(engine);
    let mut load = Load::start(&site, &mut random);
    let tenants = registered_tenants(&site);
    let (begun, mut starting) = (Instant::now(), Duration::ZERO);
    assert_eq!(site.vault().stop(), 0);
    site.start_vault();
    for kill in 0..kills() {
        let enrols = kill % KILLS_PER_ENROLMENT == 0;
        let tenant = tenants.get(usize::try_from(kill / KILLS_PER_ENROLMENT).unwrap());
        let command = tenant.filter(|_| enrols).map(|it| format!("load {}", it.display()));
        load.tell(&command.unwrap_or_else(|| "load".to_owned()));
        sleep(Duration::from_millis(random.within(20..250)));
        site.vault().kill();
        load.tell("wait");
        if random.within(0..8) == 0 {
            kill_while_it_starts(&mut site, &mut random);
        }
        let start = Instant::now();
        site.start_vault();
        starting += start.elapsed();
        load.tell("check");
    }
    let done = load.count("end");
    let start = starting.as_millis() / u128::from(kills());
    println!("{engine}: {} kills in {:?}, a start {start} ms: {done}", kills(), begun.elapsed());
    for kind in ["put", "batch", "keyed", "ingest", "delete"] {
        // Far fewer than there are: the machine may be busy.
        assert!(done[kind].as_u64().unwrap_or(0) > kills() / 4, "{kind} was hardly tried: {done}");
    }
    let repeats = done["keyed, kept before"].as_u64().unwrap_or(0);
    assert!(repeats > 0, "no repeat met what was kept but not answered: {done}");
    assert!(done["enrolment"].as_u64().unwrap_or(0) > 0, "nobody enrolled: {done}");
    let unanswered = done["unanswered, kept"].as_u64().unwrap_or(0)
        + done["unanswered, not kept"].as_u64().unwrap_or(0);
    assert!(unanswered > kills(), "the kills met nothing under way: {done}");
}

#[test]
fn nothing_acknowledged_is_lost_when_the_vault_is_killed_with_sled() {
    nothing_acknowledged_is_lost("sled");
}

#[test]
fn nothing_acknowledged_is_lost_when_the_vault_is_killed_with_redb() {
    nothing_acknowledged_is_lost("redb");
}
