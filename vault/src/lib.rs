//! The core of Tresor: keys, sealing, stores, operations. It has no listener and reads no
//! configuration.
//!
//! It promises that a stored value opens only with two keys, the customer token and the server's
//! cipher key, in the place it was stored; that a row cannot be changed or moved unnoticed; and
//! that what it acknowledges survives a power cut. It relies on `ring` for every primitive.

mod aad;
mod access;
mod aead;
mod blind_index;
mod budget;
mod crypto_error;
mod customer_token_entry;
mod epoch_floor;
mod error;
#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod golden;
mod idempotency;
mod kdf;
mod key;
mod key_worker;
mod keyring;
mod loans;
mod mask;
mod operations;
mod padding;
mod policy_floor;
#[cfg(test)]
mod power_cut;
mod record;
mod reencryption;
mod registry;
mod row;
mod seal;
mod sealed_group;
mod sealed_rows;
#[cfg(test)]
mod secret_types;
mod slot;
mod stored_field;
mod surrogate;
mod tlv;
mod turns;
mod unlocked;
mod users;
mod vault;
mod wrap;

/// The tests' house is shared with the tests outside, which know the crate by its name.
#[cfg(test)]
extern crate self as tresor_vault;
#[cfg(test)]
#[allow(dead_code, reason = "shared; each test uses a part")]
#[path = "../tests/operations/house.rs"]
mod house;
#[cfg(test)]
#[allow(dead_code, reason = "shared; each test uses a part")]
#[path = "../../tests/fuzz/random.rs"]
mod random;

pub mod clock;
pub mod entropy;
pub mod store;

pub use access::{
    AdmissionPermit, Caller, Delete, DeleteSurrogates, DescribeSurrogates, Detokenize, EnrolPermit,
    IssueTokens, Lend, ListTokens, LoginPermit, ManageTokens, OperatorPermit, Permit, PolicyPermit,
    Read, RenewSurrogates, Role, Search, TokenVerb, Tokenize, UnderWay, Write,
};
pub use blind_index::IndexFrequencies;
pub use budget::{BudgetKind, BudgetUse};
pub use crypto_error::CryptoError;
pub use error::VaultError;
pub use keyring::{CustomerTokenState, CustomerTokenView, NewCustomerToken};
#[cfg(any(test, feature = "test-support"))]
pub use keyring::{DictionaryLoot, DictionaryTarget, KnownKey, Loot, StolenRow, Theft};
pub use operations::{
    AddressChange, AnswerRoom, CensusUnderWay, CipherKeyReplacement, CreatedTenant,
    CustomerTokenCounts, DataKeyMark, Destination, Enrolled, FoundPage, GivenPassword, Held,
    HeldField, IdentifierRekey, IndexAnalysis, IndexBuild, IndexState, Inventory,
    IssuedCustomerToken, KeyDue, KeyKind, KeyOperation, KeyOperationKind, KeyOperationState,
    KeyPolicy, KeyState, KeyVersion, KeyWork, Lent, LoanRequest, LoggedIn, NewTenant, RekeyRequest,
    Rekeying, RootKeyReplacement, RotatedCustomerToken, Rotation, RotationRequest, SealReport,
    SearchPaging, SearchTerm, TenantChange, TenantDeletion, TenantKeyStatus,
};
#[cfg(feature = "test-support")]
pub use operations::{BareIssue, DiscloseLoop, IssueLoop, OpenLoop, SealLoop};
pub use record::{
    FieldMask, FieldSurrogate, ItemKey, NewField, NewRecord, Page, RevealedField, RevealedRecord,
    Shown, StoredRecord, Subject, Treatment, View,
};
pub use registry::{Census, Collection, Standing, Tenant, TenantState, User};
pub use seal::{
    CredentialSeal, Passphrase, PassphraseLengthError, PassphraseSeal, Pkcs11Key, Pkcs11Seal, Seal,
    SealError, SealFailure, SealFailures, SealId, Seals, SecretSource,
};
pub use surrogate::{
    FormatPreserved, IssuedSurrogate, NewSurrogate, RevealedValue, SurrogateDescription,
    SurrogateQuery,
};
pub use vault::{OpenError, Settings, Vault, VaultPlace};
