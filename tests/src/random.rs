//! Random numbers of a test, from a seed that is printed and can be given again.

#![allow(clippy::print_stdout, reason = "the runner shows the seed of a test that failed")]

use std::{env, ffi::OsString, hash::BuildHasher as _, hash::RandomState, ops::Range};

/// Whether the long versions of the tests run.
#[must_use]
pub fn is_long() -> bool {
    env::var_os("TRESOR_TEST_LONG").is_some()
}

/// A generator (SplitMix64): good enough to choose moments, of no use for secrets.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// From `TRESOR_TEST_SEED`, or from a new seed; prints it.
    ///
    /// # Panics
    /// When `TRESOR_TEST_SEED` is no number.
    #[must_use]
    pub fn of_this_run() -> Self {
        let given = env::var_os("TRESOR_TEST_SEED");
        let parse = |text: OsString| text.to_string_lossy().parse().expect("a number");
        let seed = given.map_or_else(|| RandomState::new().hash_one(0), parse);
        println!("TRESOR_TEST_SEED={seed}");
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number in `range`, which is not empty.
    pub fn within(&mut self, range: Range<u64>) -> u64 {
        range.start + self.number() % (range.end - range.start)
    }
}
