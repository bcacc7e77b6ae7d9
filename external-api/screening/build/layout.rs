//! The layout of the table of names: what the build writes and the crate reads.
//!
//! Slots come first, four bytes each, little endian: a tag of the word's hash and the offset of its
//! entry. Then come the entries: flags, length, word. It promises few steps to any word, and relies
//! on the table having about twice as many slots as words.

use std::hash::Hasher as _;

use fnv::FnvHasher;

/// Slots of the table; a power of two.
pub(crate) const SLOTS: usize = 1 << 18;

/// Bits of a slot that say where an entry begins.
pub(crate) const OFFSET_BITS: u32 = 22;

/// A slot without a word. No word has it, since the table never is so full of entries.
pub(crate) const EMPTY: u32 = u32::MAX;

/// Where a word belongs.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// What tells its slot from most others, in the bits that its offset leaves.
    pub(crate) tag: u32,
    first: usize,
}

impl Place {
    pub(crate) fn of(word: &[u8]) -> Self {
        let mut hasher = FnvHasher::default();
        hasher.write(word);
        let hash = hasher.finish();
        let high = u32::try_from(hash >> 32).unwrap_or_default();
        let first = usize::try_from(hash % (SLOTS as u64)).unwrap_or_default();
        Self { tag: high & (u32::MAX << OFFSET_BITS), first }
    }

    /// The slots in which it may be, the likeliest first.
    pub(crate) fn slots(self) -> impl Iterator<Item = usize> {
        (0..SLOTS).map(move |step| (self.first + step) % SLOTS)
    }
}
