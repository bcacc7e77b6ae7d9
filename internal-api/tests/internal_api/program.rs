//! The program itself: its exit codes, its log, its hardening, its end.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, ChildStderr, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    house::{Doors, House},
    tenant::{Tenant, get_request, put_request, record, records},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_internal-api");

/// Writes a configuration on any ports, with everything logged.
fn configuration(house: &House) -> PathBuf {
    let tls = house.tls("svc/internal-api");
    let text = format!(
        "data_dir = \"data\"\nlisten = \"127.0.0.1:0\"\ntrust_domain = \"tresor.local\"\n\
         [seal]\npassphrase_file = \"passphrase\"\n[control]\nlisten = \"127.0.0.1:0\"\n\
         [tls]\ncertificate_chain = {:?}\nprivate_key = {:?}\nauthorities = \"ca.pem\"\n\
         [log]\nlevel = \"trace\"\nformat = \"json\"\n\
         [[services]]\nname = \"edge\"\nrole = \"edge\"\n\
         [[services]]\nname = \"operator\"\nrole = \"operator\"\n",
        tls.certificate_chain, tls.private_key,
    );
    let path = house.path("internal-api.toml");
    fs::write(&path, text).unwrap();
    path
}

/// The program, serving, and what it has logged so far.
struct Program {
    doors: Doors,
    child: Child,
    stderr: BufReader<ChildStderr>,
    logged: String,
}

impl Program {
    fn start(house: House) -> Self {
        let mut command = Command::new(PROGRAM);
        command.arg("--config").arg(configuration(&house)).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut logged = String::new();
        let mut address_after = |message: &str| loop {
            let mut line = String::new();
            assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "{logged}");
            logged.push_str(&line);
            if line.contains(message) {
                break address_in(&line);
            }
        };
        let data = address_after("serving the data plane");
        let control = address_after("serving the control plane");
        Self { doors: Doors { house, data, control }, child, stderr, logged }
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().try_into().unwrap()).unwrap()
    }

    /// Asks it to end as a service manager does; gives its exit code and all it has logged.
    fn terminate(mut self) -> (Option<i32>, String) {
        kill_process(self.pid(), Signal::TERM).unwrap();
        std::io::Read::read_to_string(&mut self.stderr, &mut self.logged).unwrap();
        (self.child.wait().unwrap().code(), self.logged)
    }
}

fn address_in(line: &str) -> SocketAddr {
    let (_, rest) = line.split_once("\"address\":\"").unwrap();
    rest.split_once('"').unwrap().0.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_serves_logs_no_secret_and_ends_cleanly() {
    let program = Program::start(House::new());
    let tenant = Tenant::new(&program.doors, "acme").await;
    let mut client = records(&program.doors).await;
    client.put(put_request(&tenant, vec![record("a-1")])).await.unwrap();
    let got = client.get(get_request(&tenant, &["a-1"])).await.unwrap().into_inner();
    assert_eq!(got.results.len(), 1);
    let mut refused = get_request(&tenant, &["a-1"]);
    refused.context.as_mut().unwrap().customer_token.push('x');
    client.get(refused).await.unwrap_err();
    drop(client);

    let (code, log) = program.terminate();
    assert_eq!(code, Some(0), "{log}");
    let secret = tenant.customer_token.rsplit('_').next().unwrap();
    for hidden in [secret, "DE89370400440532013000", "correct horse"] {
        assert!(!log.contains(hidden), "the log shows {hidden}");
    }
    for shown in ["\"method\":\"Put\"", "UNAUTHENTICATED", "\"request_id\":\"test-1\""] {
        assert!(log.contains(shown), "{shown} is missing in:\n{log}");
    }
}

#[test]
fn the_program_dumps_no_core_and_keeps_its_files_to_itself() {
    let program = Program::start(House::new());
    let proc = PathBuf::from(format!("/proc/{}", program.child.id()));
    let status = fs::read_to_string(proc.join("status")).unwrap();
    assert!(status.contains("Umask:\t0077"), "{status}");
    let limits = fs::read_to_string(proc.join("limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"]);
    assert_eq!(program.terminate().0, Some(0));
}

#[test]
fn the_program_tells_all_mistakes_and_ends_with_2() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("internal-api.toml");
    fs::write(&path, "colour = \"red\"\nlisten = \"nowhere\"\n").unwrap();
    let output = Command::new(PROGRAM).arg("--config").arg(&path).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    for key in ["colour", "listen", "data_dir", "seal"] {
        assert!(said.contains(key), "{key} is missing in:\n{said}");
    }
}

#[test]
fn the_program_ends_with_1_and_a_sentence_when_it_cannot_start() {
    let house = House::new();
    let path = configuration(&house);
    fs::remove_file(house.path("ca.pem")).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(PROGRAM);
        command.arg("--config").arg(&path).args(arguments).output().unwrap()
    };
    assert_eq!(run(&["--check"]).status.code(), Some(0));
    let output = run(&[]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    let last = said.lines().last().unwrap();
    assert!(last.starts_with("internal-api: ") && last.contains("ca.pem"), "{said}");
}
