//! The keys of the hierarchy, each a type of its own, so that none can stand in for another.

use tresor_proto::Secret;

use crate::{crypto_error::CryptoError, entropy::Entropy};

/// A 256-bit key that may wrap other keys.
pub(crate) trait Key: Sized {
    /// Takes the key's bytes.
    fn from_secret(secret: Secret<32>) -> Self;

    /// The key's bytes.
    fn secret(&self) -> &Secret<32>;

    /// Makes a new key.
    fn generate(entropy: &dyn Entropy) -> Result<Self, CryptoError> {
        Secret::try_fill(|bytes| entropy.fill(bytes)).map(Self::from_secret)
    }

    /// Reads a key out of a message.
    fn from_slice(bytes: &[u8]) -> Result<Self, CryptoError> {
        Secret::from_slice(bytes).map(Self::from_secret).ok_or(CryptoError)
    }

    /// The key's bytes, for use.
    fn expose_secret(&self) -> &[u8; 32] {
        self.secret().expose_secret()
    }
}

macro_rules! keys {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        pub(crate) struct $name(Secret<32>);

        impl Key for $name {
            fn from_secret(secret: Secret<32>) -> Self {
                Self(secret)
            }

            fn secret(&self) -> &Secret<32> {
                &self.0
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )*};
}

keys! {
    /// Derived from a passphrase; wraps the root key.
    SealKey;
    /// Protects all keyrings.
    RootKey;
    /// Wraps the body keys of one tenant's keyring.
    FileKey;
    /// Seals one version of a keyring's body.
    BodyKey;
    /// Makes the verifiers of customer tokens and enrolment codes.
    Pepper;
    /// The server's key for one tenant: the outer lock.
    CipherKey;
    /// Derived from a customer token: the inner lock.
    TokenWrapKey;
    /// Derived from a customer token: proves that its holder has it.
    TokenAuthKey;
    /// Derived from a customer token: marks its requests, so that repeated ones are recognised.
    RequestKey;
    /// The key-encryption key (KEK) of a class.
    ClassKey;
    /// A data-encryption key (DEK), one an epoch.
    DataKey;
    /// A key of blind indexes and deterministic surrogates.
    IdentifierKey;
    /// A key of row MACs and subject digests.
    MetadataKey;
}
