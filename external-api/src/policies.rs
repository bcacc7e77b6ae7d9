//! Policies of collections, fetched from the vault and remembered for a moment.
//!
//! It promises that a policy is at most five seconds old, and fresh after a conflict. It relies on
//! the vault, which refuses records that were screened under an outdated version.

use core::time::Duration;
use std::{sync::Arc, time::Instant};

use quick_cache::sync::Cache;
use tresor_proto::{
    CollectionName, Failure, Policy, TenantId,
    vault::{Collection, GetCollectionRequest},
};

use crate::{
    client::Client,
    vault::{Vault, malformed},
};

const POLICIES_MAX: usize = 4_096;
const AGE_MAX: Duration = Duration::from_secs(5);

/// A policy with its version.
#[derive(Debug)]
pub(crate) struct VersionedPolicy {
    /// Its version; 0 for a policy that is no collection's.
    pub(crate) version: u64,
    /// What it says.
    pub(crate) policy: Policy,
}

/// The policies in use, by tenant and collection.
pub(crate) struct Policies {
    vault: Vault,
    cache: Cache<(TenantId, CollectionName), (Instant, Arc<VersionedPolicy>)>,
}

impl Policies {
    /// None yet; they are fetched from `vault`.
    pub(crate) fn new(vault: Vault) -> Self {
        Self { vault, cache: Cache::new(POLICIES_MAX) }
    }

    /// The policy of a collection.
    pub(crate) async fn fetch(
        &self,
        client: &Client,
        collection: &CollectionName,
    ) -> Result<Arc<VersionedPolicy>, Failure> {
        let key = (client.tenant(), collection.clone());
        match self.cache.get(&key) {
            Some((fetched, policy)) if fetched.elapsed() < AGE_MAX => Ok(policy),
            Some(_) | None => self.refetch(client, collection).await,
        }
    }

    /// The policy of a collection as it is now.
    pub(crate) async fn refetch(
        &self,
        client: &Client,
        collection: &CollectionName,
    ) -> Result<Arc<VersionedPolicy>, Failure> {
        let found = client.ask(|context| {
            self.vault.collection(GetCollectionRequest {
                context: Some(context),
                name: collection.as_str().to_owned(),
                policy_version: 0,
            })
        });
        let found = found.await?;
        let policy = Arc::new(VersionedPolicy::try_from(found)?);
        let key = (client.tenant(), collection.clone());
        self.cache.insert(key, (Instant::now(), Arc::clone(&policy)));
        Ok(policy)
    }
}

impl TryFrom<Collection> for VersionedPolicy {
    type Error = Failure;

    fn try_from(collection: Collection) -> Result<Self, Failure> {
        let policy = collection.policy.ok_or_else(malformed)?;
        Ok(Self {
            version: collection.policy_version,
            policy: Policy::try_from(policy).map_err(|_| malformed())?,
        })
    }
}
