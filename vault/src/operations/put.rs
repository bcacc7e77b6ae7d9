//! Stores records: policy, seal, one atomic change a record, durable before the answer.

mod batch;
mod enforce;
mod sealer;

use tresor_proto::{CollectionName, Failure};

use self::{batch::Batch, enforce::Rules, sealer::Sealer};
use crate::{
    access::{Permit, Write},
    error::VaultError,
    record::{NewRecord, StoredRecord},
    vault::Vault,
};

/// How often a record is tried again when another change came between.
const ATTEMPTS_MAX: usize = 3;

/// Where records go, and under which policy they were screened.
#[derive(Clone, Debug)]
pub struct Destination {
    /// The collection.
    pub collection: CollectionName,
    /// The version of the policy; `None` when the caller did not screen.
    pub policy_version: Option<u64>,
}

impl Vault {
    /// Stores records; one result a record, in order, once it is durable. A record with an id
    /// that exists is replaced; one that failed to parse keeps its failure.
    ///
    /// # Errors
    /// For all: `not_found` for an unknown collection, `conflict` for an outdated policy version,
    /// `overloaded`, `storage_unavailable`. For one: `rejected_by_policy`, `wrong_key`,
    /// `conflict`, `integrity` when the row it would replace does not authenticate.
    pub async fn put(
        &self,
        permit: &Permit<Write>,
        destination: &Destination,
        records: Vec<Result<NewRecord, Failure>>,
    ) -> Result<Vec<Result<StoredRecord, VaultError>>, VaultError> {
        let tenant = permit.tenant();
        let collection = self.registry().collection(tenant, &destination.collection, None).await?;
        if destination.policy_version.is_some_and(|version| version != collection.policy_version) {
            return Err(VaultError::PolicyOutdated);
        }
        let rules = Rules::new(&collection.policy, destination.policy_version.is_some());
        let mut batch = Batch::new(records, &rules, self.clock().now_ms(), self.entropy())?;
        let store = self.store(tenant).await?;
        for _ in 0..ATTEMPTS_MAX {
            if !batch.is_pending() {
                break;
            }
            let rows = store.read(batch.keys(&destination.collection)).await?;
            let sealer = Sealer {
                tenant,
                collection: destination.collection.clone(),
                policy_version: collection.policy_version,
                holder: permit.holder().clone(),
                cache: self.unlocked_cache(),
                entropy: self.entropy_arc(),
                now_ms: self.clock().now_ms(),
            };
            let seal = move || {
                let changes = sealer.seal_pending(&mut batch, &rows);
                (batch, changes)
            };
            let (sealed, changes) = self.key_worker().run(seal).await?;
            batch = sealed;
            batch.settle(store.apply(changes?).await?);
        }
        Ok(batch.into_results())
    }
}
