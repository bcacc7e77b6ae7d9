//! Opening a vault: hold the directory, unlock the root key, open keyrings and registry.
//!
//! It promises that nothing is changed when a vault does not open, and says whether trying again may
//! help. It relies on [`VaultPlace`] for the directory.

use std::{path::PathBuf, sync::Arc};

use super::{Vault, VaultPlace};
use crate::{
    clock::{Clock, SystemClock},
    entropy::{Entropy, SystemEntropy},
    key_worker::KeyWorker,
    loans::Loans,
    operations::KeyPolicy,
    reencryption::{LastLooks, LazyQueue, Paces},
    registry::Registry,
    seal::{Passphrase, SealFailures},
    store::{StoreEngine, Stores},
    turns::Turns,
    unlocked::UnlockedCache,
    users::{LoginDelays, PasswordDesk},
};

/// What a vault is opened with.
pub struct Settings {
    /// Its directory, which no one else may read.
    pub data_dir: PathBuf,
    /// The engine of its databases.
    pub engine: StoreEngine,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Tenants' databases open at once.
    pub open_tenants_max: usize,
    /// When keys are due.
    pub key_policy: KeyPolicy,
}

/// Why a vault does not open. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Others could read or write the data directory.
    #[error("the data directory is accessible to others; run: chmod 700 on it")]
    UnsafePermissions,
    /// Another process holds the data directory.
    #[error("the data directory is in use by another process")]
    InUse,
    /// The data directory was made with another engine.
    #[error("the data directory was made with the other engine: set `engine` as it was")]
    OtherEngine,
    /// The data directory cannot be read or written; its disk may be full.
    #[error("the data directory cannot be read or written, or its disk is full")]
    Unavailable,
    /// There are data, and no seal file or system keyring that opens them.
    #[error(
        "the data directory has data but lacks system/seal.trs or system/keyring.trk; restore it"
    )]
    Incomplete,
    /// The seal file is no seal file.
    #[error("the seal file, system/seal.trs, is damaged; restore it from a backup")]
    DamagedSeal,
    /// No seal gives the root key.
    #[error("no seal opens it: {0}")]
    NoSealOpens(SealFailures),
    /// The system keyring does not authenticate under the root key.
    #[error(
        "the system keyring, system/keyring.trk, is damaged, or it or system/seal.trs is from another \
         installation; restore both from one backup"
    )]
    DamagedKeyring,
    /// The registry's database is damaged.
    #[error("the registry, system/db, is damaged or missing; restore it from a backup")]
    DamagedRegistry,
    /// Keys or threads cannot be made.
    #[error("keys or threads cannot be made")]
    Internal,
}

impl Settings {
    /// The defaults: sled, the system's clock and randomness.
    #[must_use]
    pub fn new(data_dir: PathBuf) -> Self {
        Self {
            data_dir,
            engine: StoreEngine::Sled,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy::default()),
            open_tenants_max: Stores::OPEN_MAX_DEFAULT,
            key_policy: KeyPolicy::default(),
        }
    }
}

impl OpenError {
    /// Whether the vault may open later by itself: a seal is away.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::NoSealOpens(failures) if failures.are_transient())
    }
}

impl Vault {
    /// Opens the vault in a directory under one passphrase, or makes one in an empty directory.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(settings: Settings, passphrase: &Passphrase) -> Result<Self, OpenError> {
        let place = VaultPlace::take(settings, passphrase.to_seals())?;
        Arc::new(place).unlock().await
    }
}

impl VaultPlace {
    /// Opens the vault, or makes one in an empty directory. Locking is dropping what it gives.
    ///
    /// # Errors
    /// [`OpenError`]; [`OpenError::is_transient`] says whether trying again may help.
    pub async fn unlock(self: &Arc<Self>) -> Result<Vault, OpenError> {
        let key_worker = KeyWorker::start_one_a_core().map_err(|_| OpenError::Internal)?;
        let (keyrings, registry) = self.open().await?;
        let keyrings = Arc::new(keyrings);
        let databases = self.data_dir.join("databases");
        Ok(Vault {
            registry: Registry::new(registry, Arc::clone(&keyrings)),
            stores: Stores::new(databases, self.engine, self.open_tenants_max),
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
            keyrings,
            key_worker,
            password_desk: PasswordDesk::start().map_err(|_| OpenError::Internal)?,
            login_delays: LoginDelays::default(),
            unlocked: Arc::new(UnlockedCache::default()),
            loans: Loans::default(),
            paces: Paces::default(),
            last_looks: LastLooks::default(),
            lazy: LazyQueue::default(),
            enrolment: tokio::sync::Mutex::default(),
            turns: Turns::default(),
            damaged_keyrings: std::sync::Mutex::default(),
            key_policy: self.key_policy,
            place: Arc::clone(self),
        })
    }
}
