//! Why a seal does not open, and whether trying again may help.

use super::SealId;

/// Why a seal does not give its key. The sentences follow the seal's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The secret is wrong, or what the seal file keeps is damaged or of another provider.
    #[error("its passphrase or key is wrong, or system/seal.trs is damaged")]
    Refused,
    /// The file of its secret cannot be read, or others can read it.
    #[error("the file of its secret cannot be read, or is not private (chmod 600)")]
    SecretUnreadable,
    /// The service manager has handed no credential over.
    #[error("its credential was not handed over; see LoadCredentialEncrypted= of systemd")]
    NoCredential,
    /// The file of its secret has the wrong length.
    #[error("the file of its secret is too short or too long")]
    SecretLength,
    /// It is configured and holds no root key yet.
    #[error("it does not hold the root key; while another seal opens, add it: tresor seal add")]
    NotInUse,
    /// The PKCS#11 module cannot be loaded.
    #[error("its module cannot be loaded")]
    ModuleUnusable,
    /// No slot has the token.
    #[error("no slot has a token of its label")]
    TokenMissing,
    /// The token has no such key, or not only one.
    #[error("its token has not exactly one AES key of its label that may encrypt with GCM")]
    KeyMissing,
    /// The token refuses the PIN.
    #[error("its PIN is refused; it is not tried again before: tresor seal unlock")]
    PinRefused,
    /// The token has locked itself.
    #[error("its PIN is locked; the token's security officer must reset it")]
    PinLocked,
    /// The service that keeps its key is sealed.
    #[error("its service is sealed")]
    ServiceSealed,
    /// The service does not let us use the key.
    #[error("its service refuses our token or certificate")]
    Denied,
    /// The service has no such engine or key.
    #[error("its service has no such mount or key")]
    NoSuchKey,
    /// It does not answer in time.
    #[error("it does not answer")]
    Unreachable,
    /// A fault of the vault.
    #[error("keys cannot be made")]
    Internal,
}

impl SealError {
    /// Whether the same call may succeed later, without anybody changing a secret. A wrong PIN is
    /// never tried again: tokens lock themselves after a few.
    #[must_use]
    pub fn is_transient(self) -> bool {
        match self {
            Self::Unreachable | Self::TokenMissing | Self::ServiceSealed | Self::Denied => true,
            Self::Refused
            | Self::ModuleUnusable
            | Self::KeyMissing
            | Self::NoSuchKey
            | Self::PinRefused
            | Self::PinLocked
            | Self::SecretUnreadable
            | Self::NoCredential
            | Self::SecretLength
            | Self::NotInUse
            | Self::Internal => false,
        }
    }
}

/// A seal that does not open, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{seal}: {error}")]
pub struct SealFailure {
    /// Its id.
    pub seal: SealId,
    /// Why.
    pub error: SealError,
}

/// All seals that do not open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SealFailures(pub Vec<SealFailure>);

impl SealFailures {
    /// Whether one of them may open later.
    #[must_use]
    pub fn are_transient(&self) -> bool {
        self.0.iter().any(|failure| failure.error.is_transient())
    }
}

impl core::fmt::Display for SealFailures {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (at, failure) in self.0.iter().enumerate() {
            let separator = if at == 0 { "" } else { "; " };
            write!(f, "{separator}{failure}")?;
        }
        Ok(())
    }
}
