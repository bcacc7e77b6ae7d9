//! Random numbers from a seed that is printed and can be given again.

use std::hash::{BuildHasher as _, RandomState};

/// A generator (SplitMix64), good enough to choose moments and to fill rows.
pub(crate) struct Random(u64);

impl Random {
    /// From `TRESOR_TEST_SEED`, or from a new seed; prints it.
    pub(crate) fn of_this_run() -> Self {
        let given = std::env::var_os("TRESOR_TEST_SEED");
        let seed = given.map(|text| text.to_string_lossy().parse().expect("a number"));
        let seed = seed.unwrap_or_else(|| RandomState::new().hash_one(0));
        println!("TRESOR_TEST_SEED={seed}");
        Self(seed)
    }

    /// From a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.number() % u64::try_from(end).unwrap()).unwrap()
    }

    pub(crate) fn flip(&mut self) -> bool {
        self.number() & 1 == 1
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            bytes.extend_from_slice(&self.number().to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }
}
