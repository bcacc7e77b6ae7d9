//! Opening a vault: hold the directory, unlock the root key, open keyrings and registry.

use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::Vault;
use crate::{
    clock::{Clock, SystemClock},
    entropy::{Entropy, SystemEntropy},
    key_worker::KeyWorker,
    keyring::{KeyringError, KeyringFiles, Keyrings, read_file, replace_file},
    loans::Loans,
    reencryption::Paces,
    registry::Registry,
    store::{
        Existence, Keyspace, ScanRange, Store, StoreEngine, StoreError, Stores, create_directory,
        open_database,
    },
    unlock::{self, Passphrase},
    unlocked::UnlockedCache,
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
}

/// Why a vault does not open. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
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
    /// The passphrase does not open the seal, or the seal file is damaged.
    #[error("the passphrase does not open the seal: it is wrong, or system/seal.trs is damaged")]
    WrongPassphrase,
    /// The system keyring does not authenticate.
    #[error("the system keyring, system/keyring.trk, is damaged; restore it from a backup")]
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
        }
    }
}

impl Vault {
    /// Opens the vault in a directory, or makes one in an empty directory.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(settings: Settings, passphrase: &Passphrase) -> Result<Self, OpenError> {
        let Settings { data_dir, engine, clock, entropy, open_tenants_max } = settings;
        prepare(&data_dir)?;
        let lock = take_lock(&data_dir)?;
        let key_worker = KeyWorker::start().map_err(|_| OpenError::Internal)?;
        let place = Place { data_dir: &data_dir, engine, passphrase, entropy: &entropy };
        let (keyrings, registry) = match place.is_new()? {
            true => place.create().await?,
            false => place.open().await?,
        };
        let keyrings = Arc::new(keyrings);
        Ok(Self {
            registry: Registry::new(registry, Arc::clone(&keyrings)),
            stores: Stores::new(data_dir.join("databases"), engine, open_tenants_max),
            clock,
            entropy,
            keyrings,
            key_worker,
            unlocked: Arc::new(UnlockedCache::default()),
            loans: Loans::default(),
            paces: Paces::default(),
            enrolment: tokio::sync::Mutex::default(),
            damaged_keyrings: std::sync::Mutex::default(),
            data_dir,
            _lock: lock,
        })
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

/// The directory with what opens it.
struct Place<'a> {
    data_dir: &'a Path,
    engine: StoreEngine,
    passphrase: &'a Passphrase,
    entropy: &'a Arc<dyn Entropy>,
}

impl Place<'_> {
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
    async fn create(&self) -> Result<(Keyrings, Arc<dyn Store>), OpenError> {
        let registry = self.registry(Existence::Create).await?;
        if !is_empty(registry.as_ref()).await? {
            return Err(OpenError::Incomplete);
        }
        let files = self.files()?;
        let (root, seal) = unlock::create(self.passphrase, self.entropy.as_ref())
            .map_err(|_| OpenError::Internal)?;
        replace_file(&files.seal(), &seal, |_| true).map_err(|_| OpenError::Unavailable)?;
        let keyrings = Keyrings::create(files, root, Arc::clone(self.entropy));
        Ok((keyrings.map_err(to_open_error)?, registry))
    }

    /// Unlocks the root key, then opens the keyring and the registry that must be there.
    async fn open(&self) -> Result<(Keyrings, Arc<dyn Store>), OpenError> {
        let files = self.files()?;
        let seal = read_file(&files.seal()).map_err(to_open_error)?;
        let seal = seal.ok_or(OpenError::Incomplete)?;
        let root =
            unlock::unlock(self.passphrase, &seal).map_err(|_| OpenError::WrongPassphrase)?;
        let keyrings = Keyrings::open(files, root, Arc::clone(self.entropy));
        let keyrings = keyrings.map_err(to_open_error)?;
        Ok((keyrings, self.registry(Existence::MustExist).await?))
    }

    fn files(&self) -> Result<KeyringFiles, OpenError> {
        KeyringFiles::new(self.data_dir).map_err(|_| OpenError::Unavailable)
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

/// Whether a registry has no tenants.
async fn is_empty(registry: &dyn Store) -> Result<bool, OpenError> {
    let keyspace = Keyspace::Tenants;
    let range = ScanRange { keyspace, prefix: Vec::new(), after: None };
    let rows = registry.scan(range, 1).await.map_err(|_| OpenError::DamagedRegistry)?;
    Ok(rows.is_empty())
}

fn to_open_error(error: KeyringError) -> OpenError {
    match error {
        KeyringError::Absent => OpenError::Incomplete,
        KeyringError::Damaged => OpenError::DamagedKeyring,
        KeyringError::Unavailable => OpenError::Unavailable,
        KeyringError::Keys => OpenError::Internal,
    }
}
