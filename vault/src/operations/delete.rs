//! Deletes records by id, with the entries of blind indexes and the surrogates that their rows list.

use std::{collections::HashSet, sync::Arc};

use prost::Message as _;
use tresor_proto::{CollectionName, RecordId, storage};

use super::{
    put::{self, Exchange},
    record_key,
    sight::Sight,
};
use crate::{
    access::{Delete, Permit},
    blind_index,
    error::VaultError,
    keyring::LoadedKeyring,
    row::{RowKeys, RowPlace},
    store::{Change, Outcome, Precondition, RowDigest, Store, StoreKey, Write},
    surrogate::{holders::HolderEnd, rows::SurrogateRows},
    vault::Vault,
};

/// Rows read at once: 16 MiB at most.
const PART_ITEMS_MAX: usize = 64;
/// How often a record is tried when another change came between.
const ROUNDS_MAX: usize = 16;

type Deleted = Result<(), VaultError>;

impl Vault {
    /// Deletes records; one result an id, in order, once it is durable. A row that does not
    /// authenticate can be deleted too: the surrogates that its readable part names go with it, but
    /// what else it lists is not believed, and entries of it lead nowhere from then on. An id that comes twice is not found the second time.
    ///
    /// # Errors
    /// For all: `storage_unavailable`. For one: `not_found`, `conflict` when other changes kept
    /// coming between.
    pub async fn delete(
        &self,
        permit: &Permit<Delete>,
        collection: &CollectionName,
        ids: &[RecordId],
    ) -> Result<Vec<Deleted>, VaultError> {
        let store = self.store(permit.tenant()).await?;
        let mut seen = HashSet::new();
        let mut results = Vec::with_capacity(ids.len());
        for part in ids.chunks(PART_ITEMS_MAX) {
            let is_first: Vec<bool> = part.iter().map(|id| seen.insert(id)).collect();
            let firsts = part.iter().zip(&is_first).filter(|(_, is_first)| **is_first);
            let firsts = firsts.map(|(id, _)| Doomed::new(collection, id)).collect();
            let mut deleted = self.delete_part(permit, store.as_ref(), firsts).await?.into_iter();
            results.extend(is_first.into_iter().map(|is_first| match is_first {
                true => deleted.next().unwrap_or(Err(VaultError::Internal)),
                false => Err(VaultError::NotFound),
            }));
        }
        Ok(results)
    }

    /// Deletes different records.
    async fn delete_part(
        &self,
        permit: &Permit<Delete>,
        store: &dyn Store,
        doomed: Vec<Doomed>,
    ) -> Result<Vec<Deleted>, VaultError> {
        let mut results = vec![Err(VaultError::Conflict); doomed.len()];
        let mut turn = None;
        for round in 0..ROUNDS_MAX {
            let left: Vec<_> = places(&results, &VaultError::Conflict);
            if left.is_empty() {
                break;
            }
            if round > 0 && turn.is_none() {
                // Others count in the same rows.
                turn = Some(self.turns().take(permit.tenant()).await);
            }
            let wanted: Vec<_> = left.iter().filter_map(|at| doomed.get(*at).cloned()).collect();
            let keys = wanted.iter().map(|one| one.key.clone()).collect();
            let rows = store.read(keys).await?;
            let found: Vec<bool> = rows.iter().map(Option::is_some).collect();
            let keyring = self.keyring(permit.tenant()).await?;
            let read = {
                let keyring = Arc::clone(&keyring);
                let rows = wanted.into_iter().zip(rows);
                move || {
                    rows.filter_map(|(one, row)| Some(Readable::new(one, &row?, &keyring)))
                        .collect()
                }
            };
            let readable: Vec<Readable> = self.key_worker().run(read).await?;
            let sight = see(store, &keyring, &readable).await?;
            let changes = self.key_worker().run(move || removals(readable, &keyring, sight));
            let changes = changes.await??;
            let mut outcomes = store.apply(changes).await?.into_iter();
            for (at, is_found) in left.into_iter().zip(found) {
                if let Some(result) = results.get_mut(at) {
                    *result = settled(is_found.then(|| outcomes.next()));
                }
            }
        }
        Ok(results)
    }
}

/// A record that is to be deleted.
#[derive(Clone)]
struct Doomed {
    id: RecordId,
    key: StoreKey,
}

impl Doomed {
    fn new(collection: &CollectionName, id: &RecordId) -> Self {
        Self { id: id.clone(), key: record_key(collection, id) }
    }
}

/// A record that is to be deleted, with what its row lists. Of one that does not authenticate it is
/// the surrogates alone: who could write it could have removed them.
struct Readable {
    one: Doomed,
    digest: RowDigest,
    entries: Vec<Vec<u8>>,
    surrogates: Vec<String>,
    end: HolderEnd,
}

impl Readable {
    fn new(one: Doomed, row: &[u8], keyring: &LoadedKeyring) -> Self {
        let place = RowPlace { tenant: keyring.keyring.tenant, key: &one.key };
        let sound = keyring.rows.decode(place, row).ok().and_then(decode);
        let end = sound.as_ref().map_or(HolderEnd::Unknown, |it| HolderEnd::of(it.expires_ms));
        let entries = sound.as_ref().map(|it| it.index_entries.clone()).unwrap_or_default();
        let record = sound.or_else(|| RowKeys::unverified(row).and_then(decode));
        let surrogates = put::listed(&record.unwrap_or_default());
        let surrogates = surrogates.into_iter().map(|it| it.text).collect();
        Self { one, digest: RowDigest::of(row), entries, surrogates, end }
    }

    /// The change that removes its row, its entries and its surrogates.
    fn remove(self, rows: SurrogateRows<'_>, sight: &mut Sight) -> Result<Change, VaultError> {
        let mut exchange = Exchange::new(rows, sight);
        self.surrogates.iter().for_each(|surrogate| exchange.take_back(surrogate, self.end));
        let mut change = exchange.into_change()?;
        sight.note(&change);
        change.preconditions.push(Precondition::Unchanged(self.one.key.clone(), self.digest));
        change.writes.extend(blind_index::writes(&self.one.id, &self.entries, &[]));
        change.writes.push(Write::Remove(self.one.key));
        Ok(change)
    }
}

fn decode(message: &[u8]) -> Option<storage::Record> {
    storage::Record::decode(message).ok()
}

fn surrogate_rows(keyring: &LoadedKeyring) -> SurrogateRows<'_> {
    SurrogateRows { tenant: keyring.keyring.tenant, keys: &keyring.rows }
}

/// Sees the rows of the surrogates that go with their records.
async fn see(
    store: &dyn Store,
    keyring: &LoadedKeyring,
    readable: &[Readable],
) -> Result<Sight, VaultError> {
    let rows = surrogate_rows(keyring);
    let listed = readable.iter().flat_map(|one| &one.surrogates);
    let keys: Vec<_> = listed.flat_map(|text| put::keys_of(&rows, text)).collect();
    let mut sight = Sight::default();
    if !keys.is_empty() {
        let keys = sight.unseen(keys);
        sight.add(&keys, store.read(keys.clone()).await?);
    }
    Ok(sight)
}

/// The changes that remove records, in order.
fn removals(
    readable: Vec<Readable>,
    keyring: &LoadedKeyring,
    mut sight: Sight,
) -> Result<Vec<Change>, VaultError> {
    let rows = surrogate_rows(keyring);
    readable.into_iter().map(|one| one.remove(rows, &mut sight)).collect()
}

/// The places of the results that are this error.
fn places(results: &[Deleted], error: &VaultError) -> Vec<usize> {
    let is_this = |result: &Deleted| result.as_ref().is_err_and(|other| other == error);
    results.iter().enumerate().filter(|(_, result)| is_this(result)).map(|(at, _)| at).collect()
}

/// What became of a row: `None` when there was none.
fn settled(outcome: Option<Option<Outcome>>) -> Deleted {
    match outcome {
        None => Err(VaultError::NotFound),
        Some(Some(Outcome::Applied)) => Ok(()),
        Some(Some(Outcome::PreconditionFailed)) => Err(VaultError::Conflict),
        Some(None) => Err(VaultError::Internal),
    }
}
