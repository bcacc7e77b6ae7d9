//! Opens rows of surrogates as far as they show their values: pure work, run on a key thread.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tresor_proto::{Content, DataClass, InfoType, Mask, Reveal, Surrogate, TenantId};

use super::batch::{Batch, Bound, Counted, Item};
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
        named::{Named, Preserved, Read},
        rows::{Facts, SurrogateRows, row_key},
        sealed_value::{self, ValuePlace},
    },
    unlocked::{Unlocked, UnlockedCache},
};

/// What is needed to show values in one call.
#[derive(Clone)]
pub(crate) struct Discloser {
    pub(crate) tenant: TenantId,
    pub(crate) reveal: Reveal,
    pub(crate) holder: Arc<TokenHolder>,
    pub(crate) cache: Arc<UnlockedCache>,
    pub(crate) now_ms: u64,
    /// The rows of surrogates whose values hang on an older data key.
    pub(crate) outdated: Arc<Mutex<Vec<StoreKey>>>,
}

impl Discloser {
    /// Opens those of a batch that are asked for, a row for each that has one; one that does not
    /// authenticate or open stays as it is, since its keys may be newer.
    pub(super) fn open(
        &self,
        batch: &mut Batch,
        rows: Vec<Option<Vec<u8>>>,
    ) -> Result<(), VaultError> {
        let unlocked = self.unlock(batch)?;
        let mut rows = rows.into_iter();
        for item in batch.asked_mut() {
            let Item::Asked(named) = item.take() else { continue };
            *item = match named {
                Named::Preserved(preserved) => Item::Settled(self.show(preserved)),
                Named::Ours(surrogate) => {
                    let row = rows.next().flatten();
                    match self.disclose(&surrogate, row.as_deref(), &unlocked) {
                        Err(VaultError::Integrity) => Item::Asked(Named::Ours(surrogate)),
                        Err(error) => Item::Settled(Err(error)),
                        Ok((None, value)) => Item::Settled(Ok(value)),
                        Ok((Some(counted), value)) => Item::Opened(counted, value),
                    }
                }
            };
        }
        Ok(())
    }

    /// What a surrogate shows of which nothing is kept.
    fn show(&self, preserved: Preserved) -> Result<RevealedValue, VaultError> {
        let Preserved { value, info_type, .. } = preserved;
        let length_bytes_max = padding::length_class(value.as_bytes().len());
        let length_bytes_max = length_bytes_max.map_err(|CryptoError| VaultError::Integrity)?;
        let shown = shown(self.reveal, (info_type, None), || Ok(value))?;
        Ok(RevealedValue { shown, info_type, class: info_type.class(), length_bytes_max })
    }

    /// What a surrogate shows, and how it is counted.
    fn disclose(
        &self,
        surrogate: &Surrogate,
        row: Option<&[u8]>,
        unlocked: &Unlocked,
    ) -> Result<(Option<Counted>, RevealedValue), VaultError> {
        let read = Read::of(surrogate, self.rows(), row)?;
        let Facts { info_type, class, bounds, .. } = read.facts;
        if bounds.has_expired(self.now_ms) {
            return Err(VaultError::Gone);
        }
        let length_bytes_max = sealed_value::length_bytes_max(&read.row);
        let length_bytes_max = length_bytes_max.map_err(|CryptoError| VaultError::Integrity)?;
        let reveal = self.reveal.min(bounds.reveal);
        let own = read.facts.mask;
        let shown = shown(reveal, (info_type, own), || self.value(surrogate, &read, unlocked))?;
        let bound = match bounds.uses_max {
            _ if read.facts.is_held => Some(Bound::Holders),
            0 => None,
            uses_max if reveal == Reveal::Redacted => Some(Bound::Left(uses_max)),
            uses_max => Some(Bound::Uses(uses_max)),
        };
        let counted = bound.map(|bound| Counted { id: surrogate.id(), bound });
        Ok((counted, RevealedValue { shown, info_type, class, length_bytes_max }))
    }

    fn value(
        &self,
        surrogate: &Surrogate,
        Read { facts, row }: &Read,
        unlocked: &Unlocked,
    ) -> Result<Content, VaultError> {
        let class = facts.class;
        let keys = unlocked.class(class).ok_or(VaultError::WrongKey)?;
        let epoch = row.group.as_ref().map_or(0, |group| group.epoch);
        let place = ValuePlace { tenant: self.tenant, id: &surrogate.id(), class, epoch };
        let content = keys.epoch(epoch).and_then(|key| sealed_value::open(key, place, row));
        let content = content.map_err(|CryptoError| VaultError::Integrity)?;
        if keys.newest().is_ok_and(|(newest, _)| epoch < newest) {
            self.outdated_now().push(row_key(&surrogate.id()));
        }
        Ok(content)
    }

    /// The rows of surrogates whose values hang on an older data key, once.
    pub(super) fn outdated(&self) -> Vec<StoreKey> {
        core::mem::take(&mut *self.outdated_now())
    }

    fn outdated_now(&self) -> MutexGuard<'_, Vec<StoreKey>> {
        // Nothing panics while it is held.
        self.outdated.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn rows(&self) -> SurrogateRows<'_> {
        SurrogateRows { tenant: self.tenant, keys: &self.holder.keyring().rows }
    }

    /// Unlocks the classes of the surrogates that are asked for.
    fn unlock(&self, batch: &Batch) -> Result<Unlocked, VaultError> {
        if self.reveal == Reveal::Redacted {
            return Ok(Unlocked::default());
        }
        let classes: BTreeSet<DataClass> = batch.rowed().map(Surrogate::class).collect();
        let holder = self.holder.holder().ok_or(VaultError::Internal)?;
        let unlocked = self.cache.unlock(holder, classes, self.now_ms);
        unlocked.map_err(|CryptoError| VaultError::Integrity)
    }
}

/// As much of a value as is to be seen; `Redacted` opens nothing.
fn shown(
    reveal: Reveal,
    (info_type, own): (InfoType, Option<Mask>),
    value: impl FnOnce() -> Result<Content, VaultError>,
) -> Result<Shown, VaultError> {
    Ok(match reveal {
        Reveal::Redacted => Shown::Redacted,
        Reveal::Masked => Shown::Masked(mask(Some(info_type), own, &value()?)),
        Reveal::Plain => Shown::Plain(value()?),
    })
}
