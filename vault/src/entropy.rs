//! Randomness, as it comes in.

use ring::rand::{SecureRandom as _, SystemRandom};

use crate::crypto_error::CryptoError;

/// Gives uniform random bytes. Injected, so that golden vectors can be made.
pub trait Entropy: Send + Sync {
    /// Fills `bytes` with random ones.
    ///
    /// # Errors
    /// [`CryptoError`] when the system has no randomness to give; nothing may be sealed then.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), CryptoError>;
}

/// The randomness of the operating system.
#[derive(Debug)]
pub struct SystemEntropy(SystemRandom);

impl Default for SystemEntropy {
    fn default() -> Self {
        Self(SystemRandom::new())
    }
}

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), CryptoError> {
        self.0.fill(bytes).map_err(|_| CryptoError)
    }
}
