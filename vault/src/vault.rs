//! The vault: keyrings, registry and stores of one data directory, held by one process.
//!
//! It promises what `docs/threat-model.md` says; every method that touches data asks for a permit.
//! Layout: `lock`, `system/` (seal, keyring, registry), `keyrings/`, `databases/`.

mod open;
mod place;
#[cfg(test)]
mod power_cuts;

use std::{
    collections::HashSet,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use tresor_proto::TenantId;

pub use open::{OpenError, Settings};
pub use place::VaultPlace;

use crate::{
    budget::{BudgetUse, Budgets},
    clock::Clock,
    entropy::Entropy,
    error::VaultError,
    key_worker::KeyWorker,
    keyring::{KeyringError, Keyrings, LoadedKeyring},
    loans::Loans,
    operations::KeyPolicy,
    reencryption::{LastLooks, LazyQueue, Paces},
    registry::Registry,
    store::{Existence, Store, Stores},
    turns::Turns,
    unlocked::UnlockedCache,
    users::{LoginDelays, PasswordDesk},
};

/// An open vault.
pub struct Vault {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    keyrings: Arc<Keyrings>,
    registry: Registry,
    stores: Stores,
    key_worker: KeyWorker,
    password_desk: PasswordDesk,
    login_delays: LoginDelays,
    unlocked: Arc<UnlockedCache>,
    loans: Loans,
    paces: Paces,
    last_looks: LastLooks,
    lazy: LazyQueue,
    enrolment: tokio::sync::Mutex<()>,
    turns: Turns,
    damaged_keyrings: Mutex<HashSet<TenantId>>,
    key_policy: KeyPolicy,
    /// Last, so that the directory is free only when everything else is gone.
    place: Arc<VaultPlace>,
}

impl Vault {
    /// Forgets keys that are idle or old. The process calls it every second.
    pub fn sweep(&self) {
        self.unlocked.sweep(self.clock.now_ms());
        self.loans.sweep(self.clock.now_ms());
    }

    /// Writes down how much was sealed under each data key, for tenants of which so many groups are
    /// not written down yet. The process calls it now and then, with a large number: a keyring that
    /// is written often makes every backup of it an old one.
    pub async fn keep_seal_counts(&self, unwritten_min: u64) {
        let keyrings = Arc::clone(&self.keyrings);
        let kept = self.key_worker.run(move || keyrings.keep_seal_counts(unwritten_min)).await;
        if !matches!(kept, Ok(Ok(()))) {
            tracing::warn!("seal counts could not be written; they stay behind");
        }
    }

    /// Syncs and closes every database, and waits for key work that nobody waits for any more.
    ///
    /// # Errors
    /// `storage_unavailable` when a last sync fails; what was acknowledged is safe all the same.
    pub async fn close(&self) -> Result<(), VaultError> {
        let tenants = self.stores.close_all().await;
        self.registry.close().await?;
        self.key_worker.settle().await;
        self.password_desk.settle().await;
        Ok(tenants?)
    }

    /// How many passwords are being checked or wait for it.
    #[must_use]
    pub fn logins_under_way(&self) -> usize {
        self.password_desk.places_taken()
    }

    /// The directory it holds.
    #[must_use]
    pub fn data_dir(&self) -> &PathBuf {
        &self.place.data_dir
    }

    /// How it stands with the budgets of all tenants that have spent something of one.
    #[must_use]
    pub fn budget_uses(&self) -> Vec<BudgetUse> {
        self.budgets().uses(self.clock.now_ms())
    }

    pub(crate) fn budgets(&self) -> &Arc<Budgets> {
        &self.place.budgets
    }

    /// Its directory with the seals.
    pub(crate) fn place(&self) -> &Arc<VaultPlace> {
        &self.place
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    pub(crate) fn entropy(&self) -> &dyn Entropy {
        self.entropy.as_ref()
    }

    pub(crate) fn entropy_arc(&self) -> Arc<dyn Entropy> {
        Arc::clone(&self.entropy)
    }

    pub(crate) fn keyrings(&self) -> &Keyrings {
        &self.keyrings
    }

    pub(crate) fn keyrings_arc(&self) -> Arc<Keyrings> {
        Arc::clone(&self.keyrings)
    }

    pub(crate) fn key_policy(&self) -> KeyPolicy {
        self.key_policy
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    pub(crate) fn stores(&self) -> &Stores {
        &self.stores
    }

    pub(crate) fn key_worker(&self) -> &KeyWorker {
        &self.key_worker
    }

    pub(crate) fn password_desk(&self) -> &PasswordDesk {
        &self.password_desk
    }

    pub(crate) fn login_delays(&self) -> &LoginDelays {
        &self.login_delays
    }

    pub(crate) fn unlocked_cache(&self) -> Arc<UnlockedCache> {
        Arc::clone(&self.unlocked)
    }

    pub(crate) fn loans(&self) -> &Loans {
        &self.loans
    }

    pub(crate) fn lazy(&self) -> &LazyQueue {
        &self.lazy
    }

    pub(crate) fn paces(&self) -> &Paces {
        &self.paces
    }

    pub(crate) fn last_looks(&self) -> &LastLooks {
        &self.last_looks
    }

    /// The turns of those who count surrogates.
    pub(crate) fn turns(&self) -> &Turns {
        &self.turns
    }

    /// Waits for the turn to enrol.
    pub(crate) async fn enrolment_turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.enrolment.lock().await
    }

    /// The database of an enrolled tenant.
    pub(crate) async fn store(&self, tenant: TenantId) -> Result<Arc<dyn Store>, VaultError> {
        Ok(self.stores.tenant(tenant, Existence::MustExist).await?)
    }

    /// The keyring of an enrolled tenant; a damaged one quarantines the tenant.
    pub(crate) async fn keyring(&self, tenant: TenantId) -> Result<Arc<LoadedKeyring>, VaultError> {
        if let Some(loaded) = self.keyrings.loaded(tenant) {
            return Ok(loaded);
        }
        if self.has_damaged_keyring(tenant) {
            return Err(VaultError::StorageUnavailable);
        }
        let keyrings = Arc::clone(&self.keyrings);
        let loaded = self.key_worker.run(move || keyrings.load(tenant)).await?;
        if loaded.as_ref().is_err_and(|error| *error == KeyringError::Damaged) {
            tracing::error!(tenant = %tenant, "keyring damaged or old; tenant quarantined");
            let mut damaged = self.damaged_keyrings.lock().unwrap_or_else(PoisonError::into_inner);
            damaged.insert(tenant);
        }
        Ok(loaded?)
    }

    /// Whether a tenant is not served because its keyring or database is damaged.
    pub(crate) fn is_quarantined(&self, tenant: TenantId) -> bool {
        self.has_damaged_keyring(tenant) || self.stores.is_quarantined(tenant)
    }

    /// A damaged keyring stays quarantined until a restart, whatever lies there meanwhile.
    fn has_damaged_keyring(&self, tenant: TenantId) -> bool {
        let damaged = self.damaged_keyrings.lock().unwrap_or_else(PoisonError::into_inner);
        damaged.contains(&tenant)
    }
}
