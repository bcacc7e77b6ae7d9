//! Changing which seals hold the root key, and telling how they are.
//!
//! A seal is added only after it has given the root key again out of the bytes that are written, and
//! once more out of the file; one is removed only while another opens; so whatever ends the process
//! in between, some seal of the file opens. Changes are one at a time, under the lease of key work.

use std::sync::Arc;

use subtle::ConstantTimeEq as _;
use tresor_proto::{ErrorCode, Failure, storage::SealEntry};

use crate::{
    access::OperatorPermit,
    error::VaultError,
    key::{Key as _, RootKey},
    keyring::{Keyrings, replace_file},
    seal::{MadeKey, NamedSeal, SealError, SealFailures, SealFile, SealId},
    vault::{Vault, VaultPlace},
};

/// How a seal is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealReport {
    /// Its id, as the seal file or the configuration has it.
    pub id: String,
    /// Its provider.
    pub provider: &'static str,
    /// Whether the configuration names it.
    pub is_configured: bool,
    /// Whether it holds the root key.
    pub holds_root_key: bool,
    /// Why it would not open now, if it would not.
    pub problem: Option<SealError>,
}

/// A change of the seal file.
#[derive(Clone, Debug)]
enum SealChange {
    Add(SealId),
    Remove(SealId),
    Migrate { from: SealId, to: SealId },
}

impl Vault {
    /// Lets a seal hold the root key that does not, or does under another secret than it has now; a
    /// dry run writes nothing and does all the rest.
    ///
    /// # Errors
    /// `not_found` for a seal the configuration does not name, `already_exists` for one that
    /// gives it already; why the seal does not open; `conflict` when another operator changes keys.
    pub async fn add_seal(
        &self,
        permit: OperatorPermit,
        seal: SealId,
        is_dry_run: bool,
    ) -> Result<(), VaultError> {
        self.change_seals(permit, SealChange::Add(seal), is_dry_run).await
    }

    /// Takes the root key from a seal.
    ///
    /// # Errors
    /// `not_found` for one that does not hold it; `conflict` for the last one, while no other
    /// opens, and when another operator changes keys.
    pub async fn remove_seal(
        &self,
        permit: OperatorPermit,
        seal: SealId,
        is_dry_run: bool,
    ) -> Result<(), VaultError> {
        self.change_seals(permit, SealChange::Remove(seal), is_dry_run).await
    }

    /// Adds `to`, then removes `from`; goes on where it was cut off.
    ///
    /// # Errors
    /// As for both.
    pub async fn migrate_seal(
        &self,
        permit: OperatorPermit,
        from: SealId,
        to: SealId,
        is_dry_run: bool,
    ) -> Result<(), VaultError> {
        self.change_seals(permit, SealChange::Migrate { from, to }, is_dry_run).await
    }

    /// A dry run changes nothing, so it waits for no other operator and keeps none waiting.
    async fn change_seals(
        &self,
        permit: OperatorPermit,
        change: SealChange,
        is_dry_run: bool,
    ) -> Result<(), VaultError> {
        let work = match is_dry_run {
            true => None,
            false => Some(self.begin_key_work(permit, change.work()).await?),
        };
        self.place().forgive_seals();
        let keyrings = self.keyrings_arc();
        let change = move |place: &VaultPlace| {
            let changed = Changer { place, keyrings, is_dry_run }.apply(&change);
            // Held until it is done, even when nobody waits for it any more.
            drop(work);
            changed
        };
        self.place().on_seals(change).await.ok_or(VaultError::Overloaded)?
    }
}

impl SealChange {
    /// What other operators are told meanwhile.
    fn work(&self) -> &'static str {
        match self {
            Self::Add(_) => "adding a seal",
            Self::Remove(_) => "removing a seal",
            Self::Migrate { .. } => "moving the root key to another seal",
        }
    }
}

impl VaultPlace {
    /// Tells of every seal of the configuration and of the seal file, and asks each that holds the
    /// root key whether it would open, as cheaply as it can tell.
    ///
    /// # Errors
    /// `storage_unavailable` when the seals do not answer in time or their file cannot be read.
    pub async fn check_seals(self: &Arc<Self>) -> Result<Vec<SealReport>, VaultError> {
        self.seal_reports(SealAsking::Check).await
    }

    /// The same, and lets each give the root key out of the seal file.
    ///
    /// # Errors
    /// As for the check.
    pub async fn try_seals(self: &Arc<Self>) -> Result<Vec<SealReport>, VaultError> {
        self.seal_reports(SealAsking::Open).await
    }

    async fn seal_reports(
        self: &Arc<Self>,
        asking: SealAsking,
    ) -> Result<Vec<SealReport>, VaultError> {
        let reports = self.on_seals(move |place| Ok(reports(place, &place.seal_file()?, asking)));
        reports.await.ok_or(VaultError::StorageUnavailable)?
    }
}

/// How a seal is asked whether it would open.
#[derive(Clone, Copy)]
enum SealAsking {
    Check,
    Open,
}

impl SealAsking {
    /// Why a seal would not open one of its entries, if it would not.
    fn problem(self, named: &NamedSeal, entry: &SealEntry) -> Option<SealError> {
        match (self, &entry.provider) {
            (Self::Open, _) => named.open(entry).err(),
            (Self::Check, Some(kept)) => named.check(kept).err(),
            (Self::Check, None) => Some(SealError::Refused),
        }
    }
}

fn reports(place: &VaultPlace, file: &SealFile, asking: SealAsking) -> Vec<SealReport> {
    let configured = place.seals().iter().map(|named| SealReport {
        id: named.id.to_string(),
        provider: named.seal.provider(),
        is_configured: true,
        holds_root_key: file.holds(&named.id),
        problem: file.entries(&named.id).find_map(|entry| asking.problem(named, entry)),
    });
    let is_named = |id: &str| place.seals().iter().any(|named| named.id.as_str() == id);
    let others = file.others(is_named).map(|(id, provider)| SealReport {
        id: id.to_owned(),
        provider,
        is_configured: false,
        holds_root_key: true,
        problem: None,
    });
    configured.chain(others).collect()
}

/// One change, on the seals' thread.
struct Changer<'a> {
    place: &'a VaultPlace,
    keyrings: Arc<Keyrings>,
    is_dry_run: bool,
}

impl Changer<'_> {
    fn apply(&self, change: &SealChange) -> Result<(), VaultError> {
        let file = self.place.seal_file()?;
        match change {
            SealChange::Add(seal) => match self.verify(&file, self.configured(seal)?) {
                Ok(()) => Err(Failure::from(ErrorCode::AlreadyExists)
                    .with_violation("seal", "it holds the root key already")
                    .into()),
                // It does not hold it, or only under a secret that is gone.
                Err(_) => self.add(file.without(seal), seal).map(drop),
            },
            SealChange::Remove(seal) => {
                held(&file, seal)?;
                self.remove(&file, seal, |others| self.any_opens(others))
            }
            SealChange::Migrate { from, to } if from == to => {
                Err(Failure::invalid("to", "it is the seal the root key is with").into())
            }
            // Its end was cut off, or its answer.
            SealChange::Migrate { from, to } if !file.holds(from) && file.holds(to) => {
                self.configured(from)?;
                self.verify(&file, self.configured(to)?)
            }
            SealChange::Migrate { from, to } => {
                held(&file, from)?;
                let file = if file.holds(to) { file } else { self.add(file, to)? };
                self.remove(&file, from, |others| self.verify(others, self.configured(to)?))
            }
        }
    }

    /// Adds a seal and gives the file as it is then.
    fn add(&self, mut file: SealFile, seal: &SealId) -> Result<SealFile, VaultError> {
        let named = self.configured(seal)?;
        let entropy = self.place.entropy();
        let made = MadeKey::by(named.seal.as_ref(), &named.id, entropy);
        let entry = made.and_then(|made| made.wrap(&named.id, &self.root(), entropy));
        file.add(entry.map_err(|error| named.failure(error))?);
        self.write(&file, |file| self.verify(file, named))?;
        Ok(file)
    }

    /// Removes a seal from a file whose other seals pass `check`.
    fn remove(
        &self,
        file: &SealFile,
        seal: &SealId,
        check: impl Fn(&SealFile) -> Result<(), VaultError>,
    ) -> Result<(), VaultError> {
        let others = file.without(seal);
        if others.is_empty() {
            return Err(Failure::new(ErrorCode::Conflict, "the last seal cannot be removed").into());
        }
        self.write(&others, check)
    }

    /// Checks a file as it will be written, writes it, and checks it as it is read again.
    fn write(
        &self,
        file: &SealFile,
        check: impl Fn(&SealFile) -> Result<(), VaultError>,
    ) -> Result<(), VaultError> {
        let bytes = file.encode();
        check(&SealFile::decode(&bytes).map_err(|_| VaultError::Internal)?)?;
        if self.is_dry_run {
            return Ok(());
        }
        let path = self.place.seal_path()?;
        // All entries of the file are for the root key in use, or for none.
        self.keyrings.settle().map_err(|_| VaultError::StorageUnavailable)?;
        replace_file(&path, &bytes, |_| true).map_err(|_| VaultError::StorageUnavailable)?;
        check(&self.place.seal_file()?)
    }

    /// Whether a seal gives this vault's root key out of a file.
    fn verify(&self, file: &SealFile, named: &NamedSeal) -> Result<(), VaultError> {
        let failed = |error| VaultError::from(named.failure(error));
        if !file.holds(&named.id) {
            return Err(failed(SealError::NotInUse));
        }
        // There are two entries when a replacement of the root key was cut off.
        let entries = file.entries(&named.id);
        let roots = entries.map(|entry| named.open(entry)).collect::<Result<Vec<_>, _>>();
        let roots = roots.map_err(failed)?;
        let ours = self.root();
        let is_ours = |root: &RootKey| bool::from(root.expose_secret().ct_eq(ours.expose_secret()));
        if roots.iter().any(is_ours) { Ok(()) } else { Err(failed(SealError::Refused)) }
    }

    /// Without this the next start would find no seal that opens.
    fn any_opens(&self, file: &SealFile) -> Result<(), VaultError> {
        let mut opened = self.place.seals().iter().map(|named| self.verify(file, named));
        if opened.any(|verified| verified.is_ok()) {
            return Ok(());
        }
        let refusal = "no other seal opens the vault now; the seal stays";
        Err(Failure::new(ErrorCode::Conflict, refusal).into())
    }

    fn configured(&self, seal: &SealId) -> Result<&NamedSeal, VaultError> {
        let named = self.place.seals().iter().find(|named| named.id == *seal);
        named.ok_or_else(|| {
            let failure = Failure::from(ErrorCode::NotFound);
            failure.with_violation("seal", "the configuration names no such seal").into()
        })
    }

    fn root(&self) -> Arc<RootKey> {
        self.keyrings.root()
    }
}

fn held(file: &SealFile, seal: &SealId) -> Result<(), VaultError> {
    if file.holds(seal) {
        return Ok(());
    }
    let failure = Failure::from(ErrorCode::NotFound);
    Err(failure.with_violation("seal", "it does not hold the root key").into())
}

impl From<SealFailures> for VaultError {
    /// A seal that is away may be tried again; all else is for the operator to put right.
    fn from(failures: SealFailures) -> Self {
        let failure = match failures.are_transient() {
            true => Failure::new(ErrorCode::StorageUnavailable, "the seal does not open"),
            false => Failure::new(ErrorCode::InvalidRequest, "the seal does not open"),
        };
        Self::Refused(failure.with_violation("seal", failures.to_string()))
    }
}
