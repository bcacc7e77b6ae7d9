//! Opens rows of surrogates as far as they show their values: pure work, run on a key thread.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use tresor_proto::{Content, DataClass, Reveal, TenantId};

use super::batch::{Batch, Counted, Item};
use crate::{
    access::TokenHolder,
    crypto_error::CryptoError,
    error::VaultError,
    mask::mask,
    padding,
    record::Shown,
    store::StoreKey,
    surrogate::{
        RevealedValue,
        named::{Named, Read},
        rows::{Facts, SurrogateRows},
        sealed_value::{self, ValuePlace},
    },
    unlocked::{Unlocked, UnlockedCache},
};

/// What is needed to show values in one call.
pub(crate) struct Discloser {
    pub(crate) tenant: TenantId,
    pub(crate) reveal: Reveal,
    pub(crate) holder: Arc<TokenHolder>,
    pub(crate) cache: Arc<UnlockedCache>,
    pub(crate) now_ms: u64,
    /// The rows of surrogates whose values hang on an older data key.
    pub(crate) outdated: Mutex<Vec<StoreKey>>,
}

impl Discloser {
    /// Opens those of a batch that are asked for, a row each; one that does not authenticate or open
    /// stays as it is, since its keys may be newer.
    pub(super) fn open(
        &self,
        batch: &mut Batch,
        rows: Vec<Option<Vec<u8>>>,
    ) -> Result<(), VaultError> {
        let unlocked = self.unlock(batch)?;
        for (item, row) in batch.asked_mut().zip(rows) {
            let Item::Asked(named) = item else { continue };
            match self.disclose(named, row.as_deref(), &unlocked) {
                Err(VaultError::Integrity) => {}
                Err(error) => *item = Item::Settled(Err(error)),
                Ok((None, value)) => *item = Item::Settled(Ok(value)),
                Ok((Some(counted), value)) => *item = Item::Opened(counted, value),
            }
        }
        Ok(())
    }

    /// What a surrogate shows, and how it is counted.
    fn disclose(
        &self,
        named: &Named,
        row: Option<&[u8]>,
        unlocked: &Unlocked,
    ) -> Result<(Option<Counted>, RevealedValue), VaultError> {
        let read = named.read(self.rows(), row)?;
        let Facts { info_type, class, bounds, .. } = read.facts;
        if bounds.has_expired(self.now_ms) {
            return Err(VaultError::Gone);
        }
        let length_bytes_max = match (named, &read.sealed) {
            (Named::Preserved(preserved), _) => {
                padding::length_class(preserved.value.as_bytes().len())
            }
            (Named::Ours(_), Some(row)) => sealed_value::length_bytes_max(row),
            (Named::Ours(_), None) => Err(CryptoError),
        };
        let length_bytes_max = length_bytes_max.map_err(|CryptoError| VaultError::Integrity)?;
        let reveal = self.reveal.min(bounds.reveal);
        let shown = match reveal {
            Reveal::Redacted => Shown::Redacted,
            Reveal::Masked => {
                let content = self.value(named, &read, unlocked)?;
                Shown::Masked(mask(Some(info_type), None, &content))
            }
            Reveal::Plain => Shown::Plain(self.value(named, &read, unlocked)?),
        };
        let uses_max = bounds.uses_max;
        let is_counted = uses_max != 0 && reveal != Reveal::Redacted;
        let counted = is_counted.then(|| Counted { key: named.key(), id: named.id(), uses_max });
        Ok((counted, RevealedValue { shown, info_type, class, length_bytes_max }))
    }

    fn value(
        &self,
        named: &Named,
        read: &Read,
        unlocked: &Unlocked,
    ) -> Result<Content, VaultError> {
        let surrogate = match named {
            Named::Ours(surrogate) => surrogate,
            Named::Preserved(preserved) => {
                let value = &preserved.value;
                return Ok(Content::new(value.content_type(), value.as_bytes().to_vec())?);
            }
        };
        let row = read.sealed.as_ref().ok_or(VaultError::Integrity)?;
        let class = read.facts.class;
        let keys = unlocked.class(class).ok_or(VaultError::WrongKey)?;
        let epoch = row.group.as_ref().map_or(0, |group| group.epoch);
        let place = ValuePlace { tenant: self.tenant, id: &surrogate.id(), class, epoch };
        let content = keys.epoch(epoch).and_then(|key| sealed_value::open(key, place, row));
        let content = content.map_err(|CryptoError| VaultError::Integrity)?;
        if keys.newest().is_ok_and(|(newest, _)| epoch < newest) {
            let mut outdated = self.outdated.lock().unwrap_or_else(PoisonError::into_inner);
            outdated.push(named.key());
        }
        Ok(content)
    }

    pub(super) fn rows(&self) -> SurrogateRows<'_> {
        SurrogateRows { tenant: self.tenant, keys: &self.holder.keyring().rows }
    }

    /// Unlocks the classes of the surrogates that are asked for.
    fn unlock(&self, batch: &Batch) -> Result<Unlocked, VaultError> {
        if self.reveal == Reveal::Redacted {
            return Ok(Unlocked::default());
        }
        let asked = batch.asked();
        let classes: BTreeSet<DataClass> = asked.map(Named::class).collect();
        let holder = self.holder.holder().ok_or(VaultError::Internal)?;
        let unlocked = self.cache.unlock(holder, classes, self.now_ms);
        unlocked.map_err(|CryptoError| VaultError::Integrity)
    }
}
