//! A disk that is too small, in a mount namespace of the test's own.
//!
//! The mount ends with the last process of the test, however it ends. It relies on being root or on
//! user namespaces being allowed; where neither holds the test fails and says so.

#![allow(clippy::print_stdout, reason = "the runner shows what the inner run said")]

use std::{
    env,
    fs::{self, File, Permissions},
    io::{self, ErrorKind, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use crate::run;

/// Says that this is the run within the namespace.
const INSIDE: &str = "TRESOR_TEST_OWN_MOUNTS";
/// The ways into a mount namespace: as root, and as anybody.
const WAYS: [&[&str]; 2] = [&["--mount"], &["--user", "--map-root-user", "--mount"]];

/// Runs `body` in a mount namespace of its own, in another run of the test program, which knows
/// this test as `test`.
///
/// # Panics
/// When `body` does, or when there is no such namespace to be had.
pub fn with_own_mounts(test: &str, body: impl FnOnce()) {
    if env::var_os(INSIDE).is_some() {
        return body();
    }
    let unshare = |way: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(way);
        command
    };
    let way = WAYS.into_iter().find(|way| run(unshare(way).arg("true"), "").code == 0);
    let way = way.expect("this test mounts a small disk: run it as root, or allow user namespaces");
    let mut again = unshare(way);
    again.arg(env::current_exe().expect("this program")).args([test, "--exact", "--nocapture"]);
    let ran = run(again.env(INSIDE, "1"), "").ok();
    assert!(ran.stdout.contains("1 passed"), "no test ran: {}", ran.stdout);
    println!("{}", ran.stdout);
}

/// A small file system under a directory.
#[derive(Debug)]
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Moves a directory and all in it onto a file system of so many MiB.
    ///
    /// # Panics
    /// When it cannot be mounted.
    #[must_use]
    pub fn under(directory: &Path, mebibytes: u32) -> Self {
        let aside = directory.with_extension("aside");
        fs::rename(directory, &aside).expect("it moves");
        fs::create_dir(directory).expect("a directory");
        let size = format!("size={mebibytes}m,mode=700");
        let mut mount = Command::new("mount");
        run(mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(directory), "").ok();
        let mut copy = Command::new("cp");
        run(copy.arg("--archive").arg(aside.join(".")).arg(directory), "").ok();
        fs::set_permissions(directory, Permissions::from_mode(0o700)).expect("its mode");
        Self(directory.to_owned())
    }

    /// Takes all the space but so many bytes; with 0, every byte.
    ///
    /// # Panics
    /// When something else than a full disk ends it.
    pub fn fill(&self, bytes_left: u64) {
        let mut options = File::options();
        let file = options.create(true).append(true).open(self.0.join("filler"));
        let mut file = file.expect("a file");
        let taken = self.free_bytes().saturating_sub(bytes_left);
        let copied = io::copy(&mut io::repeat(0).take(taken), &mut file).map(|_| ());
        let taken = copied.and_then(|()| match bytes_left {
            0 => io::copy(&mut io::repeat(0), &mut file).map(|_| ()),
            _ => Ok(()),
        });
        let is_full = taken.err().is_some_and(|error| error.kind() == ErrorKind::StorageFull);
        assert_eq!(is_full, bytes_left == 0, "it is filled as far as wanted");
    }

    fn free_bytes(&self) -> u64 {
        let mut command = Command::new("df");
        let ran = run(command.args(["--output=avail", "--block-size=1"]).arg(&self.0), "").ok();
        let last = ran.stdout.lines().next_back().expect("a number");
        last.trim().parse().expect("a number")
    }

    /// Gives a part of the space back.
    ///
    /// # Panics
    /// When less was taken.
    pub fn free_some(&self, bytes: u64) {
        let filler = File::options().write(true).open(self.0.join("filler")).expect("the filler");
        let taken = filler.metadata().expect("its length").len();
        filler.set_len(taken.checked_sub(bytes).expect("so much")).expect("it is cut");
    }

    /// Gives the space back.
    ///
    /// # Panics
    /// When it was not taken.
    pub fn free(&self) {
        fs::remove_file(self.0.join("filler")).expect("the disk was filled");
    }
}
