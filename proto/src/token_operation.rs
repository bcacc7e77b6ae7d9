use crate::{CustomerTokenKind, vault};

/// One thing a customer token may do; the numbers are frozen. Which classes it opens is
/// cryptography; this is a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum TokenOperation {
    /// To store records.
    Write = 1,
    /// To read masks.
    ReadMasked = 1 << 1,
    /// To read values.
    ReadPlain = 1 << 2,
    /// To find records by value.
    Search = 1 << 3,
    /// To trade values for surrogates.
    Tokenize = 1 << 4,
    /// To trade surrogates for values.
    Detokenize = 1 << 5,
    /// To delete records.
    Delete = 1 << 6,
    /// To read all records in a stream.
    Export = 1 << 7,
    /// To lend its keys to an operation that runs on.
    Lend = 1 << 8,
    /// To issue, rotate, revoke and list customer tokens.
    ManageTokens = 1 << 9,
    /// To issue customer tokens that may do anything, and nothing else.
    Recover = 1 << 10,
}

/// What a customer token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperationSet(u32);

impl TokenOperation {
    /// All operations, in the order of their numbers.
    pub const ALL: [Self; 11] = [
        Self::Write,
        Self::ReadMasked,
        Self::ReadPlain,
        Self::Search,
        Self::Tokenize,
        Self::Detokenize,
        Self::Delete,
        Self::Export,
        Self::Lend,
        Self::ManageTokens,
        Self::Recover,
    ];

    /// Its name, `snake_case`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::ReadMasked => "read_masked",
            Self::ReadPlain => "read_plain",
            Self::Search => "search",
            Self::Tokenize => "tokenize",
            Self::Detokenize => "detokenize",
            Self::Delete => "delete",
            Self::Export => "export",
            Self::Lend => "lend",
            Self::ManageTokens => "manage_tokens",
            Self::Recover => "recover",
        }
    }

    /// The operation of a name; `None` for an unknown one.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.as_str() == text)
    }

    /// The operation of the wire's enumeration; `None` for an unknown number.
    #[must_use]
    pub fn from_wire(number: i32) -> Option<Self> {
        let at = usize::try_from(number).ok()?.checked_sub(1)?;
        Self::ALL.get(at).copied()
    }
}

impl From<TokenOperation> for vault::TokenOperation {
    fn from(operation: TokenOperation) -> Self {
        let number = (operation as u32).trailing_zeros() + 1;
        i32::try_from(number)
            .ok()
            .and_then(|number| Self::try_from(number).ok())
            .unwrap_or_default()
    }
}

impl OperationSet {
    /// Everything that the customer token of an enrolment may do: all but to recover.
    pub const FULL: Self = Self(0x3FF);

    /// A set from its bits; `None` when unknown bits are set.
    #[must_use]
    pub fn from_bits(bits: u32) -> Option<Self> {
        let known = Self::FULL.0 | TokenOperation::Recover as u32;
        (bits & !known == 0).then_some(Self(bits))
    }

    /// What a kind may do when nothing is said.
    #[must_use]
    pub fn usual(kind: CustomerTokenKind) -> Self {
        use TokenOperation as O;
        match kind {
            CustomerTokenKind::ReadWrite => {
                Self::FULL.without(&[O::Lend, O::ManageTokens].into_iter().collect())
            }
            CustomerTokenKind::WriteOnly => [O::Write].into_iter().collect(),
            CustomerTokenKind::Grant => [O::ReadMasked].into_iter().collect(),
            CustomerTokenKind::Admin => Self::FULL,
            CustomerTokenKind::Recovery => [O::Recover].into_iter().collect(),
        }
    }

    /// Whether a kind may do all of it.
    #[must_use]
    pub fn suits(self, kind: CustomerTokenKind) -> bool {
        use TokenOperation as O;
        let is_within = |most: Self| most.contains(self);
        let is_any = self.0 != 0;
        is_any
            && match kind {
                CustomerTokenKind::ReadWrite => is_within(Self::FULL),
                CustomerTokenKind::WriteOnly => {
                    is_within([O::Write, O::Tokenize].into_iter().collect())
                }
                CustomerTokenKind::Grant => {
                    is_within(Self::FULL.without(&[O::Lend, O::ManageTokens].into_iter().collect()))
                }
                CustomerTokenKind::Admin => {
                    is_within(Self::FULL) && self.has_any(O::ManageTokens as u32)
                }
                CustomerTokenKind::Recovery => self == Self::usual(CustomerTokenKind::Recovery),
            }
    }

    /// What its holder may let others do: who may do everything, or recover, may let do anything.
    #[must_use]
    pub fn grantable(self) -> Self {
        let all = Self(Self::FULL.0 | TokenOperation::Recover as u32);
        let may_grant_all =
            self.contains(Self::FULL) || self.has_any(TokenOperation::Recover as u32);
        if may_grant_all { all } else { self }
    }

    /// Its bits.
    #[must_use]
    pub fn bits(self) -> u32 {
        self.0
    }

    /// Whether it holds any of the operations of `bits`.
    #[must_use]
    pub fn has_any(self, bits: u32) -> bool {
        self.0 & bits != 0
    }

    /// Whether it holds all of another.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Its operations, in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = TokenOperation> {
        TokenOperation::ALL.into_iter().filter(move |operation| self.has_any(*operation as u32))
    }

    fn without(self, other: &Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl FromIterator<TokenOperation> for OperationSet {
    fn from_iter<I: IntoIterator<Item = TokenOperation>>(operations: I) -> Self {
        Self(operations.into_iter().fold(0, |bits, operation| bits | operation as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_agree_with_the_wire() {
        for operation in TokenOperation::ALL {
            let wire = vault::TokenOperation::from(operation);
            let name = format!("TOKEN_OPERATION_{}", operation.as_str().to_uppercase());
            assert_eq!(wire.as_str_name(), name);
            assert_eq!(TokenOperation::from_wire(wire as i32), Some(operation));
            assert_eq!(TokenOperation::from_text(operation.as_str()), Some(operation));
        }
        assert_eq!(TokenOperation::from_wire(0), None);
        assert_eq!(TokenOperation::from_wire(12), None);
    }

    #[test]
    fn what_a_kind_usually_does_suits_it_and_no_kind_does_all() {
        for kind in CustomerTokenKind::ALL {
            assert!(OperationSet::usual(kind).suits(kind), "{kind:?}");
            assert!(!OperationSet::FULL.grantable().suits(kind), "{kind:?}");
            assert!(!OperationSet(0).suits(kind), "{kind:?}");
        }
        let reading = OperationSet::usual(CustomerTokenKind::Grant);
        assert!(!reading.suits(CustomerTokenKind::WriteOnly));
    }

    #[test]
    fn only_who_may_do_everything_or_recover_lets_others_do_more_than_oneself() {
        for bits in 0..1 << 11 {
            let set = OperationSet::from_bits(bits).unwrap();
            let is_source = set.contains(OperationSet::FULL) || bits >= 1 << 10;
            assert_eq!(set.grantable() != set, is_source && bits != (1 << 11) - 1, "{bits:x}");
        }
        assert!(OperationSet::from_bits(1 << 11).is_none());
    }
}
