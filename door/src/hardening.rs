//! What a process asks of the system so that secrets stay in its memory.
//!
//! It promises no core dumps and no tracing by other processes of the same user; for a service also
//! files for their owner only, as many descriptors as it may have, and no swap where the system allows
//! it. What the system refuses is
//! returned, and the process may run nevertheless: an operator may have switched swap off altogether.

use rustix::{
    fs::Mode,
    mm::{MlockAllFlags, mlockall},
    process::{
        DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit, umask,
    },
    thread::{CapabilitySet, capabilities},
};

use crate::listener::{HANDSHAKES_MAX, PLAIN_CONNECTIONS_MAX};

/// Descriptors for all that is no connection from outside: databases, logs, the runtime, the way to
/// the vault and to seals.
const OTHER_DESCRIPTORS: usize = 256;

/// Hardens a service, before its first thread; returns a sentence for each thing the system has
/// refused.
#[must_use]
pub fn harden() -> Vec<&'static str> {
    // Databases, keyrings and locks are nobody else's business.
    umask(Mode::RWXG | Mode::RWXO);
    let mut refused = forbid_dumps();
    if !raise_descriptors() {
        refused.push("the limit of open files cannot be raised to the hard one");
    }
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

/// Takes as many descriptors as an unprivileged process may: connections need one each.
fn raise_descriptors() -> bool {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_ok()
}

/// A sentence when the process may not open what its listeners let in: `listeners` with mutual TLS,
/// each with so many connections, and the plain one.
#[must_use]
pub fn descriptors_missing(listeners: usize, connections_max: usize) -> Option<String> {
    let a_listener = connections_max.saturating_add(HANDSHAKES_MAX);
    let others = PLAIN_CONNECTIONS_MAX + OTHER_DESCRIPTORS;
    let needed = listeners.saturating_mul(a_listener).saturating_add(others);
    let allowed = getrlimit(Resource::Nofile).current?;
    let is_short = u64::try_from(needed).is_ok_and(|needed| allowed < needed);
    is_short.then(|| {
        format!(
            "connections_max = {connections_max} needs {needed} open files and {allowed} are \
             allowed: raise LimitNOFILE or lower connections_max"
        )
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_are_raised_to_the_hard_limit_and_what_is_missing_is_told() {
        let maximum = Some(3_000);
        setrlimit(Resource::Nofile, Rlimit { current: Some(200), maximum }).unwrap();
        assert!(descriptors_missing(1, 1_024).unwrap().contains("200 are allowed"));
        assert!(raise_descriptors());
        assert_eq!(getrlimit(Resource::Nofile), Rlimit { current: maximum, maximum });
        assert_eq!(descriptors_missing(2, 1_024), None);
        assert!(descriptors_missing(2, 4_096).is_some());
    }
}
