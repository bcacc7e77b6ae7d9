//! Makes format-preserving surrogates: each a function of its value and a key, of which nothing is
//! kept, so that no row is read or written.
//!
//! It promises that the key was still there when they were made; it relies on the keyring in memory
//! to be the newest.

use std::{collections::BTreeSet, sync::Arc};

use super::batch::{Answer, Batch};
use crate::{
    access::TokenHolder,
    crypto_error::CryptoError,
    error::VaultError,
    operations::put,
    surrogate::{NewSurrogate, preserved_forms::PreservedForms},
    unlocked::{Unlocked, UnlockedCache},
    vault::Vault,
};

impl Vault {
    /// Settles the items whose surrogates look like their values.
    pub(super) async fn preserve(
        &self,
        holder: &Arc<TokenHolder>,
        mut batch: Batch,
    ) -> Result<Batch, VaultError> {
        let mut holder = self.renewed(holder).await?;
        for _ in 0..put::ROUNDS_MAX {
            if batch.preserving().next().is_none() {
                return Ok(batch);
            }
            let (cache, now_ms) = (self.unlocked_cache(), self.clock().now_ms());
            let maker = Arc::clone(&holder);
            let make = move || (make(&batch, &maker, &cache, now_ms), batch);
            let made;
            (made, batch) = self.key_worker().run(make).await?;
            let newest = self.renewed(&holder).await?;
            if Arc::ptr_eq(&newest, &holder) {
                batch.settle_preserved(made?);
            }
            // Otherwise a key was replaced meanwhile, and the older one may be gone.
            holder = newest;
        }
        Err(VaultError::Overloaded)
    }
}

/// The surrogates of the items that are to look like their values, in order.
pub(super) fn make(
    batch: &Batch,
    holder: &TokenHolder,
    cache: &UnlockedCache,
    now_ms: u64,
) -> Result<Vec<Answer>, VaultError> {
    let classes: BTreeSet<_> =
        batch.preserving().map(|value| value.options.info_type().class()).collect();
    let slots = holder.holder().ok_or(VaultError::Internal)?;
    let unlocked = cache.unlock(slots, classes, now_ms);
    let unlocked = unlocked.map_err(|CryptoError| VaultError::Integrity)?;
    let mut forms = PreservedForms::default();
    Ok(batch.preserving().map(|value| answer(value, &unlocked, &mut forms)).collect())
}

fn answer(value: &NewSurrogate, unlocked: &Unlocked, forms: &mut PreservedForms) -> Answer {
    let info_type = value.options.info_type();
    let keys = unlocked.class(info_type.class()).ok_or(VaultError::WrongKey)?;
    let format = value.options.form().kind.format().ok_or(VaultError::Internal)?;
    forms.of_value(keys, (info_type, format), &value.content)
}
