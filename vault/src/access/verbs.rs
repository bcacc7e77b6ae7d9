//! What a permit permits, as types.

use crate::operation_set::Operation;

/// A verb that takes a customer token.
pub trait TokenVerb: sealed::Sealed {
    /// Any of these operations of the customer token allows it.
    #[doc(hidden)]
    const OPERATION_BITS: u32;
}

/// To store records.
#[derive(Debug)]
pub enum Write {}

/// To read records.
#[derive(Debug)]
pub enum Read {}

/// To delete records.
#[derive(Debug)]
pub enum Delete {}

/// To lend class keys for a while.
#[derive(Debug)]
pub enum Lend {}

impl TokenVerb for Lend {
    const OPERATION_BITS: u32 = Operation::Lend as u32;
}

impl TokenVerb for Write {
    const OPERATION_BITS: u32 = Operation::Write as u32;
}

impl TokenVerb for Read {
    const OPERATION_BITS: u32 = Operation::ReadMasked as u32 | Operation::ReadPlain as u32;
}

impl TokenVerb for Delete {
    const OPERATION_BITS: u32 = Operation::Delete as u32;
}

mod sealed {
    /// Keeps the verbs to those above.
    pub trait Sealed {}

    impl Sealed for super::Write {}
    impl Sealed for super::Read {}
    impl Sealed for super::Delete {}
    impl Sealed for super::Lend {}
}
