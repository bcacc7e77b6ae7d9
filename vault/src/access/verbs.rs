//! What a permit permits, as types.

use tresor_proto::{TenantRole, TenantRoles, TokenOperation as Operation};

/// Who may read records.
const READERS: TenantRoles = TenantRoles::of(&[TenantRole::Admin, TenantRole::Reader]);
/// Who may store and delete them.
const WRITERS: TenantRoles = TenantRoles::of(&[TenantRole::Admin, TenantRole::Writer]);
/// Who may do anything about keys.
const ADMINS: TenantRoles = TenantRoles::of(&[TenantRole::Admin]);
/// Who may see what there is besides records.
const AUDITORS: TenantRoles = TenantRoles::of(&[TenantRole::Admin, TenantRole::Auditor]);

/// A verb that takes a customer token.
pub trait TokenVerb: sealed::Sealed {
    /// Any of these operations of the customer token allows it.
    #[doc(hidden)]
    const OPERATION_BITS: u32;

    /// A user with any of these roles may do it. There is no default: a verb has to say it.
    #[doc(hidden)]
    const ROLES: TenantRoles;

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

/// To trade values for surrogates.
#[derive(Debug)]
pub enum Tokenize {}

/// To trade surrogates for values or masks.
#[derive(Debug)]
pub enum Detokenize {}

/// To see what is known of surrogates without their values.
#[derive(Debug)]
pub enum DescribeSurrogates {}

/// To trade surrogates for those that stand for the same values under the newest key. It takes the
/// operation `detokenize` too.
#[derive(Debug)]
pub enum RenewSurrogates {}

/// To delete surrogates.
#[derive(Debug)]
pub enum DeleteSurrogates {}

/// To find records by value.
#[derive(Debug)]
pub enum Search {}

/// To lend class keys for a while.
#[derive(Debug)]
pub enum Lend {}

/// To issue customer tokens.
#[derive(Debug)]
pub enum IssueTokens {}

/// To rotate and revoke customer tokens.
#[derive(Debug)]
pub enum ManageTokens {}

/// To list customer tokens.
#[derive(Debug)]
pub enum ListTokens {}

impl TokenVerb for Write {
    const OPERATION_BITS: u32 = Operation::Write as u32;
    const ROLES: TenantRoles = WRITERS;
}

impl TokenVerb for Read {
    const OPERATION_BITS: u32 = Operation::ReadMasked as u32 | Operation::ReadPlain as u32;
    const ROLES: TenantRoles = READERS;
}

impl TokenVerb for Delete {
    const OPERATION_BITS: u32 = Operation::Delete as u32;
    const ROLES: TenantRoles = WRITERS;
}

impl TokenVerb for Tokenize {
    const OPERATION_BITS: u32 = Operation::Tokenize as u32;
    const ROLES: TenantRoles = WRITERS;
}

impl TokenVerb for Detokenize {
    const OPERATION_BITS: u32 = Operation::Detokenize as u32;
    const ROLES: TenantRoles = READERS;
}

impl TokenVerb for DescribeSurrogates {
    // Not Tokenize: who only tokenizes would learn whether a value was there before.
    const OPERATION_BITS: u32 = Operation::Detokenize as u32;
    const ROLES: TenantRoles = READERS;
}

impl TokenVerb for RenewSurrogates {
    const OPERATION_BITS: u32 = Operation::Tokenize as u32;
    const ROLES: TenantRoles = ADMINS;
}

impl TokenVerb for DeleteSurrogates {
    const OPERATION_BITS: u32 = Operation::Delete as u32;
    const ROLES: TenantRoles = WRITERS;
}

impl TokenVerb for Search {
    const OPERATION_BITS: u32 = Operation::Search as u32;
    const ROLES: TenantRoles = READERS;
}

impl TokenVerb for Lend {
    const OPERATION_BITS: u32 = Operation::Lend as u32;
    const ROLES: TenantRoles = ADMINS;
    const IS_FOR_SERVICES: bool = false;
}

impl TokenVerb for IssueTokens {
    const OPERATION_BITS: u32 = Operation::ManageTokens as u32 | Operation::Recover as u32;
    const ROLES: TenantRoles = ADMINS;
    const IS_FOR_SERVICES: bool = false;
}

impl TokenVerb for ManageTokens {
    const OPERATION_BITS: u32 = Operation::ManageTokens as u32;
    const ROLES: TenantRoles = ADMINS;
    const IS_FOR_SERVICES: bool = false;
}

impl TokenVerb for ListTokens {
    const OPERATION_BITS: u32 = Operation::ManageTokens as u32;
    const ROLES: TenantRoles = AUDITORS;
    const IS_FOR_SERVICES: bool = false;
}

mod sealed {
    /// Keeps the verbs to those above.
    pub trait Sealed {}

    impl Sealed for super::Write {}
    impl Sealed for super::Read {}
    impl Sealed for super::Delete {}
    impl Sealed for super::Tokenize {}
    impl Sealed for super::Detokenize {}
    impl Sealed for super::DescribeSurrogates {}
    impl Sealed for super::RenewSurrogates {}
    impl Sealed for super::DeleteSurrogates {}
    impl Sealed for super::Search {}
    impl Sealed for super::Lend {}
    impl Sealed for super::IssueTokens {}
    impl Sealed for super::ManageTokens {}
    impl Sealed for super::ListTokens {}
}
