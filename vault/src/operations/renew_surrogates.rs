//! Gives the surrogates that stand for the same values under the newest identifier key: the map from
//! old to new, for whoever keeps format-preserving ones.
//!
//! It shows no value. What bounds a surrogate moves with it in one change, with its count, so that a
//! renewed one shows no more, no longer and no more often than the one before. Surrogates with a row
//! keep their text.

use std::{collections::BTreeSet, sync::Arc};

use tresor_proto::{ErrorCode, Failure, RefusalReason, TokenOperation, storage};

use super::{
    name_surrogates::{Names, PART_ITEMS_MAX},
    put,
    sight::Sight,
};
use crate::{
    access::{Permit, RenewSurrogates, TokenHolder},
    crypto_error::CryptoError,
    epoch_floor::{self, Floors},
    error::VaultError,
    store::{Change, Outcome, StoreKey, Write},
    surrogate::{
        IssuedSurrogate, SurrogateQuery,
        named::{Named, Preserved},
        preserved_forms::PreservedForms,
        rows::{Facts, SurrogateRows, count_key},
    },
    unlocked::{Unlocked, UnlockedCache},
    vault::Vault,
};

type Renewed = Result<IssuedSurrogate, VaultError>;

/// A surrogate, and the one in its place when it looks like its value.
type Pair = Result<(Named, Option<Box<Preserved>>), VaultError>;

impl Vault {
    /// Renews surrogates; one result a surrogate, in order, once what bounds it has moved. One that is
    /// under the newest key, or has a row, is given back as it is; to renew again gives the same.
    ///
    /// # Errors
    /// For all: `denied` unless the customer token may tokenize and detokenize, `overloaded`,
    /// `storage_unavailable`. For one: as [`Vault::detokenize`] when it names none; `conflict` when the
    /// one in its place has other bounds already, or others kept coming between.
    pub async fn renew_surrogates(
        &self,
        permit: &Permit<RenewSurrogates>,
        queries: Vec<Result<SurrogateQuery, Failure>>,
    ) -> Result<Vec<Renewed>, VaultError> {
        if !permit.holder().may(TokenOperation::Detokenize) {
            return Err(RefusalReason::CustomerTokenLacksOperation.into());
        }
        let holder = self.renewed(permit.holder()).await?;
        let mut names = self.name_surrogates(&holder, queries).await?.into_iter();
        let mut renewed = Vec::with_capacity(names.len());
        while names.len() > 0 {
            let part = names.by_ref().take(PART_ITEMS_MAX).collect();
            renewed.extend(self.renew_part(&holder, part).await?);
        }
        Ok(renewed)
    }

    async fn renew_part(
        &self,
        holder: &Arc<TokenHolder>,
        names: Names,
    ) -> Result<Vec<Renewed>, VaultError> {
        let (cache, now_ms) = (self.unlocked_cache(), self.clock().now_ms());
        let pairing = Arc::clone(holder);
        let pairs = self.key_worker().run(move || pairs(&pairing, &cache, names, now_ms)).await??;
        let pairs = Arc::new(pairs);
        let mut renewed = vec![Err(VaultError::Conflict); pairs.len()];
        for round in 0..put::ROUNDS_MAX {
            let is_left = |it: &Renewed| it.as_ref().is_err_and(|it| *it == VaultError::Conflict);
            if !renewed.iter().any(is_left) {
                break;
            }
            if round > 0 {
                tokio::time::sleep(put::PAUSE * round).await;
            }
            renewed = self.renew_round(holder, &pairs, renewed).await?;
        }
        Ok(renewed)
    }

    /// Renews what is not renewed yet, as far as nothing comes between.
    async fn renew_round(
        &self,
        holder: &Arc<TokenHolder>,
        pairs: &Arc<Vec<Pair>>,
        mut renewed: Vec<Renewed>,
    ) -> Result<Vec<Renewed>, VaultError> {
        let tenant = holder.keyring().keyring.tenant;
        let store = self.store(tenant).await?;
        let (mut sight, keys) = (Sight::default(), keys(pairs));
        sight.add(&keys, store.read(keys.clone()).await?);
        let (holder, pairs) = (Arc::clone(holder), Arc::clone(pairs));
        let plan = move || {
            let rows = SurrogateRows { tenant, keys: &holder.keyring().rows };
            let floors = floors(&pairs, rows, &sight)?;
            if !floors.admit(&holder.keyring().keyring) {
                return Err(VaultError::Overloaded);
            }
            let (mut changes, mut places) = (Vec::new(), Vec::new());
            for (at, (pair, renewed)) in pairs.iter().zip(&mut renewed).enumerate() {
                if *renewed != Err(VaultError::Conflict) {
                    continue;
                }
                *renewed = renew(pair, rows, (&sight, &floors)).map(|(issued, change)| {
                    sight.note(&change);
                    places.push(at);
                    changes.push(change);
                    issued
                });
            }
            Ok((renewed, changes, places))
        };
        let (mut renewed, changes, places) = self.key_worker().run(plan).await??;
        let outcomes = store.apply(changes).await?;
        for (at, outcome) in places.into_iter().zip(outcomes) {
            if let (Outcome::PreconditionFailed, Some(it)) = (outcome, renewed.get_mut(at)) {
                *it = Err(VaultError::Conflict);
            }
        }
        Ok(renewed)
    }
}

/// The surrogates that stand for the same values under the newest key.
fn pairs(
    holder: &TokenHolder,
    cache: &UnlockedCache,
    names: Names,
    now_ms: u64,
) -> Result<Vec<Pair>, VaultError> {
    let slots = holder.holder().ok_or(VaultError::Internal)?;
    let classes: BTreeSet<_> = names.iter().flatten().map(Named::class).collect();
    let unlocked = cache.unlock(slots, classes, now_ms);
    let unlocked = unlocked.map_err(|CryptoError| VaultError::Integrity)?;
    let mut forms = PreservedForms::default();
    Ok(names.into_iter().map(|named| pair(named?, &unlocked, &mut forms)).collect())
}

fn pair(named: Named, unlocked: &Unlocked, forms: &mut PreservedForms) -> Pair {
    let keys = unlocked.class(named.class()).ok_or(VaultError::WrongKey)?;
    let new = match &named {
        Named::Ours(_) => None,
        Named::Preserved(old) => {
            let form = (old.info_type, old.format);
            Some(Box::new(forms.of_value(keys, form, &old.value)?))
        }
    };
    Ok((named, new))
}

/// The rows that a renewal looks at.
fn keys(pairs: &[Pair]) -> Vec<StoreKey> {
    let of_pair = |(old, new): &(Named, Option<Box<Preserved>>)| {
        let rows = [Some(old.key()), new.as_ref().map(|new| new.key.clone())];
        let rows = rows.into_iter().flatten().flat_map(|key| [count_key(&key), key]);
        rows.chain([epoch_floor::key(old.class())]).collect::<Vec<_>>()
    };
    let keys: BTreeSet<_> = pairs.iter().flatten().flat_map(of_pair).collect();
    keys.into_iter().collect()
}

fn floors(pairs: &[Pair], rows: SurrogateRows<'_>, sight: &Sight) -> Result<Floors, VaultError> {
    let classes = pairs.iter().flatten().map(|(old, _)| old.class());
    let floors = classes.map(|class| (class, sight.row(&epoch_floor::key(class))));
    Floors::read((rows.tenant, rows.keys), floors)
}

/// The surrogate in its place, and the change under which it is.
fn renew(
    pair: &Pair,
    rows: SurrogateRows<'_>,
    (sight, floors): (&Sight, &Floors),
) -> Result<(IssuedSurrogate, Change), VaultError> {
    let (old, new) = pair.as_ref().map_err(VaultError::clone)?;
    let old_key = old.key();
    old.read(rows, sight.row(&old_key))?;
    let mut change = Change {
        preconditions: vec![sight.unchanged(&old_key), floors.precondition(old.class())],
        writes: Vec::new(),
    };
    let (text, key_version) = match (old, new) {
        (Named::Ours(surrogate), _) => (surrogate.to_string(), None),
        (Named::Preserved(_), None) => return Err(VaultError::Internal),
        (Named::Preserved(old), Some(new)) => {
            if old.key != new.key {
                carry(old, new, rows, (sight, &mut change))?;
            }
            (new.text.clone(), Some(new.key_version))
        }
    };
    Ok((IssuedSurrogate { text, is_replayed: false, key_version }, change))
}

/// Moves what bounds a surrogate to the one in its place, with its count.
fn carry(
    old: &Preserved,
    new: &Preserved,
    rows: SurrogateRows<'_>,
    (sight, change): (&Sight, &mut Change),
) -> Result<(), VaultError> {
    let Some(row) = sight.row(&old.key) else { return Ok(()) };
    let counts = [count_key(&old.key), count_key(&new.key)];
    let seen = [&counts[0], &new.key, &counts[1]];
    change.preconditions.extend(seen.map(|key| sight.unchanged(key)));
    let message: storage::FormatPreserved = rows.decode(&old.key, row)?;
    if let Some(there) = sight.row(&new.key) {
        let there: storage::FormatPreserved = rows.decode(&new.key, there)?;
        let bounds = |row: &storage::FormatPreserved| Facts::try_from(row).map(|it| it.bounds);
        if there.deleted_ms != 0 || bounds(&there)? != bounds(&message)? {
            let text = "the surrogate in its place has other bounds already";
            return Err(Failure::new(ErrorCode::Conflict, text).into());
        }
    }
    let mut uses = None;
    for key in &counts {
        if let Some(row) = sight.row(key) {
            let count: storage::SurrogateCount = rows.decode(key, row)?;
            uses = Some(count.uses.saturating_add(uses.unwrap_or(0)));
        }
    }
    change.writes.push(rows.put(new.key.clone(), &message)?);
    if let Some(uses) = uses {
        let count = storage::SurrogateCount { uses, ..storage::SurrogateCount::default() };
        change.writes.push(rows.put(counts[1].clone(), &count)?);
    }
    change.writes.extend([Write::Remove(old.key.clone()), Write::Remove(counts[0].clone())]);
    Ok(())
}
