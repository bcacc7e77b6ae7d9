//! Destroys a tenant's keyring: its file, and the key of its file.
//!
//! It promises that of both nothing is left on the disk when it returns, and that it can be done
//! again where it was cut off. The file goes first: a system keyring that knows none of the
//! keyrings there are would be taken for another installation's.

use std::{fs, io, path::Path};

use tresor_proto::TenantId;

use super::Keyrings;
use crate::{keyring::KeyringError, store::sync_directory};

impl Keyrings {
    /// Destroys a tenant's keyring, if it has one. Blocks on the disk.
    pub(crate) fn destroy(&self, tenant: TenantId) -> Result<(), KeyringError> {
        let mut system = self.system();
        let file = self.files.tenant_keyring(tenant);
        remove(&file)?;
        // Left by a write that was cut off.
        remove(&file.with_extension("new"))?;
        sync_directory(self.files.tenants_directory()).map_err(|_| KeyringError::Unavailable)?;
        self.loaded.remove(&tenant);
        let Some(entry) = system.take_tenant(tenant) else {
            return Ok(());
        };
        let written = self.write_system(&mut system);
        if written.is_err() {
            system.give_back_tenant(entry);
        }
        written
    }
}

fn remove(path: &Path) -> Result<(), KeyringError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(KeyringError::Unavailable),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        entropy::SystemEntropy,
        key::{Key as _, RootKey},
        keyring::{KeyringFiles, TenantKeyring, read_file, replace_file},
    };

    const TENANTS: [TenantId; 2] = [TenantId::from_bytes([1; 16]), TenantId::from_bytes([2; 16])];

    fn root() -> RootKey {
        RootKey::from_slice(&[1; 32]).unwrap()
    }

    fn written(files: &KeyringFiles) -> Keyrings {
        let entropy = Arc::new(SystemEntropy::default());
        let keyrings = Keyrings::create(files.clone(), root(), entropy).unwrap();
        for tenant in TENANTS {
            keyrings.write(TenantKeyring::new(tenant), 0).unwrap();
        }
        keyrings
    }

    fn open(files: &KeyringFiles) -> Keyrings {
        Keyrings::open(files.clone(), root(), Arc::new(SystemEntropy::default())).unwrap()
    }

    #[test]
    fn of_a_destroyed_keyring_neither_file_nor_key_is_left_and_others_are() {
        let directory = tempfile::tempdir().unwrap();
        let files = KeyringFiles::new(directory.path()).unwrap();
        let keyrings = written(&files);
        let old = read_file(&files.tenant_keyring(TENANTS[0])).unwrap().unwrap();
        keyrings.destroy(TENANTS[0]).unwrap();
        keyrings.destroy(TENANTS[0]).unwrap();
        for keyrings in [keyrings, open(&files)] {
            assert_eq!(keyrings.load(TENANTS[0]).err(), Some(KeyringError::Absent));
            assert!(keyrings.load(TENANTS[1]).is_ok());
        }
        assert!(!files.tenant_keyring(TENANTS[0]).exists());
        // A copy of the file is of no use: no key is left that opens it.
        replace_file(&files.tenant_keyring(TENANTS[0]), &old, |_| true).unwrap();
        let keyrings = open(&files);
        assert_eq!(keyrings.load(TENANTS[0]).err(), Some(KeyringError::Damaged));
        keyrings.destroy(TENANTS[0]).unwrap();
        keyrings.destroy(TENANTS[1]).unwrap();
        assert!(open(&files).load(TENANTS[1]).is_err(), "the last one too, and the vault opens");
    }

    #[test]
    fn a_destruction_that_the_disk_refuses_can_be_done_again() {
        let directory = tempfile::tempdir().unwrap();
        let files = KeyringFiles::new(directory.path()).unwrap();
        let keyrings = written(&files);
        let in_the_way = files.system_keyring().with_extension("new");
        fs::create_dir(&in_the_way).unwrap();
        assert_eq!(keyrings.destroy(TENANTS[0]), Err(KeyringError::Unavailable));
        assert!(open(&files).file_key_is_known(TENANTS[0]), "the key is still there");
        fs::remove_dir(&in_the_way).unwrap();
        keyrings.destroy(TENANTS[0]).unwrap();
        assert!(!open(&files).file_key_is_known(TENANTS[0]));
    }

    impl Keyrings {
        fn file_key_is_known(&self, tenant: TenantId) -> bool {
            self.system().tenant(tenant).is_some()
        }
    }
}
