//! Random input for tests, from a seed that is printed and taken from `TRESOR_TEST_SEED` when set.
//!
//! Included by the tests of several crates (`#[path]`), so it relies on nothing but the standard
//! library. It promises the same input for the same seed.

/// A source of random input (SplitMix64; not for keys).
pub(crate) struct Random(u64);

/// `long` under `./check --long`, else `short`.
pub(crate) fn cases(short: usize, long: usize) -> usize {
    if std::env::var_os("TRESOR_TEST_LONG").is_some() { long } else { short }
}

impl Random {
    /// A source from the seed of this run, which the runner shows when the test fails.
    #[allow(clippy::print_stderr, reason = "the seed repeats a failure")]
    #[allow(clippy::disallowed_methods, reason = "a test has no configuration file")]
    pub(crate) fn of_this_run() -> Self {
        let given = std::env::var("TRESOR_TEST_SEED").ok().and_then(|text| text.parse().ok());
        let seed = given.unwrap_or_else(|| {
            let now = std::time::SystemTime::UNIX_EPOCH.elapsed();
            now.map_or(1, |now| u64::from(now.subsec_nanos()) ^ now.as_secs())
        });
        eprintln!("TRESOR_TEST_SEED={seed}");
        Self(seed)
    }

    /// A source from a seed that is always the same.
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 when `end` is 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let number = self.number() % u64::try_from(end.max(1)).unwrap_or(1);
        usize::try_from(number).unwrap_or(0)
    }

    /// `length` random bytes.
    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.number().to_be_bytes()[0]).collect()
    }

    /// One of `items`.
    pub(crate) fn pick<'i, T>(&mut self, items: &'i [T]) -> &'i T {
        &items[self.below(items.len())]
    }

    /// A variant of `sample`: a few random edits, each small or at a border.
    pub(crate) fn mutated(&mut self, sample: &[u8]) -> Vec<u8> {
        let mut bytes = sample.to_vec();
        for _ in 0..=self.below(4) {
            self.mutate(&mut bytes);
        }
        bytes
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        let (at, other) = (self.below(bytes.len()), self.below(bytes.len()));
        match (self.below(8), bytes.is_empty()) {
            (_, true) => *bytes = self.bytes(16),
            (0, _) => bytes[at] ^= 1 << self.below(8),
            (1, _) => bytes[at] = *self.pick(b"\x00\x01\x7f\x80\xff\n\r\"{}[],;:/\\"),
            (2, _) => bytes.truncate(at),
            (3, _) => drop(bytes.remove(at)),
            (4, _) => bytes.swap(at, other),
            (5, _) => {
                let copied = bytes[at.min(other)..at.max(other)].to_vec();
                bytes.splice(at..at, copied);
            }
            (6, _) => {
                let length = self.below(9);
                let random = self.bytes(length);
                bytes.splice(at..at, random);
            }
            _ => bytes[at] = bytes[at].wrapping_add(1),
        }
    }
}
