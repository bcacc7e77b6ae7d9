//! Issues surrogates: what items are found by, then what becomes of them. Pure work, run on a key
//! thread.

use std::sync::Arc;

use tresor_proto::{Surrogate, SurrogateKind, TenantId, storage};

use super::batch::{Batch, Item, State, Way};
use crate::{
    access::TokenHolder,
    crypto_error::CryptoError,
    entropy::Entropy,
    epoch_floor::Floors,
    error::VaultError,
    idempotency::{self, AnswerDesk, Recalled, RequestMark},
    key::RequestKey,
    operations::sight::Sight,
    store::{Change, Precondition, StoreKey},
    surrogate::{
        IssuedSurrogate, NewSurrogate,
        look_up::{LookUpPlaces, LookUps, Scope},
        maker::{Draws, FoundAt, Maker},
        rows::{SurrogateRows, count_key, row_key},
    },
    unlocked::{Unlocked, UnlockedCache},
};

/// What is needed to issue surrogates of one call.
#[derive(Clone)]
pub(super) struct Issuer {
    pub(super) tenant: TenantId,
    pub(super) holder: Arc<TokenHolder>,
    pub(super) cache: Arc<UnlockedCache>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) now_ms: u64,
}

/// What an item becomes: its answer, and the change under which it holds.
pub(super) type Issued = Result<(IssuedSurrogate, Change), VaultError>;

impl Issuer {
    /// Makes what the pending items are found by; settles those for which it cannot be made.
    pub(super) fn prepare(&self, batch: &mut Batch) -> Result<(), VaultError> {
        let unlocked = self.unlock(batch)?;
        let request_key = self.holder.request_key()?;
        let mut look_ups = LookUps::default();
        for item in batch.pending_mut() {
            let State::Pending(value) = &item.state else { continue };
            match way(value, &request_key, &unlocked, &mut look_ups) {
                Ok(way) => item.way = way,
                Err(error) => item.answer(Err(error)),
            }
        }
        Ok(())
    }

    /// Finds the deterministic surrogates there are; settles those whose look-up does not
    /// authenticate.
    pub(super) fn find(&self, batch: &mut Batch, sight: &Sight) {
        for item in batch.pending_mut() {
            let Way::Deterministic { look_up, found, .. } = &mut item.way else { continue };
            match look_up.found(self.rows(), |key| sight.row(key)) {
                Ok(place) => *found = place.map(|(id, _)| id),
                Err(error) => item.answer(Err(error)),
            }
        }
    }

    /// Issues the pending items over what is there; one change for each that is to be stored, in
    /// order.
    pub(super) fn issue(
        &self,
        batch: &mut Batch,
        sight: &mut Sight,
        floors: &Floors,
    ) -> Result<Vec<Change>, VaultError> {
        let (keyring, now_ms) = (self.holder.keyring(), self.now_ms);
        let pending = batch.pending().count();
        let draws = Draws::new(self.entropy.as_ref(), pending)?;
        let unlocked = self.unlock(batch)?;
        let mut maker = Maker { keyring, unlocked, floors, draws, now_ms };
        let mut changes = Vec::with_capacity(pending);
        for item in batch.pending_mut() {
            let issued = self.issue_one(item, &mut maker, sight);
            let answer = issued.map(|(issued, change)| {
                if !matches!(item.way, Way::Unknown) {
                    sight.note(&change);
                }
                changes.push(change);
                issued
            });
            item.answer(answer);
        }
        Ok(changes)
    }

    fn issue_one(&self, item: &Item, maker: &mut Maker<'_>, sight: &Sight) -> Issued {
        let State::Pending(value) = &item.state else { return Err(VaultError::Internal) };
        match &item.way {
            Way::Unknown => make(maker, value, None),
            Way::Repeated(mark) => self.repeat(maker, value, mark, sight),
            Way::Deterministic { look_up, .. } => find_or_make(maker, value, look_up, sight),
        }
    }

    /// Gives the answer given before, or makes a surrogate now.
    fn repeat(
        &self,
        maker: &mut Maker<'_>,
        value: &NewSurrogate,
        mark: &RequestMark,
        sight: &Sight,
    ) -> Issued {
        let places = mark.places(self.now_ms);
        let rows = places.each_ref().map(|key| sight.row(key));
        let desk = AnswerDesk { tenant: self.tenant, rows: self.rows().keys, now_ms: self.now_ms };
        match mark.recall(desk, &rows)? {
            Recalled::Answer(answer, still) => {
                let issued = IssuedSurrogate { is_replayed: true, ..issued(answer.surrogate) };
                Ok((issued, still))
            }
            Recalled::Nothing(before) => {
                let keep = |text| mark.keep(desk, idempotency::of_surrogate(text));
                let (issued, mut change) = make(maker, value, None)?;
                change.preconditions.extend(before.preconditions);
                change.writes.extend(before.writes);
                change.writes.push(keep(issued.text.clone())?);
                Ok((issued, change))
            }
        }
    }

    pub(super) fn rows(&self) -> SurrogateRows<'_> {
        SurrogateRows { tenant: self.tenant, keys: &self.holder.keyring().rows }
    }

    fn unlock(&self, batch: &Batch) -> Result<Unlocked, VaultError> {
        let holder = self.holder.holder().ok_or(VaultError::Internal)?;
        let unlocked = self.cache.unlock(holder, batch.classes(), self.now_ms);
        unlocked.map_err(|CryptoError| VaultError::Integrity)
    }
}

/// Gives the surrogate that is looked up, which stays from now on, or makes it.
fn find_or_make(
    maker: &mut Maker<'_>,
    value: &NewSurrogate,
    look_up: &LookUpPlaces,
    sight: &Sight,
) -> Issued {
    let mut preconditions: Vec<_> = look_up.iter().map(|key| sight.unchanged(key)).collect();
    let found = look_up.found(maker.rows(), |key| sight.row(key))?;
    // A look-up whose surrogate was damaged and deleted leads nowhere.
    let Some((id, _)) = found.filter(|(id, _)| !sight.lacks(&row_key(id))) else {
        let (issued, mut change) = make(maker, value, Some(&look_up.newest))?;
        change.preconditions.append(&mut preconditions);
        return Ok((issued, change));
    };
    let (key, mut writes) = (row_key(&id), Vec::new());
    let count_key = count_key(&key);
    preconditions.push(Precondition::Present(key));
    if let Some(row) = sight.row(&count_key) {
        let count: storage::SurrogateCount = maker.rows().decode(&count_key, row)?;
        if !count.is_pinned {
            preconditions.push(sight.unchanged(&count_key));
            let pinned = storage::SurrogateCount { is_pinned: true, ..count };
            writes.push(maker.rows().put(count_key, &pinned)?);
        }
    }
    let surrogate = Surrogate::new(maker.tenant(), value.options.info_type(), id);
    Ok((issued(surrogate.to_string()), Change { preconditions, writes }))
}

fn make(maker: &mut Maker<'_>, value: &NewSurrogate, look_up: Option<&StoreKey>) -> Issued {
    let found_at = look_up.map(|look_up| FoundAt { look_up, is_held: false });
    let (surrogate, change) = maker.make(&value.content, &value.options, found_at)?;
    Ok((issued(surrogate.to_string()), change))
}

fn issued(text: String) -> IssuedSurrogate {
    IssuedSurrogate { text, is_replayed: false, key_version: None }
}

/// What an item is found by.
fn way(
    value: &NewSurrogate,
    request_key: &RequestKey,
    unlocked: &Unlocked,
    look_ups: &mut LookUps,
) -> Result<Way, VaultError> {
    let NewSurrogate { content, options, item_key } = value;
    let (info_type, form) = (options.info_type(), options.form());
    let keys = unlocked.class(info_type.class()).ok_or(VaultError::WrongKey)?;
    match (form.kind, item_key) {
        (SurrogateKind::Random, None) => Ok(Way::Unknown),
        (SurrogateKind::Random, Some(item_key)) => {
            Ok(Way::Repeated(RequestMark::of_value(request_key, item_key, value)?))
        }
        (SurrogateKind::Deterministic, _) => {
            let look_up = look_ups.places(keys, Scope::from(options), content)?;
            Ok(Way::Deterministic { look_up, found: None, is_doubted: false })
        }
        // Nothing finds it: it has no row.
        (SurrogateKind::FormatPreserving(_), _) => Err(VaultError::Internal),
    }
}
