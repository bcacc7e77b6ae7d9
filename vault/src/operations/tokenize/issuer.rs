//! Issues surrogates: what items are found by, then what becomes of them. Pure work, run on a key
//! thread.

use std::sync::Arc;

use tresor_proto::{Surrogate, SurrogateFormat, SurrogateKind, TenantId, storage};

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
        preserved_forms::PreservedForms,
        rows::{Facts, SurrogateRows, count_key, row_key},
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
            match prepared(value, &request_key, &unlocked, &mut look_ups) {
                Ok((mark, way)) => (item.mark, item.way) = (mark, way),
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

    /// The rows of the random surrogates that pending items got when they came before. What cannot be
    /// recalled is refused when it is issued.
    pub(super) fn given_before(&self, batch: &Batch, sight: &Sight) -> Vec<StoreKey> {
        let given = |(item, value): (&Item, &NewSurrogate)| {
            let mark = item.mark.as_ref().filter(|_| is_random(value))?;
            match self.recall(mark, sight).ok()? {
                Recalled::Answer(answer, _) => self.row_of(&answer).ok(),
                Recalled::Nothing(_) => None,
            }
        };
        let keys = batch.pending().filter_map(given);
        sight.unseen(keys.flat_map(|key| [count_key(&key), key]).collect())
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
        let maker = Maker { keyring, unlocked, floors, draws, now_ms };
        let mut workshop = Workshop { maker, forms: PreservedForms::default() };
        let mut changes = Vec::with_capacity(pending);
        for item in batch.pending_mut() {
            let issued = self.issue_one(item, &mut workshop, sight);
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

    /// Gives a value its surrogate, if its name does not stand for something else.
    fn issue_one(&self, item: &Item, workshop: &mut Workshop<'_>, sight: &Sight) -> Issued {
        let State::Pending(value) = &item.state else { return Err(VaultError::Internal) };
        let Some(mark) = &item.mark else { return workshop.issue(value, &item.way, sight) };
        match self.recall(mark, sight)? {
            Recalled::Answer(answer, mut still) if is_random(value) => {
                let key = self.row_of(&answer)?;
                self.check_there(&key, sight)?;
                still.preconditions.push(Precondition::Present(key));
                let issued = IssuedSurrogate::with_row(answer.surrogate);
                Ok((IssuedSurrogate { is_replayed: true, ..issued }, still))
            }
            // Of the other kinds a repeat comes to the same, or to what stands in its place now.
            Recalled::Answer(_, still) => {
                let (issued, change) = workshop.issue(value, &item.way, sight)?;
                Ok((IssuedSurrogate { is_replayed: true, ..issued }, change.after(still)))
            }
            Recalled::Nothing(before) => {
                let (issued, change) = workshop.issue(value, &item.way, sight)?;
                let mut change = change.after(before);
                let text = if is_random(value) { issued.text.clone() } else { String::new() };
                change.writes.push(mark.keep(self.desk(), idempotency::of_surrogate(text))?);
                Ok((issued, change))
            }
        }
    }

    /// What is known of a request.
    fn recall(&self, mark: &RequestMark, sight: &Sight) -> Result<Recalled, VaultError> {
        let places = mark.places(self.now_ms);
        mark.recall(self.desk(), &places.each_ref().map(|key| sight.row(key)))
    }

    /// The row of the surrogate that was answered.
    fn row_of(&self, answer: &storage::GivenAnswer) -> Result<StoreKey, VaultError> {
        let surrogate = Surrogate::parse(self.tenant, &answer.surrogate);
        Ok(row_key(&surrogate.map_err(|_| VaultError::Integrity)?.id()))
    }

    /// Makes sure that a surrogate that was given before still leads to its value: `gone` when it was
    /// deleted, has expired or is used up. To make another would undo that.
    fn check_there(&self, key: &StoreKey, sight: &Sight) -> Result<(), VaultError> {
        let row = sight.row(key).ok_or(VaultError::Gone)?;
        let Facts { bounds, .. } = Facts::try_from(&self.rows().decode(key, row)?)?;
        let count = count_key(key);
        let uses = match sight.row(&count) {
            Some(row) => self.rows().decode::<storage::SurrogateCount>(&count, row)?.uses,
            None => 0,
        };
        let has_ended = bounds.has_expired(self.now_ms) || bounds.is_used_up(uses);
        if has_ended { Err(VaultError::Gone) } else { Ok(()) }
    }

    fn desk(&self) -> AnswerDesk<'_> {
        AnswerDesk { tenant: self.tenant, rows: self.rows().keys, now_ms: self.now_ms }
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

/// What makes surrogates of all kinds.
struct Workshop<'a> {
    maker: Maker<'a>,
    forms: PreservedForms,
}

impl Workshop<'_> {
    /// Gives a value its surrogate.
    fn issue(&mut self, value: &NewSurrogate, way: &Way, sight: &Sight) -> Issued {
        match (way, value.options.form().kind.format()) {
            (Way::Deterministic { look_up, .. }, _) => {
                find_or_make(&mut self.maker, value, look_up, sight)
            }
            (Way::Unknown | Way::Made, Some(format)) => self.preserve(value, format),
            (Way::Unknown | Way::Made, None) => make(&mut self.maker, value, None),
        }
    }

    /// Makes a surrogate that looks like its value. Like the others it holds only while no key was
    /// replaced: it would be given out under one that is destroyed.
    fn preserve(&mut self, value: &NewSurrogate, format: SurrogateFormat) -> Issued {
        let info_type = value.options.info_type();
        let keys = self.maker.unlocked.class(info_type.class()).ok_or(VaultError::WrongKey)?;
        let issued = self.forms.of_value(keys, (info_type, format), &value.content)?;
        let preconditions = vec![self.maker.floors.precondition(info_type.class())];
        Ok((issued, Change { preconditions, writes: Vec::new() }))
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
    let issued = IssuedSurrogate::with_row(surrogate.to_string());
    Ok((issued, Change { preconditions, writes }))
}

fn make(maker: &mut Maker<'_>, value: &NewSurrogate, look_up: Option<&StoreKey>) -> Issued {
    let found_at = look_up.map(|look_up| FoundAt { look_up, is_held: false });
    let (surrogate, change) = maker.make(&value.content, &value.options, found_at)?;
    Ok((IssuedSurrogate::with_row(surrogate.to_string()), change))
}

/// What an item is recognised by when it is repeated, and how it comes to its surrogate.
fn prepared(
    value: &NewSurrogate,
    request_key: &RequestKey,
    unlocked: &Unlocked,
    look_ups: &mut LookUps,
) -> Result<(Option<RequestMark>, Way), VaultError> {
    let NewSurrogate { content, options, item_key } = value;
    let keys = unlocked.class(options.info_type().class()).ok_or(VaultError::WrongKey)?;
    let mark = |item_key| RequestMark::of_value(request_key, item_key, value);
    let mark = item_key.as_ref().map(mark).transpose()?;
    let way = match options.form().kind {
        SurrogateKind::Deterministic => {
            let look_up = look_ups.places(keys, Scope::from(options), content)?;
            Way::Deterministic { look_up, found: None, is_doubted: false }
        }
        SurrogateKind::Random | SurrogateKind::FormatPreserving(_) => Way::Made,
    };
    Ok((mark, way))
}

fn is_random(value: &NewSurrogate) -> bool {
    value.options.form().kind == SurrogateKind::Random
}
