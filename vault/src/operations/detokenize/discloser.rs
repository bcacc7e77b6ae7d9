//! Opens rows of surrogates as far as they show their values: pure work, run on a key thread.

use std::sync::{Arc, Mutex, PoisonError};

use tresor_proto::{DataClass, Reveal, Surrogate, TenantId, storage};

use super::batch::{Batch, Counted, Item};
use crate::{
    access::TokenHolder,
    crypto_error::CryptoError,
    error::VaultError,
    mask::mask,
    record::Shown,
    store::StoreKey,
    surrogate::{
        RevealedValue,
        rows::{Facts, SurrogateRows, row_key},
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
            let Item::Asked(surrogate) = item else { continue };
            match self.disclose(surrogate, row, &unlocked) {
                Err(VaultError::Integrity) => {}
                Err(error) => *item = Item::Settled(Err(error)),
                Ok((None, value)) => *item = Item::Settled(Ok(value)),
                Ok((Some(counted), value)) => *item = Item::Opened(counted, value),
            }
        }
        Ok(())
    }

    /// What a row shows, and how it is counted.
    fn disclose(
        &self,
        surrogate: &Surrogate,
        row: Option<Vec<u8>>,
        unlocked: &Unlocked,
    ) -> Result<(Option<Counted>, RevealedValue), VaultError> {
        let reveal = self.reveal;
        if reveal != Reveal::Redacted && unlocked.class(surrogate.info_type().class()).is_none() {
            return Err(VaultError::WrongKey);
        }
        let (row, key) = (row.ok_or(VaultError::NotFound)?, row_key(&surrogate.id()));
        let row: storage::Surrogate = self.rows().decode(&key, &row)?;
        let facts = Facts::try_from(&row).map_err(|CryptoError| VaultError::Integrity)?;
        if facts.info_type != surrogate.info_type() {
            return Err(VaultError::NotFound);
        }
        if facts.bounds.has_expired(self.now_ms) {
            return Err(VaultError::Gone);
        }
        let reveal = reveal.min(facts.bounds.reveal);
        let shown = self.shown(surrogate, (&row, &facts), reveal, unlocked)?;
        let length_bytes_max = sealed_value::length_bytes_max(&row);
        let length_bytes_max = length_bytes_max.map_err(|CryptoError| VaultError::Integrity)?;
        let Facts { info_type, class, bounds, .. } = facts;
        let uses_max = bounds.uses_max;
        let is_counted = uses_max != 0 && reveal != Reveal::Redacted;
        let counted = is_counted.then_some(Counted { surrogate: *surrogate, uses_max });
        Ok((counted, RevealedValue { shown, info_type, class, length_bytes_max }))
    }

    fn shown(
        &self,
        surrogate: &Surrogate,
        (row, facts): (&storage::Surrogate, &Facts),
        reveal: Reveal,
        unlocked: &Unlocked,
    ) -> Result<Shown, VaultError> {
        if reveal == Reveal::Redacted {
            return Ok(Shown::Redacted);
        }
        let keys = unlocked.class(facts.class).ok_or(VaultError::WrongKey)?;
        let epoch = row.group.as_ref().map_or(0, |group| group.epoch);
        let (tenant, id, class) = (self.tenant, surrogate.id(), facts.class);
        let place = ValuePlace { tenant, id: &id, class, epoch };
        let content = keys.epoch(epoch).and_then(|key| sealed_value::open(key, place, row));
        let content = content.map_err(|CryptoError| VaultError::Integrity)?;
        if keys.newest().is_ok_and(|(newest, _)| epoch < newest) {
            let mut outdated = self.outdated.lock().unwrap_or_else(PoisonError::into_inner);
            outdated.push(row_key(&id));
        }
        Ok(match reveal {
            Reveal::Plain => Shown::Plain(content),
            Reveal::Masked | Reveal::Redacted => {
                Shown::Masked(mask(Some(facts.info_type), None, &content))
            }
        })
    }

    pub(super) fn rows(&self) -> SurrogateRows<'_> {
        SurrogateRows { tenant: self.tenant, keys: &self.holder.keyring().rows }
    }

    /// Unlocks the classes of the surrogates that are asked for.
    fn unlock(&self, batch: &mut Batch) -> Result<Unlocked, VaultError> {
        if self.reveal == Reveal::Redacted {
            return Ok(Unlocked::default());
        }
        let asked = batch.asked_mut().filter_map(|item| item.asked().copied());
        let classes: std::collections::BTreeSet<DataClass> =
            asked.map(|surrogate| surrogate.info_type().class()).collect();
        let holder = self.holder.holder().ok_or(VaultError::Internal)?;
        let unlocked = self.cache.unlock(holder, classes, self.now_ms);
        unlocked.map_err(|CryptoError| VaultError::Integrity)
    }
}
