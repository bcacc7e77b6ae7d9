//! What a process asks of the system so that secrets stay in its memory.
//!
//! It promises no core dumps and no tracing by other processes of the same user; for a service also
//! files for their owner only. What the system refuses is returned, and the process may run
//! nevertheless.

use rustix::{
    fs::Mode,
    process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit, umask},
};

/// Hardens a service, before its first thread; returns a sentence for each thing the system has
/// refused.
#[must_use]
pub fn harden() -> Vec<&'static str> {
    // Databases, keyrings and locks are nobody else's business.
    umask(Mode::RWXG | Mode::RWXO);
    forbid_dumps()
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
