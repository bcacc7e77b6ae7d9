//! Seals records into rows: pure work, run on a key thread.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

use prost::Message as _;
use tresor_proto::{CollectionName, DataClass, RecordId, TenantId, storage};

use super::{
    batch::{Batch, Item, State},
    exchange::Exchange,
    round::{Previous, Round},
};
use crate::{
    access::TokenHolder,
    aead::SALT_BYTES,
    blind_index::{self, BlindIndex, IndexEntry, Indexer},
    crypto_error::CryptoError,
    entropy::Entropy,
    epoch_floor::{self, Floors},
    error::VaultError,
    idempotency::{self, AnswerDesk, Recalled},
    operations::record_key,
    operations::sight::Sight,
    policy_floor::{self, PolicyFloor},
    record::{FieldSurrogate, NewField, NewRecord, StoredRecord, Treatment},
    row::RowPlace,
    sealed_group::{self, FieldToSeal, GroupPlace, RecordPlace},
    store::{Change, Precondition, RowDigest, StoreKey, Write},
    surrogate::{
        look_up::LookUps,
        maker::{Draws, Maker},
        rows::SurrogateRows,
    },
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
struct Supplies<'a> {
    look_ups: LookUps,
    floors: &'a Floors,
    policy: &'a PolicyFloor,
    indexer: Indexer<'a>,
    salts: Salts,
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

/// The fields of one record by class; a sealed group each.
type Classes<'a> = BTreeMap<DataClass, Vec<FieldToSeal<'a>>>;

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
        let salts_needed = batch.pending(part.start, part.end).map(class_count).sum();
        let salts = Salts::draw(self.entropy.as_ref(), salts_needed)?;
        let indexer = Indexer::new(&self.indexes, policy);
        let look_ups = LookUps::default();
        let mut supplies = Supplies { look_ups, floors, policy, indexer, salts };
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
            Some(Recalled::Answer(answer, still)) => {
                let stored = idempotency::stored_record(&answer)?;
                round.confirm(still);
                return Ok(stored);
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
        let stored = StoredRecord { id, revision, is_replayed: false, surrogates, masks };
        if let Some(mark) = mark {
            change.writes.push(mark.keep(self.desk(), idempotency::of_record(&stored))?);
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
        let held = previous.as_ref().map_or(&[][..], |old| old.surrogates.as_slice());
        let (surrogates, exchanged) = self.exchange(record, held, (&round.sight, supplies))?;
        let mut message = self.message(id, record, previous.as_ref(), supplies)?;
        list(&surrogates, &mut message);
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

    /// Gives the surrogates of a record, and takes back those that were `held` by what it replaces.
    fn exchange(
        &self,
        record: &NewRecord,
        held: &[String],
        (sight, supplies): (&Sight, &mut Supplies<'_>),
    ) -> Result<(Vec<FieldSurrogate>, Change), VaultError> {
        let tokenized: Vec<_> = record.fields().iter().filter_map(NewField::tokenized).collect();
        if tokenized.is_empty() && held.is_empty() {
            return Ok((Vec::new(), Change::default()));
        }
        let classes = tokenized.iter().map(|(info_type, ..)| info_type.class());
        let mut maker = Maker {
            keyring: self.holder.keyring(),
            unlocked: self.unlock(classes)?,
            floors: supplies.floors,
            draws: Draws::new(self.entropy.as_ref(), tokenized.len())?,
            now_ms: self.now_ms,
        };
        let mut exchange = Exchange::new(self.surrogate_rows(), sight);
        let mut given = Vec::with_capacity(tokenized.len());
        for field in record.fields() {
            let Some(value) = field.tokenized() else { continue };
            let surrogate = exchange.give(&mut maker, &mut supplies.look_ups, value);
            let surrogate = surrogate.map_err(|error| error.of_field(&field.name))?;
            given.push(FieldSurrogate { field: field.name.clone(), surrogate });
        }
        held.iter().try_for_each(|surrogate| exchange.take_back(surrogate))?;
        Ok((given, exchange.into_change()?))
    }

    /// Reads and writes rows of surrogates.
    pub(super) fn surrogate_rows(&self) -> SurrogateRows<'_> {
        SurrogateRows { tenant: self.tenant, keys: &self.holder.keyring().rows }
    }

    fn desk(&self) -> AnswerDesk<'_> {
        AnswerDesk { tenant: self.tenant, rows: &self.holder.keyring().rows, now_ms: self.now_ms }
    }

    fn message(
        &self,
        id: &RecordId,
        record: &NewRecord,
        previous: Option<&Previous>,
        supplies: &mut Supplies<'_>,
    ) -> Result<storage::Record, VaultError> {
        let (clear_fields, classes) = split(record.fields());
        let unlocked = self.unlock(classes.keys().copied())?;
        let groups = self.seal_groups(id, &classes, &unlocked, &mut supplies.salts)?;
        let fields = record.fields().iter().map(|field| (&field.name, &field.content));
        let entries = supplies.indexer.entries(fields, |index| unlocked.class(index.class))?;
        Ok(storage::Record {
            revision: previous.map_or(1, |previous| previous.revision.saturating_add(1)),
            policy_version: self.policy_version,
            created_ms: previous.map_or(self.now_ms, |previous| previous.created_ms),
            updated_ms: self.now_ms,
            expires_ms: record.expires_ms().unwrap_or(0),
            subject: self.subject(record).map_err(|CryptoError| VaultError::Internal)?,
            erasure_bucket: 0,
            clear_fields,
            groups,
            index_entries: entries.into_iter().map(IndexEntry::into_bytes).collect(),
        })
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

    fn seal_groups(
        &self,
        id: &RecordId,
        classes: &Classes<'_>,
        unlocked: &Unlocked,
        salts: &mut Salts,
    ) -> Result<Vec<storage::SealedGroup>, VaultError> {
        let record = RecordPlace { tenant: self.tenant, collection: &self.collection, record: id };
        let mut groups = Vec::with_capacity(classes.len());
        for (class, fields) in classes {
            let keys = unlocked.class(*class).ok_or(VaultError::WrongKey)?;
            let (epoch, data_key) = keys.newest().map_err(|CryptoError| VaultError::Integrity)?;
            let place = GroupPlace { record, class: *class, epoch, erasure_bucket: 0 };
            let sealed = sealed_group::seal(data_key, &place, salts.take()?, fields);
            groups.push(sealed.map_err(|CryptoError| VaultError::Internal)?);
            self.holder.keyring().seals.count(*class, epoch);
        }
        Ok(groups)
    }

    fn subject(&self, record: &NewRecord) -> Result<Vec<u8>, CryptoError> {
        let rows = &self.holder.keyring().rows;
        let digest = |bytes: &[u8]| rows.subject_digest(self.tenant, bytes);
        record.subject().map_or(Ok(Vec::new()), |subject| Ok(digest(subject.as_bytes())?.to_vec()))
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

/// The clear fields, and the others by class, each with its position in the record.
fn split(fields: &[NewField]) -> (Vec<storage::ClearField>, Classes<'_>) {
    let mut clear = Vec::new();
    let mut classes = Classes::new();
    for (position, field) in (0u32..).zip(fields) {
        let NewField { name, content, treatment } = field;
        match treatment {
            Treatment::Clear => clear.push(storage::ClearField {
                position,
                name: name.as_str().to_owned(),
                content_type: storage::ContentType::from(content.content_type()) as i32,
                value: content.as_bytes().to_vec(),
            }),
            Treatment::Seal { info_type, class } => {
                let field = FieldToSeal { position, name, info_type: *info_type, content };
                classes.entry(*class).or_default().push(field);
            }
            Treatment::Tokenize { info_type, .. } => {
                let field = FieldToSeal { position, name, info_type: Some(*info_type), content };
                classes.entry(info_type.class()).or_default().push(field);
            }
        }
    }
    (clear, classes)
}

/// Writes down with each field which surrogate stands in for it.
fn list(surrogates: &[FieldSurrogate], record: &mut storage::Record) {
    for given in surrogates {
        let mut fields = record.groups.iter_mut().flat_map(|group| &mut group.fields);
        if let Some(field) = fields.find(|field| field.name == given.field.as_str()) {
            field.surrogate.clone_from(&given.surrogate);
        }
    }
}

fn class_count(item: &Item) -> usize {
    let State::Pending(record) = &item.state else {
        return 0;
    };
    let classes = record.fields().iter().filter_map(NewField::class);
    let seen = classes.fold(0u16, |seen, class| seen | 1 << class.code());
    usize::try_from(seen.count_ones()).unwrap_or(usize::MAX)
}

fn stored(state: &mut State, answer: StoredRecord) -> State {
    match core::mem::replace(state, State::Settled(Err(VaultError::Internal))) {
        State::Pending(record) => State::Stored(record, answer),
        state @ (State::Stored(..) | State::Settled(_)) => state,
    }
}

/// Fresh salts, drawn at once: a call to the system costs several times the cipher.
struct Salts {
    bytes: Vec<u8>,
    used: usize,
}

impl Salts {
    fn draw(entropy: &dyn Entropy, count: usize) -> Result<Self, VaultError> {
        let mut bytes = vec![0; count * SALT_BYTES];
        entropy.fill(&mut bytes).map_err(|CryptoError| VaultError::Internal)?;
        Ok(Self { bytes, used: 0 })
    }

    fn take(&mut self) -> Result<[u8; SALT_BYTES], VaultError> {
        let rest = self.bytes.get(self.used..).unwrap_or_default();
        let salt = *rest.first_chunk().ok_or(VaultError::Internal)?;
        self.used += SALT_BYTES;
        Ok(salt)
    }
}
