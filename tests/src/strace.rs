//! The system calls of a running process on some files, seen and made to fail (strace).
//!
//! It relies on being allowed to trace a process that lets nobody look into it: as root, or in a
//! user namespace ([`crate::with_own_mounts`]). The process is attached to for as long as it is
//! looked at, so its start is not part of what is counted.

use std::{
    collections::HashMap,
    ffi::OsStr,
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::run;

/// Calls by which a file is replaced.
const CALLS: &str = "openat,write,fsync,fdatasync,rename,renameat2,unlink,ftruncate";

/// How long strace may take: now and then it waits for ever for a thread of a process it killed.
const DETACH_MAX: Duration = Duration::from_secs(5);

/// A system call on one of the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemCall {
    /// Its name.
    pub name: String,
    /// The how manieth of its name, from 1 on.
    pub number: usize,
}

/// What befalls a system call, which is not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails with this error.
    Error(&'static str),
    /// The process is killed.
    Kill,
}

/// A process being traced.
#[derive(Debug)]
pub struct Strace {
    child: Child,
    log: PathBuf,
}

impl Strace {
    /// Attaches to a process, as far as it touches `paths`; `log` is a file of its own.
    ///
    /// # Panics
    /// When it cannot attach.
    #[must_use]
    pub fn attach(
        process: u32,
        paths: &[PathBuf],
        log: &Path,
        fault: Option<(&SystemCall, Fault)>,
    ) -> Self {
        let mut command = Command::new("strace");
        command.args(["-f", "-p", &process.to_string(), "-e", &format!("trace={CALLS}"), "-o"]);
        command.arg(log);
        command.args(paths.iter().flat_map(|path| [OsStr::new("-P"), path.as_os_str()]));
        if let Some((SystemCall { name, number }, fault)) = fault {
            let what = match fault {
                Fault::Error(error) => format!("error={error}"),
                Fault::Kill => "signal=KILL".to_owned(),
            };
            command.args(["-e", &format!("inject={name}:{what}:when={number}")]);
        }
        let child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("strace is installed");
        let mut said = BufReader::new(child.stderr.take().expect("its standard error"));
        let mut line = String::new();
        while !line.contains("attached") {
            line.clear();
            assert_ne!(said.read_line(&mut line).expect("it says something"), 0, "not attached");
        }
        // What else it says is of no interest, and must not make it wait.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        Self { child, log: log.to_owned() }
    }

    /// Lets the process go on alone; gives what was seen.
    ///
    /// # Panics
    /// When it does not end.
    #[must_use]
    pub fn detach(mut self) -> String {
        run(Command::new("kill").arg("-TERM").arg(self.child.id().to_string()), "");
        let begun = Instant::now();
        while self.child.try_wait().expect("its end").is_none() {
            if begun.elapsed() > DETACH_MAX {
                self.child.kill().expect("a kill");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        fs::read_to_string(&self.log).expect("its log")
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The system calls of what was seen, in order.
#[must_use]
pub fn system_calls(seen: &str) -> Vec<SystemCall> {
    let mut numbers: HashMap<String, usize> = HashMap::new();
    let names = seen.lines().filter_map(|line| line.split_whitespace().nth(1)?.split_once('('));
    let count = |(name, _): (&str, &str)| {
        let number = numbers.entry(name.to_owned()).or_default();
        *number += 1;
        SystemCall { name: name.to_owned(), number: *number }
    };
    names.map(count).collect()
}
