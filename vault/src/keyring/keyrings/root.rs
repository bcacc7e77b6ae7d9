//! The root key in use, and its replacement under the system keyring.
//!
//! It promises that whatever a failed replacement left on disk opens with the root key in use once
//! that is settled. It relies on the seals holding both root keys until then.

use std::sync::{Arc, PoisonError};

use super::{Keyrings, write_system};
use crate::{key::RootKey, keyring::KeyringError};

impl Keyrings {
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{entropy::SystemEntropy, key::Key as _, keyring::KeyringFiles};

    fn root() -> RootKey {
        RootKey::from_slice(&[1; 32]).unwrap()
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
}
