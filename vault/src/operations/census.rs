//! The census: counts what hangs on each data and identifier key of a tenant, page by page, then looks
//! at the rows that find and count surrogates.
//!
//! It promises to count only rows that authenticate and to say how many do not, those without a value
//! apart; it needs no customer token. Writers go on meanwhile: what they write behind the cursor is not seen.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use tresor_proto::{DataClass, TenantId, TenantRef, storage};

use crate::{
    access::OperatorPermit,
    blind_index::{BlindIndex, IndexId},
    crypto_error::CryptoError,
    error::VaultError,
    keyring::{LoadedKeyring, TenantKeyring},
    registry::{Census, Collection},
    row::RowPlace,
    sealed_rows::{self, SealedRow},
    store::{Keyspace, StoreKey},
    surrogate::rows::{self, Facts, SurrogateRows},
    vault::Vault,
};

/// Rows read at once: 16 MiB at most.
const PAGE_ROWS: usize = 64;
/// Pages counted before the caller is told.
const STEP_PAGES: usize = 64;

/// The identifier key, by class and version, of each index that is declared.
struct IdentifierKeys(BTreeMap<IndexId, (DataClass, u32)>);

/// A census under way.
#[derive(Debug)]
pub struct CensusUnderWay {
    tenant: TenantId,
    walk: Walk,
    after: Option<StoreKey>,
    census: Census,
    is_done: bool,
}

/// The rows it is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Walk {
    /// Those with sealed values.
    Sealed,
    /// Those that find and count surrogates.
    Beside,
}

impl CensusUnderWay {
    /// One that has not counted anything yet.
    pub(crate) fn of(tenant: TenantId, begun_ms: u64) -> Self {
        let census = Census { begun_ms, ..Census::default() };
        Self { tenant, walk: Walk::Sealed, after: None, census, is_done: false }
    }

    /// What was counted so far.
    #[must_use]
    pub fn census(&self) -> &Census {
        &self.census
    }

    /// Whether it is done, and kept.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.is_done
    }
}

impl Vault {
    /// Begins to count what hangs on a tenant's keys.
    ///
    /// # Errors
    /// `not_found` for an unknown tenant.
    pub async fn begin_census(
        &self,
        _permit: &OperatorPermit,
        tenant: &TenantRef,
    ) -> Result<CensusUnderWay, VaultError> {
        let record = self.registry().tenant(tenant).await?.ok_or(VaultError::NotFound)?;
        Ok(CensusUnderWay::of(record.id, self.clock().now_ms()))
    }

    /// Counts some thousand rows more; the last step keeps the result in the registry.
    ///
    /// # Errors
    /// `not_found` when the customer has not enrolled, `overloaded`, `storage_unavailable`.
    pub async fn count_further(&self, under_way: &mut CensusUnderWay) -> Result<(), VaultError> {
        for _ in 0..STEP_PAGES {
            if under_way.walk == Walk::Sealed {
                if self.count_page(under_way).await? {
                    (under_way.walk, under_way.after) = (Walk::Beside, None);
                }
            } else if self.check_page(under_way).await? {
                under_way.census.ended_ms = self.clock().now_ms();
                self.registry().put_census(under_way.tenant, &under_way.census).await?;
                under_way.is_done = true;
                break;
            }
        }
        Ok(())
    }

    /// Looks at a page of rows that find and count, and whether it was the last.
    async fn check_page(&self, under_way: &mut CensusUnderWay) -> Result<bool, VaultError> {
        let tenant = under_way.tenant;
        let keyring = self.enrolled_keyring(tenant).await?;
        let range = rows::side_rows(under_way.after.take());
        let page = self.store(tenant).await?.scan(range, PAGE_ROWS).await?;
        let page =
            page.into_iter().map(|row| (StoreKey::new(Keyspace::Surrogates, row.key), row.value));
        let page: Vec<SealedRow> = page.collect();
        under_way.after = page.last().map(|(key, _)| key.clone());
        let is_last = page.len() < PAGE_ROWS;
        let count = move || {
            let rows = SurrogateRows { tenant, keys: &keyring.rows };
            page.iter().filter(|(key, row)| !rows.is_sound(key, row)).count()
        };
        let damaged = self.key_worker().run(count).await?;
        under_way.census.damaged_side_rows += u64::try_from(damaged).unwrap_or(u64::MAX);
        Ok(is_last)
    }

    /// Counts a page of rows with sealed values, and whether it was the last.
    pub(crate) async fn count_page(
        &self,
        under_way: &mut CensusUnderWay,
    ) -> Result<bool, VaultError> {
        let keyring = self.enrolled_keyring(under_way.tenant).await?;
        let store = self.store(under_way.tenant).await?;
        let after = under_way.after.take();
        let rows = sealed_rows::scan(store.as_ref(), after.as_ref(), PAGE_ROWS).await?;
        under_way.after = rows.last().map(|(key, _)| key.clone());
        let is_last = rows.len() < PAGE_ROWS;
        let collections = self.collections_of(under_way.tenant, &rows).await?;
        let mut census = core::mem::take(&mut under_way.census);
        let count = move || {
            let identifier_keys = IdentifierKeys::of(&keyring.keyring, &collections)?;
            rows.iter().for_each(|row| count_row((&keyring, &identifier_keys), row, &mut census));
            Ok(census)
        };
        let counted: Result<_, CryptoError> = self.key_worker().run(count).await?;
        under_way.census = counted?;
        Ok(is_last)
    }
}

impl IdentifierKeys {
    /// Those of collections, under each version there ever was.
    fn of(keyring: &TenantKeyring, collections: &[Collection]) -> Result<Self, CryptoError> {
        let mut known = BTreeMap::new();
        for index in collections.iter().flat_map(BlindIndex::all_of) {
            let keys = keyring.identifier_keys.iter();
            let code = u32::from(index.class.code());
            for key in keys.filter(|key| key.data_class == code) {
                known.insert(index.id(key.version)?, (index.class, key.version));
            }
        }
        Ok(Self(known))
    }

    /// Those that a record hangs on.
    fn of_record(&self, record: &storage::Record) -> BTreeSet<(DataClass, u32)> {
        let ids = record.index_entries.iter().filter_map(|entry| IndexId::of(entry));
        ids.filter_map(|id| self.0.get(&id).copied()).collect()
    }
}

fn count_row(
    (keyring, identifier_keys): (&LoadedKeyring, &IdentifierKeys),
    (key, row): &SealedRow,
    census: &mut Census,
) {
    let place = RowPlace { tenant: keyring.keyring.tenant, key };
    let message = keyring.rows.decode(place, row).map_err(|CryptoError| ());
    let counted = message.and_then(|message| match key.keyspace == Keyspace::Surrogates {
        true => count_surrogate(message, census),
        false => count_record(message, identifier_keys, census),
    });
    if counted.is_err() {
        census.damaged += 1;
    }
}

fn count_record(
    message: &[u8],
    identifier_keys: &IdentifierKeys,
    census: &mut Census,
) -> Result<(), ()> {
    let record = storage::Record::decode(message).map_err(drop)?;
    census.records += 1;
    for key in identifier_keys.of_record(&record) {
        *census.identifiers.entry(key).or_default() += 1;
    }
    census.index_entries += u64::try_from(record.index_entries.len()).unwrap_or(u64::MAX);
    count_groups(&record.groups, census);
    Ok(())
}

fn count_surrogate(message: &[u8], census: &mut Census) -> Result<(), ()> {
    let surrogate = storage::Surrogate::decode(message).map_err(drop)?;
    let facts = Facts::try_from(&surrogate).map_err(|CryptoError| ())?;
    census.surrogates += 1;
    if !surrogate.look_up.is_empty() {
        let key = (facts.class, surrogate.look_up_version.max(1));
        *census.identifiers.entry(key).or_default() += 1;
    }
    count_groups(surrogate.group.as_slice(), census);
    Ok(())
}

fn count_groups(groups: &[storage::SealedGroup], census: &mut Census) {
    for group in groups {
        if let Some(class) = DataClass::from_code(group.data_class) {
            *census.groups.entry((class, group.epoch)).or_default() += 1;
        }
    }
}
