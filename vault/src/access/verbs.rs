//! What a permit permits, as types.

use tresor_proto::TokenOperation as Operation;

/// A verb that takes a customer token.
pub trait TokenVerb: sealed::Sealed {
    /// Any of these operations of the customer token allows it.
    #[doc(hidden)]
    const OPERATION_BITS: u32;

    /// Whether the operator's services may do it too: what is about keys is the customer's alone.
    #[doc(hidden)]
    const IS_FOR_SERVICES: bool = true;
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

/// To issue customer tokens.
#[derive(Debug)]
pub enum IssueTokens {}

/// To rotate, revoke and list customer tokens.
#[derive(Debug)]
pub enum ManageTokens {}

impl TokenVerb for Write {
    const OPERATION_BITS: u32 = Operation::Write as u32;
}

impl TokenVerb for Read {
    const OPERATION_BITS: u32 = Operation::ReadMasked as u32 | Operation::ReadPlain as u32;
}

impl TokenVerb for Delete {
    const OPERATION_BITS: u32 = Operation::Delete as u32;
}

impl TokenVerb for Lend {
    const OPERATION_BITS: u32 = Operation::Lend as u32;
    const IS_FOR_SERVICES: bool = false;
}

impl TokenVerb for IssueTokens {
    const OPERATION_BITS: u32 = Operation::ManageTokens as u32 | Operation::Recover as u32;
    const IS_FOR_SERVICES: bool = false;
}

impl TokenVerb for ManageTokens {
    const OPERATION_BITS: u32 = Operation::ManageTokens as u32;
    const IS_FOR_SERVICES: bool = false;
}

mod sealed {
    /// Keeps the verbs to those above.
    pub trait Sealed {}

    impl Sealed for super::Write {}
    impl Sealed for super::Read {}
    impl Sealed for super::Delete {}
    impl Sealed for super::Lend {}
    impl Sealed for super::IssueTokens {}
    impl Sealed for super::ManageTokens {}
}
