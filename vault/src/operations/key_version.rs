//! One version of a key, as it is shown: what it is for, where it is in its life, why it is due.

use tresor_proto::{DataClass, storage};

use crate::error::VaultError;

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// The key of all keyrings.
    Root,
    /// The key of verifiers.
    Pepper,
    /// The key of the registry's rows.
    SystemMetadata,
    /// The server's half of the two locks of a tenant.
    Cipher,
    /// The key of a tenant's rows.
    Metadata,
    /// Seals the fields of a class.
    Data,
    /// Makes the identifiers of a class.
    Identifier,
}

/// Where a key is in its life, SP 800-57 part 1 §7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Made, not yet used.
    PreActive,
    /// Used to protect and to process.
    Active,
    /// Used to process only.
    Deactivated,
    /// Used to process only, and believed known to others.
    Compromised,
    /// Gone: only that it existed is kept.
    Destroyed,
}

/// Why a key is to be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyDue {
    /// It is older than the policy allows.
    Age,
    /// It has sealed more than the policy allows.
    Seals,
    /// An operator asked for it.
    Requested,
    /// It is believed known to others.
    Compromised,
}

/// One version of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyVersion {
    /// What it is for.
    pub kind: KeyKind,
    /// The class it serves, if it serves one.
    pub class: Option<DataClass>,
    /// Its version, or epoch.
    pub version: u32,
    /// Where it is in its life.
    pub state: KeyState,
    /// When it was made, milliseconds since the epoch; `None` when that was not written down.
    pub created_ms: Option<u64>,
    /// Groups sealed under it, at least; `None` for keys that seal none.
    pub seals: Option<u64>,
    /// Why it is to be replaced, if it is.
    pub due: Option<KeyDue>,
    /// Groups that hung on it when that was last counted.
    pub groups: Option<u64>,
    /// Rows that hung on an identifier key when that was last counted.
    pub identifier_rows: Option<u64>,
    /// Since when it is believed known to others, milliseconds since the epoch.
    pub compromised_ms: Option<u64>,
    /// When it was destroyed, milliseconds since the epoch.
    pub destroyed_ms: Option<u64>,
}

impl KeyVersion {
    /// A key of which nothing but its version is known.
    pub(super) fn plain(kind: KeyKind, version: u32) -> Self {
        Self {
            kind,
            class: None,
            version,
            state: KeyState::Active,
            created_ms: None,
            seals: None,
            due: None,
            groups: None,
            identifier_rows: None,
            compromised_ms: None,
            destroyed_ms: None,
        }
    }

    /// A key that is gone.
    pub(super) fn retired(kind: KeyKind, key: &storage::RetiredKey) -> Self {
        Self {
            state: KeyState::Destroyed,
            created_ms: written(key.created_ms),
            compromised_ms: written(key.compromised_ms),
            destroyed_ms: written(key.destroyed_ms),
            ..Self::plain(kind, key.version)
        }
    }
}

impl TryFrom<storage::KeyState> for KeyState {
    type Error = VaultError;

    fn try_from(state: storage::KeyState) -> Result<Self, VaultError> {
        match state {
            storage::KeyState::PreActive => Ok(Self::PreActive),
            storage::KeyState::Active => Ok(Self::Active),
            storage::KeyState::Deactivated => Ok(Self::Deactivated),
            storage::KeyState::Compromised => Ok(Self::Compromised),
            storage::KeyState::Destroyed => Ok(Self::Destroyed),
            storage::KeyState::Unspecified => Err(VaultError::Integrity),
        }
    }
}

/// A time that may not have been written down.
pub(super) fn written(at_ms: u64) -> Option<u64> {
    Some(at_ms).filter(|at_ms| *at_ms > 0)
}
