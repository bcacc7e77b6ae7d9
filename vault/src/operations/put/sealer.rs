//! Seals records into rows: pure work, run on a key thread.

use std::{collections::BTreeSet, ops::Range, sync::Arc};

use prost::Message as _;
use tresor_proto::{CollectionName, DataClass, RecordId, TenantId, storage};

use super::{
    batch::{Batch, Item, State},
    giving,
    message::Salts,
    round::{Previous, Round},
};
use crate::{
    access::TokenHolder,
    blind_index::{self, BlindIndex, Indexer},
    crypto_error::CryptoError,
    entropy::Entropy,
    epoch_floor::{self, Floors},
    error::VaultError,
    idempotency::{self, AnswerDesk, Recalled},
    operations::record_key,
    policy_floor::{self, PolicyFloor},
    record::{FieldSurrogate, NewField, NewRecord, StoredRecord},
    row::RowPlace,
    store::{Change, Precondition, RowDigest, StoreKey, Write},
    surrogate::{look_up::LookUps, preserved_forms::PreservedForms},
    unlocked::{Unlocked, UnlockedCache},
};

/// What is needed to seal records of one put.
#[derive(Clone)]
pub(super) struct Sealer {
    pub(super) tenant: TenantId,
    pub(super) collection: CollectionName,
    pub(super) policy_version: u64,
    pub(super) indexes: Arc<[BlindIndex]>,
    pub(super) holder: Arc<TokenHolder>,
    pub(super) cache: Arc<UnlockedCache>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) now_ms: u64,
}

/// What was read for a part: the rows of its items' keys, in order, the floors of its classes and
/// that of the policy.
pub(super) struct PartRows {
    pub(super) rows: Vec<Option<Vec<u8>>>,
    pub(super) floors: Floors,
    pub(super) policy: PolicyFloor,
}

/// What the records of a part are sealed with.
pub(super) struct Supplies<'a> {
    pub(super) look_ups: LookUps,
    pub(super) forms: PreservedForms,
    pub(super) floors: &'a Floors,
    pub(super) indexer: Indexer<'a>,
    pub(super) salts: Salts,
    policy: &'a PolicyFloor,
}

/// The rows that one item's keys have.
pub(super) struct Found<'a> {
    pub(super) row: Option<&'a [u8]>,
    answers: Vec<Option<&'a [u8]>>,
}

/// What sealing a record makes of it, over a row of `old_bytes`.
struct Sealed {
    next: Previous,
    old_bytes: usize,
    surrogates: Vec<FieldSurrogate>,
    /// What it does to the rows of surrogates.
    exchanged: Change,
}

impl Sealer {
    /// The keys of the pending items of a part, in order.
    /// Each has its record's, and those of its answer when it is to be recognised; those of the
    /// floors of their classes and of the policy come last.
    pub(super) fn keys(
        &self,
        batch: &Batch,
        (from, to): (usize, usize),
        classes: &BTreeSet<DataClass>,
    ) -> Vec<StoreKey> {
        let mut keys = Vec::new();
        for item in batch.pending(from, to) {
            keys.push(record_key(&self.collection, &item.id));
            keys.extend(item.mark.iter().flat_map(|mark| mark.places(self.now_ms)));
        }
        keys.extend(classes.iter().map(|class| epoch_floor::key(*class)));
        keys.push(policy_floor::key(&self.collection));
        keys
    }

    /// Tells the rows of a part's keys apart; `conflict` when a floor is above the newest epoch of
    /// this sealer's keyring, or above its policy.
    pub(super) fn part_rows(
        &self,
        classes: &BTreeSet<DataClass>,
        mut rows: Vec<Option<Vec<u8>>>,
    ) -> Result<PartRows, VaultError> {
        let policy = rows.pop().flatten();
        let keys = (self.tenant, &self.holder.keyring().rows);
        let policy = PolicyFloor::read(keys, &self.collection, policy.as_deref())?;
        if !policy.admits(self.policy_version) {
            return Err(VaultError::PolicyOutdated);
        }
        let floor_rows = rows.split_off(rows.len().saturating_sub(classes.len()));
        let floor_rows = classes.iter().copied().zip(floor_rows.iter().map(Option::as_deref));
        let floors = Floors::read(keys, floor_rows)?;
        if !floors.admit(&self.holder.keyring().keyring) {
            return Err(VaultError::Conflict);
        }
        Ok(PartRows { rows, floors, policy })
    }

    /// Makes the marks of the items that are to be recognised when they are repeated.
    pub(super) fn mark(&self, batch: &mut Batch) -> Result<(), VaultError> {
        let key = self.holder.request_key().map_err(|CryptoError| VaultError::Internal)?;
        let mut items = batch.pending_mut(0, batch.len());
        let marked = items.try_for_each(|item| item.mark(&key, &self.collection));
        marked.map_err(|CryptoError| VaultError::Internal)
    }

    /// Seals the pending items of a part over the rows that are there now. An item that cannot be
    /// sealed is settled; the others have their changes in the round, in order.
    pub(super) fn seal_part(
        &self,
        batch: &mut Batch,
        round: &mut Round,
        part: Range<usize>,
        PartRows { rows, floors, policy }: &PartRows,
    ) -> Result<(), VaultError> {
        let salts = Salts::draw(self.entropy.as_ref(), batch.pending(part.start, part.end))?;
        let indexer = Indexer::new(&self.indexes, policy);
        let (look_ups, forms) = (LookUps::default(), PreservedForms::default());
        let mut supplies = Supplies { look_ups, forms, floors, policy, indexer, salts };
        let mut rows = rows.iter().map(Option::as_deref);
        for item in batch.pending_mut(part.start, part.end) {
            let found = Found::take(&mut rows, item);
            let State::Pending(record) = &item.state else { continue };
            match self.answer(item, record, round, (&found, &mut supplies)) {
                Ok(answer) => item.state = stored(&mut item.state, answer),
                Err(error) => item.state = State::Settled(Err(error)),
            }
        }
        Ok(())
    }

    /// Gives the answer for an item, which holds once its change in the round is durable: the one
    /// given before, or that of sealing it now.
    fn answer(
        &self,
        item: &Item,
        record: &NewRecord,
        round: &mut Round,
        (found, supplies): (&Found<'_>, &mut Supplies<'_>),
    ) -> Result<StoredRecord, VaultError> {
        let mark = item.mark.as_ref();
        let recalled = mark.map(|mark| mark.recall(self.desk(), &found.answers)).transpose()?;
        let mut change = match recalled {
            Some(Recalled::Answer(answer, mut still)) => {
                let stored = self.recalled(&answer, record, (supplies, &mut still))?;
                round.confirm(still);
                let is_there = self.is_still_there(&stored, record, (found, round))?;
                return Ok(if is_there { stored } else { stored.superseded() });
            }
            Some(Recalled::Nothing(change)) => change,
            None => Change::default(),
        };
        let sealed = self.seal(&item.id, record, (found.row, round, supplies), &mut change)?;
        let classes: BTreeSet<_> = record.fields().iter().filter_map(NewField::class).collect();
        let floors = classes.into_iter().map(|class| supplies.floors.precondition(class));
        change.preconditions.extend(floors);
        change.preconditions.push(supplies.policy.precondition());
        let Sealed { next, old_bytes, surrogates, exchanged } = sealed;
        let (id, revision) = (item.id.clone(), next.revision);
        let masks = Vec::new();
        let (is_replayed, is_superseded) = (false, false);
        let stored = StoredRecord { id, revision, is_replayed, is_superseded, surrogates, masks };
        if let Some(mark) = mark {
            change.writes.push(mark.keep(self.desk(), idempotency::of_record(&stored, record))?);
        }
        round.sight.note(&exchanged);
        change.preconditions.extend(exchanged.preconditions);
        change.writes.extend(exchanged.writes);
        round.push(&item.id, change, next, old_bytes);
        Ok(stored)
    }

    /// Seals a record into a change, over what is there.
    fn seal(
        &self,
        id: &RecordId,
        record: &NewRecord,
        (row, round, supplies): (Option<&[u8]>, &Round, &mut Supplies<'_>),
        change: &mut Change,
    ) -> Result<Sealed, VaultError> {
        let key = record_key(&self.collection, id);
        let previous = match (round.previous(id), row) {
            (Some(previous), _) => Some(previous.clone()),
            (None, Some(row)) => Some(self.previous(&key, row)?),
            (None, None) => None,
        };
        let seen = (&round.sight, &mut *supplies);
        let (surrogates, exchanged) = self.exchange(record, previous.as_ref(), seen)?;
        let mut message = self.message(id, record, previous.as_ref(), supplies)?;
        giving::list(record, &surrogates, &mut message);
        let place = RowPlace { tenant: self.tenant, key: &key };
        let sealed = self.holder.keyring().rows.encode(place, &message.encode_to_vec());
        let sealed = sealed.map_err(|CryptoError| VaultError::Internal)?;
        let next = Previous::of(message, RowDigest::of(&sealed));
        let old_entries = previous.as_ref().map_or(&[][..], |old| old.index_entries.as_slice());
        change.writes.push(Write::Put(key.clone(), sealed));
        change.writes.extend(blind_index::writes(id, old_entries, &next.index_entries));
        let (precondition, old_bytes) = match previous {
            None => (Precondition::Absent(key), 0),
            Some(Previous { digest, .. }) => {
                let old_bytes = digest.row_bytes();
                (Precondition::Unchanged(key, digest), old_bytes)
            }
        };
        change.preconditions.push(precondition);
        Ok(Sealed { next, old_bytes, surrogates, exchanged })
    }

    /// Whether a record that is told again is what it was then. Only an id of the caller's tells: one
    /// that the vault made is known too late to read its row.
    fn is_still_there(
        &self,
        stored: &StoredRecord,
        record: &NewRecord,
        (found, round): (&Found<'_>, &Round),
    ) -> Result<bool, VaultError> {
        let Some(id) = record.id() else { return Ok(true) };
        let previous = match (round.previous(id), found.row) {
            (Some(previous), _) => previous.clone(),
            (None, Some(row)) => self.previous(&record_key(&self.collection, id), row)?,
            (None, None) => return Ok(false),
        };
        Ok(previous.revision == stored.revision)
    }

    fn desk(&self) -> AnswerDesk<'_> {
        AnswerDesk { tenant: self.tenant, rows: &self.holder.keyring().rows, now_ms: self.now_ms }
    }

    fn previous(&self, key: &StoreKey, row: &[u8]) -> Result<Previous, VaultError> {
        Ok(Previous::of(self.verified(key, row)?, RowDigest::of(row)))
    }

    pub(super) fn verified(
        &self,
        key: &StoreKey,
        row: &[u8],
    ) -> Result<storage::Record, VaultError> {
        let place = RowPlace { tenant: self.tenant, key };
        let message = self.holder.keyring().rows.decode(place, row);
        let message = message.map_err(|CryptoError| VaultError::Integrity)?;
        storage::Record::decode(message).map_err(|_| VaultError::Integrity)
    }

    pub(super) fn unlock(
        &self,
        classes: impl IntoIterator<Item = DataClass>,
    ) -> Result<Unlocked, VaultError> {
        let holder = self.holder.holder().ok_or(VaultError::Internal)?;
        let unlocked = self.cache.unlock(holder, classes, self.now_ms);
        unlocked.map_err(|CryptoError| VaultError::Integrity)
    }
}

impl<'a> Found<'a> {
    /// Takes the rows of the next item, in the order of its keys.
    pub(super) fn take(rows: &mut impl Iterator<Item = Option<&'a [u8]>>, item: &Item) -> Self {
        let row = rows.next().flatten();
        let places = item.mark.as_ref().map_or(0, |_| idempotency::PLACES);
        Self { row, answers: rows.take(places).collect() }
    }
}

fn stored(state: &mut State, answer: StoredRecord) -> State {
    match core::mem::replace(state, State::Settled(Err(VaultError::Internal))) {
        State::Pending(record) => State::Stored(record, answer),
        state @ (State::Stored(..) | State::Settled(_)) => state,
    }
}
