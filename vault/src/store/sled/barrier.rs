//! `sync_file_range` as the barrier that sled takes it for.
//!
//! sled 0.34 calls it after each write of its log, then names what was written stable in the
//! headers of later segments and overwrites the segments that it made superfluous; but Linux
//! promises neither order nor durability for it, so a power cut may keep the overwriting and drop
//! what was to replace it. This definition of the symbol takes the C library's place in programs
//! that link the vault and is `fdatasync`; it relies on a linker taking a program's own definition
//! before that of a shared library, which a test watches with strace.
#![allow(unsafe_code, reason = "a C symbol with a file descriptor; all of it is in this module")]

use std::os::raw::{c_int, c_uint};

/// Syncs the whole file, whatever the range.
// SAFETY: the name, arguments and answer are those of the C library's function (`sync_file_range`,
// Linux), and what this one does is a stronger form of what that one does.
#[unsafe(no_mangle)]
pub(super) extern "C" fn sync_file_range(
    descriptor: c_int,
    _offset: i64,
    _length: i64,
    _flags: c_uint,
) -> c_int {
    // SAFETY: it takes any number, answers -1 for what is no descriptor, and touches no memory.
    unsafe { libc::fdatasync(descriptor) }
}

/// Keeps the symbol in every program that opens sled: a linker takes from a library only what is
/// asked for.
pub(super) fn require() {
    std::hint::black_box(sync_file_range as extern "C" fn(c_int, i64, i64, c_uint) -> c_int);
}
