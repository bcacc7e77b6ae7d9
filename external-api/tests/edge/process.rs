//! The program: its arguments, its exit codes, its end.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use crate::house::House;

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_external-api"))
}

fn check(text: &str) -> Output {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("edge.toml");
    fs::write(&path, text).unwrap();
    program().arg("--check").arg("--config").arg(path).output().unwrap()
}

const RIGHT: &str = r#"
listen = "127.0.0.1:0"
[tls]
certificate_chain = "edge.pem"
private_key = "edge.key"
authorities = "ca.pem"
[vault]
endpoint = "https://localhost:7443"
"#;

#[test]
fn a_right_configuration_is_said_to_be_right() {
    let output = check(RIGHT);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn mistakes_of_the_configuration_end_with_2_all_at_once() {
    let output = check(&RIGHT.replace("127.0.0.1:0", "nowhere").replace("endpoint", "end"));
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    for key in ["listen", "vault.end", "vault.endpoint"] {
        assert!(told.contains(key), "{key}: {told}");
    }
    let absent = program().args(["--config", "no-such-file.toml"]).output().unwrap();
    assert_eq!(absent.status.code(), Some(2));
}

#[test]
fn a_key_that_others_may_read_ends_with_1() {
    use std::os::unix::fs::PermissionsExt as _;
    let house = House::new();
    let key = house.issue_service("edge").private_key;
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    let path = key.with_file_name("edge.toml");
    fs::write(&path, RIGHT).unwrap();
    let output = program().arg("--config").arg(path).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("chmod 600"));
}

#[test]
fn it_dumps_no_core_and_sigterm_ends_it_in_good_order() {
    let house = House::new();
    let path = house.issue_service("edge").private_key.with_file_name("edge.toml");
    fs::write(&path, RIGHT).unwrap();
    let mut edge = program().arg("--config").arg(path).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(edge.stderr.take().unwrap()).lines();
    assert!(log.any(|line| line.unwrap().contains("listening")));
    let proc = PathBuf::from(format!("/proc/{}", edge.id()));
    let limits = fs::read_to_string(proc.join("limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"]);
    assert!(fs::read_to_string(proc.join("status")).unwrap().contains("Umask:\t0077"));
    let kill = Command::new("kill").arg("-TERM").arg(edge.id().to_string()).status().unwrap();
    assert!(kill.success());
    assert_eq!(edge.wait().unwrap().code(), Some(0));
    assert!(log.any(|line| line.unwrap().contains("ended")));
}
