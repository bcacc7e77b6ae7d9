//! Deletes surrogates, with everything that finds, counts and ends them, in one change each.

use std::sync::Arc;

use tresor_proto::{Failure, Surrogate, storage};

use super::{put, sight::Sight};
use crate::{
    access::{DeleteSurrogates, Permit},
    error::VaultError,
    store::{Change, Keyspace, Outcome, StoreKey, Write},
    surrogate::{
        SurrogateQuery, expiry,
        rows::{SurrogateRows, count_key, row_key},
    },
    vault::Vault,
};

type Deleted = Result<(), VaultError>;

/// Where a surrogate is.
enum Item {
    Asked(Surrogate),
    Deleting(Surrogate),
    Settled(Deleted),
}

impl Vault {
    /// Deletes surrogates; one result a surrogate, in order, once it is durable. A row that does not
    /// authenticate can be deleted too; a surrogate that comes twice is not found the second time.
    ///
    /// # Errors
    /// For all: `overloaded`, `storage_unavailable`. For one: `invalid_request` when it is mistyped or
    /// another tenant's, `not_found`, `conflict` when other changes kept coming between.
    pub async fn delete_surrogates(
        &self,
        permit: &Permit<DeleteSurrogates>,
        queries: Vec<Result<SurrogateQuery, Failure>>,
    ) -> Result<Vec<Deleted>, VaultError> {
        let tenant = permit.tenant();
        let item = |query: Result<SurrogateQuery, Failure>| {
            let surrogate = query.and_then(|query| query.surrogate(tenant));
            surrogate.map_or_else(|error| Item::Settled(Err(error.into())), Item::Asked)
        };
        let mut items: Vec<_> = queries.into_iter().map(item).collect();
        for round in 0..put::ROUNDS_MAX {
            let keys: Vec<_> = items.iter().filter_map(Item::key).collect();
            if keys.is_empty() {
                break;
            }
            if round > 0 {
                tokio::time::sleep(put::PAUSE * round).await;
            }
            let (store, mut sight) = (self.store(tenant).await?, Sight::default());
            sight.add(&keys, store.read(keys.clone()).await?);
            let holder = Arc::clone(permit.holder());
            let plan = move || {
                let rows = SurrogateRows { tenant, keys: &holder.keyring().rows };
                let changes = plan(&mut items, &mut sight, rows);
                (items, changes)
            };
            let changes;
            (items, changes) = self.key_worker().run(plan).await?;
            settle(&mut items, store.apply(changes).await?);
        }
        Ok(items.into_iter().map(Item::into_result).collect())
    }
}

/// The changes that delete what is there, in order; settles what is not.
fn plan(items: &mut [Item], sight: &mut Sight, rows: SurrogateRows<'_>) -> Vec<Change> {
    let mut changes = Vec::new();
    for item in items {
        let Item::Asked(surrogate) = *item else { continue };
        match removal(&surrogate, sight, rows) {
            None => *item = Item::Settled(Err(VaultError::NotFound)),
            Some(change) => {
                sight.note(&change);
                changes.push(change);
                *item = Item::Deleting(surrogate);
            }
        }
    }
    changes
}

/// The change that deletes a surrogate, if it is there.
fn removal(surrogate: &Surrogate, sight: &Sight, rows: SurrogateRows<'_>) -> Option<Change> {
    let key = row_key(&surrogate.id());
    let message = rows.decode::<storage::Surrogate>(&key, sight.row(&key)?);
    // Of what does not authenticate nothing is believed: its look-up is found to lead nowhere.
    let message = message.unwrap_or_default();
    let preconditions = vec![sight.unchanged(&key)];
    let mut removed = vec![count_key(&key), key];
    if !message.look_up.is_empty() {
        removed.push(StoreKey::new(Keyspace::Surrogates, message.look_up));
    }
    if message.expires_ms != 0 {
        removed.push(expiry::entry(message.expires_ms, &surrogate.id()));
    }
    Some(Change { preconditions, writes: removed.into_iter().map(Write::Remove).collect() })
}

fn settle(items: &mut [Item], outcomes: Vec<Outcome>) {
    let deleting = items.iter_mut().filter(|item| matches!(item, Item::Deleting(_)));
    for (item, outcome) in deleting.zip(outcomes) {
        let Item::Deleting(surrogate) = *item else { continue };
        *item = match outcome {
            Outcome::Applied => Item::Settled(Ok(())),
            Outcome::PreconditionFailed => Item::Asked(surrogate),
        };
    }
}

impl Item {
    fn key(&self) -> Option<StoreKey> {
        match self {
            Self::Asked(surrogate) => Some(row_key(&surrogate.id())),
            Self::Deleting(_) | Self::Settled(_) => None,
        }
    }

    fn into_result(self) -> Deleted {
        match self {
            Self::Settled(deleted) => deleted,
            Self::Asked(_) => Err(VaultError::Conflict),
            Self::Deleting(_) => Err(VaultError::Internal),
        }
    }
}
