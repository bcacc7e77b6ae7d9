//! Data and identifier keys out of their slots: with two keys, for the classes a request needs.
//!
//! They are kept for a short while, by (tenant, customer token, class, keyring sequence), and are
//! only ever found by a request that has just proved the same customer token: the cache holds
//! keys, never decisions.

use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    sync::{Arc, Mutex, PoisonError},
};

use tresor_proto::{CustomerTokenId, DataClass, TenantId};

use crate::{
    crypto_error::CryptoError,
    customer_token_entry::CustomerTokenEntry,
    key::{ClassKey, DataKey, IdentifierKey, TokenWrapKey},
    keyring::{LoadedKeyring, TenantKeyring, WrappedDataKey},
    slot::SlotHolder,
};

/// Milliseconds a key is kept unused.
const IDLE_MS: u64 = 60_000;
/// Milliseconds a key is kept at most.
const LIFETIME_MS: u64 = 300_000;
/// Classes kept unlocked at most, over all tenants: a kilobyte each.
const ENTRIES_MAX: usize = 16_384;

/// The data keys of one class, by epoch, and its identifier keys, by version.
#[derive(Debug)]
pub(crate) struct ClassKeys {
    epochs: BTreeMap<u32, DataKey>,
    identifiers: BTreeMap<u32, IdentifierKey>,
}

impl ClassKeys {
    /// Unwraps the keys of a class that are not destroyed.
    pub(crate) fn unwrap(
        keyring: &TenantKeyring,
        class: DataClass,
        class_key: &ClassKey,
    ) -> Result<Self, CryptoError> {
        let kept = keyring.data_keys(class).filter(|key| !key.is_destroyed());
        let unwrap = |key: &WrappedDataKey| Ok((key.epoch, key.unwrap(keyring.tenant, class_key)?));
        Ok(Self {
            epochs: kept.map(unwrap).collect::<Result<_, CryptoError>>()?,
            identifiers: keyring.unwrap_identifier_keys(class, class_key)?.into_iter().collect(),
        })
    }

    /// The newest epoch, which seals.
    pub(crate) fn newest(&self) -> Result<(u32, &DataKey), CryptoError> {
        self.epochs.last_key_value().map(|(epoch, key)| (*epoch, key)).ok_or(CryptoError)
    }

    /// The key of an epoch.
    pub(crate) fn epoch(&self, epoch: u32) -> Result<&DataKey, CryptoError> {
        self.epochs.get(&epoch).ok_or(CryptoError)
    }

    /// The newest identifier key, under which new indexes and surrogates are made, with its version.
    pub(crate) fn newest_identifier(&self) -> Result<(u32, &IdentifierKey), CryptoError> {
        self.identifiers.last_key_value().map(|(version, key)| (*version, key)).ok_or(CryptoError)
    }

    /// The identifier keys by version: those that entries and surrogates may have been made under.
    pub(crate) fn identifiers(&self) -> impl Iterator<Item = (u32, &IdentifierKey)> {
        self.identifiers.iter().map(|(version, key)| (*version, key))
    }

    /// The identifier key of a version.
    pub(crate) fn identifier(&self, version: u32) -> Result<&IdentifierKey, CryptoError> {
        self.identifiers.get(&version).ok_or(CryptoError)
    }
}

/// Whose slots are opened: a customer token that was verified for this request.
#[derive(Clone, Copy)]
pub(crate) struct Holder<'a> {
    pub(crate) keyring: &'a LoadedKeyring,
    pub(crate) entry: &'a CustomerTokenEntry,
    pub(crate) wrap_key: &'a TokenWrapKey,
}

impl Holder<'_> {
    /// The class key out of its slot, if the customer token covers the class.
    pub(crate) fn class_key(&self, class: DataClass) -> Result<Option<ClassKey>, CryptoError> {
        let Some(slot) = self.entry.slot(class) else {
            return Ok(None);
        };
        let keyring = &self.keyring.keyring;
        let place = SlotHolder { tenant: keyring.tenant, bounds: &self.entry.bounds };
        let cipher_key = keyring.cipher_key(slot.cipher_key_version)?;
        slot.unlock(place, self.wrap_key, cipher_key).map(Some)
    }
}

/// The classes unlocked for one request; `None` for one the customer token does not cover.
#[derive(Debug, Default)]
pub(crate) struct Unlocked(HashMap<DataClass, Option<Arc<ClassKeys>>>);

impl Unlocked {
    /// The keys of a class, if the customer token covers it.
    pub(crate) fn class(&self, class: DataClass) -> Option<&ClassKeys> {
        self.0.get(&class)?.as_deref()
    }
}

/// Keys unlocked a short while ago.
#[derive(Debug, Default)]
pub(crate) struct UnlockedCache(Mutex<HashMap<CacheKey, CacheEntry>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct CacheKey {
    tenant: TenantId,
    customer_token: CustomerTokenId,
    class: DataClass,
    sequence: u64,
}

#[derive(Debug)]
struct CacheEntry {
    keys: Arc<ClassKeys>,
    unlocked_ms: u64,
    used_ms: u64,
}

impl UnlockedCache {
    /// Unlocks classes for a holder, out of memory where they are fresh, else out of the slots.
    pub(crate) fn unlock(
        &self,
        holder: Holder<'_>,
        classes: impl IntoIterator<Item = DataClass>,
        now_ms: u64,
    ) -> Result<Unlocked, CryptoError> {
        let mut unlocked = Unlocked::default();
        for class in classes {
            if let Entry::Vacant(vacant) = unlocked.0.entry(class) {
                vacant.insert(self.class(holder, class, now_ms)?);
            }
        }
        Ok(unlocked)
    }

    fn class(
        &self,
        holder: Holder<'_>,
        class: DataClass,
        now_ms: u64,
    ) -> Result<Option<Arc<ClassKeys>>, CryptoError> {
        let key = CacheKey {
            tenant: holder.keyring.keyring.tenant,
            customer_token: holder.entry.bounds.id,
            class,
            sequence: holder.keyring.sequence,
        };
        if let Some(keys) = self.recall(&key, now_ms) {
            return Ok(Some(keys));
        }
        let Some(keys) = open_slot(holder, class)?.map(Arc::new) else {
            return Ok(None);
        };
        let entry = CacheEntry { keys: Arc::clone(&keys), unlocked_ms: now_ms, used_ms: now_ms };
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() < ENTRIES_MAX {
            entries.insert(key, entry);
        }
        Ok(Some(keys))
    }

    fn recall(&self, key: &CacheKey, now_ms: u64) -> Option<Arc<ClassKeys>> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get_mut(key).filter(|entry| entry.is_fresh(now_ms))?;
        entry.used_ms = now_ms;
        Some(Arc::clone(&entry.keys))
    }

    /// The keys of a class, if they are in memory for this customer token and this very keyring. It
    /// does not count as use.
    pub(crate) fn peek(
        &self,
        (tenant, sequence): (TenantId, u64),
        customer_token: CustomerTokenId,
        class: DataClass,
        now_ms: u64,
    ) -> Option<Arc<ClassKeys>> {
        let key = CacheKey { tenant, customer_token, class, sequence };
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get(&key).filter(|entry| entry.is_fresh(now_ms))?;
        Some(Arc::clone(&entry.keys))
    }

    /// Forgets what a customer token has opened.
    pub(crate) fn forget(&self, tenant: TenantId, customer_token: CustomerTokenId) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|key, _| (key.tenant, key.customer_token) != (tenant, customer_token));
    }

    /// Forgets everything of a tenant.
    pub(crate) fn forget_tenant(&self, tenant: TenantId) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|key, _| key.tenant != tenant);
    }

    /// Forgets what is idle or old.
    pub(crate) fn sweep(&self, now_ms: u64) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|_, entry| entry.is_fresh(now_ms));
    }
}

impl CacheEntry {
    /// A clock set back ends it too: its age would not be known.
    fn is_fresh(&self, now_ms: u64) -> bool {
        let within = |since_ms: u64, span_ms: u64| {
            (since_ms..since_ms.saturating_add(span_ms)).contains(&now_ms)
        };
        within(self.used_ms, IDLE_MS) && within(self.unlocked_ms, LIFETIME_MS)
    }
}

/// Opens the holder's slot of a class and the data keys behind it.
fn open_slot(holder: Holder<'_>, class: DataClass) -> Result<Option<ClassKeys>, CryptoError> {
    let class_key = holder.class_key(class)?;
    let keyring = &holder.keyring.keyring;
    class_key.map(|class_key| ClassKeys::unwrap(keyring, class, &class_key)).transpose()
}

#[cfg(test)]
mod tests;
