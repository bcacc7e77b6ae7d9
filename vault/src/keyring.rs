//! Keyrings: the only place keys are kept, as small sealed files that are replaced whole.
//!
//! The system keyring holds the pepper, the registry's metadata keys and a file key per tenant; a
//! tenant's keyring holds its cipher keys and everything wrapped under them. A keyring older than
//! the sequence number remembered for it is refused.

#[cfg(any(test, feature = "test-support"))]
mod break_in;
mod cipher_rotation;
mod customer_tokens;
mod data_rotation;
mod file_format;
mod files;
mod identifier_rotation;
mod keyrings;
#[cfg(test)]
mod one_key;
#[cfg(test)]
mod power_cuts;
mod replacement;
mod retired;
#[cfg(test)]
mod rotated;
#[cfg(test)]
mod rotation_power_cuts;
mod seal_counts;
mod system;
#[cfg(test)]
mod tampering;
mod tenant;

#[cfg(any(test, feature = "test-support"))]
pub use break_in::{DictionaryLoot, DictionaryTarget, KnownKey, Loot, StolenRow, Theft};
pub use customer_tokens::{CustomerTokenState, CustomerTokenView, NewCustomerToken};
pub(crate) use customer_tokens::{Issuer, TokenDesk, generate_customer_token};
pub(crate) use data_rotation::RotationMark;
#[cfg(test)]
pub(crate) use file_format::{KeyringLabel, decode as decode_file, encode as encode_file};
pub(crate) use files::{KeyringFiles, read as read_file};
pub(crate) use keyrings::{Keyrings, LoadedKeyring};
pub(crate) use replacement::replace as replace_file;
pub(crate) use seal_counts::SealCounts;
pub(crate) use system::SystemKeyring;
pub(crate) use tenant::{CipherKeyVersion, KeyBirth, TenantKeyring, WrappedDataKey};

/// Why a keyring is not to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyringError {
    /// There is none: the tenant has not enrolled.
    #[error("no keyring")]
    Absent,
    /// It does not authenticate, or is older than remembered: its tenant is quarantined.
    #[error("the keyring is damaged or old")]
    Damaged,
    /// The file cannot be read or written.
    #[error("the keyring file cannot be read or written")]
    Unavailable,
    /// Making keys failed.
    #[error("keys cannot be made")]
    Keys,
}

impl From<crate::crypto_error::CryptoError> for KeyringError {
    fn from(_: crate::crypto_error::CryptoError) -> Self {
        Self::Keys
    }
}
