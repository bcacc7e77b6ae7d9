//! A batch on its way: each item pending, being stored, or settled.

use std::collections::{BTreeSet, HashMap};

use tresor_proto::{CollectionName, DataClass, Failure, RecordId, SurrogateKind};
use uuid::Builder;

use super::enforce::Rules;
use crate::{
    crypto_error::CryptoError,
    entropy::Entropy,
    error::VaultError,
    idempotency::RequestMark,
    key::RequestKey,
    record::{FieldMask, ItemKey, NewField, NewRecord, StoredRecord},
    store::Outcome,
};

/// Random bytes of a UUIDv7.
const ID_RANDOM_BYTES: usize = 10;

/// The items of a put, in order.
pub(super) struct Batch {
    items: Vec<Item>,
    /// How many changes have been applied.
    applied: usize,
}

/// One item.
pub(super) struct Item {
    /// Its id: the caller's or ours.
    pub(super) id: RecordId,
    /// What it is recognised by when it is repeated.
    pub(super) mark: Option<RequestMark>,
    /// What is told of its sealed fields once it is stored.
    masks: Vec<FieldMask>,
    /// The number of its change among those applied; 0 while it is not.
    applied_as: usize,
    pub(super) state: State,
}

/// Where an item is.
pub(super) enum State {
    /// To be sealed.
    Pending(NewRecord),
    /// Handed to the store, with the answer once it is durable.
    Stored(NewRecord, StoredRecord),
    /// Stored and durable, or refused.
    Settled(Result<StoredRecord, VaultError>),
}

impl Batch {
    /// Holds each record against the rules and gives those without an id a UUIDv7.
    pub(super) fn new(
        records: Vec<Result<NewRecord, Failure>>,
        rules: &Rules<'_>,
        now_ms: u64,
        entropy: &dyn Entropy,
    ) -> Result<Self, VaultError> {
        let mut uuids = vec![0; records.len() * ID_RANDOM_BYTES];
        entropy.fill(&mut uuids).map_err(|CryptoError| VaultError::Internal)?;
        let item = |(parsed, random): (Result<NewRecord, Failure>, &[u8])| {
            let made = make_id(now_ms, random);
            let admitted = parsed.map_err(VaultError::from).and_then(|mut record| {
                rules.enforce(&mut record)?;
                Ok(record)
            });
            let (id, state) = match admitted {
                Err(error) => (made, State::Settled(Err(error))),
                Ok(record) => (record.id().cloned().unwrap_or(made), State::Pending(record)),
            };
            Item { id, mark: None, masks: Vec::new(), applied_as: 0, state }
        };
        let uuids = uuids.chunks(ID_RANDOM_BYTES);
        Ok(Self { items: records.into_iter().zip(uuids).map(item).collect(), applied: 0 })
    }

    /// Makes the masks of the pending items.
    pub(super) fn mask(&mut self, rules: &Rules<'_>) {
        for item in &mut self.items {
            if let State::Pending(record) = &item.state {
                item.masks = rules.masks(record);
            }
        }
    }

    /// How many items come with an idempotency key.
    pub(super) fn keyed(&self) -> usize {
        self.items.iter().filter(|item| item.item_key().is_some()).count()
    }

    /// How many surrogates with an end they bring.
    pub(super) fn ending(&self) -> usize {
        self.items.iter().map(Item::ending).sum()
    }

    /// Whether there is anything left to seal.
    pub(super) fn is_pending(&self) -> bool {
        self.items.iter().any(Item::is_pending)
    }

    /// The place of the `count`th pending item from `from` on, where the next part begins.
    pub(super) fn end_of_part(&self, from: usize, count: usize) -> usize {
        let pending =
            self.items.iter().enumerate().skip(from).filter(|(_, item)| item.is_pending());
        pending.take(count).last().map_or(self.items.len(), |(at, _)| at + 1)
    }

    /// The pending items of a part, in order.
    pub(super) fn pending(&self, from: usize, to: usize) -> impl Iterator<Item = &Item> {
        let part = self.items.get(from..to).unwrap_or_default();
        part.iter().filter(|item| item.is_pending())
    }

    /// The pending items of a part, in order.
    pub(super) fn pending_mut(
        &mut self,
        from: usize,
        to: usize,
    ) -> impl Iterator<Item = &mut Item> {
        let part = self.items.get_mut(from..to).unwrap_or_default();
        part.iter_mut().filter(|item| item.is_pending())
    }

    /// The classes of the pending items of a part.
    pub(super) fn classes(&self, from: usize, to: usize) -> BTreeSet<DataClass> {
        let records = self.pending(from, to).filter_map(|item| match &item.state {
            State::Pending(record) => Some(record),
            State::Stored(..) | State::Settled(_) => None,
        });
        records.flat_map(NewRecord::fields).filter_map(NewField::class).collect()
    }

    /// Whether any pending item is counted in rows that others count in too.
    pub(super) fn is_counted(&self) -> bool {
        self.items.iter().any(Item::is_counted)
    }

    /// How many items there are.
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// Takes what became of the items handed to the store, in order.
    pub(super) fn settle(&mut self, outcomes: Vec<Outcome>) {
        let stored = self.items.iter_mut().filter(|item| matches!(item.state, State::Stored(..)));
        for (item, outcome) in stored.zip(outcomes) {
            self.applied += 1;
            item.applied_as = self.applied;
            let nothing = State::Settled(Err(VaultError::Internal));
            let state = core::mem::replace(&mut item.state, nothing);
            item.state = match (state, outcome) {
                (State::Stored(_, stored), Outcome::Applied) => State::Settled(Ok(stored)),
                (State::Stored(record, _), Outcome::PreconditionFailed) => State::Pending(record),
                (other, _) => other,
            };
        }
    }

    /// One result an item, in order. One that a later item replaced says so.
    pub(super) fn into_results(self) -> Vec<Result<StoredRecord, VaultError>> {
        let mut last = HashMap::with_capacity(self.items.len());
        for item in self.items.iter().filter(|item| item.is_newly_stored()) {
            let last = last.entry(item.id.clone()).or_insert(0);
            *last = item.applied_as.max(*last);
        }
        let is_last = |item: &Item| last.get(&item.id).is_none_or(|last| item.applied_as >= *last);
        let result = |item: Item| {
            let is_last = is_last(&item);
            match item.state {
                State::Settled(Ok(stored)) if stored.is_superseded => Ok(stored),
                State::Settled(Ok(stored)) if !is_last => Ok(stored.superseded()),
                State::Settled(Ok(stored)) => Ok(StoredRecord { masks: item.masks, ..stored }),
                State::Settled(Err(error)) => Err(error),
                State::Pending(_) => Err(VaultError::Conflict),
                State::Stored(..) => Err(VaultError::Internal),
            }
        };
        self.items.into_iter().map(result).collect()
    }
}

impl Item {
    /// Whether it is pending and gets a deterministic surrogate.
    pub(super) fn is_counted(&self) -> bool {
        let State::Pending(record) = &self.state else { return false };
        let mut tokenized = record.fields().iter().filter_map(NewField::tokenized);
        tokenized.any(|it| it.form.kind == SurrogateKind::Deterministic)
    }

    /// How many surrogates that end with it a pending one gets.
    fn ending(&self) -> usize {
        let State::Pending(record) = &self.state else { return 0 };
        let tokenized = record.fields().iter().filter_map(NewField::tokenized);
        let random = tokenized.filter(|it| it.form.kind == SurrogateKind::Random);
        if record.expires_ms().is_some() { random.count() } else { 0 }
    }

    /// Whether its change is applied and is no repeat of an earlier one.
    fn is_newly_stored(&self) -> bool {
        matches!(&self.state, State::Settled(Ok(stored)) if !stored.is_replayed)
    }

    fn is_pending(&self) -> bool {
        matches!(self.state, State::Pending(_))
    }

    /// Its name, when it is to be recognised and not refused already.
    fn item_key(&self) -> Option<&ItemKey> {
        match &self.state {
            State::Pending(record) => record.item_key(),
            State::Stored(..) | State::Settled(_) => None,
        }
    }

    /// Makes its mark, when it has a name.
    pub(super) fn mark(
        &mut self,
        key: &RequestKey,
        collection: &CollectionName,
    ) -> Result<(), CryptoError> {
        if let State::Pending(record) = &self.state {
            let mark = |item_key| RequestMark::new(key, item_key, collection, record);
            self.mark = record.item_key().map(mark).transpose()?;
        }
        Ok(())
    }
}

/// A UUIDv7 (RFC 9562 §5.7): ids of one collection sort by the time they were made.
fn make_id(now_ms: u64, random: &[u8]) -> RecordId {
    let random = random.first_chunk().copied().unwrap_or_default();
    RecordId::from_uuid(Builder::from_unix_timestamp_millis(now_ms, &random).into_uuid())
}
