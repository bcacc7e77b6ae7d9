//! Replaces the root key, which protects all keyrings, under every seal that holds it.
//!
//! It promises that some seal opens the vault whatever ends the process in between: the seal file
//! holds the old root key and the new one until the system keyring is written under the new one. It
//! relies on each file being replaced whole; what a cut-off replacement leaves in the seal file goes
//! with the next one.

use std::sync::Arc;

use subtle::ConstantTimeEq as _;
use tresor_proto::{ErrorCode, Failure};

use super::key_work::KeyWork;
use crate::{
    access::OperatorPermit,
    error::VaultError,
    key::{Key as _, RootKey},
    keyring::{Keyrings, replace_file},
    seal::{MadeKey, NamedSeal, SealError, SealFile},
    vault::{Vault, VaultPlace},
};

/// A root key that was replaced, or would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootKeyReplacement {
    /// The generation that is gone.
    pub old_generation: u32,
    /// The generation that protects the keyrings now.
    pub new_generation: u32,
    /// When, milliseconds since the epoch; `None` in a dry run.
    pub replaced_ms: Option<u64>,
    /// The seals that hold it.
    pub seals: Vec<String>,
}

impl Vault {
    /// Replaces the root key.
    ///
    /// # Errors
    /// `conflict` when a seal holds the root key that the configuration does not name, or when the
    /// lease is lost; why a seal does not open; `storage_unavailable` when a file cannot be written:
    /// the vault opens as before, and the replacement can be tried again.
    pub async fn rotate_root_key(
        &self,
        work: &mut KeyWork,
    ) -> Result<RootKeyReplacement, VaultError> {
        self.go_on(work).await?;
        let at = (self.clock().now_ms(), work.is_compromised());
        let replaced = self.replace_root(Some(at)).await?;
        let (service, version) = (work.permit().name(), replaced.new_generation);
        tracing::info!(%service, version, "root key replaced");
        Ok(replaced)
    }

    /// Does all that a replacement does, each seal included, and writes nothing.
    ///
    /// # Errors
    /// As [`Vault::rotate_root_key`].
    pub async fn root_key_plan(
        &self,
        _permit: &OperatorPermit,
    ) -> Result<RootKeyReplacement, VaultError> {
        self.replace_root(None).await
    }

    async fn replace_root(
        &self,
        at: Option<(u64, bool)>,
    ) -> Result<RootKeyReplacement, VaultError> {
        self.place().forgive_seals();
        let keyrings = self.keyrings_arc();
        let replace = move |place: &VaultPlace| Replacer { place, keyrings }.replace(at);
        self.place().on_seals(replace).await.ok_or(VaultError::Overloaded)?
    }
}

/// One replacement, on the seals' thread.
struct Replacer<'a> {
    place: &'a VaultPlace,
    keyrings: Arc<Keyrings>,
}

impl Replacer<'_> {
    /// Replaces it at a time, because others may know it or not; or only says what it would do.
    fn replace(&self, at: Option<(u64, bool)>) -> Result<RootKeyReplacement, VaultError> {
        let found = self.place.seal_file()?;
        let holders = self.holders(&found)?;
        let old = self.wrapped(&holders, &found)?;
        let root = RootKey::generate(self.place.entropy()).map_err(|_| VaultError::Internal)?;
        let new = self.wrap(&holders, &root)?;
        let old_generation = self.keyrings.system_keys().root_generation;
        let replacement = RootKeyReplacement {
            old_generation,
            new_generation: old_generation.saturating_add(1),
            replaced_ms: at.map(|(now_ms, _)| now_ms),
            seals: holders.iter().map(|named| named.id.to_string()).collect(),
        };
        if let Some((now_ms, is_compromised)) = at {
            // The seals give up what an attempt that failed has left; the keyring first.
            self.keyrings.settle().map_err(|_| VaultError::StorageUnavailable)?;
            self.write(&old.and(&new))?;
            let replaced = self.keyrings.replace_root(root, now_ms, is_compromised);
            replaced.map_err(|_| VaultError::StorageUnavailable)?;
            self.write(&new)?;
        }
        Ok(replacement)
    }

    /// The seals that hold the root key; all of them have to take part.
    fn holders(&self, file: &SealFile) -> Result<Vec<&NamedSeal>, VaultError> {
        let configured =
            |id: &&str| self.place.seals().iter().find(|named| named.id.as_str() == *id);
        let holders: Vec<_> = file.ids().iter().map(configured).collect();
        let unknown = || {
            let refusal = "a seal holds the root key that the configuration does not name; add it \
                           to the configuration, or remove it";
            VaultError::from(Failure::new(ErrorCode::Conflict, refusal))
        };
        holders.into_iter().collect::<Option<Vec<_>>>().ok_or_else(unknown)
    }

    /// The entries that give the root key in use; others were left by a cut-off replacement.
    fn wrapped(&self, holders: &[&NamedSeal], file: &SealFile) -> Result<SealFile, VaultError> {
        let root = self.keyrings.root();
        let mut kept = SealFile::default();
        for named in holders {
            for entry in file.entries(&named.id) {
                let opened = named.open(entry).map_err(|error| named.failure(error))?;
                if is_same(&opened, &root) {
                    kept.add(entry.clone());
                }
            }
        }
        Ok(kept)
    }

    /// The root key under every seal, each opened again out of the bytes that are written.
    fn wrap(&self, holders: &[&NamedSeal], root: &RootKey) -> Result<SealFile, VaultError> {
        let entropy = self.place.entropy();
        let mut file = SealFile::default();
        for named in holders {
            let made = MadeKey::by(named.seal.as_ref(), &named.id, entropy);
            let entry = made.and_then(|made| made.wrap(&named.id, root, entropy));
            file.add(entry.map_err(|error| named.failure(error))?);
        }
        let file = SealFile::decode(&file.encode()).map_err(|_| VaultError::Internal)?;
        for named in holders {
            for entry in file.entries(&named.id) {
                let opened = named.open(entry).map_err(|error| named.failure(error))?;
                if !is_same(&opened, root) {
                    return Err(named.failure(SealError::Refused).into());
                }
            }
        }
        Ok(file)
    }

    fn write(&self, file: &SealFile) -> Result<(), VaultError> {
        let bytes = file.encode();
        let is_written = |read: &[u8]| SealFile::decode(read).is_ok();
        let written = replace_file(&self.place.seal_path()?, &bytes, is_written);
        written.map_err(|_| VaultError::StorageUnavailable)
    }
}

fn is_same(one: &RootKey, other: &RootKey) -> bool {
    bool::from(one.expose_secret().ct_eq(other.expose_secret()))
}

#[cfg(test)]
mod tests;
