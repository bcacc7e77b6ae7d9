//! Reads the names of surrogates: without any key where the text says enough, else on a key thread.

use std::{collections::BTreeSet, sync::Arc};

use tresor_proto::{DataClass, Failure, TenantId};

use crate::{
    access::TokenHolder,
    crypto_error::CryptoError,
    error::VaultError,
    store::StoreKey,
    surrogate::{SurrogateQuery, named::Named, preserved_forms::PreservedForms},
    unlocked::{Unlocked, UnlockedCache},
    vault::Vault,
};

/// Rows of surrogates read at once: 16 MiB at most.
pub(super) const PART_ITEMS_MAX: usize = 256;

/// The surrogates of a call, in order.
pub(super) type Names = Vec<Result<Named, VaultError>>;

/// What is needed to read the names of one call.
pub(super) struct Namer {
    holder: Arc<TokenHolder>,
    cache: Arc<UnlockedCache>,
    now_ms: u64,
}

impl Vault {
    /// The surrogates that are named; the database is not asked.
    pub(super) async fn name_surrogates(
        &self,
        holder: &Arc<TokenHolder>,
        queries: Vec<Result<SurrogateQuery, Failure>>,
    ) -> Result<Names, VaultError> {
        let namer = self.namer(holder);
        if classes(&queries).is_empty() {
            return namer.name(queries);
        }
        self.key_worker().run(move || namer.name(queries)).await?
    }

    /// Rows of surrogates; where none is named that has one, the database is not asked.
    pub(super) async fn surrogate_rows(
        &self,
        tenant: TenantId,
        keys: Vec<StoreKey>,
    ) -> Result<Vec<Option<Vec<u8>>>, VaultError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.store(tenant).await?.read(keys).await?)
    }

    /// Reads names with what a customer token opens.
    pub(super) fn namer(&self, holder: &Arc<TokenHolder>) -> Namer {
        let (cache, now_ms) = (self.unlocked_cache(), self.clock().now_ms());
        Namer { holder: Arc::clone(holder), cache, now_ms }
    }
}

impl Namer {
    /// The surrogates that are named, of classes that the customer token opens: whatever is done with
    /// one, also what shows nothing of its value, takes its class.
    pub(super) fn name(
        &self,
        queries: Vec<Result<SurrogateQuery, Failure>>,
    ) -> Result<Names, VaultError> {
        let tenant = self.holder.keyring().keyring.tenant;
        let unlocked = self.unlock(classes(&queries))?;
        let mut forms = PreservedForms::default();
        let name = |query: Result<SurrogateQuery, Failure>| {
            let query = query?;
            let keys = query.class().and_then(|class| unlocked.class(class));
            let named = query.named(tenant, keys, &mut forms)?;
            let is_opened = self.holder.opens(named.class());
            is_opened.then_some(named).ok_or(VaultError::WrongKey)
        };
        Ok(queries.into_iter().map(name).collect())
    }

    fn unlock(&self, classes: BTreeSet<DataClass>) -> Result<Unlocked, VaultError> {
        if classes.is_empty() {
            return Ok(Unlocked::default());
        }
        let holder = self.holder.holder().ok_or(VaultError::Internal)?;
        let unlocked = self.cache.unlock(holder, classes, self.now_ms);
        unlocked.map_err(|CryptoError| VaultError::Integrity)
    }
}

/// The classes whose keys it takes to read the names.
fn classes(queries: &[Result<SurrogateQuery, Failure>]) -> BTreeSet<DataClass> {
    queries.iter().flatten().filter_map(SurrogateQuery::class).collect()
}
