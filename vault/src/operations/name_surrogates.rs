//! Reads the names of surrogates: without any key where the text says enough, else on a key thread.

use std::{collections::BTreeSet, sync::Arc};

use tresor_proto::Failure;

use crate::{
    access::TokenHolder,
    crypto_error::CryptoError,
    error::VaultError,
    surrogate::{SurrogateQuery, named::Named},
    vault::Vault,
};

/// Rows of surrogates read at once: 16 MiB at most.
pub(super) const PART_ITEMS_MAX: usize = 256;

/// The surrogates of a call, in order.
pub(super) type Names = Vec<Result<Named, VaultError>>;

impl Vault {
    /// The surrogates that are named; the database is not asked.
    pub(super) async fn name_surrogates(
        &self,
        holder: &Arc<TokenHolder>,
        queries: Vec<Result<SurrogateQuery, Failure>>,
    ) -> Result<Names, VaultError> {
        let tenant = holder.keyring().keyring.tenant;
        let classes = queries.iter().flatten().filter_map(SurrogateQuery::class);
        let classes: BTreeSet<_> = classes.collect();
        if classes.is_empty() {
            return Ok(queries.into_iter().map(|query| query?.named(tenant, None)).collect());
        }
        let (holder, cache) = (Arc::clone(holder), self.unlocked_cache());
        let now_ms = self.clock().now_ms();
        let name = move || {
            let holder = holder.holder().ok_or(VaultError::Internal)?;
            let unlocked = cache.unlock(holder, classes, now_ms);
            let unlocked = unlocked.map_err(|CryptoError| VaultError::Integrity)?;
            let name = |query: Result<SurrogateQuery, Failure>| {
                let query = query?;
                let keys = query.class().and_then(|class| unlocked.class(class));
                query.named(tenant, keys)
            };
            Ok(queries.into_iter().map(name).collect())
        };
        self.key_worker().run(name).await?
    }
}
