//! Processes: those that run to their end, and those that stay up.

use std::{
    ffi::OsStr,
    fs::File,
    io::Write as _,
    net::TcpListener,
    ops::Range,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use crate::Ran;

/// How long a process may take to stop.
const STOP_MAX: Duration = Duration::from_secs(20);

/// A process that stays up; it is killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program with its standard output and error in `log`.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(command: &mut Command, log: &Path) -> Self {
        let file = File::options().create(true).append(true).open(log).expect("a log file");
        let both = file.try_clone().expect("a second handle");
        let child = command.stdin(Stdio::null()).stdout(file).stderr(both).spawn();
        Self { child: child.expect("the process"), log: log.to_owned() }
    }

    /// What it has written.
    ///
    /// # Panics
    /// When the log cannot be read.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).expect("the log")
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it runs.
    ///
    /// # Panics
    /// When that cannot be told.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("the process").is_none()
    }

    /// Asks it to stop and gives its exit code.
    ///
    /// # Panics
    /// When it does not stop in time.
    pub fn stop(&mut self) -> i32 {
        run(Command::new("kill").arg("-TERM").arg(self.id().to_string()), "").ok();
        self.end_within(STOP_MAX)
    }

    /// Waits until it has ended by itself and gives its exit code.
    ///
    /// # Panics
    /// When it does not end in time.
    pub fn end_within(&mut self, time: Duration) -> i32 {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("the process") {
                return status.code().unwrap_or(-1);
            }
            assert!(begun.elapsed() < time, "it does not end: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether it left an image of its memory when a signal ended it.
    ///
    /// # Panics
    /// When it ended by itself.
    pub fn has_dumped_core(&mut self) -> bool {
        let status = self.child.wait().expect("its end");
        assert!(status.signal().is_some(), "it ended by itself: {}", self.log());
        status.core_dumped()
    }

    /// Kills it, as a crash would.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(&mut self) {
        self.child.kill().expect("a kill");
        self.child.wait().expect("its end");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a program to its end, with `input` on its standard input.
///
/// # Panics
/// When it does not start.
pub fn run(command: &mut Command, input: impl AsRef<[u8]>) -> Ran {
    let name = command.get_program().to_owned();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", show(&name)));
    let mut stdin = child.stdin.take().expect("its input");
    let input = input.as_ref().to_vec();
    // Written beside, so that a program that answers while it reads does not wait for itself.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("its output");
    writer.join().expect("the writer");
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn show(name: &OsStr) -> String {
    name.to_string_lossy().into_owned()
}

/// Ports below those the system gives to outgoing connections, which may take any port that is free
/// for a moment, as while a process is started anew.
const PORTS: Range<u32> = 10_240..32_640;
/// Ports that each test process has to itself; the next process has the next ones.
const PORTS_OF_A_PROCESS: u32 = 64;

/// A port of loopback that nobody listens on, and that no other test takes soon.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn free_port() -> u16 {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id().wrapping_mul(PORTS_OF_A_PROCESS);
    let ports = (0..PORTS.len()).map(|_| {
        let port = first.wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed));
        let port = PORTS.start + port % (PORTS.end - PORTS.start);
        u16::try_from(port).expect("a port")
    });
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    ports.into_iter().find(is_free).expect("a free port")
}
