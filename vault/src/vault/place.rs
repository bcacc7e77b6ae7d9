//! The directory of a vault, held by this process, with the seals that unlock it.
//!
//! It promises that no other process holds the directory, and no key: what [`VaultPlace::unlock`]
//! gives is all there is, and dropping that locks again. It relies on a thread of its own for the
//! seals, so that one that hangs holds up nobody.

use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use super::{OpenError, Settings};
use crate::{
    budget::Budgets,
    clock::Clock,
    entropy::Entropy,
    error::VaultError,
    key::RootKey,
    key_worker::KeyWorker,
    keyring::{KeyringError, KeyringFiles, Keyrings, read_file, replace_file},
    operations::KeyPolicy,
    seal::{NamedSeal, SealError, SealFailures, SealFile, Seals},
    store::{
        Existence, Keyspace, ScanRange, Store, StoreEngine, StoreError, create_directory,
        open_database,
    },
};

/// How long all seals together may take, less than a call may: a token takes seconds, a service a
/// few more.
const UNLOCK_MAX: Duration = Duration::from_secs(20);

/// The place of a vault, which may be locked.
pub struct VaultPlace {
    pub(super) data_dir: PathBuf,
    pub(super) engine: StoreEngine,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) open_tenants_max: usize,
    pub(super) key_policy: KeyPolicy,
    /// Kept while it is locked: locking fills no budget.
    pub(super) budgets: Arc<Budgets>,
    seals: Seals,
    seal_worker: KeyWorker,
    /// Last, so that the directory is free only when everything else is gone.
    _lock: File,
}

impl VaultPlace {
    /// Takes the directory, which is made where it is missing.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn take(settings: Settings, seals: Seals) -> Result<Self, OpenError> {
        let Settings { data_dir, engine, clock, entropy, open_tenants_max, key_policy } = settings;
        prepare(&data_dir)?;
        let lock = take_lock(&data_dir)?;
        let seal_worker = KeyWorker::start(1).map_err(|_| OpenError::Internal)?;
        Ok(Self {
            data_dir,
            engine,
            clock,
            entropy,
            open_tenants_max,
            key_policy,
            budgets: Arc::default(),
            seals,
            seal_worker,
            _lock: lock,
        })
    }

    /// The keyrings and the registry of the directory; both are made in an empty one.
    pub(super) async fn open(self: &Arc<Self>) -> Result<(Keyrings, Arc<dyn Store>), OpenError> {
        match self.is_new()? {
            true => self.create().await,
            false => self.open_existing().await,
        }
    }

    /// Whether there is no keyring and no database of a tenant: an empty directory, or a first
    /// start that was cut off before anything could be stored.
    fn is_new(&self) -> Result<bool, OpenError> {
        let is_empty = |name: &str| match fs::read_dir(self.data_dir.join(name)) {
            Ok(mut entries) => Ok(entries.next().is_none()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
            Err(_) => Err(OpenError::Unavailable),
        };
        let keyring = self.files()?.system_keyring().try_exists();
        let has_keyring = keyring.map_err(|_| OpenError::Unavailable)?;
        Ok(!has_keyring && is_empty("keyrings")? && is_empty("databases")?)
    }

    /// Makes registry, seal and keyring, the keyring last: without it nothing counts as made.
    async fn create(self: &Arc<Self>) -> Result<(Keyrings, Arc<dyn Store>), OpenError> {
        let registry = self.registry(Existence::Create).await?;
        let created = match is_empty(registry.as_ref()).await {
            Ok(true) => self.keyrings(Self::create_keyrings).await,
            Ok(false) => Err(OpenError::Incomplete),
            Err(error) => Err(error),
        };
        with_registry(created, registry).await
    }

    fn create_keyrings(&self) -> Result<Keyrings, OpenError> {
        let files = self.files()?;
        let (root, seal) = self.seals.create(self.entropy.as_ref())?;
        let written = replace_file(&files.seal(), &seal.encode(), |_| true);
        written.map_err(|_| OpenError::Unavailable)?;
        Ok(Keyrings::create(files, root, Arc::clone(&self.entropy))?)
    }

    /// Unlocks the root key, then opens the keyring and the registry that must be there.
    async fn open_existing(self: &Arc<Self>) -> Result<(Keyrings, Arc<dyn Store>), OpenError> {
        let keyrings = self.keyrings(Self::open_keyrings).await?;
        Ok((keyrings, self.registry(Existence::MustExist).await?))
    }

    fn open_keyrings(&self) -> Result<Keyrings, OpenError> {
        let files = self.files()?;
        let file = read_file(&files.seal())?.ok_or(OpenError::Incomplete)?;
        let file = SealFile::decode(&file).map_err(|_| OpenError::DamagedSeal)?;
        let open = |root: RootKey| {
            let keyrings = Keyrings::open(files.clone(), root, Arc::clone(&self.entropy));
            keyrings.map_err(OpenError::from)
        };
        let unlocking = self.seals.unlock(&file, open);
        for failure in &unlocking.failures.0 {
            tracing::warn!(seal = %failure.seal, error = %failure.error, "a seal does not open");
        }
        unlocking.outcome.unwrap_or(Err(OpenError::NoSealOpens(unlocking.failures)))
    }

    /// Lets the seals' thread work for a bounded time; `None` when it takes longer.
    pub(crate) async fn on_seals<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Option<T> {
        let place = Arc::clone(self);
        let working = self.seal_worker.run(move || work(&place));
        tokio::time::timeout(UNLOCK_MAX, working).await.ok()?.ok()
    }

    /// Lets seals be asked again that have refused their secret: the operator has put it right.
    pub fn forgive_seals(&self) {
        self.seals.all().iter().for_each(|named| named.seal.forgive());
    }

    /// The keyrings that the seals' thread opens or makes.
    async fn keyrings(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<Keyrings, OpenError> + Send + 'static,
    ) -> Result<Keyrings, OpenError> {
        let late = || Err(OpenError::NoSealOpens(self.seals.all_failed(SealError::Unreachable)));
        self.on_seals(work).await.unwrap_or_else(late)
    }

    /// The seals of the configuration.
    pub(crate) fn seals(&self) -> &[NamedSeal] {
        self.seals.all()
    }

    /// The seal file as it is on disk now.
    pub(crate) fn seal_file(&self) -> Result<SealFile, VaultError> {
        let file = read_file(&self.seal_path()?).map_err(|_| VaultError::StorageUnavailable)?;
        let decoded = SealFile::decode(&file.unwrap_or_default());
        decoded.map_err(|_| VaultError::Integrity)
    }

    /// Where the seal file is.
    pub(crate) fn seal_path(&self) -> Result<PathBuf, VaultError> {
        Ok(self.files().map_err(|_| VaultError::StorageUnavailable)?.seal())
    }

    pub(crate) fn entropy(&self) -> &dyn Entropy {
        self.entropy.as_ref()
    }

    fn files(&self) -> Result<KeyringFiles, OpenError> {
        KeyringFiles::new(&self.data_dir).map_err(|_| OpenError::Unavailable)
    }

    async fn registry(&self, existence: Existence) -> Result<Arc<dyn Store>, OpenError> {
        // Memory keeps nothing, so there is nothing that must exist.
        let existence = match self.engine {
            StoreEngine::Memory => Existence::Create,
            StoreEngine::Sled | StoreEngine::Redb => existence,
        };
        let directory = self.data_dir.join("system").join("db");
        let opened = open_database(self.engine, directory, existence).await;
        opened.map_err(|error| match error {
            StoreError::InUse => OpenError::InUse,
            StoreError::OtherEngine => OpenError::OtherEngine,
            StoreError::Quarantined => OpenError::DamagedRegistry,
            StoreError::Unavailable | StoreError::Closed | StoreError::TooLarge => {
                OpenError::Unavailable
            }
        })
    }
}

impl core::fmt::Debug for VaultPlace {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("VaultPlace").field(&self.data_dir).finish()
    }
}

/// Closes a registry that is not needed after all, so that it can be opened at the next attempt.
async fn with_registry(
    keyrings: Result<Keyrings, OpenError>,
    registry: Arc<dyn Store>,
) -> Result<(Keyrings, Arc<dyn Store>), OpenError> {
    match keyrings {
        Ok(keyrings) => Ok((keyrings, registry)),
        Err(error) => {
            registry.close().await.map_err(|_| OpenError::Unavailable)?;
            Err(error)
        }
    }
}

/// Makes the directory where it is missing; refuses one that others may look into.
fn prepare(data_dir: &Path) -> Result<(), OpenError> {
    let unavailable = |_| OpenError::Unavailable;
    create_directory(data_dir).map_err(|_| OpenError::Unavailable)?;
    let mode = fs::metadata(data_dir).map_err(unavailable)?.permissions().mode();
    if mode & 0o077 == 0 { Ok(()) } else { Err(OpenError::UnsafePermissions) }
}

fn take_lock(data_dir: &Path) -> Result<File, OpenError> {
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(false).mode(0o600);
    let lock = options.open(data_dir.join("lock")).map_err(|_| OpenError::Unavailable)?;
    lock.try_lock().map_err(|_| OpenError::InUse)?;
    Ok(lock)
}

/// Whether a registry has no tenants.
async fn is_empty(registry: &dyn Store) -> Result<bool, OpenError> {
    let keyspace = Keyspace::Tenants;
    let range = ScanRange { keyspace, prefix: Vec::new(), after: None };
    let rows = registry.scan(range, 1).await.map_err(|_| OpenError::DamagedRegistry)?;
    Ok(rows.is_empty())
}

impl From<SealFailures> for OpenError {
    fn from(failures: SealFailures) -> Self {
        Self::NoSealOpens(failures)
    }
}

impl From<KeyringError> for OpenError {
    fn from(error: KeyringError) -> Self {
        match error {
            KeyringError::Absent => Self::Incomplete,
            KeyringError::Damaged => Self::DamagedKeyring,
            KeyringError::Unavailable => Self::Unavailable,
            KeyringError::Keys => Self::Internal,
        }
    }
}
