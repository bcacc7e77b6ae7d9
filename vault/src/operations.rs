//! The operations of the vault, one file a verb; each reads like the specification.
//!
//! They hold the decisions and await the stores; sealing, opening and masking are pure functions
//! below them, run on the key threads.

mod analyze_collection;
mod ask_for_reencryption;
mod build_index;
mod census;
mod collections;
mod create_tenant;
mod customer_tokens;
mod delete;
mod delete_surrogates;
mod delete_tenant;
mod describe_surrogates;
mod detokenize;
pub(crate) mod enrol;
#[cfg(test)]
mod equal_values;
mod get;
mod inventory;
mod key_operations;
mod key_policy;
mod key_status;
mod key_version;
mod key_work;
mod lend;
mod list;
mod mark_data_keys;
mod name_surrogates;
mod put;
mod rekey_identifiers;
mod renew;
mod renew_surrogates;
mod reveal;
mod rotate_cipher_keys;
mod rotate_root_key;
mod seals;
mod search;
mod sight;
mod sweep;
#[cfg(test)]
mod tampering;
mod tenants;
mod tokenize;
mod update_tenant;
mod users;

pub use analyze_collection::IndexAnalysis;
pub use build_index::{IndexBuild, IndexState};
pub use census::CensusUnderWay;
pub use create_tenant::{CreatedTenant, NewTenant};
pub use customer_tokens::{IssuedCustomerToken, RotatedCustomerToken};
pub use delete_tenant::TenantDeletion;
pub use detokenize::AnswerRoom;
#[cfg(feature = "test-support")]
pub use detokenize::DiscloseLoop;
pub use enrol::Enrolled;
pub use inventory::{Held, HeldField, Inventory};
pub use key_operations::{KeyOperation, KeyOperationKind, KeyOperationState};
pub use key_policy::KeyPolicy;
pub use key_status::{CustomerTokenCounts, TenantKeyStatus};
pub use key_version::{KeyDue, KeyKind, KeyState, KeyVersion};
pub use key_work::KeyWork;
pub use lend::{Lent, LoanRequest};
pub use mark_data_keys::{DataKeyMark, Rotation, RotationRequest};
pub use put::Destination;
#[cfg(feature = "test-support")]
pub use put::{OpenLoop, SealLoop};
pub use rekey_identifiers::{IdentifierRekey, RekeyRequest, Rekeying};
pub(crate) use reveal::Reader;
pub use rotate_cipher_keys::CipherKeyReplacement;
pub use rotate_root_key::RootKeyReplacement;
pub use seals::SealReport;
pub use search::{FoundPage, SearchPaging, SearchTerm};
#[cfg(feature = "test-support")]
pub use tokenize::{BareIssue, IssueLoop};
pub use update_tenant::{AddressChange, TenantChange};
pub use users::{GivenPassword, LoggedIn};

use tresor_proto::{CollectionName, RecordId};

use crate::store::{Keyspace, StoreKey};

/// Ends the collection's name in a record's key; neither names nor ids contain it.
const NAME_END: u8 = 0;

/// The key of a record: `collection ‖ 0x00 ‖ record id`.
pub(crate) fn record_key(collection: &CollectionName, record: &RecordId) -> StoreKey {
    let mut key = record_prefix(collection);
    key.extend_from_slice(record.as_str().as_bytes());
    StoreKey::new(Keyspace::Records, key)
}

/// What the keys of a collection's records begin with.
pub(crate) fn record_prefix(collection: &CollectionName) -> Vec<u8> {
    [collection.as_str().as_bytes(), &[NAME_END]].concat()
}
