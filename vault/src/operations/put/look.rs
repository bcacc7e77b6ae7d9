//! Looks at the rows of surrogates before a part is sealed: what is looked up, what is counted, and
//! what the replaced records hold.
//!
//! It promises that sealing sees every row it counts in, and costs nothing where there is neither a
//! deterministic surrogate nor a record to replace. It relies on the preconditions of the changes
//! for what happens in between.

use std::{ops::Range, sync::Arc};

use tresor_proto::SurrogateKind;

use super::{
    batch::{Batch, Item, State},
    exchange,
    round::Round,
    sealer::{Found, Sealer},
};
use crate::{
    error::VaultError,
    operations::record_key,
    record::NewField,
    store::{Store, StoreKey},
    surrogate::look_up::{LookUpPlaces, LookUps, Scope},
    vault::Vault,
};

/// A part that is to be sealed, and the rows of its items' keys.
pub(super) struct Part {
    pub(super) batch: Batch,
    pub(super) round: Round,
    pub(super) rows: Vec<Option<Vec<u8>>>,
    pub(super) range: Range<usize>,
}

/// The rows that a part counts in.
#[derive(Default)]
struct Wanted {
    /// Those of surrogates that are held already.
    held: Vec<StoreKey>,
    /// Where deterministic ones are looked up.
    look_ups: Vec<StoreKey>,
}

impl Vault {
    /// Adds the rows that a part counts in to the sight of its round.
    pub(super) async fn look_at_surrogates(
        &self,
        sealer: &Arc<Sealer>,
        store: &dyn Store,
        mut part: Part,
    ) -> Result<Part, VaultError> {
        if !part.counts() {
            return Ok(part);
        }
        let (first, second) = (Arc::clone(sealer), Arc::clone(sealer));
        let wanted;
        (part, wanted) = self
            .key_worker()
            .run(move || {
                let wanted = first.wanted(&part);
                (part, wanted)
            })
            .await?;
        part.see(store, wanted.held.into_iter().chain(wanted.look_ups.clone())).await?;
        if wanted.look_ups.is_empty() {
            return Ok(part);
        }
        let found;
        (part, found) = self
            .key_worker()
            .run(move || {
                let found = second.found(&part, &wanted.look_ups);
                (part, found)
            })
            .await?;
        part.see(store, found.into_iter()).await?;
        Ok(part)
    }
}

impl Part {
    /// Whether there is anything to look at.
    fn counts(&self) -> bool {
        let mut items = self.batch.pending(self.range.start, self.range.end);
        self.rows.iter().any(Option::is_some) || items.any(Item::is_counted)
    }

    async fn see(
        &mut self,
        store: &dyn Store,
        keys: impl Iterator<Item = StoreKey>,
    ) -> Result<(), VaultError> {
        let keys = self.round.sight.unseen(keys.collect());
        if keys.is_empty() {
            return Ok(());
        }
        let rows = store.read(keys.clone()).await?;
        self.round.sight.add(&keys, rows);
        Ok(())
    }
}

impl Sealer {
    /// What the pending items count in. One for which that cannot be told is refused when it is
    /// sealed.
    fn wanted(&self, part: &Part) -> Wanted {
        let (mut wanted, mut look_ups) = (Wanted::default(), LookUps::default());
        let mut rows = part.rows.iter().map(Option::as_deref);
        for item in part.batch.pending(part.range.start, part.range.end) {
            let found = Found::take(&mut rows, item);
            let key = record_key(&self.collection, &item.id);
            let old = found.row.and_then(|row| self.verified(&key, row).ok());
            let held = old.iter().flat_map(exchange::listed);
            wanted.held.extend(
                held.flat_map(|held| exchange::keys_of(&self.surrogate_rows(), &held.text)),
            );
            self.look_ups(item, &mut look_ups, &mut wanted.look_ups);
        }
        wanted
    }

    /// Where the deterministic surrogates of an item are looked up.
    fn look_ups(&self, item: &Item, look_ups: &mut LookUps, wanted: &mut Vec<StoreKey>) {
        let State::Pending(record) = &item.state else { return };
        for field in record.fields().iter().filter_map(NewField::tokenized) {
            if field.form.kind != SurrogateKind::Deterministic {
                continue;
            }
            let class = field.info_type.class();
            let Ok(unlocked) = self.unlock([class]) else { continue };
            let Some(keys) = unlocked.class(class) else { continue };
            let places = look_ups.places(keys, Scope::from(&field), field.content);
            wanted.extend(places.iter().flat_map(LookUpPlaces::iter).cloned());
        }
    }

    /// The rows of the surrogates that were found.
    fn found(&self, part: &Part, look_ups: &[StoreKey]) -> Vec<StoreKey> {
        let sight = &part.round.sight;
        let found = look_ups.iter().filter_map(|key| {
            let found = self.surrogate_rows().found(key, sight.row(key));
            found.ok().flatten()
        });
        found.flat_map(|id| exchange::keys_of_id(&id)).collect()
    }
}
