//! Takes stock of what kinds of personal data a tenant holds: of each field its types and classes, in
//! how many records, since when, and under which versions of the policy; of readable fields those that
//! the policy of now calls personal, declared clear with an info type or made as the copy of a text.
//!
//! It promises to count only what authenticates, to say how many rows do not, and to hold no more than a
//! page of rows and a bounded list, however much there is. It relies on what rows say of their sealed
//! values and needs no customer token; writers go on meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use tresor_proto::{
    CollectionName, DataClass, FieldName, InfoType, Policy, TenantId, TenantRef,
    limits::INVENTORY_FIELDS_MAX, storage,
};

use super::record_prefix;
use crate::{
    access::OperatorPermit,
    blind_index::{BlindIndex, IndexId},
    crypto_error::CryptoError,
    error::VaultError,
    keyring::{LoadedKeyring, TenantKeyring},
    registry::Collection,
    row::RowPlace,
    store::{Keyspace, ScanRange, StoreKey, StoreRow},
    stored_field::info_type,
    surrogate::rows::{self, Facts},
    vault::Vault,
};

/// Rows read at once: 16 MiB at most.
const PAGE_ROWS: usize = 64;

/// What a collection holds, or the surrogates of a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// What is held, in the order of fields, info types and classes.
    pub fields: Vec<HeldField>,
    /// Records, or surrogates, that authenticate.
    pub records: u64,
    /// How many of them have expired and are still there.
    pub expired_records: u64,
    /// Rows that do not authenticate.
    pub damaged: u64,
    /// Values of fields that are not listed, since there are too many different ones.
    pub unlisted_values: u64,
    /// The collection with its policy of now; none of surrogates.
    pub collection: Option<Collection>,
}

/// Values of one field, info type and class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldField {
    /// The field; none of surrogates.
    pub field: Option<FieldName>,
    /// The info type, when known.
    pub info_type: Option<InfoType>,
    /// The class; none of values stored readable.
    pub class: Option<DataClass>,
    /// Of those that hold it.
    pub held: Held,
}

/// What is told of the records that hold a field, or of surrogates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// How many there are.
    pub records: u64,
    /// In how many of them a surrogate stands in for the value.
    pub tokenized: u64,
    /// How many of them are found by it, under the policy of now.
    pub searchable: u64,
    /// When the first of them was made, milliseconds since the epoch.
    pub earliest_ms: u64,
    /// When one of them was last written, milliseconds since the epoch.
    pub latest_ms: u64,
    /// The lowest version of the policy that one of them was stored under; 0 for none.
    pub policy_version_first: u64,
    /// The highest.
    pub policy_version_last: u64,
}

/// What is listed by itself: field, empty for surrogates, info type, class, none of what is readable.
type Kind = (String, Option<InfoType>, Option<DataClass>);
/// The declared indexes, each under every version of its key, with the field and class it finds by.
type Indexes = BTreeMap<IndexId, (FieldName, DataClass)>;
/// The readable fields that hold personal data by the policy of now.
type Readable = BTreeMap<String, InfoType>;

/// What was counted so far.
struct Stock {
    tenant: TenantId,
    now_ms: u64,
    indexes: Vec<BlindIndex>,
    readable: Readable,
    kinds: BTreeMap<Kind, Held>,
    inventory: Inventory,
}

/// What a row says of its values.
struct Told {
    expires_ms: u64,
    kinds: Vec<(Kind, Held)>,
}

impl Vault {
    /// Counts what kinds of personal data a collection holds; without a name, those that the surrogates
    /// of a tenant stand in for.
    ///
    /// # Errors
    /// `not_found` for an unknown tenant or collection, and when the customer has not enrolled;
    /// `overloaded`, `storage_unavailable`.
    pub async fn inventory(
        &self,
        permit: &OperatorPermit,
        tenant: &TenantRef,
        name: Option<&CollectionName>,
    ) -> Result<Inventory, VaultError> {
        let tenant = self.tenant(permit, tenant).await?.id;
        let mut collection = None;
        if let Some(name) = name {
            collection = Some(self.registry().collection(tenant, name, None).await?);
        }
        let mut range = range_of(collection.as_ref());
        let mut stock = Stock::new(tenant, collection, self.clock().now_ms());
        loop {
            let keyring = self.enrolled_keyring(tenant).await?;
            let page = self.store(tenant).await?.scan(range.clone(), PAGE_ROWS).await?;
            let Some(last) = page.last() else { return Ok(stock.finish()) };
            range.after = Some(last.key.clone());
            let count = move || stock.count(&keyring, range.keyspace, page);
            let counted: Result<_, CryptoError> = self.key_worker().run(count).await?;
            stock = counted?;
        }
    }
}

/// The rows of a collection, or those of surrogates.
fn range_of(collection: Option<&Collection>) -> ScanRange {
    let (keyspace, prefix) = match collection {
        Some(collection) => (Keyspace::Records, record_prefix(&collection.name)),
        None => (Keyspace::Surrogates, vec![rows::SEALED]),
    };
    ScanRange { keyspace, prefix, after: None }
}

impl Stock {
    fn new(tenant: TenantId, collection: Option<Collection>, now_ms: u64) -> Self {
        let indexes = collection.as_ref().map(BlindIndex::all_of).unwrap_or_default();
        let readable = collection.as_ref().map(|it| readable(&it.policy)).unwrap_or_default();
        let inventory = Inventory { collection, ..Inventory::default() };
        Self { tenant, now_ms, indexes, readable, kinds: BTreeMap::new(), inventory }
    }

    /// Counts a page of rows.
    fn count(
        mut self,
        keyring: &LoadedKeyring,
        keyspace: Keyspace,
        page: Vec<StoreRow>,
    ) -> Result<Self, CryptoError> {
        let indexes = self.indexes(&keyring.keyring)?;
        for StoreRow { key, value } in page {
            let key = StoreKey::new(keyspace, key);
            let place = RowPlace { tenant: self.tenant, key: &key };
            let message = keyring.rows.decode(place, &value);
            let told = message.and_then(|message| match keyspace == Keyspace::Surrogates {
                true => told_of_surrogate(message),
                false => told_of_record(message, &indexes, &self.readable),
            });
            match told {
                Ok(told) => self.add(told),
                Err(CryptoError) => self.inventory.damaged += 1,
            }
        }
        Ok(self)
    }

    /// The declared indexes, under each version there ever was of their keys.
    fn indexes(&self, keyring: &TenantKeyring) -> Result<Indexes, CryptoError> {
        let mut known = BTreeMap::new();
        for index in &self.indexes {
            let code = u32::from(index.class.code());
            for key in keyring.identifier_keys.iter().filter(|key| key.data_class == code) {
                known.insert(index.id(key.version)?, (index.field.clone(), index.class));
            }
        }
        Ok(known)
    }

    fn add(&mut self, told: Told) {
        self.inventory.records += 1;
        let has_expired = told.expires_ms != 0 && told.expires_ms <= self.now_ms;
        self.inventory.expired_records += u64::from(has_expired);
        for (kind, held) in told.kinds {
            if let Some(known) = self.kinds.get_mut(&kind) {
                known.add(held);
            } else if self.kinds.len() < INVENTORY_FIELDS_MAX {
                self.kinds.insert(kind, held);
            } else {
                self.inventory.unlisted_values += 1;
            }
        }
    }

    fn finish(self) -> Inventory {
        let fields = self.kinds.into_iter().map(|((field, info_type, class), held)| {
            // A name in a row that authenticates is one, or none.
            HeldField { field: FieldName::parse(&field).ok(), info_type, class, held }
        });
        Inventory { fields: fields.collect(), ..self.inventory }
    }
}

impl Held {
    /// What a record adds for each of its fields.
    fn once_in(record: &storage::Record) -> Self {
        Self {
            records: 1,
            tokenized: 0,
            searchable: 0,
            earliest_ms: record.created_ms,
            latest_ms: record.updated_ms,
            policy_version_first: record.policy_version,
            policy_version_last: record.policy_version,
        }
    }

    fn add(&mut self, other: Self) {
        self.records += other.records;
        self.tokenized += other.tokenized;
        self.searchable += other.searchable;
        self.earliest_ms = self.earliest_ms.min(other.earliest_ms);
        self.latest_ms = self.latest_ms.max(other.latest_ms);
        self.policy_version_first = self.policy_version_first.min(other.policy_version_first);
        self.policy_version_last = self.policy_version_last.max(other.policy_version_last);
    }
}

/// The fields that a policy has stored readable though they hold personal data.
fn readable(policy: &Policy) -> Readable {
    let fields = policy.fields().iter();
    let copies = fields.clone().filter_map(|field| field.redacted_copy.as_ref());
    let copies = copies.map(|name| (name, InfoType::FreeText));
    let clear = fields.filter(|field| !field.protects());
    let typed = clear.filter_map(|field| Some((&field.name, field.info_type?)));
    typed.chain(copies).map(|(name, info_type)| (name.as_str().to_owned(), info_type)).collect()
}

fn told_of_record(
    message: &[u8],
    indexes: &Indexes,
    readable: &Readable,
) -> Result<Told, CryptoError> {
    let record = storage::Record::decode(message).map_err(|_| CryptoError)?;
    let ids = record.index_entries.iter().filter_map(|entry| IndexId::of(entry));
    let found: BTreeSet<_> = ids
        .filter_map(|id| indexes.get(&id))
        .map(|(field, class)| (field.as_str(), *class))
        .collect();
    let once = Held::once_in(&record);
    let clear = record.clear_fields.into_iter().filter_map(|field| {
        let info_type = *readable.get(&field.name)?;
        Some(((field.name, Some(info_type), None), once))
    });
    let mut kinds: Vec<_> = clear.collect();
    for group in record.groups {
        let class = DataClass::from_code(group.data_class).ok_or(CryptoError)?;
        for field in group.fields {
            let held = Held {
                tokenized: u64::from(!field.surrogate.is_empty() || field.surrogate_format != 0),
                searchable: u64::from(found.contains(&(field.name.as_str(), class))),
                ..once
            };
            kinds.push(((field.name, info_type(&field.info_type, class)?, Some(class)), held));
        }
    }
    Ok(Told { expires_ms: record.expires_ms, kinds })
}

fn told_of_surrogate(message: &[u8]) -> Result<Told, CryptoError> {
    let surrogate = storage::Surrogate::decode(message).map_err(|_| CryptoError)?;
    let facts = Facts::try_from(&surrogate)?;
    let held = Held {
        records: 1,
        tokenized: 1,
        searchable: 0,
        earliest_ms: surrogate.created_ms,
        latest_ms: surrogate.created_ms,
        policy_version_first: 0,
        policy_version_last: 0,
    };
    let kind = (String::new(), Some(facts.info_type), Some(facts.class));
    Ok(Told { expires_ms: surrogate.expires_ms, kinds: vec![(kind, held)] })
}

#[cfg(test)]
mod tests;
