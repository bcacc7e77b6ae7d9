//! Moves what hangs on older identifier keys of a row under the newest: pure work, run on a key
//! thread.
//!
//! It promises that an entry or look-up under an older key is gone in the same change that brings
//! the one in its place, and that a surrogate with a row keeps its text. It relies on the row's
//! digest and on the floors as preconditions, so that no other write is lost and none under an older
//! key comes late.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use prost::Message as _;
use tresor_proto::{CollectionName, DataClass, TenantId, storage};

use super::reseal::{Place, Resealed};
use crate::{
    blind_index::{self, BlindIndex, IndexEntry, IndexId, KeyedIndex},
    crypto_error::CryptoError,
    epoch_floor::Floors,
    error::VaultError,
    keyring::{LoadedKeyring, TenantKeyring},
    policy_floor::PolicyFloor,
    registry::Collection,
    row::RowPlace,
    sealed_group::RecordPlace,
    store::{Change, Keyspace, Precondition, RowDigest, StoreKey, Write},
    stored_field::StoredField,
    surrogate::{
        look_up::{LookUps, Scope},
        maker::look_up_version,
        rows::{self, Facts, SurrogateRows},
        sealed_value::{self, ValuePlace},
    },
    unlocked::ClassKeys,
};

/// The classes whose identifier keys are replaced, and the version in place of the older ones.
pub(crate) type Targets = BTreeMap<DataClass, u32>;

/// Tells what hangs on older identifier keys, without any key of a class.
pub(crate) struct OlderKeys {
    keyring: Arc<LoadedKeyring>,
    targets: Arc<Targets>,
    collections: BTreeMap<CollectionName, Indexes>,
}

/// The indexes of a collection.
#[derive(Default)]
struct Indexes {
    /// Those under which entries stay.
    staying: BTreeSet<IndexId>,
    /// Those of the target classes, which are to have their entries.
    wanted: Vec<(IndexId, BlindIndex)>,
}

/// What is needed to move rows.
pub(crate) struct Rekeyer {
    pub(crate) older: OlderKeys,
    pub(crate) classes: BTreeMap<DataClass, Arc<ClassKeys>>,
    pub(crate) floors: Floors,
}

impl OlderKeys {
    /// Knows the indexes of collections, each with the floor of its policy as read.
    pub(crate) fn new(
        keyring: Arc<LoadedKeyring>,
        targets: Arc<Targets>,
        collections: Vec<(Collection, Option<Vec<u8>>)>,
    ) -> Result<Self, VaultError> {
        let tenant = keyring.keyring.tenant;
        let mut known = BTreeMap::new();
        for (collection, floor) in collections {
            let place = (tenant, &keyring.rows);
            let floor = PolicyFloor::read(place, &collection.name, floor.as_deref())?;
            let indexes = Indexes::of(&keyring.keyring, &targets, (&collection, &floor));
            let indexes = indexes.map_err(|CryptoError| VaultError::Internal)?;
            known.insert(collection.name, indexes);
        }
        Ok(Self { keyring, targets, collections: known })
    }

    /// Whether a row hangs on an older key.
    pub(crate) fn has_row(&self, key: &StoreKey, row: &[u8]) -> Result<bool, CryptoError> {
        let message = self.decode(key, row)?;
        if key.keyspace == Keyspace::Surrogates {
            return self.has_surrogate(&storage::Surrogate::decode(message)?);
        }
        let message = storage::Record::decode(message)?;
        let place = Place::of(&key.key)?;
        let stays = |entry: &Vec<u8>| self.stays(&place.collection, entry);
        Ok(!message.index_entries.iter().all(stays))
    }

    fn decode<'r>(&self, key: &StoreKey, row: &'r [u8]) -> Result<&'r [u8], CryptoError> {
        self.keyring.rows.decode(RowPlace { tenant: self.keyring.keyring.tenant, key }, row)
    }

    /// Whether the look-up of a surrogate is under an older key.
    fn has_surrogate(&self, row: &storage::Surrogate) -> Result<bool, CryptoError> {
        let class = Facts::try_from(row)?.class;
        let version = row.look_up_version.max(1);
        let target = self.targets.get(&class);
        Ok(!row.look_up.is_empty() && target.is_some_and(|target| version < *target))
    }

    fn stays(&self, collection: &CollectionName, entry: &[u8]) -> bool {
        let indexes = self.collections.get(collection);
        let id = IndexId::of(entry);
        id.zip(indexes).is_some_and(|(id, indexes)| indexes.staying.contains(&id))
    }
}

impl Indexes {
    fn of(
        keyring: &TenantKeyring,
        targets: &Targets,
        (collection, floor): (&Collection, &PolicyFloor),
    ) -> Result<Self, CryptoError> {
        let mut indexes = Self::default();
        for index in BlindIndex::all_of(collection) {
            let Some(target) = targets.get(&index.class) else {
                for version in keyring.identifier_versions(index.class) {
                    indexes.staying.insert(index.id(version)?);
                }
                continue;
            };
            let newest = keyring.newest_identifier_version(index.class).max(*target);
            let id = index.id(newest)?;
            if !floor.is_refused(id) {
                indexes.staying.insert(id);
                indexes.wanted.push((id, index));
            }
        }
        Ok(indexes)
    }
}

impl Rekeyer {
    /// What is to be done to a row.
    pub(crate) fn rekey(&self, key: &StoreKey, row: &[u8]) -> Resealed {
        let rekeyed = match key.keyspace == Keyspace::Surrogates {
            true => self.rekey_surrogate(key, row),
            false => self.rekey_record(key, row),
        };
        rekeyed.unwrap_or(Resealed::Damaged)
    }

    fn tenant(&self) -> TenantId {
        self.older.keyring.keyring.tenant
    }

    /// The newest identifier key of a class that is a target; `None` for another.
    fn keys(&self, class: DataClass) -> Result<Option<&ClassKeys>, CryptoError> {
        let Some(target) = self.older.targets.get(&class) else { return Ok(None) };
        let keys = self.classes.get(&class).ok_or(CryptoError)?;
        match keys.newest_identifier()?.0 >= *target {
            true => Ok(Some(keys)),
            false => Err(CryptoError),
        }
    }

    fn rekey_surrogate(&self, key: &StoreKey, row: &[u8]) -> Result<Resealed, CryptoError> {
        let mut message = storage::Surrogate::decode(self.older.decode(key, row)?)?;
        if !self.older.has_surrogate(&message)? {
            return Ok(Resealed::Nothing);
        }
        let (id, facts) = (rows::id_of(key)?, Facts::try_from(&message)?);
        let keys = self.keys(facts.class)?.ok_or(CryptoError)?;
        let epoch = message.group.as_ref().ok_or(CryptoError)?.epoch;
        let place = ValuePlace { tenant: self.tenant(), id: &id, class: facts.class, epoch };
        let content = sealed_value::open(keys.epoch(epoch)?, place, &message)?;
        let new = LookUps::default().places(keys, Scope::from(&facts), &content)?.newest;
        let old = StoreKey::new(Keyspace::Surrogates, message.look_up);
        message.look_up = new.key.clone();
        message.look_up_version = look_up_version(keys.newest_identifier()?.0);
        let rows = SurrogateRows { tenant: self.tenant(), keys: &self.older.keyring.rows };
        let found = storage::SurrogateLookUp { id: id.as_bytes().to_vec() };
        let writes = vec![
            Write::Remove(old),
            rows.put(new, &found).map_err(|_| CryptoError)?,
            rows.put(key.clone(), &message).map_err(|_| CryptoError)?,
        ];
        let unchanged = Precondition::Unchanged(key.clone(), RowDigest::of(row));
        let preconditions = vec![unchanged, self.floors.precondition(facts.class)];
        Ok(Resealed::Groups(1, Change { preconditions, writes }))
    }

    fn rekey_record(&self, key: &StoreKey, row: &[u8]) -> Result<Resealed, CryptoError> {
        let row_place = RowPlace { tenant: self.tenant(), key };
        let mut message = storage::Record::decode(self.older.decode(key, row)?)?;
        let Place { collection, record } = Place::of(&key.key)?;
        let place = RecordPlace { tenant: self.tenant(), collection: &collection, record: &record };
        let old = core::mem::take(&mut message.index_entries);
        message.index_entries = self.entries(place, &message, &old)?;
        if old == message.index_entries {
            return Ok(Resealed::Nothing);
        }
        let mut writes = blind_index::writes(&record, &old, &message.index_entries);
        let sealed = self.older.keyring.rows.encode(row_place, &message.encode_to_vec())?;
        writes.push(Write::Put(key.clone(), sealed));
        let mut preconditions = vec![Precondition::Unchanged(key.clone(), RowDigest::of(row))];
        let floors = self.older.targets.keys().map(|class| self.floors.precondition(*class));
        preconditions.extend(floors);
        Ok(Resealed::Groups(1, Change { preconditions, writes }))
    }

    /// The entries that a row is to have: those that stay, and those that are missing. What has its
    /// entry is not opened. A value under a class that is not lent cannot be indexed.
    fn entries(
        &self,
        place: RecordPlace<'_>,
        row: &storage::Record,
        old: &[Vec<u8>],
    ) -> Result<Vec<Vec<u8>>, CryptoError> {
        let stays = |entry: &&Vec<u8>| self.older.stays(place.collection, entry);
        let mut entries: BTreeSet<_> = old.iter().filter(stays).cloned().collect();
        let indexes = self.older.collections.get(place.collection);
        for (id, index) in indexes.into_iter().flat_map(|indexes| &indexes.wanted) {
            let is_there = |entry: &Vec<u8>| IndexId::of(entry) == Some(*id);
            let Some(field) = StoredField::find(row, index.field.as_str()) else { continue };
            if entries.iter().any(is_there) {
                continue;
            }
            let keys = field.class()?.and_then(|class| self.classes.get(&class));
            let content = field.content(place, row.erasure_bucket, keys.map(Arc::as_ref))?;
            let entry = self.keyed(index)?.entry(&content.ok_or(CryptoError)?);
            entries.extend(entry.map(IndexEntry::into_bytes));
        }
        Ok(entries.into_iter().collect())
    }

    fn keyed(&self, index: &BlindIndex) -> Result<KeyedIndex, CryptoError> {
        let keys = self.keys(index.class)?.ok_or(CryptoError)?;
        index.keyed(keys.newest_identifier()?)
    }
}
