//! The PKCS#11 seal: an AES key that never leaves its token wraps the seal key.
//!
//! It promises that the seal file opens only with the token and its PIN, and that a PIN which was
//! refused is not tried again before an operator asks, since tokens lock themselves after a few. It
//! relies on the token's module, which runs in this process; between two uses the module is
//! finalised, so that a token may go and come back.

use std::{
    path::PathBuf,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Function, Pkcs11},
    error::{Error, RvError},
    mechanism::{Mechanism, aead::GcmParams},
    object::{Attribute, KeyType, ObjectClass, ObjectHandle},
    session::{Session, UserType},
    types::{AuthPin, Ulong},
};
use tresor_proto::{
    Secret,
    storage::{self, seal_entry::Provider},
};
use zeroize::Zeroizing;

use super::{Seal, SealError, SealId, SecretSource, Source};
use crate::entropy::Entropy;

/// What the token authenticates with the seal key, before the seal's id.
const AAD: &[u8] = b"tresor/v1/seal/pkcs11/";
/// Bytes of a nonce, SP 800-38D §5.2.1.1; drawn at random, once for each entry.
const NONCE_BYTES: usize = 12;
/// Bits of a tag.
const TAG_BITS: u8 = 128;

/// Which key, where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pkcs11Key {
    /// The module, a shared library.
    pub module: PathBuf,
    /// The label of the token.
    pub token: String,
    /// The label of the AES key in it.
    pub key: String,
}

/// A seal whose secret is in a token.
pub struct Pkcs11Seal {
    place: Pkcs11Key,
    pin: Source,
    /// Loaded once: libraries that are unloaded and loaded again are known to crash.
    module: OnceLock<Pkcs11>,
    is_pin_refused: AtomicBool,
}

impl Pkcs11Seal {
    /// The seal of a key, whose token opens with the PIN that `pin` gives.
    #[must_use]
    pub fn new(place: Pkcs11Key, pin: Arc<dyn SecretSource>) -> Self {
        Self { place, pin, module: OnceLock::new(), is_pin_refused: AtomicBool::new(false) }
    }

    /// Lets the key do one thing.
    fn with_key<T>(
        &self,
        work: impl FnOnce(&Session, ObjectHandle) -> Result<T, Error>,
    ) -> Result<T, SealError> {
        if self.is_pin_refused.load(Ordering::Relaxed) {
            return Err(SealError::PinRefused);
        }
        let pin = self.read_pin()?;
        let running = Running::start(self.module()?)?;
        let session = self.session(running.0)?;
        let logged_in = session.login(UserType::User, Some(&pin));
        logged_in.map_err(|error| self.see_refusal(refusal(&error)))?;
        let key = self.find_key(&session)?;
        work(&session, key).map_err(|error| refusal(&error))
    }

    fn read_pin(&self) -> Result<AuthPin, SealError> {
        let pin = self.pin.read()?;
        let text = str::from_utf8(&pin).map_err(|_| SealError::SecretLength)?;
        Ok(AuthPin::from(text.trim_end_matches(['\n', '\r']).to_owned()))
    }

    fn module(&self) -> Result<&Pkcs11, SealError> {
        if self.module.get().is_none() {
            let loaded = Pkcs11::new(&self.place.module).map_err(|_| SealError::ModuleUnusable)?;
            // Someone else may have been faster; then his is used.
            let _ = self.module.set(loaded);
        }
        self.module.get().ok_or(SealError::Internal)
    }

    fn session(&self, module: &Pkcs11) -> Result<Session, SealError> {
        let slots =
            module.get_slots_with_initialized_token().map_err(|_| SealError::Unreachable)?;
        let is_ours = |slot: &cryptoki::slot::Slot| {
            module.get_token_info(*slot).is_ok_and(|token| token.label() == self.place.token)
        };
        let slot = slots.into_iter().find(is_ours).ok_or(SealError::TokenMissing)?;
        module.open_ro_session(slot).map_err(|error| refusal(&error))
    }

    fn find_key(&self, session: &Session) -> Result<ObjectHandle, SealError> {
        let wanted = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
            Attribute::Label(self.place.key.clone().into_bytes()),
        ];
        match session.find_objects(&wanted).map_err(|error| refusal(&error))?.as_slice() {
            [key] => Ok(*key),
            _ => Err(SealError::KeyMissing),
        }
    }

    fn see_refusal(&self, error: SealError) -> SealError {
        if error == SealError::PinRefused {
            self.is_pin_refused.store(true, Ordering::Relaxed);
        }
        error
    }
}

impl Seal for Pkcs11Seal {
    fn provider(&self) -> &'static str {
        "pkcs11"
    }

    fn make(
        &self,
        id: &SealId,
        entropy: &dyn Entropy,
    ) -> Result<(Secret<32>, Provider), SealError> {
        let key = Secret::try_fill(|bytes| entropy.fill(bytes)).map_err(|_| SealError::Internal)?;
        let mut nonce = vec![0; NONCE_BYTES];
        entropy.fill(&mut nonce).map_err(|_| SealError::Internal)?;
        let (aad, mut iv) = (aad(id), nonce.clone());
        let wrapped = self.with_key(|session, token_key| {
            let mechanism = Mechanism::AesGcm(GcmParams::new(&mut iv, &aad, tag_bits())?);
            session.encrypt(&mechanism, token_key, key.expose_secret())
        })?;
        Ok((key, Provider::Pkcs11(storage::Pkcs11Seal { nonce, wrapped })))
    }

    fn key(&self, id: &SealId, kept: &Provider) -> Result<Secret<32>, SealError> {
        let Provider::Pkcs11(kept) = kept else {
            return Err(SealError::Refused);
        };
        if kept.nonce.len() != NONCE_BYTES {
            return Err(SealError::Refused);
        }
        let (aad, mut iv) = (aad(id), kept.nonce.clone());
        let key = self.with_key(|session, token_key| {
            let mechanism = Mechanism::AesGcm(GcmParams::new(&mut iv, &aad, tag_bits())?);
            session.decrypt(&mechanism, token_key, &kept.wrapped).map(Zeroizing::new)
        })?;
        Secret::from_slice(&key).ok_or(SealError::Refused)
    }

    fn forgive(&self) {
        self.is_pin_refused.store(false, Ordering::Relaxed);
    }
}

/// The module between its initialisation and its end.
struct Running<'a>(&'a Pkcs11);

impl<'a> Running<'a> {
    fn start(module: &'a Pkcs11) -> Result<Self, SealError> {
        let arguments = CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK);
        module.initialize(arguments).map_err(|_| SealError::Unreachable)?;
        Ok(Self(module))
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // A module that does not end cannot begin again either, and says so then.
        let _ = self.0.clone().finalize();
    }
}

fn aad(id: &SealId) -> Vec<u8> {
    [AAD, id.as_str().as_bytes()].concat()
}

fn tag_bits() -> Ulong {
    Ulong::from(core::ffi::c_ulong::from(TAG_BITS))
}

/// What a module's refusal means. A token tells a wrong key by many names, so whatever decryption
/// fails with is one, unless the device is at fault.
fn refusal(error: &Error) -> SealError {
    let Error::Pkcs11(code, function) = error else {
        return SealError::Unreachable;
    };
    let is_device = matches!(
        code,
        RvError::DeviceError
            | RvError::DeviceMemory
            | RvError::DeviceRemoved
            | RvError::HostMemory
            | RvError::SessionClosed
            | RvError::SessionHandleInvalid
            | RvError::TokenNotPresent
            | RvError::TokenNotRecognized
    );
    let is_pin = matches!(
        code,
        RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange | RvError::PinExpired
    );
    if is_device {
        return SealError::Unreachable;
    }
    if is_pin {
        return SealError::PinRefused;
    }
    if matches!(code, RvError::PinLocked) {
        return SealError::PinLocked;
    }
    if matches!(function, Function::EncryptInit | Function::Encrypt | Function::DecryptInit) {
        return SealError::KeyMissing;
    }
    let is_wrong_key = matches!(function, Function::Decrypt);
    if is_wrong_key { SealError::Refused } else { SealError::Unreachable }
}

#[cfg(test)]
mod tests;
