//! Seals: what keeps the root key while the vault is not running.
//!
//! A [`Seal`] gives a key again that it once made; under that key, bound to the seal's id, the seal
//! file `system/seal.trs` holds the root key, once for each seal. It promises nothing without the
//! seal's secret, and relies on each seal to say whether trying again may help.

mod credential;
mod error;
mod file;
mod id;
mod passphrase;
mod pkcs11;
mod seals;

use std::sync::Arc;

use tresor_proto::{Secret, storage::seal_entry::Provider};
use zeroize::Zeroizing;

use crate::{crypto_error::CryptoError, entropy::Entropy};

pub use credential::CredentialSeal;
pub use error::{SealError, SealFailure, SealFailures};
pub(crate) use file::{MadeKey, SealFile};
pub use id::SealId;
pub use passphrase::{Passphrase, PassphraseLengthError, PassphraseSeal};
pub use pkcs11::{Pkcs11Key, Pkcs11Seal};
pub(crate) use seals::NamedSeal;
pub use seals::Seals;

/// A way to keep the root key: a passphrase, a key in a token, a service.
///
/// What it gives is the *seal key*, which wraps the root key; what it keeps to give it again goes
/// into the seal file and is no secret. Its methods may block: they are called on a thread of the
/// seals' own, where a stuck device holds up no request; for a few seconds, since all seals together
/// have 20.
///
/// A seal of another service is an entry for it in `SealEntry.provider`, a file like this, and a
/// reader in the configuration of the vault process. For AWS KMS, whose client is left out here:
///
/// ```
/// use tresor_proto::{
///     Secret,
///     storage::{TransitSeal, seal_entry::Provider},
/// };
/// use tresor_vault::{Seal, SealError, SealId, entropy::Entropy};
///
/// /// `Encrypt` and `Decrypt` of the service, signed, with a time limit, and with its exceptions told
/// /// apart: `AccessDenied` is `Denied`, `NotFound` is `NoSuchKey`, `InvalidCiphertext` is `Refused`,
/// /// `Disabled` is `ServiceSealed`, and `Throttling`, 5xx or no connection are `Unreachable`.
/// trait Kms: Send + Sync {
///     fn encrypt(&self, plaintext: &[u8], context: &str) -> Result<String, SealError>;
///     fn decrypt(&self, ciphertext: &str, context: &str) -> Result<Vec<u8>, SealError>;
/// }
///
/// struct KmsSeal<K>(K);
///
/// impl<K: Kms> Seal for KmsSeal<K> {
///     fn provider(&self) -> &'static str {
///         "aws-kms"
///     }
///
///     fn make(
///         &self,
///         id: &SealId,
///         entropy: &dyn Entropy,
///     ) -> Result<(Secret<32>, Provider), SealError> {
///         let key = Secret::try_fill(|bytes| entropy.fill(bytes));
///         let key = key.map_err(|_| SealError::Internal)?;
///         // The id goes into the encryption context: a ciphertext opens for its own seal only.
///         let ciphertext = self.0.encrypt(key.expose_secret(), id.as_str())?;
///         // A message of its own in earnest; this one has what it takes.
///         Ok((key, Provider::Transit(TransitSeal { ciphertext })))
///     }
///
///     fn key(&self, id: &SealId, kept: &Provider) -> Result<Secret<32>, SealError> {
///         let Provider::Transit(kept) = kept else {
///             return Err(SealError::Refused);
///         };
///         let key = zeroize::Zeroizing::new(self.0.decrypt(&kept.ciphertext, id.as_str())?);
///         Secret::from_slice(&key).ok_or(SealError::Refused)
///     }
/// }
/// ```
pub trait Seal: Send + Sync {
    /// The provider's name, as in the configuration.
    fn provider(&self) -> &'static str;

    /// Makes a seal key, and what has to be kept to have it again.
    ///
    /// # Errors
    /// [`SealError`].
    fn make(&self, id: &SealId, entropy: &dyn Entropy)
    -> Result<(Secret<32>, Provider), SealError>;

    /// The seal key again, from what was kept.
    ///
    /// # Errors
    /// [`SealError`]; [`SealError::Refused`] for what another provider kept.
    fn key(&self, id: &SealId, kept: &Provider) -> Result<Secret<32>, SealError>;

    /// Forgets that its secret was refused. A seal whose device counts wrong secrets asks it no more
    /// until then.
    fn forgive(&self) {}

    /// Whether it could give the key now. A seal for which that is cheaper than giving it says so.
    ///
    /// # Errors
    /// [`SealError`].
    fn check(&self, id: &SealId, kept: &Provider) -> Result<(), SealError> {
        self.key(id, kept).map(drop)
    }
}

/// Where a seal's secret comes from: a file, read anew each time, so that it stays in memory no
/// longer than it is used and may be replaced while the vault runs.
pub trait SecretSource: Send + Sync {
    /// The secret.
    ///
    /// # Errors
    /// [`SealError::SecretUnreadable`].
    fn read(&self) -> Result<Zeroizing<Vec<u8>>, SealError>;
}

/// A shared [`SecretSource`].
pub(crate) type Source = Arc<dyn SecretSource>;

impl From<CryptoError> for SealError {
    fn from(_: CryptoError) -> Self {
        Self::Refused
    }
}
