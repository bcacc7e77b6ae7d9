//! What the process asks of the system so that secrets stay in its memory.
//!
//! No core dumps, no tracing by other processes of the same user, files for their owner only, and
//! no swap where the system allows it. What the system refuses is said in the log, and the process
//! runs nevertheless: an operator may have switched swap off altogether.

use rustix::{
    fs::Mode,
    mm::{MlockAllFlags, mlockall},
    process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit, umask},
};

/// Hardens the process; returns a sentence for each thing the system has refused.
pub(crate) fn harden() -> Vec<&'static str> {
    // Databases, keyrings and locks are nobody else's business.
    umask(Mode::RWXG | Mode::RWXO);
    let no_dump = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let no_core = setrlimit(Resource::Core, limit(Some(0)));
    let checks = [
        (no_dump.is_ok(), "the process can be traced by others of its user"),
        (no_core.is_ok(), "core dumps cannot be switched off"),
        (lock_memory(), "memory cannot be locked and may be swapped: raise LimitMEMLOCK"),
    ];
    let refused = checks.into_iter().filter(|(is_done, _)| !is_done);
    refused.map(|(_, sentence)| sentence).collect()
}

/// Keeps pages out of swap, each from when it is first touched.
///
/// Only without a limit on locked memory: under a limit the call succeeds while the process is
/// small, and an allocation fails, and with it the process, when it has grown.
fn lock_memory() -> bool {
    setrlimit(Resource::Memlock, limit(None)).is_ok()
        && mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT).is_ok()
}

fn limit(value: Option<u64>) -> Rlimit {
    Rlimit { current: value, maximum: value }
}
