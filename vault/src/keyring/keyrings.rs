//! All keyrings of a vault: the open system keyring, and those of tenants in use.
//!
//! It promises that a keyring older than remembered is refused, and that a tenant's damaged keyring
//! harms that tenant only. It relies on the data directory being held by one process.

mod destruction;
mod root;
mod writing;

mod file_keys;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quick_cache::sync::Cache;
use tresor_proto::{TenantId, storage::RetiredKey};

use super::{
    KeyringError, KeyringFiles, SealCounts, SystemKeyring, TenantKeyring,
    file_format::{self, KeyringLabel},
    files, replace_file,
};
use crate::{
    aad::Purpose,
    crypto_error::CryptoError,
    entropy::Entropy,
    key::{FileKey, Key as _, Pepper, RootKey},
    row::RowKeys,
};

/// The system keyring belongs to no tenant.
const NO_TENANT: TenantId = TenantId::from_bytes([0; 16]);
/// Tenant keyrings kept open: about 10 KiB each.
const LOADED_MAX: usize = 1_024;

/// The keyrings of a vault.
pub(crate) struct Keyrings {
    files: KeyringFiles,
    /// Replaced under the lock of the system keyring only.
    root: Mutex<Arc<RootKey>>,
    entropy: Arc<dyn Entropy>,
    system: Mutex<SystemKeyring>,
    pepper: Pepper,
    registry: RowKeys,
    loaded: Cache<TenantId, Arc<LoadedKeyring>>,
}

/// A tenant's keyring in memory.
#[derive(Debug)]
pub(crate) struct LoadedKeyring {
    pub(crate) sequence: u64,
    pub(crate) keyring: TenantKeyring,
    pub(crate) rows: RowKeys,
    /// Shared with those written before and after it.
    pub(crate) seals: Arc<SealCounts>,
}

/// What the system keyring says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SystemKeys {
    pub(crate) metadata_versions: Vec<u32>,
    /// Counted from 1.
    pub(crate) root_generation: u32,
    /// When the root key was replaced, if it ever was.
    pub(crate) root_replaced_ms: Option<u64>,
    pub(crate) retired_root_keys: Vec<RetiredKey>,
}

impl Keyrings {
    /// Makes and writes the system keyring of a new vault.
    pub(crate) fn create(
        files: KeyringFiles,
        root: RootKey,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, KeyringError> {
        let mut system = SystemKeyring::generate(entropy.as_ref())?;
        write_system(&files, &root, &mut system, entropy.as_ref())?;
        Self::with_system(files, root, entropy, system)
    }

    /// Opens the system keyring of a vault.
    pub(crate) fn open(
        files: KeyringFiles,
        root: RootKey,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, KeyringError> {
        let file = files::read(&files.system_keyring())?.ok_or(KeyringError::Absent)?;
        let system = decode_system(&root, &file).map_err(|_| KeyringError::Damaged)?;
        if is_foreign(&files, &system)? {
            return Err(KeyringError::Damaged);
        }
        Self::with_system(files, root, entropy, system)
    }

    fn with_system(
        files: KeyringFiles,
        root: RootKey,
        entropy: Arc<dyn Entropy>,
        system: SystemKeyring,
    ) -> Result<Self, KeyringError> {
        Ok(Self {
            files,
            root: Mutex::new(Arc::new(root)),
            entropy,
            pepper: Pepper::from_slice(system.pepper.expose_secret())?,
            registry: RowKeys::new(&system.metadata_keys)?,
            system: Mutex::new(system),
            loaded: Cache::new(LOADED_MAX),
        })
    }

    /// The key of verifiers.
    pub(crate) fn pepper(&self) -> &Pepper {
        &self.pepper
    }

    /// The row keys of the registry.
    pub(crate) fn registry(&self) -> &RowKeys {
        &self.registry
    }

    /// The keyring of a tenant, if it is in memory.
    pub(crate) fn loaded(&self, tenant: TenantId) -> Option<Arc<LoadedKeyring>> {
        self.loaded.get(&tenant)
    }

    /// The keyring of a tenant. Reads a file: call it where blocking is allowed.
    pub(crate) fn load(&self, tenant: TenantId) -> Result<Arc<LoadedKeyring>, KeyringError> {
        self.load_with(&mut self.system(), tenant)
    }

    fn load_with(
        &self,
        system: &mut SystemKeyring,
        tenant: TenantId,
    ) -> Result<Arc<LoadedKeyring>, KeyringError> {
        if let Some(loaded) = self.loaded.get(&tenant) {
            return Ok(loaded);
        }
        let Some((_, remembered)) = system.tenant(tenant) else {
            // The system keyring may be from before the tenant enrolled.
            let has_file = self.files.tenant_keyring(tenant).exists();
            return Err(if has_file { KeyringError::Damaged } else { KeyringError::Absent });
        };
        let file = match files::read(&self.files.tenant_keyring(tenant))? {
            Some(file) => file,
            None if remembered == 0 => return Err(KeyringError::Absent),
            None => return Err(KeyringError::Damaged),
        };
        let opened = file_keys::open(system, tenant, &file).map_err(|_| KeyringError::Damaged);
        let (loaded, is_under_next) = opened?;
        if loaded.sequence < remembered {
            return Err(KeyringError::Damaged);
        }
        if loaded.sequence > remembered {
            // Written just before a crash: the number was to be remembered next.
            match is_under_next {
                true => system.remember(tenant, loaded.sequence),
                false => system.catch_up(tenant, loaded.sequence),
            }
            self.write_system(system)?;
        }
        let loaded = Arc::new(loaded);
        self.loaded.insert(tenant, Arc::clone(&loaded));
        Ok(loaded)
    }

    fn system(&self) -> MutexGuard<'_, SystemKeyring> {
        self.system.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the system keyring says of itself.
    pub(crate) fn system_keys(&self) -> SystemKeys {
        let system = self.system();
        SystemKeys {
            metadata_versions: system.metadata_keys.iter().map(|(version, _)| *version).collect(),
            root_generation: system.root.generation(),
            root_replaced_ms: Some(system.root.replaced_ms).filter(|at_ms| *at_ms > 0),
            retired_root_keys: system.root.retired.clone(),
        }
    }

    /// The sequence number remembered for a tenant; 0 before its keyring was first written.
    pub(crate) fn remembered_sequence(&self, tenant: TenantId) -> u64 {
        self.system().tenant(tenant).map_or(0, |(_, sequence)| sequence)
    }
}

/// Whether tenants have keyrings and the system keyring knows none of them: it is another
/// installation's, or from before the first tenant, and would only do harm.
fn is_foreign(files: &KeyringFiles, system: &SystemKeyring) -> Result<bool, KeyringError> {
    let mut tenants = files.tenants()?.peekable();
    let has_any = tenants.peek().is_some();
    Ok(has_any && !tenants.any(|tenant| system.tenant(tenant).is_some()))
}

fn write_system(
    files: &KeyringFiles,
    root: &RootKey,
    system: &mut SystemKeyring,
    entropy: &dyn Entropy,
) -> Result<(), KeyringError> {
    let sequence = system.sequence + 1;
    system.is_settled = false;
    let label = KeyringLabel { purpose: Purpose::SystemBody, tenant: NO_TENANT, sequence };
    let file = file_format::encode(label, root, &system.to_body(), entropy)?;
    let opens = |file: &[u8]| decode_system(root, file).is_ok();
    replace_file(&files.system_keyring(), &file, opens)?;
    system.sequence = sequence;
    system.is_settled = true;
    Ok(())
}

fn decode_system(root: &RootKey, file: &[u8]) -> Result<SystemKeyring, CryptoError> {
    let (sequence, body) = file_format::decode(Purpose::SystemBody, NO_TENANT, root, file)?;
    SystemKeyring::from_body(sequence, &body)
}

fn decode_tenant(
    tenant: TenantId,
    file_key: &FileKey,
    file: &[u8],
) -> Result<LoadedKeyring, CryptoError> {
    let (sequence, body) = file_format::decode(Purpose::TenantBody, tenant, file_key, file)?;
    let keyring = TenantKeyring::from_body(tenant, &body)?;
    let rows = keyring.row_keys()?;
    Ok(LoadedKeyring { sequence, keyring, rows, seals: Arc::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    const TENANT: TenantId = TenantId::from_bytes([7; 16]);

    fn root() -> RootKey {
        RootKey::from_slice(&[1; 32]).unwrap()
    }

    fn keyring() -> TenantKeyring {
        TenantKeyring::new(TENANT)
    }

    /// Keyrings whose one tenant has been written twice, and its file after the first time.
    fn written_twice(files: &KeyringFiles) -> Vec<u8> {
        let entropy = Arc::new(SystemEntropy::default());
        let keyrings = Keyrings::create(files.clone(), root(), entropy).unwrap();
        keyrings.write(keyring(), 0).unwrap();
        let first = files::read(&files.tenant_keyring(TENANT)).unwrap().unwrap();
        keyrings.write(keyring(), 1).unwrap();
        first
    }

    fn load(files: &KeyringFiles) -> Result<u64, KeyringError> {
        let entropy = Arc::new(SystemEntropy::default());
        let keyrings = Keyrings::open(files.clone(), root(), entropy)?;
        keyrings.load(TENANT).map(|loaded| loaded.sequence)
    }

    #[test]
    fn an_older_keyring_put_back_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let files = KeyringFiles::new(directory.path()).unwrap();
        let first = written_twice(&files);
        assert_eq!(load(&files), Ok(2));
        replace_file(&files.tenant_keyring(TENANT), &first, |_| true).unwrap();
        assert_eq!(load(&files), Err(KeyringError::Damaged));
    }

    #[test]
    fn a_keyring_newer_than_remembered_is_accepted_and_then_remembered() {
        let directory = tempfile::tempdir().unwrap();
        let files = KeyringFiles::new(directory.path()).unwrap();
        let entropy = Arc::new(SystemEntropy::default());
        let keyrings = Keyrings::create(files.clone(), root(), entropy).unwrap();
        keyrings.write(keyring(), 0).unwrap();
        let before = files::read(&files.system_keyring()).unwrap().unwrap();
        let older = files::read(&files.tenant_keyring(TENANT)).unwrap().unwrap();
        keyrings.write(keyring(), 1).unwrap();
        // As after a crash between the two files.
        replace_file(&files.system_keyring(), &before, |_| true).unwrap();
        assert_eq!(load(&files), Ok(2));
        replace_file(&files.tenant_keyring(TENANT), &older, |_| true).unwrap();
        assert_eq!(load(&files), Err(KeyringError::Damaged), "2 is remembered now");
    }
}
