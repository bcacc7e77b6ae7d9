//! What the vault process asks of the system so that secrets stay in its memory.
//!
//! No core dumps, no tracing by other processes of the same user, files for their owner only, and
//! no swap where the system allows it. What the system refuses is said in the log, and the process
//! runs nevertheless: an operator may have switched swap off altogether.

use rustix::{
    mm::{MlockAllFlags, mlockall},
    process::{Resource, Rlimit, setrlimit},
};

/// Hardens the process; returns a sentence for each thing the system has refused.
pub(crate) fn harden() -> Vec<&'static str> {
    let mut refused = tresor_door::harden();
    if !lock_memory() {
        refused.push("memory cannot be locked and may be swapped: raise LimitMEMLOCK");
    }
    refused
}

/// Keeps pages out of swap, each from when it is first touched.
///
/// Only without a limit on locked memory: under a limit the call succeeds while the process is
/// small, and an allocation fails, and with it the process, when it has grown.
fn lock_memory() -> bool {
    setrlimit(Resource::Memlock, Rlimit { current: None, maximum: None }).is_ok()
        && mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT).is_ok()
}
