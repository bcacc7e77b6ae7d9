//! Stores records: policy, seal, one atomic change a record, durable before the answer.

#[cfg(feature = "test-support")]
mod bare;
mod batch;
mod counted;
mod enforce;
mod exchange;
mod giving;
mod keeping;
mod look;
mod message;
mod round;
mod sealer;

use std::{sync::Arc, time::Duration};

#[cfg(feature = "test-support")]
pub use bare::{OpenLoop, SealLoop};
use tresor_proto::{CollectionName, Failure, TenantId, TokenOperation as Operation};

pub(super) use self::exchange::{Exchange, keys_of, listed};
use self::{batch::Batch, enforce::Rules, look::Part, round::Round, sealer::Sealer};
use super::sweep::{Coming, Sweeper};
use crate::{
    access::{Permit, TokenHolder, Write},
    blind_index::BlindIndex,
    error::VaultError,
    record::{NewRecord, StoredRecord},
    registry::Collection,
    store::Store,
    vault::Vault,
};

/// How often a record is tried when another change came between: of writers that meet at one
/// record, one gets through in each round.
pub(super) const ROUNDS_MAX: u32 = 16;
/// The pause before the second round; each further one is longer by as much.
pub(super) const PAUSE: Duration = Duration::from_millis(2);
/// Rows read at once: 16 MiB at most.
const PART_ITEMS_MAX: usize = 64;

/// Where records go, and under which policy they were screened.
#[derive(Clone, Debug)]
pub struct Destination {
    /// The collection.
    pub collection: CollectionName,
    /// The version of the policy; `None` when the caller did not screen.
    pub policy_version: Option<u64>,
    /// Whether results bring the masks of the sealed fields. They show the values that were sent to
    /// whoever sent them, so that they take no more than writing does.
    pub has_masks: bool,
}

impl Vault {
    /// Stores records; one result a record, in order, once it is durable. A record with an id
    /// that exists is replaced; one that failed to parse keeps its failure. A record with an item
    /// key that was stored within a day is not stored again: it gets the answer of that time.
    ///
    /// # Errors
    /// For all: `not_found` for an unknown collection, `conflict` for an outdated policy version,
    /// `overloaded`, `storage_unavailable`. For one: `rejected_by_policy`, `wrong_key`,
    /// `conflict`, also when its item key was used for another record; `integrity` when the row it
    /// would replace, or its answer, does not authenticate.
    pub async fn put(
        &self,
        permit: &Permit<Write>,
        destination: &Destination,
        records: Vec<Result<NewRecord, Failure>>,
    ) -> Result<Vec<Result<StoredRecord, VaultError>>, VaultError> {
        let tenant = permit.tenant();
        let collection = self.registry().collection(tenant, &destination.collection, None).await?;
        if destination.policy_version.is_some_and(|version| version != collection.policy_version) {
            return Err(VaultError::PolicyOutdated);
        }
        let rules = Rules::new(&collection.policy, destination.policy_version.is_some())
            .tokenizing(permit.holder().may(Operation::Tokenize));
        let mut batch = Batch::new(records, &rules, self.clock().now_ms(), self.entropy())?;
        if destination.has_masks {
            batch.mask(&rules);
        }
        let classes = batch.classes(0, batch.len());
        let holder = self.writing_holder(permit.holder(), &classes).await?;
        let mut sealer = Arc::new(self.sealer(tenant, holder, &collection));
        let store = self.store(tenant).await?;
        let _turn = match batch.is_counted() {
            true => Some(self.turns().take(tenant).await),
            false => None,
        };
        let coming = Coming { keyed: batch.keyed(), ending: batch.ending() };
        let now_ms = sealer.now_ms;
        let sweeper = Sweeper { tenant, holder: &sealer.holder, store: store.as_ref(), now_ms };
        let mut round = Round::with_aside(self.sweeps(&sweeper, coming).await?);
        if coming.keyed > 0 {
            batch = self.mark(&sealer, batch).await?;
        }
        for count in 0..ROUNDS_MAX {
            if !batch.is_pending() {
                break;
            }
            if count > 0 {
                tokio::time::sleep(PAUSE * count).await;
            }
            let round = core::mem::take(&mut round);
            batch = self.put_round(&mut sealer, store.as_ref(), batch, round).await?;
        }
        Ok(batch.into_results())
    }

    /// Makes the marks on a key thread: they take the keys of a customer token.
    async fn mark(&self, sealer: &Arc<Sealer>, mut batch: Batch) -> Result<Batch, VaultError> {
        let sealer = Arc::clone(sealer);
        self.key_worker().run(move || sealer.mark(&mut batch).map(|()| batch)).await?
    }

    /// Seals and stores what is pending, part by part, so that memory stays bounded whatever the
    /// rows are that it replaces.
    async fn put_round(
        &self,
        sealer: &mut Arc<Sealer>,
        store: &dyn Store,
        mut batch: Batch,
        mut round: Round,
    ) -> Result<Batch, VaultError> {
        let mut from = 0;
        while from < batch.len() {
            let to = batch.end_of_part(from, PART_ITEMS_MAX);
            let classes = batch.classes(from, to);
            let rows = store.read(sealer.keys(&batch, (from, to), &classes)).await?;
            let part = Part { batch, round, rows, range: from..to };
            let part = self.look_at_surrogates(sealer, store, part).await?;
            let part_sealer = Arc::clone(sealer);
            let seal = move || {
                let Part { mut batch, mut round, rows, range } = part;
                let rows = part_sealer.part_rows(&classes, rows);
                let seal = |rows| part_sealer.seal_part(&mut batch, &mut round, range, &rows);
                let sealed = rows.and_then(seal);
                (batch, round, sealed)
            };
            let sealed;
            (batch, round, sealed) = self.key_worker().run(seal).await?;
            if sealed == Err(VaultError::Conflict) {
                // A data key was replaced since; whoever knows it goes on.
                *sealer = self.renewed_sealer(sealer).await?;
                continue;
            }
            sealed?;
            from = to;
            if round.is_full() || from >= batch.len() {
                batch.settle(store.apply(round.take()).await?);
            }
        }
        Ok(batch)
    }

    /// A sealer that knows newer keys; `integrity` when there are none, so that the keyring is older
    /// than the database.
    async fn renewed_sealer(&self, sealer: &Sealer) -> Result<Arc<Sealer>, VaultError> {
        let holder = self.renewed(&sealer.holder).await?;
        if Arc::ptr_eq(&holder, &sealer.holder) {
            return Err(VaultError::Integrity);
        }
        Ok(Arc::new(Sealer { holder, ..sealer.clone() }))
    }

    fn sealer(
        &self,
        tenant: TenantId,
        holder: Arc<TokenHolder>,
        collection: &Collection,
    ) -> Sealer {
        Sealer {
            tenant,
            collection: collection.name.clone(),
            policy_version: collection.policy_version,
            indexes: BlindIndex::all_of(collection).into(),
            holder,
            cache: self.unlocked_cache(),
            entropy: self.entropy_arc(),
            now_ms: self.clock().now_ms(),
        }
    }
}
