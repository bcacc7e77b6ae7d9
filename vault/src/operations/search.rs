//! Finds records by sealed values: leap through the entries of blind indexes, then verify, open and
//! compare what they lead to.
//!
//! It promises that nothing is found but records whose verified rows list the entries and whose
//! values, opened with the customer token, are the ones asked for; that a page does a bounded amount
//! of work; and that pages miss nothing that was there all the time and repeat nothing. That an
//! entry was taken away by a database writer it cannot tell.

mod leapfrog;
mod paging;
mod query;

use std::sync::Arc;

use leapfrog::{Leap, Leapfrog};
pub use paging::SearchPaging;
use query::{IndexedTerm, Query, Seeker, indexed};
use tresor_proto::{Content, FieldName, RecordId};

use super::{
    Reader,
    get::{check_reveal, read_rows},
};
use crate::{
    access::{Permit, Search},
    budget::BudgetKind,
    epoch_floor,
    error::VaultError,
    mask::FieldMasks,
    policy_floor::{self, PolicyFloor},
    record::{RevealedRecord, View},
    store::{Store, StoreKey},
    vault::Vault,
};

/// Records of one call that are opened to see whether they are what is sought, and a page more.
const CANDIDATES_MAX: usize = 1_024;

/// How often a page is found when identifier keys were replaced meanwhile.
const ROUNDS_MAX: usize = 4;

/// A field that is to have a value.
#[derive(Debug)]
pub struct SearchTerm {
    /// The field, which the collection's policy calls searchable.
    pub field: FieldName,
    /// The value.
    pub content: Content,
}

/// One page of what was found.
#[derive(Debug)]
pub struct FoundPage {
    /// The records, in the order of their ids; for one that does not authenticate, that.
    pub items: Vec<(RecordId, Result<RevealedRecord, VaultError>)>,
    /// Where the next page begins: after this id; `None` on the last page.
    pub next: Option<RecordId>,
    /// Whether every record of the collection could be found.
    pub is_index_complete: bool,
}

/// What a search is made with.
#[derive(Clone, Copy)]
struct Ground<'a> {
    permit: &'a Permit<Search>,
    view: &'a View,
    masks: &'a FieldMasks,
    store: &'a dyn Store,
}

/// An id with its record, or why it is not shown.
type Item = (RecordId, Result<RevealedRecord, VaultError>);

/// The keys of the floors that a search hangs on: that of the policy, and those of its classes.
fn keys_of_floors(view: &View, terms: &[IndexedTerm]) -> Vec<StoreKey> {
    let policy = policy_floor::key(&view.collection);
    let classes = terms.iter().map(|term| epoch_floor::key(term.class()));
    core::iter::once(policy).chain(classes).collect()
}

impl Vault {
    /// Finds up to `limit` records after `after` that have all the values of `terms`, in the order
    /// of their ids. A page may have fewer and not be the last.
    ///
    /// # Errors
    /// `invalid_request` for a field that is not searchable, and for a value that is empty;
    /// `not_found` for an unknown collection; `wrong_key` when the customer token does not open the
    /// class of a field; `rate_limited` when the tenant's searches or reveals are spent; otherwise as
    /// [`Vault::get`].
    pub async fn search(
        &self,
        permit: &Permit<Search>,
        view: &View,
        terms: &[SearchTerm],
        (after, limit): (Option<&RecordId>, usize),
    ) -> Result<FoundPage, VaultError> {
        check_reveal(permit, view)?;
        let tenant = permit.tenant();
        let collection = self.registry().collection(tenant, &view.collection, None).await?;
        let masks = FieldMasks::of(&collection.policy);
        let terms: Arc<[_]> = indexed(&collection, terms)?.into();
        self.take_search(permit)?;
        let store = self.store(tenant).await?;
        let ground = Ground { permit, view, masks: &masks, store: store.as_ref() };
        for _ in 0..ROUNDS_MAX {
            let (query, floors) = self.query(ground, &terms).await?;
            let grant = self.grant_reveals(permit, view, limit)?;
            let page = self.find(ground, &query, after, limit.min(grant.granted())).await?;
            // Entries may have moved under a key that was not known when the query was made.
            if ground.store.read(keys_of_floors(view, &terms)).await? == floors {
                grant.keep(page.items.iter().filter(|(_, record)| record.is_ok()).count());
                return Ok(page);
            }
        }
        Err(VaultError::Overloaded)
    }

    /// Makes a query with all keys there are, and gives the floors that were read before.
    async fn query(
        &self,
        Ground { permit, view, store, .. }: Ground<'_>,
        terms: &Arc<[IndexedTerm]>,
    ) -> Result<(Query, Vec<Option<Vec<u8>>>), VaultError> {
        let floors = store.read(keys_of_floors(view, terms)).await?;
        let holder = self.renewed(permit.holder()).await?;
        let (cache, now_ms) = (self.unlocked_cache(), self.clock().now_ms());
        let seeker = Seeker { holder, cache, now_ms };
        let (collection, terms) = (view.collection.clone(), Arc::clone(terms));
        let query = move || {
            let keys = (seeker.holder.keyring().keyring.tenant, &seeker.holder.keyring().rows);
            let floor = floors.first().and_then(Option::as_deref);
            let floor = PolicyFloor::read(keys, &collection, floor)?;
            Ok((Query::of(&seeker, &floor, &terms)?, floors))
        };
        self.key_worker().run(query).await?
    }

    /// Takes one search of a tenant's budget.
    fn take_search(&self, permit: &Permit<Search>) -> Result<(), VaultError> {
        let whose = (permit.tenant(), BudgetKind::Searches);
        let now_ms = self.clock().now_ms();
        self.budgets().grant(whose, permit.limits(), 1, now_ms).or_refused().map(drop)
    }

    /// Leaps to candidates and shows those that are what is sought, until the page is full.
    async fn find(
        &self,
        ground: Ground<'_>,
        query: &Query,
        after: Option<&RecordId>,
        limit: usize,
    ) -> Result<FoundPage, VaultError> {
        let terms = query.sought.iter().map(|sought| sought.entries.as_slice());
        let mut leapfrog = Leapfrog::new(ground.store, terms);
        let (mut items, mut next, mut candidates_left) =
            (Vec::new(), after.cloned(), CANDIDATES_MAX);
        while items.len() < limit && candidates_left > 0 {
            let mut candidates = Vec::new();
            let leap = loop {
                match leapfrog.next(next.as_ref()).await? {
                    Leap::Found(id) if items.len() + candidates.len() < limit => {
                        next = Some(id.clone());
                        candidates.push(id);
                    }
                    leap @ (Leap::Found(_) | Leap::End | Leap::Tired(_)) => break leap,
                }
            };
            candidates_left = candidates_left.saturating_sub(candidates.len());
            items.extend(self.show_found(ground, query, candidates).await?);
            match leap {
                Leap::Found(_) => {}
                Leap::End => {
                    next = None;
                    break;
                }
                Leap::Tired(passed) => {
                    next = passed;
                    break;
                }
            }
        }
        Ok(FoundPage { items, next, is_index_complete: query.is_index_complete })
    }

    /// Shows the candidates that hold what is sought; what was deleted, has expired or is something
    /// else was not found.
    async fn show_found(
        &self,
        Ground { permit, view, masks, store }: Ground<'_>,
        query: &Query,
        candidates: Vec<RecordId>,
    ) -> Result<Vec<Item>, VaultError> {
        let reader = self.reader(permit, view, masks.clone())?;
        let reader = Reader { sought: query.sought.clone(), ..reader };
        let rows = read_rows(store, view, &candidates).await?;
        let shown = self.show(store, reader, candidates.clone(), rows).await?;
        let is_found =
            |(_, record): &Item| !matches!(record, Err(VaultError::NotFound | VaultError::Gone));
        Ok(candidates.into_iter().zip(shown).filter(is_found).collect())
    }
}
