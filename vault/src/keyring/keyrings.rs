//! All keyrings of a vault: the open system keyring, and those of tenants in use.

mod file_keys;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quick_cache::sync::Cache;
use tresor_proto::{TenantId, storage::RetiredKey};

use super::{
    KeyringError, KeyringFiles, SealCounts, SystemKeyring, TenantKeyring,
    file_format::{self, KeyringLabel},
    files,
};
use crate::{
    aad::Purpose,
    crypto_error::CryptoError,
    entropy::Entropy,
    key::{FileKey, Key, Pepper, RootKey},
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

    /// The root key, to wrap it under a seal.
    pub(crate) fn root(&self) -> Arc<RootKey> {
        Arc::clone(&self.root.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes sure that the root key in use opens the system keyring on disk. A write that failed
    /// may be there all the same, under the root key that was to be: whoever takes a root key from
    /// the seals settles first. Blocks on the disk.
    pub(crate) fn settle(&self) -> Result<(), KeyringError> {
        let mut system = self.system();
        if system.is_settled { Ok(()) } else { self.write_system(&mut system) }
    }

    /// Writes the system keyring under another root key, which opens it from then on; the seals
    /// hold both until this has returned. When it fails either may open it, until it is settled.
    /// Blocks on the disk.
    pub(crate) fn replace_root(
        &self,
        root: RootKey,
        now_ms: u64,
        is_compromised: bool,
    ) -> Result<(), KeyringError> {
        let mut system = self.system();
        let before = system.root.clone();
        system.root.replace(now_ms, is_compromised);
        let written = write_system(&self.files, &root, &mut system, self.entropy.as_ref());
        if written.is_err() {
            system.root = before;
            return written;
        }
        *self.root.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(root);
        Ok(())
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

    /// Writes a tenant's keyring over the one with `expected_sequence`: the tenant's file first,
    /// then the number in the system keyring. Blocks on the disk.
    pub(crate) fn write(
        &self,
        keyring: TenantKeyring,
        expected_sequence: u64,
    ) -> Result<Arc<LoadedKeyring>, KeyringError> {
        let mut system = self.system();
        let seals = Arc::default();
        let written = self.write_tenant(&mut system, keyring, (expected_sequence, seals))?;
        self.write_system(&mut system)?;
        Ok(written)
    }

    /// Changes the keyring of a tenant: `edit` is given a copy, and what it makes of it is written
    /// over the one it was made from, unless it fails. Edits come one after the other. Blocks on
    /// the disk.
    pub(crate) fn edit<T, E: From<KeyringError>>(
        &self,
        tenant: TenantId,
        edit: impl FnOnce(&mut TenantKeyring) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut system = self.system();
        let edited = self.edit_one(&mut system, tenant, edit)?;
        self.write_system(&mut system)?;
        Ok(edited)
    }

    /// Changes the keyrings of many tenants, each for itself, and gives what became of each. The
    /// numbers are remembered all at once: until then a keyring is newer than remembered, which is
    /// accepted, as after a crash. Blocks on the disk.
    pub(crate) fn edit_many<T, E: From<KeyringError>>(
        &self,
        tenants: &[TenantId],
        mut edit: impl FnMut(&mut TenantKeyring) -> Result<T, E>,
    ) -> Result<Vec<Result<T, E>>, KeyringError> {
        let mut system = self.system();
        let edited =
            tenants.iter().map(|tenant| self.edit_one(&mut system, *tenant, &mut edit)).collect();
        self.write_system(&mut system)?;
        Ok(edited)
    }

    /// A copy of a tenant's keyring, to try a change on that is not written. Blocks on the disk.
    pub(crate) fn copy(&self, tenant: TenantId) -> Result<TenantKeyring, KeyringError> {
        let loaded = self.load(tenant)?;
        Ok(TenantKeyring::from_body(tenant, &loaded.keyring.to_body())?)
    }

    fn edit_one<T, E: From<KeyringError>>(
        &self,
        system: &mut SystemKeyring,
        tenant: TenantId,
        edit: impl FnOnce(&mut TenantKeyring) -> Result<T, E>,
    ) -> Result<T, E> {
        let loaded = self.load_with(system, tenant)?;
        let copy = TenantKeyring::from_body(tenant, &loaded.keyring.to_body());
        let mut keyring = copy.map_err(KeyringError::from)?;
        let edited = edit(&mut keyring)?;
        let counted = loaded.seals.unwritten();
        keyring.add_seals(&counted);
        self.write_tenant(system, keyring, (loaded.sequence, Arc::clone(&loaded.seals)))?;
        loaded.seals.written(&counted);
        Ok(edited)
    }

    /// Writes a tenant's file; the system keyring, with the number, is to be written next.
    fn write_tenant(
        &self,
        system: &mut SystemKeyring,
        keyring: TenantKeyring,
        (expected_sequence, seals): (u64, Arc<SealCounts>),
    ) -> Result<Arc<LoadedKeyring>, KeyringError> {
        let tenant = keyring.tenant;
        if system.tenant(tenant).is_none() {
            system.add_tenant(tenant, FileKey::generate(self.entropy.as_ref())?);
            self.write_system(system)?;
        }
        let (file_key, remembered) = system.tenant(tenant).ok_or(KeyringError::Keys)?;
        if remembered != expected_sequence {
            return Err(KeyringError::Unavailable);
        }
        let sequence = remembered + 1;
        let label = KeyringLabel { purpose: Purpose::TenantBody, tenant, sequence };
        let file = file_format::encode(label, file_key, &keyring.to_body(), self.entropy.as_ref())?;
        let rows = keyring.row_keys()?;
        let path = self.files.tenant_keyring(tenant);
        files::replace(&path, &file, |read| decode_tenant(tenant, file_key, read).is_ok())?;
        system.remember(tenant, sequence);
        let loaded = Arc::new(LoadedKeyring { sequence, keyring, rows, seals });
        self.loaded.insert(tenant, Arc::clone(&loaded));
        Ok(loaded)
    }

    fn write_system(&self, system: &mut SystemKeyring) -> Result<(), KeyringError> {
        write_system(&self.files, &self.root(), system, self.entropy.as_ref())
    }

    fn system(&self) -> MutexGuard<'_, SystemKeyring> {
        self.system.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the keyrings of tenants under which so many groups were sealed that they do not say
    /// yet. Blocks on the disk.
    pub(crate) fn keep_seal_counts(&self, unwritten_min: u64) -> Result<(), KeyringError> {
        let unwritten =
            |loaded: &LoadedKeyring| loaded.seals.unwritten().into_values().sum::<u64>();
        let is_behind = |loaded: &LoadedKeyring| unwritten(loaded) >= unwritten_min.max(1);
        let behind = self.loaded.iter().filter(|(_, loaded)| is_behind(loaded));
        let behind: Vec<_> = behind.map(|(tenant, _)| tenant).collect();
        if behind.is_empty() {
            return Ok(());
        }
        let kept = self.edit_many(&behind, |_| Ok::<_, KeyringError>(()))?;
        kept.into_iter().collect()
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
    files::replace(&files.system_keyring(), &file, |read| decode_system(root, read).is_ok())?;
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
        files::replace(&files.tenant_keyring(TENANT), &first, |_| true).unwrap();
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
        files::replace(&files.system_keyring(), &before, |_| true).unwrap();
        assert_eq!(load(&files), Ok(2));
        files::replace(&files.tenant_keyring(TENANT), &older, |_| true).unwrap();
        assert_eq!(load(&files), Err(KeyringError::Damaged), "2 is remembered now");
    }

    #[test]
    fn edits_of_many_are_written_one_by_one_and_remembered_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let files = KeyringFiles::new(directory.path()).unwrap();
        let entropy = Arc::new(SystemEntropy::default());
        let keyrings = Keyrings::create(files.clone(), root(), entropy).unwrap();
        let tenants = [1, 2, 3].map(|number| TenantId::from_bytes([number; 16]));
        for tenant in tenants {
            keyrings.write(TenantKeyring::new(tenant), 0).unwrap();
        }
        let edited = keyrings.edit_many(&tenants, |keyring| {
            if keyring.tenant == tenants[1] { Err(KeyringError::Keys) } else { Ok(keyring.tenant) }
        });
        let expected = [Ok(tenants[0]), Err(KeyringError::Keys), Ok(tenants[2])];
        assert_eq!(edited.unwrap(), expected);
        let entropy = Arc::new(SystemEntropy::default());
        let again = Keyrings::open(files, root(), entropy).unwrap();
        let sequences = tenants.map(|tenant| again.remembered_sequence(tenant));
        assert_eq!(sequences, [2, 1, 2]);
        assert_eq!(again.load(tenants[1]).map(|loaded| loaded.sequence), Ok(1));
    }

    #[test]
    fn a_root_key_whose_replacement_failed_opens_what_is_on_disk_once_that_is_settled() {
        let directory = tempfile::tempdir().unwrap();
        let files = KeyringFiles::new(directory.path()).unwrap();
        let entropy = || Arc::new(SystemEntropy::default());
        let keyrings = Keyrings::create(files.clone(), root(), entropy()).unwrap();
        let other = || RootKey::from_slice(&[2; 32]).unwrap();
        let opens = |root| Keyrings::open(files.clone(), root, entropy()).is_ok();
        // The new file cannot be made at first; then it is there, and that it is was not told.
        let new = files.system_keyring().with_extension("new");
        std::fs::create_dir(&new).unwrap();
        assert!(keyrings.replace_root(other(), 1, false).is_err() && keyrings.settle().is_err());
        std::fs::remove_dir(&new).unwrap();
        let replaced = Keyrings::open(files.clone(), root(), entropy()).unwrap();
        replaced.replace_root(other(), 1, false).unwrap();
        assert!(opens(other()) && !opens(root()));
        keyrings.settle().unwrap();
        assert!(opens(root()) && !opens(other()));
    }

    #[test]
    fn a_write_over_another_sequence_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let files = KeyringFiles::new(directory.path()).unwrap();
        let entropy = Arc::new(SystemEntropy::default());
        let keyrings = Keyrings::create(files, root(), entropy).unwrap();
        keyrings.write(keyring(), 0).unwrap();
        assert!(keyrings.write(keyring(), 0).is_err());
    }
}
