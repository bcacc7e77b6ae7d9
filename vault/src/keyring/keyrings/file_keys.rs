//! Replaces the keys of tenants' keyring files, for whoever knew the root key knows them too.
//!
//! It promises that a keyring opens whatever ends the process in between: the system keyring has the
//! new key beside the old one before the tenant's file is written under it, and the new one alone
//! afterwards. It relies on every write of a tenant's file to use the new one.

use tresor_proto::TenantId;

use super::{Keyrings, LoadedKeyring, decode_tenant};
use crate::{
    crypto_error::CryptoError,
    key::{FileKey, Key as _},
    keyring::{KeyringError, SystemKeyring},
};

impl Keyrings {
    /// Makes the keys under which the next writes of these tenants' keyrings go. Blocks on the
    /// disk.
    pub(crate) fn begin_file_keys(&self, tenants: &[TenantId]) -> Result<(), KeyringError> {
        let mut system = self.system();
        let mut begun = Vec::with_capacity(tenants.len());
        for tenant in tenants {
            let key = FileKey::generate(self.entropy.as_ref())?;
            begun.extend(system.begin_file_key(*tenant, key).then_some(*tenant));
        }
        let written = self.write_system(&mut system);
        if written.is_err() {
            begun.into_iter().for_each(|tenant| system.take_back_file_key(tenant));
        }
        written
    }
}

/// Opens a tenant's file under its key, or under the one that is to replace it, and says whether
/// that was it.
pub(super) fn open(
    system: &SystemKeyring,
    tenant: TenantId,
    file: &[u8],
) -> Result<(LoadedKeyring, bool), CryptoError> {
    let (key, next) = system.file_keys(tenant).ok_or(CryptoError)?;
    match (decode_tenant(tenant, key, file), next) {
        (Ok(loaded), _) => Ok((loaded, false)),
        (Err(CryptoError), Some(next)) => Ok((decode_tenant(tenant, next, file)?, true)),
        (Err(error), None) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        entropy::SystemEntropy,
        key::RootKey,
        keyring::{KeyringFiles, TenantKeyring, read_file, replace_file},
    };

    const TENANTS: [TenantId; 2] = [TenantId::from_bytes([1; 16]), TenantId::from_bytes([2; 16])];

    struct Place {
        files: KeyringFiles,
        _directory: tempfile::TempDir,
    }

    impl Place {
        /// A place with two tenants' keyrings, each written once.
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let files = KeyringFiles::new(directory.path()).unwrap();
            let place = Self { files, _directory: directory };
            let entropy = Arc::new(SystemEntropy::default());
            let keyrings = Keyrings::create(place.files.clone(), root(), entropy).unwrap();
            for tenant in TENANTS {
                keyrings.write(TenantKeyring::new(tenant), 0).unwrap();
            }
            place
        }

        fn open(&self) -> Keyrings {
            let entropy = Arc::new(SystemEntropy::default());
            Keyrings::open(self.files.clone(), root(), entropy).unwrap()
        }

        fn system(&self) -> Vec<u8> {
            read_file(&self.files.system_keyring()).unwrap().unwrap()
        }

        /// How many of the tenants' files the file keys of a system keyring open.
        fn opened_by(&self, system: &[u8]) -> usize {
            let system = super::super::decode_system(&root(), system).unwrap();
            let opens = |tenant: &&TenantId| {
                let file = read_file(&self.files.tenant_keyring(**tenant)).unwrap().unwrap();
                open(&system, **tenant, &file).is_ok()
            };
            TENANTS.iter().filter(opens).count()
        }
    }

    fn root() -> RootKey {
        RootKey::from_slice(&[1; 32]).unwrap()
    }

    fn sequences(keyrings: &Keyrings) -> [Result<u64, KeyringError>; 2] {
        TENANTS.map(|tenant| keyrings.load(tenant).map(|loaded| loaded.sequence))
    }

    fn touch(keyrings: &Keyrings, tenant: TenantId) {
        keyrings.edit(tenant, |_| Ok::<_, KeyringError>(())).unwrap();
    }

    #[test]
    fn the_old_file_keys_open_nothing_that_is_written_afterwards() {
        let place = Place::new();
        let (keyrings, old) = (place.open(), place.system());
        TENANTS.iter().for_each(|tenant| touch(&keyrings, *tenant));
        assert_eq!(place.opened_by(&old), 2, "the attempts are real");
        keyrings.begin_file_keys(&TENANTS).unwrap();
        assert_eq!(sequences(&place.open()), [Ok(2), Ok(2)], "nothing is written under them yet");
        TENANTS.iter().for_each(|tenant| touch(&keyrings, *tenant));
        assert_eq!(place.opened_by(&old), 0);
        assert_eq!(sequences(&place.open()), [Ok(3), Ok(3)]);
        TENANTS.iter().for_each(|tenant| touch(&keyrings, *tenant));
        assert_eq!(sequences(&place.open()), [Ok(4), Ok(4)]);
    }

    #[test]
    fn whatever_is_cut_off_the_keyrings_open_and_go_on() {
        let place = Place::new();
        let keyrings = place.open();
        // One has been written when it is cut off, its number is remembered nowhere.
        keyrings.begin_file_keys(&TENANTS).unwrap();
        let (begun, unwritten) = (place.system(), TENANTS[1]);
        touch(&keyrings, TENANTS[0]);
        replace_file(&place.files.system_keyring(), &begun, |_| true).unwrap();
        let keyrings = place.open();
        assert_eq!(sequences(&keyrings), [Ok(2), Ok(1)]);
        assert_eq!(sequences(&place.open()), [Ok(2), Ok(1)]);
        // Begun again: the key that waits is the one that is used.
        keyrings.begin_file_keys(&TENANTS).unwrap();
        touch(&keyrings, unwritten);
        touch(&keyrings, TENANTS[0]);
        assert_eq!(sequences(&place.open()), [Ok(3), Ok(2)]);
    }
}
