//! The surrogates of a record's fields: new ones given, those of what it replaces taken back.
//!
//! It promises that both happen in the record's own change or not at all: a random surrogate goes
//! with the field it stood for, a deterministic one with the last field that holds it, unless
//! somebody asked for it without a record. It relies on a sight of the rows it counts in, and says
//! in preconditions what it saw.

use std::collections::{BTreeMap, HashMap};

use tresor_proto::{
    Content, Failure, InfoType, Surrogate, SurrogateForm, SurrogateFormat, SurrogateId,
    SurrogateKind, SurrogateOptions, storage,
};

use crate::{
    error::VaultError,
    operations::sight::Sight,
    store::{Change, Keyspace, Precondition, StoreKey, Write},
    surrogate::{
        expiry,
        format_preserving::FormatKeys,
        look_up::{LookUpPlaces, LookUps},
        maker::Maker,
        rows::{Facts, SurrogateRows, count_key, row_key},
    },
};

/// What becomes of surrogates in one change.
pub(in crate::operations) struct Exchange<'a> {
    rows: SurrogateRows<'a>,
    sight: &'a Sight,
    counted: BTreeMap<SurrogateId, Counted>,
    /// Deterministic surrogates made in this change, by where they are looked up.
    made: HashMap<StoreKey, SurrogateId>,
    change: Change,
}

/// How many fields hold a deterministic surrogate.
struct Counted {
    before: Option<storage::SurrogateCount>,
    references: u64,
    /// Where it is looked up.
    look_up: StoreKey,
}

impl<'a> Exchange<'a> {
    /// Nothing given or taken yet.
    pub(in crate::operations) fn new(rows: SurrogateRows<'a>, sight: &'a Sight) -> Self {
        let (counted, made, change) = (BTreeMap::new(), HashMap::new(), Change::default());
        Self { rows, sight, counted, made, change }
    }

    /// The surrogate of a field.
    pub(super) fn give(
        &mut self,
        maker: &mut Maker<'_>,
        look_ups: &mut LookUps,
        (info_type, form, content): (InfoType, SurrogateForm, &Content),
    ) -> Result<String, VaultError> {
        let options = SurrogateOptions::new(info_type, form, None, None)?;
        let keys = maker.unlocked.class(info_type.class()).ok_or(VaultError::WrongKey)?;
        let id = match form.kind {
            SurrogateKind::Random => self.make(maker, content, (&options, None))?,
            SurrogateKind::Deterministic => {
                let look_up = look_ups.places(keys, (info_type, form.reveal), content)?;
                self.hold(maker, content, (&options, look_up))?
            }
            SurrogateKind::FormatPreserving(format) => {
                let (_, key) = keys.newest_identifier()?;
                return preserve(key, (info_type, format), content);
            }
        };
        Ok(Surrogate::new(maker.tenant(), info_type, id).to_string())
    }

    /// Takes back a surrogate that a field held. What is no surrogate of ours, is gone or does not
    /// authenticate stays as it is.
    pub(in crate::operations) fn take_back(&mut self, text: &str) -> Result<(), VaultError> {
        let Ok(surrogate) = Surrogate::parse(self.rows.tenant, text) else { return Ok(()) };
        let (id, key) = (surrogate.id(), row_key(&surrogate.id()));
        let Some(row) = self.sight.row(&key) else { return Ok(()) };
        let Ok(message) = self.rows.decode::<storage::Surrogate>(&key, row) else { return Ok(()) };
        let Ok(facts) = Facts::try_from(&message) else { return Ok(()) };
        if facts.kind == SurrogateKind::Deterministic {
            let look_up = StoreKey::new(Keyspace::Surrogates, message.look_up);
            let counted = self.counted(id, look_up)?;
            counted.references = counted.references.saturating_sub(1);
            return Ok(());
        }
        self.change.writes.extend([Write::Remove(count_key(&key)), Write::Remove(key)]);
        if message.expires_ms != 0 {
            self.change.writes.push(Write::Remove(expiry::entry(message.expires_ms, &id)));
        }
        Ok(())
    }

    /// The change in which all of it happens.
    pub(in crate::operations) fn into_change(mut self) -> Result<Change, VaultError> {
        for (id, counted) in core::mem::take(&mut self.counted) {
            let is_made = self.made.values().any(|made| *made == id);
            self.settle(&id, counted, is_made)?;
        }
        Ok(self.change)
    }

    /// A deterministic surrogate with one more field that holds it.
    fn hold(
        &mut self,
        maker: &mut Maker<'_>,
        content: &Content,
        (options, look_up): (&SurrogateOptions, LookUpPlaces),
    ) -> Result<SurrogateId, VaultError> {
        let found = match self.made.get(&look_up.newest) {
            Some(made) => Some((*made, look_up.newest.clone())),
            None => self.found(&look_up)?,
        };
        let (id, place) = match found {
            Some(found) => found,
            None => {
                let id = self.make(maker, content, (options, Some(&look_up.newest)))?;
                self.made.insert(look_up.newest.clone(), id);
                (id, look_up.newest)
            }
        };
        self.counted(id, place)?.references += 1;
        Ok(id)
    }

    /// The surrogate that is looked up, and where it is found. One whose row was damaged and deleted
    /// leads nowhere.
    fn found(
        &mut self,
        look_up: &LookUpPlaces,
    ) -> Result<Option<(SurrogateId, StoreKey)>, VaultError> {
        let seen = look_up.iter().map(|key| self.sight.unchanged(key));
        self.change.preconditions.extend(seen);
        let found = look_up.found(self.rows, |key| self.sight.row(key))?;
        let found = found.filter(|(id, _)| self.sight.row(&row_key(id)).is_some());
        Ok(found.map(|(id, place)| (id, place.clone())))
    }

    fn make(
        &mut self,
        maker: &mut Maker<'_>,
        content: &Content,
        (options, look_up): (&SurrogateOptions, Option<&StoreKey>),
    ) -> Result<SurrogateId, VaultError> {
        let (surrogate, change) = maker.make(content, options, look_up)?;
        self.change.preconditions.extend(change.preconditions);
        self.change.writes.extend(change.writes);
        Ok(surrogate.id())
    }

    /// The count of a surrogate, as far as this change goes.
    fn counted(&mut self, id: SurrogateId, look_up: StoreKey) -> Result<&mut Counted, VaultError> {
        let key = count_key(&row_key(&id));
        let before = self.sight.row(&key).map(|row| self.rows.decode(&key, row)).transpose()?;
        let new = |before: Option<storage::SurrogateCount>| {
            let references = before.as_ref().map_or(0, |count| count.references);
            Counted { before, references, look_up }
        };
        Ok(self.counted.entry(id).or_insert_with(|| new(before)))
    }

    fn settle(
        &mut self,
        id: &SurrogateId,
        counted: Counted,
        is_made: bool,
    ) -> Result<(), VaultError> {
        let Counted { before, references, look_up } = counted;
        let (key, count_key) = (row_key(id), count_key(&row_key(id)));
        if !is_made {
            self.change.preconditions.push(Precondition::Present(key.clone()));
            self.change.preconditions.push(self.sight.unchanged(&count_key));
        }
        // Without a count it was asked for without a record, and stays.
        let is_pinned = !is_made && before.as_ref().is_none_or(|count| count.is_pinned);
        if references == 0 && !is_pinned {
            // Its look-up may move meanwhile.
            self.change.preconditions.push(self.sight.unchanged(&key));
            self.change.writes.extend([key, count_key, look_up].map(Write::Remove));
            return Ok(());
        }
        if before.as_ref().is_none_or(|count| count.references != references) {
            let uses = before.map_or(0, |count| count.uses);
            let count = storage::SurrogateCount { uses, references, is_pinned };
            self.change.writes.push(self.rows.put(count_key, &count)?);
        }
        Ok(())
    }
}

/// The format-preserving surrogate of a value: a function of it, of which nothing is kept.
fn preserve(
    key: &crate::key::IdentifierKey,
    (info_type, format): (InfoType, SurrogateFormat),
    content: &Content,
) -> Result<String, VaultError> {
    let text = content.as_text().ok_or_else(|| Failure::invalid("value", "not a text"))?;
    let preserved = FormatKeys::new(key, info_type, format)?.encode(text);
    preserved.map_err(|error| error.at("value"))
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
pub(in crate::operations) fn listed(record: &storage::Record) -> Vec<String> {
    let fields = record.groups.iter().flat_map(|group| &group.fields);
    let listed = fields.filter(|field| !field.surrogate.is_empty());
    listed.map(|field| field.surrogate.clone()).collect()
}
