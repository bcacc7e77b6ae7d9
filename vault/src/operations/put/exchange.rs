//! The surrogates of a record's fields: new ones given, those of what it replaces taken back.
//!
//! It promises that both happen in the record's own change or not at all: a random surrogate goes
//! with the field it stood for and ends with its record, a deterministic one with the last field that
//! holds it, unless somebody asked for it without a record, and shows masked no more than each of them
//! does. It relies on a sight of the rows it counts in, and says in preconditions what it saw.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use tresor_proto::{
    Content, Mask, Surrogate, SurrogateId, SurrogateKind, SurrogateOptions, storage,
};

use super::{
    counted::Counted,
    keeping::{has_value, is_made_for},
    sealer::Supplies,
};
use crate::{
    error::VaultError,
    operations::sight::Sight,
    record::Tokenized,
    store::{Change, Keyspace, Precondition, StoreKey, Write},
    surrogate::{
        IssuedSurrogate, expiry,
        holders::HolderEnd,
        look_up::{LookUpPlaces, Scope},
        maker::{FoundAt, Maker},
        rows::{Facts, SurrogateRows, count_key, row_key},
    },
    unlocked::Unlocked,
};

/// What becomes of surrogates in one change.
pub(in crate::operations) struct Exchange<'a> {
    rows: SurrogateRows<'a>,
    sight: &'a Sight,
    counted: BTreeMap<SurrogateId, Counted>,
    /// The rows of deterministic surrogates, and what finds them, as this change writes them.
    written: Sight,
    /// Random surrogates that go on standing for their fields.
    kept: BTreeSet<SurrogateId>,
    change: Change,
}

/// A surrogate that a record's row lists.
#[derive(Clone, Debug)]
pub(in crate::operations) struct Listed {
    /// The field it stands for.
    pub(in crate::operations) field: String,
    /// The surrogate.
    pub(in crate::operations) text: String,
}

impl<'a> Exchange<'a> {
    /// Nothing given or taken yet.
    pub(in crate::operations) fn new(rows: SurrogateRows<'a>, sight: &'a Sight) -> Self {
        let (counted, written, kept) = (BTreeMap::new(), Sight::default(), BTreeSet::new());
        Self { rows, sight, counted, written, kept, change: Change::default() }
    }

    /// The surrogate of a field of a record that ends so.
    pub(super) fn give(
        &mut self,
        maker: &mut Maker<'_>,
        supplies: &mut Supplies<'_>,
        (tokenized, expires_ms): (Tokenized<'_>, Option<u64>),
    ) -> Result<IssuedSurrogate, VaultError> {
        let Tokenized { info_type, form, content, .. } = tokenized;
        let keys = maker.unlocked.class(info_type.class()).ok_or(VaultError::WrongKey)?;
        let id = match form.kind {
            SurrogateKind::Random => {
                let options = tokenized.options(expires_ms)?;
                let (surrogate, change) = maker.make(content, &options, None)?;
                self.extend(change);
                surrogate.id()
            }
            SurrogateKind::Deterministic => {
                let options = tokenized.options(None)?;
                let look_up = supplies.look_ups.places(keys, Scope::from(&tokenized), content)?;
                let end = HolderEnd::of(expires_ms.unwrap_or(0));
                self.hold(maker, content, (&options, look_up, end))?
            }
            SurrogateKind::FormatPreserving(format) => {
                let form = (info_type, format);
                return supplies.forms.of_value(keys, form, content);
            }
        };
        let surrogate = Surrogate::new(maker.tenant(), info_type, id);
        Ok(IssuedSurrogate::with_row(surrogate.to_string()))
    }

    /// Keeps the random surrogate of a field, if it is what the field would be given now: for the same
    /// value, and bounded alike.
    pub(super) fn keep(
        &mut self,
        unlocked: &Unlocked,
        text: &str,
        (tokenized, expires_ms): (Tokenized<'_>, Option<u64>),
    ) -> bool {
        let Ok(surrogate) = Surrogate::parse(self.rows.tenant, text) else { return false };
        let (id, key) = (surrogate.id(), row_key(&surrogate.id()));
        let Ok(options) = tokenized.options(expires_ms) else { return false };
        let row = self.sight.row(&key).map(|row| self.rows.decode(&key, row));
        let Some(Ok(row)) = row else { return false };
        let place = (self.rows.tenant, &id);
        if !is_made_for(&row, &options) || !has_value(unlocked, place, &row, tokenized.content) {
            return false;
        }
        self.change.preconditions.push(Precondition::Present(key));
        self.kept.insert(id)
    }

    /// Takes back a surrogate that a field of a record held which ends so. What is no surrogate of
    /// ours, is gone or does not authenticate stays as it is.
    pub(in crate::operations) fn take_back(&mut self, text: &str, end: HolderEnd) {
        let Ok(surrogate) = Surrogate::parse(self.rows.tenant, text) else { return };
        let (id, key) = (surrogate.id(), row_key(&surrogate.id()));
        if self.kept.contains(&id) {
            return;
        }
        let Some(row) = self.sight.row(&key) else { return };
        let Ok(message) = self.rows.decode::<storage::Surrogate>(&key, row) else { return };
        let Ok(facts) = Facts::try_from(&message) else { return };
        if facts.kind == SurrogateKind::Deterministic {
            let look_up = StoreKey::new(Keyspace::Surrogates, message.look_up);
            self.counted(id, look_up).remove(end);
            return;
        }
        self.change.writes.extend([Write::Remove(count_key(&key)), Write::Remove(key)]);
        if message.expires_ms != 0 {
            self.change.writes.push(Write::Remove(expiry::entry(message.expires_ms, &id)));
        }
    }

    /// The change in which all of it happens.
    pub(in crate::operations) fn into_change(mut self) -> Result<Change, VaultError> {
        for (id, counted) in core::mem::take(&mut self.counted) {
            counted.settle(&id, self.rows, (self.sight, &mut self.change))?;
        }
        Ok(self.change)
    }

    /// A deterministic surrogate with one more field that holds it.
    fn hold(
        &mut self,
        maker: &mut Maker<'_>,
        content: &Content,
        (options, look_up, end): (&SurrogateOptions, LookUpPlaces, HolderEnd),
    ) -> Result<SurrogateId, VaultError> {
        if let Some((id, place)) = self.found(&look_up)? {
            self.narrow(maker, &id, options.mask())?;
            self.counted(id, place).add(end);
            return Ok(id);
        }
        let place = look_up.newest;
        let found_at = FoundAt { look_up: &place, is_held: true };
        let (surrogate, change) = maker.make(content, options, Some(found_at))?;
        self.written.note(&change);
        self.extend(change);
        let mut counted = Counted::made(place);
        counted.add(end);
        self.counted.insert(surrogate.id(), counted);
        Ok(surrogate.id())
    }

    /// Lets a deterministic surrogate show masked no more than the mask of a field that holds it. One
    /// that does not authenticate shows nothing.
    fn narrow(
        &mut self,
        maker: &mut Maker<'_>,
        id: &SurrogateId,
        mask: Option<Mask>,
    ) -> Result<(), VaultError> {
        let key = row_key(id);
        let row = self.row(&key).map(|row| self.rows.decode::<storage::Surrogate>(&key, row));
        let Some(Ok(row)) = row else { return Ok(()) };
        let Some(narrowed) = maker.narrow(id, row, mask)? else { return Ok(()) };
        let preconditions = vec![self.sight.unchanged(&key)];
        let change = Change { preconditions, writes: vec![self.rows.put(key, &narrowed)?] };
        self.written.note(&change);
        self.extend(change);
        Ok(())
    }

    /// The surrogate that is looked up, and where it is found. One whose row was damaged and deleted
    /// leads nowhere.
    fn found(
        &mut self,
        look_up: &LookUpPlaces,
    ) -> Result<Option<(SurrogateId, StoreKey)>, VaultError> {
        let seen = look_up.iter().map(|key| self.sight.unchanged(key));
        self.change.preconditions.extend(seen);
        let found = look_up.found(self.rows, |key| self.row(key))?;
        let found = found.filter(|(id, _)| self.row(&row_key(id)).is_some());
        Ok(found.map(|(id, place)| (id, place.clone())))
    }

    /// The row of a key as this change leaves it, as far as it is of a deterministic surrogate.
    fn row(&self, key: &StoreKey) -> Option<&[u8]> {
        self.written.row(key).or_else(|| self.sight.row(key))
    }

    fn extend(&mut self, change: Change) {
        self.change.preconditions.extend(change.preconditions);
        self.change.writes.extend(change.writes);
    }

    /// The count of a surrogate, as far as this change goes.
    fn counted(&mut self, id: SurrogateId, look_up: StoreKey) -> &mut Counted {
        match self.counted.entry(id) {
            Entry::Occupied(counted) => counted.into_mut(),
            Entry::Vacant(vacant) => {
                vacant.insert(Counted::seen(&id, look_up, self.rows, self.sight))
            }
        }
    }
}

/// The rows that are to be seen before a surrogate is taken back.
pub(in crate::operations) fn keys_of(rows: &SurrogateRows<'_>, text: &str) -> Vec<StoreKey> {
    let Ok(surrogate) = Surrogate::parse(rows.tenant, text) else { return Vec::new() };
    keys_of_id(&surrogate.id())
}

/// The rows that are to be seen before one more field holds a surrogate.
pub(super) fn keys_of_id(id: &SurrogateId) -> Vec<StoreKey> {
    let key = row_key(id);
    vec![count_key(&key), key]
}

/// The surrogates that a record's row lists.
pub(in crate::operations) fn listed(record: &storage::Record) -> Vec<Listed> {
    let fields = record.groups.iter().flat_map(|group| &group.fields);
    let listed = fields.filter(|field| !field.surrogate.is_empty());
    let listed =
        listed.map(|field| Listed { field: field.name.clone(), text: field.surrogate.clone() });
    listed.collect()
}
