//! A customer token that was checked against a tenant's keyring.

use std::sync::Arc;

use tresor_proto::{
    CustomerToken, CustomerTokenId, DataClass, RefusalReason as Reason, TokenOperation as Operation,
};

use crate::{
    crypto_error::CryptoError,
    customer_token_entry::{self, CustomerTokenEntry},
    error::VaultError,
    key::{Pepper, RequestKey, TokenAuthKey, TokenWrapKey},
    keyring::LoadedKeyring,
    unlocked::Holder,
};

/// A verified customer token: which entry of which keyring, and what is derived from it.
pub(crate) struct TokenHolder {
    keyring: Arc<LoadedKeyring>,
    entry: usize,
    keys: Arc<TokenKeys>,
}

/// What is derived from a customer token.
struct TokenKeys {
    auth_key: TokenAuthKey,
    wrap_key: TokenWrapKey,
}

impl TokenHolder {
    pub(crate) fn keyring(&self) -> &LoadedKeyring {
        &self.keyring
    }

    /// Which customer token it is.
    pub(crate) fn customer_token_id(&self) -> Option<CustomerTokenId> {
        self.entry().map(|entry| entry.bounds.id)
    }

    /// Whether the customer token may do an operation.
    pub(crate) fn may(&self, operation: Operation) -> bool {
        self.may_any(operation as u32)
    }

    /// Whether the customer token opens a class.
    pub(crate) fn opens(&self, class: DataClass) -> bool {
        self.entry().is_some_and(|entry| entry.slot(class).is_some())
    }

    pub(super) fn may_any(&self, operation_bits: u32) -> bool {
        self.entry().is_some_and(|entry| entry.bounds.operations.has_any(operation_bits))
    }

    /// Its view for opening slots.
    pub(crate) fn holder(&self) -> Option<Holder<'_>> {
        let (keyring, wrap_key) = (self.keyring.as_ref(), &self.keys.wrap_key);
        self.entry().map(|entry| Holder { keyring, entry, wrap_key })
    }

    /// The key that marks its requests.
    pub(crate) fn request_key(&self) -> Result<RequestKey, CryptoError> {
        customer_token_entry::request_key(&self.keys.auth_key)
    }

    /// The same customer token under a newer keyring, if it still works there.
    pub(crate) fn renewed(
        &self,
        keyring: Arc<LoadedKeyring>,
        now_ms: u64,
    ) -> Result<Self, VaultError> {
        let id = self.entry().ok_or(VaultError::Internal)?.bounds.id;
        let mut entries = keyring.keyring.customer_tokens.iter();
        let is_kept = |entry: &CustomerTokenEntry| entry.bounds.id == id && entry.works_at(now_ms);
        let entry = entries.position(is_kept).ok_or(Reason::CustomerTokenEnded)?;
        Ok(Self { keyring, entry, keys: Arc::clone(&self.keys) })
    }

    fn entry(&self) -> Option<&CustomerTokenEntry> {
        self.keyring.keyring.customer_tokens.get(self.entry)
    }
}

impl core::fmt::Debug for TokenHolder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("TokenHolder")
    }
}

/// What a customer token is checked against, on every call.
pub(super) struct TokenCheck<'a> {
    pub(super) pepper: &'a Pepper,
    pub(super) now_ms: u64,
    pub(super) certificate_digest: Option<&'a [u8; 32]>,
}

impl TokenCheck<'_> {
    /// The holder of a customer token that works.
    pub(super) fn verify(
        &self,
        keyring: Arc<LoadedKeyring>,
        customer_token: &CustomerToken,
    ) -> Result<TokenHolder, VaultError> {
        let tenant = keyring.keyring.tenant;
        let entries = &keyring.keyring.customer_tokens;
        let named = entries.iter().position(|entry| entry.bounds.id == customer_token.id());
        let index = named.ok_or(Reason::CustomerTokenUnknown)?;
        let entry = entries.get(index).ok_or(VaultError::Internal)?;
        let verified = entry.verify(tenant, customer_token, self.pepper);
        let verified = verified.map_err(|CryptoError| VaultError::Internal)?;
        let auth_key = verified.ok_or(Reason::CustomerTokenWrong)?;
        if !entry.works_at(self.now_ms) {
            return Err(Reason::CustomerTokenEnded.into());
        }
        if !entry.works_from(self.certificate_digest) {
            return Err(Reason::CustomerTokenBoundElsewhere.into());
        }
        let wrap_key = customer_token_entry::wrap_key(tenant, customer_token);
        let wrap_key = wrap_key.map_err(|CryptoError| VaultError::Internal)?;
        Ok(TokenHolder { keyring, entry: index, keys: Arc::new(TokenKeys { auth_key, wrap_key }) })
    }
}
