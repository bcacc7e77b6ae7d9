//! What a process asks of the system so that secrets stay in its memory.
//!
//! It promises no core dumps and no tracing by other processes of the same user; for a service also
//! files for their owner only, and no swap where the system allows it. What the system refuses is
//! returned, and the process may run nevertheless: an operator may have switched swap off altogether.

use rustix::{
    fs::Mode,
    mm::{MlockAllFlags, mlockall},
    process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit, umask},
    thread::{CapabilitySet, capabilities},
};

/// Hardens a service, before its first thread; returns a sentence for each thing the system has
/// refused.
#[must_use]
pub fn harden() -> Vec<&'static str> {
    // Databases, keyrings and locks are nobody else's business.
    umask(Mode::RWXG | Mode::RWXO);
    let mut refused = forbid_dumps();
    if !lock_memory() {
        refused.push(
            "memory cannot be locked and may be swapped: raise LimitMEMLOCK or grant CAP_IPC_LOCK",
        );
    }
    refused
}

/// Keeps pages out of swap, each from when it is first touched.
///
/// Only without a limit on locked memory, or with the capability to which none applies: under a
/// limit the call succeeds while the process is small, and an allocation fails, and with it the
/// process, when it has grown.
fn lock_memory() -> bool {
    let is_unlimited = setrlimit(Resource::Memlock, Rlimit { current: None, maximum: None })
        .is_ok()
        || capabilities(None).is_ok_and(|has| has.effective.contains(CapabilitySet::IPC_LOCK));
    is_unlimited
        && mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT).is_ok()
}

/// Lets nobody see the memory of the process; returns a sentence for each thing the system has
/// refused.
#[must_use]
pub fn forbid_dumps() -> Vec<&'static str> {
    let no_dump = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let no_core = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let checks = [
        (no_dump.is_ok(), "the process can be traced by others of its user"),
        (no_core.is_ok(), "core dumps cannot be switched off"),
    ];
    let refused = checks.into_iter().filter(|(is_done, _)| !is_done);
    refused.map(|(_, sentence)| sentence).collect()
}
