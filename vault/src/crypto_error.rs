//! The one error of cryptography: it carries no detail, so that it tells an attacker nothing.

/// A key, a tag, a commitment or a MAC does not fit, or the bytes are malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("does not authenticate")]
pub struct CryptoError;

impl From<ring::error::Unspecified> for CryptoError {
    fn from(_: ring::error::Unspecified) -> Self {
        Self
    }
}

impl From<prost::DecodeError> for CryptoError {
    fn from(_: prost::DecodeError) -> Self {
        Self
    }
}
