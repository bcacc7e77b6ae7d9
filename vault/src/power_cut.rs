//! Power cuts: a program's system calls are recorded, and replayed up to a random moment into a
//! directory that keeps only what was synced by then; for the rest anything may have happened.
//!
//! It promises to be no kinder than POSIX: data survive by a sync of their file that began after
//! they were written, names by a sync of their directory, and everything else is kept, dropped,
//! torn or reordered at random. It relies on strace, whose order of lines is that of causes.

mod disk;
mod fate;
mod file;
mod random;
mod tests;
mod trace;

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

use self::{
    disk::Disk,
    fate::Fate,
    trace::{Call, Event},
};

pub(crate) use random::Random;

/// Says where a program that is recorded writes; without it a test is no such program.
const PLACE: &str = "TRESOR_TEST_RECORDED_PLACE";
/// Says what else it has to know.
const ARGUMENT: &str = "TRESOR_TEST_RECORDED_ARGUMENT";

/// What a program did to a directory, and what it said meanwhile.
pub(crate) struct Recording {
    events: Vec<Event>,
    _directory: TempDir,
}

/// What is found after a power cut.
pub(crate) struct Remains<'a> {
    /// The directory.
    pub(crate) place: PathBuf,
    /// What the program had said before the cut, in order.
    pub(crate) said: &'a [String],
    /// Which cut it was, to find it again.
    pub(crate) cut: String,
}

/// In a program that is recorded: its directory and its argument.
pub(crate) fn recorded_program() -> Option<(PathBuf, String)> {
    let argument = std::env::var_os(ARGUMENT)?.to_string_lossy().into_owned();
    Some((PathBuf::from(std::env::var_os(PLACE)?), argument))
}

/// Power cuts of a test that by default makes `few`.
pub(crate) fn cuts(few: usize) -> usize {
    if std::env::var_os("TRESOR_TEST_LONG").is_some() { few * 20 } else { few }
}

/// Says a line that the recording finds, with one `write`.
pub(crate) fn say(line: &str) {
    use std::io::Write as _;
    std::io::stdout().write_all(format!("said: {line}\n").as_bytes()).unwrap();
}

impl Recording {
    /// Runs a test of this program, alone and as another process, and records it.
    pub(crate) fn of(test: &str, argument: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().canonicalize().unwrap().join("place");
        std::fs::create_dir(&place).unwrap();
        let trace = directory.path().join("trace");
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-y", "-xx", "-s", "4194304", "-e", trace::CALLS, "-o"]);
        command.arg(&trace).arg(std::env::current_exe().unwrap());
        command.args([test, "--exact", "--nocapture", "--test-threads=1"]);
        command.env(PLACE, &place).env(ARGUMENT, argument).stdin(Stdio::null());
        let output = command.output().expect("strace is installed");
        let text = String::from_utf8_lossy(&output.stdout);
        let is_right = output.status.success() && text.contains("1 passed");
        assert!(is_right, "{text}{}", String::from_utf8_lossy(&output.stderr));
        let events = trace::parse(&std::fs::read_to_string(&trace).unwrap(), &place);
        Self { events, _directory: directory }
    }

    /// Cuts the power `count` times, each time at a random moment, and shows what remains.
    pub(crate) fn cut(&self, count: usize, random: &mut Random, mut show: impl FnMut(Remains<'_>)) {
        let mut moments: Vec<_> = (0..count).map(|_| random.below(self.events.len() + 1)).collect();
        moments.sort_unstable();
        let (mut disk, mut said, mut done) = (Disk::default(), Vec::new(), 0);
        for moment in moments {
            for event in &self.events[done..moment] {
                disk.apply(event);
                if let Event::Begin(_, Call::Say(line)) = event {
                    said.push(line.clone());
                }
            }
            done = moment;
            let fate = Fate::choose(random);
            let directory = tempfile::tempdir().unwrap();
            let place = directory.path().join("place");
            disk.remains(fate, random, &place);
            let cut = format!("after call {moment} of {}, {fate:?}", self.events.len());
            show(Remains { place, said: &said, cut });
        }
    }

    /// The recording without its syncs, to see that they are missed.
    pub(crate) fn without_syncs(mut self, of: impl Fn(&Path) -> bool) -> Self {
        self.events
            .retain(|event| !matches!(event, Event::Begin(_, Call::Sync { path }) if of(path)));
        self
    }
}
