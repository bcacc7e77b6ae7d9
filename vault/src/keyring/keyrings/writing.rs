//! Writing keyrings: tenants' files first, then their numbers in the system keyring.
//!
//! It promises that each tenant's file is the old one or the new one, and that the new keyring is
//! given to anybody only once its file is durable. It relies on the lock of the system keyring,
//! under which writes come one after the other.

use std::sync::Arc;

use tresor_proto::TenantId;

use super::{Keyrings, decode_tenant, write_system};
use crate::{
    aad::Purpose,
    key::{FileKey, Key as _},
    keyring::{
        KeyringError, KeyringFiles, LoadedKeyring, SealCounts, SystemKeyring, TenantKeyring,
        file_format::{self, KeyringLabel},
        replacement::{self, Replacement},
        seal_counts::Seals,
    },
    row::RowKeys,
};

/// A keyring that is to be written.
struct Draft {
    keyring: TenantKeyring,
    /// The number of the one it was made from.
    expected_sequence: u64,
    seals: Arc<SealCounts>,
    /// Those it has been given.
    counted: Seals,
}

/// One whose file is made.
struct Sealed {
    draft: Draft,
    sequence: u64,
    rows: RowKeys,
    file: Replacement,
}

impl Keyrings {
    /// Writes a tenant's keyring over the one with `expected_sequence`. Blocks on the disk.
    pub(crate) fn write(
        &self,
        keyring: TenantKeyring,
        expected_sequence: u64,
    ) -> Result<Arc<LoadedKeyring>, KeyringError> {
        let mut system = self.system();
        if system.tenant(keyring.tenant).is_none() {
            system.add_tenant(keyring.tenant, FileKey::generate(self.entropy.as_ref())?);
            self.write_system(&mut system)?;
        }
        let (seals, counted) = Default::default();
        let draft = Draft { keyring, expected_sequence, seals, counted };
        let written = self.write_one(&mut system, draft)?;
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
        let (draft, edited) = self.draft(&mut system, tenant, edit)?;
        self.write_one(&mut system, draft)?;
        self.write_system(&mut system)?;
        Ok(edited)
    }

    /// Changes the keyrings of tenants, each for itself and each tenant once, and gives what became
    /// of each. Files are made durable together, and their numbers remembered at once: until then a
    /// keyring is newer than remembered, which is accepted, as after a crash. Blocks on the disk.
    pub(crate) fn edit_many<T, E: From<KeyringError>>(
        &self,
        tenants: &[TenantId],
        mut edit: impl FnMut(&mut TenantKeyring) -> Result<T, E>,
    ) -> Result<Vec<Result<T, E>>, KeyringError> {
        let mut system = self.system();
        let (mut drafts, mut outcomes) = (Vec::new(), Vec::with_capacity(tenants.len()));
        for tenant in tenants {
            let drafted = self.draft(&mut system, *tenant, &mut edit);
            outcomes.push(drafted.map(|(draft, edited)| {
                drafts.push(draft);
                edited
            }));
        }
        let mut written = self.write_all(&mut system, drafts).into_iter();
        self.write_system(&mut system)?;
        let outcome = |drafted: Result<T, E>| {
            let edited = drafted?;
            written.next().unwrap_or(Err(KeyringError::Keys))?;
            Ok(edited)
        };
        Ok(outcomes.into_iter().map(outcome).collect())
    }

    /// A copy of a tenant's keyring, to try a change on that is not written. Blocks on the disk.
    pub(crate) fn copy(&self, tenant: TenantId) -> Result<TenantKeyring, KeyringError> {
        let loaded = self.load(tenant)?;
        Ok(TenantKeyring::from_body(tenant, &loaded.keyring.to_body())?)
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

    pub(super) fn write_system(&self, system: &mut SystemKeyring) -> Result<(), KeyringError> {
        write_system(&self.files, &self.root(), system, self.entropy.as_ref())
    }

    fn draft<T, E: From<KeyringError>>(
        &self,
        system: &mut SystemKeyring,
        tenant: TenantId,
        edit: impl FnOnce(&mut TenantKeyring) -> Result<T, E>,
    ) -> Result<(Draft, T), E> {
        let loaded = self.load_with(system, tenant)?;
        let copy = TenantKeyring::from_body(tenant, &loaded.keyring.to_body());
        let mut keyring = copy.map_err(KeyringError::from)?;
        let edited = edit(&mut keyring)?;
        let (expected_sequence, seals) = (loaded.sequence, Arc::clone(&loaded.seals));
        let counted = seals.unwritten();
        keyring.add_seals(&counted);
        Ok((Draft { keyring, expected_sequence, seals, counted }, edited))
    }

    fn write_one(
        &self,
        system: &mut SystemKeyring,
        draft: Draft,
    ) -> Result<Arc<LoadedKeyring>, KeyringError> {
        let written = self.write_all(system, vec![draft]).pop();
        written.unwrap_or(Err(KeyringError::Keys))
    }

    /// Writes tenants' files; the system keyring, with their numbers, is to be written next.
    fn write_all(
        &self,
        system: &mut SystemKeyring,
        drafts: Vec<Draft>,
    ) -> Vec<Result<Arc<LoadedKeyring>, KeyringError>> {
        let sealed: Vec<_> = drafts.into_iter().map(|draft| self.seal(system, draft)).collect();
        let files: Vec<_> = sealed.iter().flatten().map(|sealed| &sealed.file).collect();
        let mut replaced =
            replacement::replace_all(self.files.tenants_directory(), &files).into_iter();
        let written = sealed.into_iter().map(|sealed| {
            let sealed = sealed?;
            replaced.next().unwrap_or(Err(KeyringError::Unavailable))?;
            system.remember(sealed.draft.keyring.tenant, sealed.sequence);
            Ok(self.keep(sealed))
        });
        written.collect()
    }

    /// Makes the file that is to be a keyring's next, and sees that it opens.
    fn seal(&self, system: &SystemKeyring, draft: Draft) -> Result<Sealed, KeyringError> {
        let tenant = draft.keyring.tenant;
        let (file_key, remembered) = system.tenant(tenant).ok_or(KeyringError::Keys)?;
        if remembered != draft.expected_sequence {
            return Err(KeyringError::Unavailable);
        }
        let sequence = remembered + 1;
        let label = KeyringLabel { purpose: Purpose::TenantBody, tenant, sequence };
        let body = draft.keyring.to_body();
        let bytes = file_format::encode(label, file_key, &body, self.entropy.as_ref())?;
        decode_tenant(tenant, file_key, &bytes)?;
        let rows = draft.keyring.row_keys()?;
        let file = Replacement { name: KeyringFiles::tenant_name(tenant).into(), bytes };
        Ok(Sealed { draft, sequence, rows, file })
    }

    /// Gives out a keyring whose file is durable.
    fn keep(&self, Sealed { draft, sequence, rows, .. }: Sealed) -> Arc<LoadedKeyring> {
        let Draft { keyring, seals, counted, .. } = draft;
        seals.written(&counted);
        let tenant = keyring.tenant;
        let loaded = Arc::new(LoadedKeyring { sequence, keyring, rows, seals });
        self.loaded.insert(tenant, Arc::clone(&loaded));
        loaded
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{entropy::SystemEntropy, key::RootKey, keyring::read_file};

    const TENANTS: [TenantId; 3] = [
        TenantId::from_bytes([1; 16]),
        TenantId::from_bytes([2; 16]),
        TenantId::from_bytes([3; 16]),
    ];

    fn root() -> RootKey {
        RootKey::from_slice(&[1; 32]).unwrap()
    }

    fn entropy() -> Arc<SystemEntropy> {
        Arc::new(SystemEntropy::default())
    }

    /// Keyrings of three tenants, each written once.
    fn written_once(files: &KeyringFiles) -> Keyrings {
        let keyrings = Keyrings::create(files.clone(), root(), entropy()).unwrap();
        for tenant in TENANTS {
            keyrings.write(TenantKeyring::new(tenant), 0).unwrap();
        }
        keyrings
    }

    #[test]
    fn edits_of_many_are_each_written_and_remembered_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let files = KeyringFiles::new(directory.path()).unwrap();
        let keyrings = written_once(&files);
        let before = read_file(&files.system_keyring());
        let edited = keyrings.edit_many(&TENANTS, |keyring| {
            assert_eq!(read_file(&files.system_keyring()), before, "not yet");
            if keyring.tenant == TENANTS[1] { Err(KeyringError::Keys) } else { Ok(keyring.tenant) }
        });
        assert_eq!(edited.unwrap(), [Ok(TENANTS[0]), Err(KeyringError::Keys), Ok(TENANTS[2])]);
        let again = Keyrings::open(files, root(), entropy()).unwrap();
        let sequences = TENANTS.map(|tenant| again.remembered_sequence(tenant));
        assert_eq!(sequences, [2, 1, 2]);
        assert_eq!(again.load(TENANTS[1]).map(|loaded| loaded.sequence), Ok(1));
    }

    #[test]
    fn a_keyring_that_cannot_be_written_stays_as_it_was_and_the_others_are() {
        let directory = tempfile::tempdir().unwrap();
        let files = KeyringFiles::new(directory.path()).unwrap();
        let keyrings = written_once(&files);
        // What is in the way of a new file makes that one fail.
        let in_the_way = files.tenant_keyring(TENANTS[0]).with_extension("new");
        std::fs::create_dir(&in_the_way).unwrap();
        let edited = keyrings.edit_many(&TENANTS, |_| Ok::<_, KeyringError>(()));
        assert_eq!(edited.unwrap(), [Err(KeyringError::Unavailable), Ok(()), Ok(())]);
        let sequences = |keyrings: &Keyrings| TENANTS.map(|it| keyrings.load(it).unwrap().sequence);
        assert_eq!(sequences(&keyrings), [1, 2, 2]);
        assert_eq!(sequences(&Keyrings::open(files, root(), entropy()).unwrap()), [1, 2, 2]);
        std::fs::remove_dir(&in_the_way).unwrap();
        keyrings.edit(TENANTS[0], |_| Ok::<_, KeyringError>(())).unwrap();
        assert_eq!(sequences(&keyrings), [2, 2, 2]);
    }

    #[test]
    fn a_write_over_another_sequence_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let keyrings = written_once(&KeyringFiles::new(directory.path()).unwrap());
        assert!(keyrings.write(TenantKeyring::new(TENANTS[0]), 0).is_err());
        assert!(keyrings.write(TenantKeyring::new(TENANTS[0]), 1).is_ok());
    }
}
