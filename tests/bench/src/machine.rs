//! What the machine says of itself and of processes.

use std::{fs, path::Path, thread};

/// CPU seconds, user and system, that a process has used.
pub(crate) fn cpu_seconds(process: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("a process");
    // The name in brackets may hold anything; the numbers come after it.
    let (_, numbers) = stat.rsplit_once(')').expect("a name");
    let ticks = numbers.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.map(|ticks| ticks.parse::<u64>().expect("a number")).sum();
    ticks as f64 / rustix::param::clock_ticks_per_second() as f64
}

/// Memory that a process has resident, in MiB.
pub(crate) fn resident_mebibytes(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
}

/// The load averages over 1, 5 and 15 minutes.
pub(crate) fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").expect("the load");
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

/// The machine, as it belongs into a table of results.
pub(crate) fn describe() -> String {
    let cores = thread::available_parallelism().expect("the cores");
    let cpus = fs::read_to_string("/proc/cpuinfo").expect("the CPUs");
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").expect("the kernel");
    format!(
        "Machine: {cores} cores, {}, Linux {}, data on {}. Load average at the start: {}",
        model.trim_matches([' ', '\t', ':']),
        kernel.trim(),
        filesystem(&std::env::temp_dir()),
        load_average(),
    )
}

/// The type of the file system that holds a path.
fn filesystem(path: &Path) -> String {
    let mounts = fs::read_to_string("/proc/mounts").expect("the mounts");
    let fields = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let holding = fields.filter(|fields| path.starts_with(fields[1]));
    holding.max_by_key(|fields| fields[1].len()).map_or("unknown", |fields| fields[2]).to_owned()
}
