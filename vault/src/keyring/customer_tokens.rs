//! Makes, replaces and ends customer tokens in a keyring.
//!
//! It promises that a customer token opens, does and lasts no more than the one it was issued with:
//! its slots are made of class keys that the issuer's own slots give out, so that its classes are
//! cryptography. It relies on the edit being written whole, and on its caller to have verified the
//! issuer's secret.

use tresor_proto::{
    CustomerToken, CustomerTokenId, CustomerTokenKind, DataClass, ErrorCode, Failure,
    RefusalReason, Secret, TokenOperation,
    limits::{CUSTOMER_TOKENS_MAX, CUSTOMER_TOKENS_RESERVED},
};

use super::TenantKeyring;
use crate::{
    crypto_error::CryptoError,
    customer_token_entry::{self, CustomerTokenEntry, TokenBounds},
    entropy::Entropy,
    error::VaultError,
    key::{ClassKey, Pepper, TokenWrapKey},
    slot::{Slot, SlotHolder, TwoKeys},
};

mod order;
mod rights;
#[cfg(test)]
mod tests;
mod view;

pub use order::NewCustomerToken;
pub use view::{CustomerTokenState, CustomerTokenView};

/// Milliseconds an ended customer token is still listed, unless its place is needed: 30 days.
const LISTED_MS: u64 = 30 * 24 * 60 * 60 * 1_000;

/// Who issues: a customer token whose secret was verified for this request.
#[derive(Clone, Copy)]
pub(crate) struct Issuer<'a> {
    pub(crate) id: CustomerTokenId,
    pub(crate) wrap_key: &'a TokenWrapKey,
}

/// What making a customer token takes beside a keyring.
#[derive(Clone, Copy)]
pub(crate) struct TokenDesk<'a> {
    pub(crate) pepper: &'a Pepper,
    pub(crate) entropy: &'a dyn Entropy,
    pub(crate) now_ms: u64,
}

impl TenantKeyring {
    /// Makes a customer token out of the issuer's slots; it ends with the issuer at the latest.
    pub(crate) fn issue(
        &mut self,
        issuer: Issuer<'_>,
        order: &NewCustomerToken,
        desk: TokenDesk<'_>,
    ) -> Result<(CustomerToken, CustomerTokenView), VaultError> {
        let asking = self.current(issuer.id, desk.now_ms)?;
        let limit_ms = asking.ends_ms().unwrap_or(0);
        let places = match asking.bounds.operations.has_any(TokenOperation::Recover as u32) {
            true => CUSTOMER_TOKENS_MAX + 2 * CUSTOMER_TOKENS_RESERVED,
            false => CUSTOMER_TOKENS_MAX,
        };
        self.make_room(places, desk.now_ms)?;
        self.make(issuer, (order, limit_ms), desk)
    }

    fn make(
        &mut self,
        issuer: Issuer<'_>,
        (order, limit_ms): (&NewCustomerToken, u64),
        desk: TokenDesk<'_>,
    ) -> Result<(CustomerToken, CustomerTokenView), VaultError> {
        let customer_token = generate_customer_token(order.kind, desk.entropy)?;
        let asking = self.current(issuer.id, desk.now_ms)?;
        let bounds = order.bounds(customer_token.id(), (&asking.bounds, limit_ms), desk.now_ms)?;
        let classes = order.classes(asking)?;
        let class_keys = self.open_slots(asking, issuer.wrap_key, &classes)?;
        let slots = self.lock_slots(&customer_token, &bounds, &class_keys, desk.entropy)?;
        let auth_key = customer_token_entry::auth_key(self.tenant, &customer_token)?;
        let entry = CustomerTokenEntry {
            bounds,
            verifier: customer_token_entry::verifier(&auth_key, desk.pepper),
            created_ms: desk.now_ms,
            revoked_ms: 0,
            name: order.name.clone(),
            replaces: None,
            overlap_ends_ms: 0,
            slots,
            revoked_classes: Vec::new(),
        };
        let view = CustomerTokenView::new(&entry, desk.now_ms);
        self.customer_tokens.push(entry);
        Ok((customer_token, view))
    }

    /// Issues one like another in its place; that one ends after an overlap.
    pub(crate) fn rotate(
        &mut self,
        issuer: Issuer<'_>,
        id: CustomerTokenId,
        overlap_ms: u64,
        desk: TokenDesk<'_>,
    ) -> Result<(CustomerToken, CustomerTokenView), VaultError> {
        let old = self.entry(id)?;
        if !old.works_at(desk.now_ms) {
            return Err(VaultError::Gone);
        }
        let order = NewCustomerToken::like(old);
        let asking = self.current(issuer.id, desk.now_ms)?;
        rights::check_may_replace(asking, old)?;
        // Who has lost the answer to a rotation rotates the same again, in its overlap: one that
        // replaces itself is not held to it.
        let limit_ms = match issuer.id == id {
            true => asking.bounds.expires_ms,
            false => asking.ends_ms().unwrap_or(0),
        };
        self.make_room(CUSTOMER_TOKENS_MAX + CUSTOMER_TOKENS_RESERVED, desk.now_ms)?;
        let (customer_token, _) = self.make(issuer, (&order, limit_ms), desk)?;
        let old = self.entry_mut(id)?;
        if overlap_ms == 0 {
            old.revoke(desk.now_ms);
        } else {
            let ends_ms = desk.now_ms.saturating_add(overlap_ms);
            let earlier = Some(old.overlap_ends_ms).filter(|earlier_ms| *earlier_ms != 0);
            old.overlap_ends_ms = earlier.map_or(ends_ms, |earlier_ms| earlier_ms.min(ends_ms));
        }
        let new = self.entry_mut(customer_token.id())?;
        new.replaces = Some(id);
        Ok((customer_token, CustomerTokenView::new(new, desk.now_ms)))
    }

    /// Ends a customer token at once. One that is needed to read a class, or to recover, is ended
    /// only when that is confirmed.
    pub(crate) fn revoke(
        &mut self,
        issuer: CustomerTokenId,
        id: CustomerTokenId,
        is_confirmed: bool,
        now_ms: u64,
    ) -> Result<CustomerTokenView, VaultError> {
        rights::check_may_end(self.current(issuer, now_ms)?, self.entry(id)?)?;
        if !is_confirmed {
            self.check_is_not_needed(id, now_ms)?;
        }
        let entry = self.entry_mut(id)?;
        entry.revoke(now_ms);
        Ok(CustomerTokenView::new(entry, now_ms))
    }

    /// What is known of a customer token.
    pub(crate) fn view(
        &self,
        id: CustomerTokenId,
        now_ms: u64,
    ) -> Result<CustomerTokenView, VaultError> {
        Ok(CustomerTokenView::new(self.entry(id)?, now_ms))
    }

    /// All customer tokens, oldest first.
    pub(crate) fn views(&self, now_ms: u64) -> Vec<CustomerTokenView> {
        self.customer_tokens.iter().map(|entry| CustomerTokenView::new(entry, now_ms)).collect()
    }

    fn entry(&self, id: CustomerTokenId) -> Result<&CustomerTokenEntry, VaultError> {
        let found = self.customer_tokens.iter().find(|entry| entry.bounds.id == id);
        found.ok_or(VaultError::NotFound)
    }

    fn entry_mut(&mut self, id: CustomerTokenId) -> Result<&mut CustomerTokenEntry, VaultError> {
        let found = self.customer_tokens.iter_mut().find(|entry| entry.bounds.id == id);
        found.ok_or(VaultError::NotFound)
    }

    /// The one that asks: it may have ended since it was verified.
    fn current(&self, id: CustomerTokenId, now_ms: u64) -> Result<&CustomerTokenEntry, VaultError> {
        let entry = self.entry(id).ok().filter(|entry| entry.works_at(now_ms));
        entry.ok_or(VaultError::Denied(RefusalReason::CustomerTokenEnded))
    }

    fn open_slots(
        &self,
        entry: &CustomerTokenEntry,
        wrap_key: &TokenWrapKey,
        classes: &[DataClass],
    ) -> Result<Vec<(DataClass, ClassKey)>, VaultError> {
        let holder = SlotHolder { tenant: self.tenant, bounds: &entry.bounds };
        let open = |class: &DataClass| {
            let slot = entry.slot(*class).ok_or(VaultError::WrongKey)?;
            let cipher_key = self.cipher_key(slot.cipher_key_version)?;
            Ok((*class, slot.unlock(holder, wrap_key, cipher_key)?))
        };
        classes.iter().map(open).collect()
    }

    fn lock_slots(
        &self,
        customer_token: &CustomerToken,
        bounds: &TokenBounds,
        class_keys: &[(DataClass, ClassKey)],
        entropy: &dyn Entropy,
    ) -> Result<Vec<Slot>, CryptoError> {
        let wrap_key = customer_token_entry::wrap_key(self.tenant, customer_token)?;
        let newest = self.newest_cipher_key()?;
        let keys = TwoKeys { wrap_key: &wrap_key, cipher_key: (newest.version, &newest.key) };
        let holder = SlotHolder { tenant: self.tenant, bounds };
        let lock =
            |(class, key): &(DataClass, ClassKey)| Slot::lock(holder, keys, *class, key, entropy);
        class_keys.iter().map(lock).collect()
    }

    /// Drops customer tokens that ended long ago, and, where there is no room, the one that ended
    /// first.
    fn make_room(&mut self, places: usize, now_ms: u64) -> Result<(), VaultError> {
        let is_listed = |entry: &CustomerTokenEntry| {
            let ended_ms = view::ended_ms(entry, now_ms);
            ended_ms.is_none_or(|ended_ms| now_ms.saturating_sub(ended_ms) < LISTED_MS)
        };
        self.customer_tokens.retain(is_listed);
        while self.customer_tokens.len() >= places {
            let ended = self.customer_tokens.iter().enumerate();
            let ended = ended.filter_map(|(at, entry)| Some((view::ended_ms(entry, now_ms)?, at)));
            let Some((_, first)) = ended.min() else {
                let failure =
                    Failure::new(ErrorCode::TooLarge, "a tenant has no more customer tokens");
                return Err(failure.into());
            };
            self.customer_tokens.remove(first);
        }
        Ok(())
    }
}

/// A customer token with a fresh id and secret.
pub(crate) fn generate_customer_token(
    kind: CustomerTokenKind,
    entropy: &dyn Entropy,
) -> Result<CustomerToken, CryptoError> {
    let mut id = [0; 12];
    entropy.fill(&mut id)?;
    let secret = Secret::try_fill(|bytes| entropy.fill(bytes))?;
    Ok(CustomerToken::new(kind, CustomerTokenId::from_bytes(id), secret))
}
