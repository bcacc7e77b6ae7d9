//! What the vault refuses, and why; never what the bytes were.

use tresor_proto::{ErrorCode, Failure, FieldName, RefusalReason};

use crate::{crypto_error::CryptoError, keyring::KeyringError, store::StoreError};

/// Why an operation is refused or failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// Somebody is not let in, or may not do this; the caller is told no more than the code.
    #[error("{0}")]
    Denied(RefusalReason),
    /// There is no such thing, or it is not the caller's.
    #[error("not found")]
    NotFound,
    /// Another change came between.
    #[error("conflict with another change")]
    Conflict,
    /// The idempotency key was used for something else.
    #[error("the idempotency key was used for something else")]
    IdempotencyKeyReused,
    /// The record was screened under a policy that is no longer the newest.
    #[error("the collection's policy has changed")]
    PolicyOutdated,
    /// The name or id is taken.
    #[error("already exists")]
    AlreadyExists,
    /// The record has expired.
    #[error("expired")]
    Gone,
    /// The customer token does not open a class the record needs.
    #[error("the customer token does not open this class")]
    WrongKey,
    /// The collection's policy does not take the field as it is.
    #[error("rejected by the collection's policy")]
    RejectedByPolicy(FieldName),
    /// Too much work is waiting.
    #[error("overloaded")]
    Overloaded,
    /// The store does not answer, or the tenant is quarantined.
    #[error("storage unavailable")]
    StorageUnavailable,
    /// Stored data do not authenticate.
    #[error("stored data do not authenticate")]
    Integrity,
    /// The request is malformed or over a limit.
    #[error("{0}")]
    Refused(Failure),
    /// A fault of the vault.
    #[error("internal error")]
    Internal,
}

impl VaultError {
    /// Its row in the table of errors.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Denied(reason) => reason.code(),
            Self::NotFound => ErrorCode::NotFound,
            Self::Conflict | Self::IdempotencyKeyReused | Self::PolicyOutdated => {
                ErrorCode::Conflict
            }
            Self::AlreadyExists => ErrorCode::AlreadyExists,
            Self::Gone => ErrorCode::Gone,
            Self::WrongKey => ErrorCode::WrongKey,
            Self::RejectedByPolicy(_) => ErrorCode::RejectedByPolicy,
            Self::Overloaded => ErrorCode::Overloaded,
            Self::StorageUnavailable => ErrorCode::StorageUnavailable,
            Self::Integrity => ErrorCode::Integrity,
            Self::Refused(failure) => failure.code(),
            Self::Internal => ErrorCode::Internal,
        }
    }
}

impl VaultError {
    /// The same as the fault of a record's field, when it says what is wrong with a value.
    pub(crate) fn of_field(self, field: &FieldName) -> Self {
        let Self::Refused(failure) = self else { return self };
        let descriptions = failure.violations().iter().map(|it| it.description.clone());
        let named = Failure::from(failure.code());
        Self::Refused(
            descriptions.fold(named, |named, description| {
                named.with_violation(field.as_str(), description)
            }),
        )
    }
}

impl From<VaultError> for Failure {
    #[allow(clippy::wildcard_enum_match_arm, reason = "all others have nothing to add to the code")]
    fn from(error: VaultError) -> Self {
        let code = error.code();
        match error {
            VaultError::Denied(reason) => Self::from(reason),
            VaultError::Refused(failure) => failure,
            VaultError::RejectedByPolicy(field) => Self::from(code)
                .with_violation(field.as_str(), "the policy does not take this field as it is"),
            VaultError::IdempotencyKeyReused => {
                Self::new(code, "the idempotency key was used for something else")
                    .with_violation("idempotency_key", "used for something else")
            }
            VaultError::PolicyOutdated => {
                Self::from(code).with_violation("policy_version", "outdated")
            }
            _ => Self::from(code),
        }
    }
}

impl From<RefusalReason> for VaultError {
    fn from(reason: RefusalReason) -> Self {
        Self::Denied(reason)
    }
}

impl From<Failure> for VaultError {
    fn from(failure: Failure) -> Self {
        Self::Refused(failure)
    }
}

impl From<CryptoError> for VaultError {
    /// Keys of our own that do not fit together: whoever has to expect it says so instead.
    fn from(CryptoError: CryptoError) -> Self {
        Self::Internal
    }
}

impl From<KeyringError> for VaultError {
    fn from(error: KeyringError) -> Self {
        match error {
            KeyringError::Absent => Self::Denied(RefusalReason::TenantNotEnrolled),
            KeyringError::Damaged | KeyringError::Unavailable => Self::StorageUnavailable,
            KeyringError::Keys => Self::Internal,
        }
    }
}

impl From<StoreError> for VaultError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::TooLarge => Self::Refused(Failure::from(ErrorCode::TooLarge)),
            StoreError::Unavailable
            | StoreError::Quarantined
            | StoreError::InUse
            | StoreError::OtherEngine
            | StoreError::Closed => Self::StorageUnavailable,
        }
    }
}
