//! Gives surrogates for values, durable before the answer.
//!
//! It never returns data and never says whether a value was there before. Of those who ask for one
//! deterministic surrogate at once, one makes it and the others get that one: the change that makes
//! it holds only as long as there is none.

#[cfg(feature = "test-support")]
mod bare;
mod batch;
mod issuer;
mod preserve;

use std::{collections::BTreeSet, sync::Arc};

use tresor_proto::{DataClass, Failure, TenantId};

#[cfg(feature = "test-support")]
pub use self::bare::{BareIssue, IssueLoop};
use self::{batch::Batch, issuer::Issuer};
use super::{
    put,
    sight::Sight,
    sweep::{Coming, Sweeper},
};
use crate::{
    access::{Permit, Tokenize},
    epoch_floor::{self, Floors},
    error::VaultError,
    store::{Change, Store, StoreKey},
    surrogate::{IssuedSurrogate, NewSurrogate},
    vault::Vault,
};

impl Vault {
    /// Gives surrogates for values; one result a value, in order, once it is durable. A value with
    /// an item key that had a random surrogate within a day gets that one.
    ///
    /// # Errors
    /// For all: `overloaded`, `storage_unavailable`. For one: `wrong_key`, `invalid_request` when it
    /// does not fit its format or has expired before it began, `conflict` when its item key was used
    /// for another value, `gone` when the random surrogate it had under its item key has ended or was
    /// deleted.
    pub async fn tokenize(
        &self,
        permit: &Permit<Tokenize>,
        values: Vec<Result<NewSurrogate, Failure>>,
    ) -> Result<Vec<Result<IssuedSurrogate, VaultError>>, VaultError> {
        let mut batch = Batch::new(self.defined(permit.tenant(), values).await?);
        if batch.is_pending() {
            batch = self.tokenize_stored(permit, batch).await?;
        }
        Ok(self.preserve(permit.holder(), batch).await?.into_results())
    }

    /// The values, those of custom info types as the tenant's policies define them.
    async fn defined(
        &self,
        tenant: TenantId,
        mut values: Vec<Result<NewSurrogate, Failure>>,
    ) -> Result<Vec<Result<NewSurrogate, Failure>>, VaultError> {
        let info_types = values.iter().flatten().map(|value| value.options.info_type());
        let customs: BTreeSet<_> = info_types.filter(|it| it.custom().is_some()).collect();
        if customs.is_empty() {
            return Ok(values);
        }
        let customs: Vec<_> = customs.into_iter().collect();
        let defined = self.registry().defined(tenant, &customs).await?;
        for value in &mut values {
            let Ok(NewSurrogate { options, .. }) = value else { continue };
            let told = options.info_type();
            let known = defined.iter().find(|(known, _)| known.as_str() == told.as_str());
            match known {
                Some((known, mask)) => *options = options.defined(*known, *mask),
                None if told.custom().is_some() => {
                    *value = Err(Failure::invalid("info_type", "unknown info type"));
                }
                None => {}
            }
        }
        Ok(values)
    }

    /// Issues the surrogates that have rows.
    async fn tokenize_stored(
        &self,
        permit: &Permit<Tokenize>,
        mut batch: Batch,
    ) -> Result<Batch, VaultError> {
        let classes: Vec<_> = batch.classes().into_iter().collect();
        let holder = self.writing_holder(permit.holder(), &batch.classes()).await?;
        let mut issuer = Arc::new(Issuer {
            tenant: permit.tenant(),
            holder,
            cache: self.unlocked_cache(),
            entropy: self.entropy_arc(),
            now_ms: self.clock().now_ms(),
        });
        let store = self.store(permit.tenant()).await?;
        let coming = Coming { keyed: batch.keyed(), ending: batch.ending() };
        let (tenant, now_ms) = (issuer.tenant, issuer.now_ms);
        let sweeper = Sweeper { tenant, holder: &issuer.holder, store: store.as_ref(), now_ms };
        let mut aside = self.sweeps(&sweeper, coming).await?;
        let mut turn = None;
        for count in 0..put::ROUNDS_MAX {
            if !batch.is_pending() {
                break;
            }
            if count > 0 && turn.is_none() {
                // Others count in the same rows.
                turn = Some(self.turns().take(permit.tenant()).await);
            } else if count > 0 {
                tokio::time::sleep(put::PAUSE * count).await;
            }
            let aside = core::mem::take(&mut aside);
            let place = (store.as_ref(), classes.as_slice());
            let done;
            (batch, done) = self.tokenize_round(&issuer, place, batch, aside).await?;
            if done == Err(VaultError::Conflict) {
                // A key was replaced since; whoever knows it goes on.
                issuer = self.renewed_issuer(&issuer).await?;
                batch.forget_ways();
            } else {
                done?;
            }
        }
        Ok(batch)
    }

    /// Issues what is pending, as far as nothing comes between.
    async fn tokenize_round(
        &self,
        issuer: &Arc<Issuer>,
        (store, classes): (&dyn Store, &[DataClass]),
        batch: Batch,
        aside: Vec<Change>,
    ) -> Result<(Batch, Result<(), VaultError>), VaultError> {
        let (mut batch, mut sight) = self.look(issuer, store, batch).await?;
        let floor_keys = classes.iter().map(|class| epoch_floor::key(*class));
        let keys: Vec<_> = batch.keys(issuer.now_ms).chain(floor_keys).collect();
        sight.add(&keys, store.read(keys.clone()).await?);
        if batch.has_repeats(issuer.now_ms, &sight) {
            (batch, sight) = self.look_at_repeats(issuer, store, (batch, sight)).await?;
        }
        let (issuer, classes) = (Arc::clone(issuer), classes.to_vec());
        let issue = move || {
            let keys = (issuer.tenant, &issuer.holder.keyring().rows);
            let rows = classes.iter().map(|class| (*class, sight.row(&epoch_floor::key(*class))));
            let changes = Floors::read(keys, rows).and_then(|floors| {
                if !floors.admit(&issuer.holder.keyring().keyring) {
                    return Err(VaultError::Conflict);
                }
                issuer.issue(&mut batch, &mut sight, &floors)
            });
            (batch, changes)
        };
        let (mut batch, changes) = self.key_worker().run(issue).await?;
        let done = match changes {
            Ok(mut changes) => {
                changes.extend(aside);
                batch.settle(store.apply(changes).await?);
                Ok(())
            }
            Err(error) => Err(error),
        };
        Ok((batch, done))
    }

    /// Makes what items are found by, and finds the deterministic surrogates there are.
    async fn look(
        &self,
        issuer: &Arc<Issuer>,
        store: &dyn Store,
        mut batch: Batch,
    ) -> Result<(Batch, Sight), VaultError> {
        if batch.needs_preparing() {
            let issuer = Arc::clone(issuer);
            let prepare = move || issuer.prepare(&mut batch).map(|()| batch);
            batch = self.key_worker().run(prepare).await??;
        }
        let mut sight = Sight::default();
        let look_ups: Vec<StoreKey> = batch.look_ups().cloned().collect();
        if look_ups.is_empty() {
            return Ok((batch, sight));
        }
        sight.add(&look_ups, store.read(look_ups.clone()).await?);
        let issuer = Arc::clone(issuer);
        let find = move || {
            issuer.find(&mut batch, &sight);
            (batch, sight)
        };
        self.key_worker().run(find).await
    }

    /// Adds the rows of random surrogates that were given before.
    async fn look_at_repeats(
        &self,
        issuer: &Arc<Issuer>,
        store: &dyn Store,
        (batch, mut sight): (Batch, Sight),
    ) -> Result<(Batch, Sight), VaultError> {
        let issuer = Arc::clone(issuer);
        let find = move || {
            let given = issuer.given_before(&batch, &sight);
            (batch, sight, given)
        };
        let (batch, given);
        (batch, sight, given) = self.key_worker().run(find).await?;
        sight.add(&given, store.read(given.clone()).await?);
        Ok((batch, sight))
    }

    /// An issuer that knows newer keys; `integrity` when there are none, so that the keyring is
    /// older than the database.
    async fn renewed_issuer(&self, issuer: &Issuer) -> Result<Arc<Issuer>, VaultError> {
        let holder = self.renewed(&issuer.holder).await?;
        if Arc::ptr_eq(&holder, &issuer.holder) {
            return Err(VaultError::Integrity);
        }
        Ok(Arc::new(Issuer { holder, ..issuer.clone() }))
    }
}
