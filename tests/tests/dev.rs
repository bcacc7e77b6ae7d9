//! `tresor dev`, as a developer uses it: the commands it prints work as they stand, and what was
//! stored is there after a restart.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    env,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use tresor_tests::{Process, Ran, binary, run, tool};

const LAST_LINE: &str = "Ctrl-C stops both.";

fn start(directory: &Path, log: &str) -> Process {
    let mut command = Command::new(binary("tresor"));
    command.args(["dev", "--external-port", "0", "--data-port", "0", "--control-port", "0"]);
    let mut process = Process::start(command.current_dir(directory), &directory.join(log));
    let begun = Instant::now();
    while !process.log().contains(LAST_LINE) {
        assert!(process.is_running(), "it ended: {}", process.log());
        assert!(begun.elapsed() < Duration::from_secs(60), "{}", process.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    process
}

/// Runs a line of the output in a shell, with the binaries on its path.
fn shell(directory: &Path, line: &str) -> Ran {
    let binaries = [binary("tresor"), tool("grpcurl")];
    let mut paths: Vec<_> = binaries.iter().map(|path| path.parent().unwrap().to_owned()).collect();
    paths.extend(env::split_paths(&env::var_os("PATH").unwrap()));
    let path = env::join_paths(paths).unwrap();
    run(Command::new("sh").args(["-c", line]).current_dir(directory).env("PATH", path), "")
}

fn commands(process: &Process) -> Vec<String> {
    let log = process.log();
    let lines = log.lines().filter_map(|line| line.strip_prefix("  "));
    lines.map(str::to_owned).collect()
}

#[test]
fn the_commands_it_prints_work_as_they_stand() {
    let directory = tempfile::tempdir().unwrap();
    let mut process = start(directory.path(), "first.log");
    let commands = commands(&process);
    let expected =
        ["\"accepted\":", "\"plain\"", "\"records\":[{", "", "RecordService", "field_state_masked"];
    let called: Vec<_> = commands.iter().filter(|line| line.contains("curl ")).collect();
    assert_eq!(called.len(), expected.len(), "{commands:?}");
    for (line, expected) in called.iter().zip(expected) {
        let ran = shell(directory.path(), line).ok();
        let answer = ran.stdout.to_lowercase();
        assert!(answer.contains(&expected.to_lowercase()), "{line}\n{}", ran.stdout);
        assert!(!ran.stdout.contains("\"code\":\""), "{line}\n{}", ran.stdout);
    }
    let list = "export TRESOR_PROFILE=.tresor/tresor.toml; tresor list --collection records";
    let before = shell(directory.path(), list).ok().stdout;
    assert!(before.contains("A-10000002"), "{before}");
    assert_eq!(process.stop(), 0);

    let mut again = start(directory.path(), "second.log");
    assert_eq!(shell(directory.path(), list).ok().stdout, before);
    assert_eq!(again.stop(), 0);
}
