//! The runtime of a process that secrets pass through.
//!
//! It promises that its threads wipe their stack whenever they go to sleep and when they end: what a
//! call left there, copies of keys and values among it, lasts no longer than the work at hand. It
//! relies on nothing being done on the thread that waits for it: have everything spawned.

use std::hint::black_box;

use tokio::runtime::Builder;

/// Bytes of stack that are wiped: more than any call takes, in an unoptimised build too.
const WIPED_STACK_BYTES: usize = 256 * 1024;

/// A runtime of several threads, to be built.
#[must_use]
pub fn wiping_runtime() -> Builder {
    let mut runtime = Builder::new_multi_thread();
    runtime.enable_all().on_thread_park(wipe_stack).on_thread_stop(wipe_stack);
    runtime
}

/// Overwrites the stack below the caller.
#[inline(never)]
fn wipe_stack() {
    let mut below = [0_u8; WIPED_STACK_BYTES];
    black_box(&mut below);
}
