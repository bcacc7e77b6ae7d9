//! Deletes surrogates, with everything that finds, counts and ends them, in one change each.

use std::sync::Arc;

use tresor_proto::{ErrorCode, Failure, SurrogateId, storage};

use super::{name_surrogates::PART_ITEMS_MAX, put, sight::Sight};
use crate::{
    access::{DeleteSurrogates, Permit},
    error::VaultError,
    store::{Change, Keyspace, Outcome, StoreKey, Write},
    surrogate::{
        SurrogateQuery, expiry, holders,
        named::Named,
        rows::{SurrogateRows, count_key, row_key},
    },
    vault::Vault,
};

/// Why a surrogate that looks like its value stays.
const NOTHING_KEPT: &str = "nothing is kept of a format-preserving surrogate that could be deleted; \
                            rekey-identifiers replaces all of them";

type Deleted = Result<(), VaultError>;

/// Where a surrogate is.
enum Item {
    Asked(SurrogateId),
    Deleting(SurrogateId),
    Settled(Deleted),
}

impl Vault {
    /// Deletes surrogates; one result a surrogate, in order, once it is durable. A row that does not
    /// authenticate can be deleted too; a surrogate that comes twice is not found the second time.
    ///
    /// # Errors
    /// For all: `overloaded`, `storage_unavailable`. For one: `invalid_request` when it is mistyped,
    /// another tenant's or a format-preserving one, of which nothing is kept; `wrong_key`,
    /// `not_found`, `conflict` when records hold it that have not ended, or other changes kept coming
    /// between.
    pub async fn delete_surrogates(
        &self,
        permit: &Permit<DeleteSurrogates>,
        queries: Vec<Result<SurrogateQuery, Failure>>,
    ) -> Result<Vec<Deleted>, VaultError> {
        let mut names = self.name_surrogates(permit.holder(), queries).await?.into_iter();
        let mut deleted = Vec::with_capacity(names.len());
        while names.len() > 0 {
            let part = names.by_ref().take(PART_ITEMS_MAX).map(Item::of).collect();
            let part = self.delete_names(permit, part).await?;
            deleted.extend(part.into_iter().map(Item::into_result));
        }
        Ok(deleted)
    }

    async fn delete_names(
        &self,
        permit: &Permit<DeleteSurrogates>,
        mut items: Vec<Item>,
    ) -> Result<Vec<Item>, VaultError> {
        let tenant = permit.tenant();
        for round in 0..put::ROUNDS_MAX {
            let keys = items.iter().filter_map(Item::key);
            let keys: Vec<_> = keys.flat_map(|key| [count_key(&key), key]).collect();
            if keys.is_empty() {
                break;
            }
            if round > 0 {
                tokio::time::sleep(put::PAUSE * round).await;
            }
            let (store, mut sight) = (self.store(tenant).await?, Sight::default());
            sight.add(&keys, store.read(keys.clone()).await?);
            let (holder, now_ms) = (Arc::clone(permit.holder()), self.clock().now_ms());
            let plan = move || {
                let rows = SurrogateRows { tenant, keys: &holder.keyring().rows };
                let changes = plan(&mut items, &mut sight, (rows, now_ms));
                (items, changes)
            };
            let changes;
            (items, changes) = self.key_worker().run(plan).await?;
            settle(&mut items, store.apply(changes).await?);
        }
        Ok(items)
    }
}

/// The changes that delete what is there, in order; settles what is not.
fn plan(items: &mut [Item], sight: &mut Sight, now: (SurrogateRows<'_>, u64)) -> Vec<Change> {
    let mut changes = Vec::new();
    for item in items {
        let Item::Asked(id) = item else { continue };
        let change = remove(id, sight, now);
        item.plan(change.map(|change| {
            sight.note(&change);
            changes.push(change);
        }));
    }
    changes
}

/// The change that removes a surrogate.
fn remove(
    id: &SurrogateId,
    sight: &Sight,
    (rows, now_ms): (SurrogateRows<'_>, u64),
) -> Result<Change, VaultError> {
    let key = row_key(id);
    let row = sight.row(&key).ok_or(VaultError::NotFound)?;
    // Of what does not authenticate nothing is believed: its look-up is found to lead nowhere.
    let message = rows.decode::<storage::Surrogate>(&key, row).unwrap_or_default();
    let count_key = count_key(&key);
    let count = sight.row(&count_key).map(|row| rows.decode(&count_key, row));
    // One whose count does not authenticate has no other way to go.
    let count: storage::SurrogateCount = count.and_then(Result::ok).unwrap_or_default();
    // Records that have ended do not lead to it any more.
    if holders::is_held(&count, now_ms) {
        return Err(held_by(count.references));
    }
    let preconditions = vec![sight.unchanged(&key), sight.unchanged(&count_key)];
    let mut removed = vec![count_key, key];
    if !message.look_up.is_empty() {
        removed.push(StoreKey::new(Keyspace::Surrogates, message.look_up));
    }
    if message.expires_ms != 0 {
        removed.push(expiry::entry(message.expires_ms, id));
    }
    Ok(Change { preconditions, writes: removed.into_iter().map(Write::Remove).collect() })
}

fn held_by(references: u64) -> VaultError {
    let message = format!(
        "records hold it, in {references} fields, those of ended records counted in; delete or \
         replace the records"
    );
    Failure::new(ErrorCode::Conflict, message).into()
}

fn settle(items: &mut [Item], outcomes: Vec<Outcome>) {
    let deleting = items.iter_mut().filter(|item| matches!(item, Item::Deleting(_)));
    for (item, outcome) in deleting.zip(outcomes) {
        *item = match (item.take(), outcome) {
            (Item::Deleting(_), Outcome::Applied) => Item::Settled(Ok(())),
            (Item::Deleting(id), Outcome::PreconditionFailed) => Item::Asked(id),
            (other, _) => other,
        };
    }
}

impl Item {
    fn of(named: Result<Named, VaultError>) -> Self {
        match named {
            Ok(Named::Ours(surrogate)) => Self::Asked(surrogate.id()),
            Ok(Named::Preserved(_)) => {
                Self::Settled(Err(Failure::invalid("surrogate", NOTHING_KEPT).into()))
            }
            Err(error) => Self::Settled(Err(error)),
        }
    }

    fn key(&self) -> Option<StoreKey> {
        match self {
            Self::Asked(id) => Some(row_key(id)),
            Self::Deleting(_) | Self::Settled(_) => None,
        }
    }

    /// Hands one that is asked for to the store, or settles it.
    fn plan(&mut self, planned: Result<(), VaultError>) {
        *self = match (self.take(), planned) {
            (Self::Asked(id), Ok(())) => Self::Deleting(id),
            (_, Err(error)) => Self::Settled(Err(error)),
            (other, Ok(())) => other,
        };
    }

    fn take(&mut self) -> Self {
        core::mem::replace(self, Self::Settled(Err(VaultError::Internal)))
    }

    fn into_result(self) -> Deleted {
        match self {
            Self::Settled(deleted) => deleted,
            Self::Asked(_) => Err(VaultError::Conflict),
            Self::Deleting(_) => Err(VaultError::Internal),
        }
    }
}
