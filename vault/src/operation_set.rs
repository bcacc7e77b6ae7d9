//! What a customer token may do. Class scope is cryptography; this is a check.

/// One operation; the numbers are frozen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Operation {
    Write = 1,
    ReadMasked = 1 << 1,
    ReadPlain = 1 << 2,
    Delete = 1 << 6,
    Lend = 1 << 8,
}

/// A set of operations, as it stands in the keyring and in the bounds of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OperationSet(u32);

impl OperationSet {
    /// Everything a read-write customer token of an enrolment may do: write, read masked, read
    /// plain, search, tokenize, detokenize, delete, export, lend, manage tokens.
    pub(crate) const FULL: Self = Self(0x3FF);

    /// A set from its bits; `None` when unknown bits are set.
    pub(crate) fn from_bits(bits: u32) -> Option<Self> {
        (bits & !Self::FULL.0 == 0).then_some(Self(bits))
    }

    /// Its bits.
    pub(crate) fn bits(self) -> u32 {
        self.0
    }

    /// Whether it holds any of the operations of `bits`.
    pub(crate) fn has_any(self, bits: u32) -> bool {
        self.0 & bits != 0
    }
}
