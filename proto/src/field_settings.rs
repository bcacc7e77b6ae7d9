//! What a policy may say of a declared field beside its action: how it is found, and its mask.

use crate::{Failure, vault};

/// Bits of an entry of a blind index, unless the policy says otherwise.
const BITS_DEFAULT: u16 = 128;
/// Letters and digits a mask keeps at each end at most: more would be the value.
const KEPT_MAX: u8 = 8;

/// A blind index over a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SearchIndex {
    bits: u16,
    is_forced: bool,
}

/// How many letters and digits of a value its mask shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mask {
    keep_first: u8,
    keep_last: u8,
}

impl SearchIndex {
    /// An index with entries of so many bits; forced, also over few distinct values.
    ///
    /// # Errors
    /// `invalid_request` unless `bits` is a multiple of 8 from 8 to 256.
    pub fn new(bits: u16, is_forced: bool) -> Result<Self, Failure> {
        if (8..=256).contains(&bits) && bits.is_multiple_of(8) {
            Ok(Self { bits, is_forced })
        } else {
            Err(Failure::invalid("search.bits", "a multiple of 8 from 8 to 256"))
        }
    }

    /// Bits of an entry.
    #[must_use]
    pub fn bits(self) -> u16 {
        self.bits
    }

    /// Whether it is made even over few distinct values.
    #[must_use]
    pub fn is_forced(self) -> bool {
        self.is_forced
    }
}

impl Default for SearchIndex {
    fn default() -> Self {
        Self { bits: BITS_DEFAULT, is_forced: false }
    }
}

impl Mask {
    /// The mask that shows nothing.
    pub const NOTHING: Self = Self { keep_first: 0, keep_last: 0 };

    /// A mask that shows so many letters and digits at the beginning and at the end.
    ///
    /// # Errors
    /// `invalid_request` above 8 at an end.
    pub fn new(keep_first: u8, keep_last: u8) -> Result<Self, Failure> {
        if keep_first > KEPT_MAX || keep_last > KEPT_MAX {
            return Err(Failure::invalid("mask", "at most 8 letters or digits at an end"));
        }
        Ok(Self { keep_first, keep_last })
    }

    /// Letters and digits shown at the beginning.
    #[must_use]
    pub fn keep_first(self) -> u8 {
        self.keep_first
    }

    /// Letters and digits shown at the end.
    #[must_use]
    pub fn keep_last(self) -> u8 {
        self.keep_last
    }
}

impl TryFrom<vault::SearchIndex> for SearchIndex {
    type Error = Failure;

    fn try_from(wire: vault::SearchIndex) -> Result<Self, Failure> {
        match wire.bits {
            0 => Self::new(BITS_DEFAULT, wire.forced),
            bits => Self::new(u16::try_from(bits).unwrap_or(u16::MAX), wire.forced),
        }
    }
}

impl From<SearchIndex> for vault::SearchIndex {
    fn from(index: SearchIndex) -> Self {
        Self { bits: index.bits.into(), forced: index.is_forced }
    }
}

impl TryFrom<vault::Mask> for Mask {
    type Error = Failure;

    fn try_from(wire: vault::Mask) -> Result<Self, Failure> {
        let kept = |count| u8::try_from(count).unwrap_or(u8::MAX);
        Self::new(kept(wire.keep_first), kept(wire.keep_last))
    }
}

impl From<Mask> for vault::Mask {
    fn from(mask: Mask) -> Self {
        Self { keep_first: mask.keep_first.into(), keep_last: mask.keep_last.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_whole_bytes() {
        for bits in [8, 16, 128, 256] {
            assert_eq!(SearchIndex::new(bits, false).unwrap().bits(), bits);
        }
        for bits in [0, 4, 12, 257, 264] {
            assert!(SearchIndex::new(bits, false).is_err(), "{bits}");
        }
        let wire = vault::SearchIndex::default();
        assert_eq!(SearchIndex::try_from(wire).unwrap(), SearchIndex::default());
        let wire = vault::SearchIndex { bits: 65_536 + 8, forced: true };
        assert!(SearchIndex::try_from(wire).is_err());
    }

    #[test]
    fn a_mask_keeps_little() {
        assert!(Mask::new(8, 8).is_ok());
        assert!(Mask::new(9, 0).is_err() && Mask::new(0, 9).is_err());
        let wire = vault::Mask { keep_first: 257, keep_last: 0 };
        assert!(Mask::try_from(wire).is_err());
    }
}
