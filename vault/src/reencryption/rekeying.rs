//! Replaces identifier keys: everything that hangs on the older ones is moved under new ones, then the
//! older ones are destroyed.
//!
//! It promises that what was found before is found all the while, under one key or the other, and
//! that a key is destroyed only after a whole scan, begun when nothing was written under it any more,
//! found nothing that hangs on it. It relies on class keys that the customer lends, like all long
//! work.

use std::sync::Arc;

use tresor_proto::{
    TenantId,
    storage::{EpochFloor, OperationKind, OperationRow, OperationStage, OperationState},
};

use super::{
    rekeyer::{OlderKeys, Targets},
    reseal::Place,
    scan::WorkKeys,
    step::{begin, tenant_of},
    targets,
};
use crate::{
    blind_index::BlindIndex,
    crypto_error::CryptoError,
    epoch_floor::{self, Floors},
    error::VaultError,
    keyring::KeyBirth,
    policy_floor::{self, PolicyFloor},
    registry::Collection,
    sealed_rows::{self, SealedRow},
    store::{Change, Keyspace, Outcome, ScanRange, Store, StoreKey, Write},
    vault::Vault,
};

/// Rows read at once: 16 MiB at most.
const PAGE_ROWS: usize = 64;
/// Entries that lead nowhere, removed at once.
const STRAYS_AT_ONCE: usize = 1_024;

/// Collections with the floors of their policies, as read.
pub(super) type Policies = Vec<(Collection, Option<Vec<u8>>)>;

/// Whether an operation replaces identifier keys.
pub(crate) fn is_about_identifiers(row: &OperationRow) -> bool {
    row.kind() == OperationKind::Identifiers
}

/// The classes and versions of an operation that replaces identifier keys.
pub(super) fn versions(row: &OperationRow) -> Result<Targets, VaultError> {
    Ok(targets(&row.targets)?.into_iter().collect())
}

impl Vault {
    /// The collections of rows. They are asked for after the rows were read, so that their newest
    /// policies declare every index that the rows have entries of.
    pub(super) async fn policies_of(
        &self,
        (tenant, store): (TenantId, &dyn Store),
        rows: &[SealedRow],
    ) -> Result<Policies, VaultError> {
        with_floors(store, self.collections_of(tenant, rows).await?).await
    }

    /// The collections of rows, without the floors of their policies.
    pub(crate) async fn collections_of(
        &self,
        tenant: TenantId,
        rows: &[SealedRow],
    ) -> Result<Vec<Collection>, VaultError> {
        let records = rows.iter().filter(|(key, _)| key.keyspace == Keyspace::Records);
        let places = records.filter_map(|(key, _)| Place::of(&key.key).ok());
        let mut names: Vec<_> = places.map(|place| place.collection).collect();
        names.dedup();
        let mut collections = Vec::with_capacity(names.len());
        for name in names {
            match self.registry().collection(tenant, &name, None).await {
                Ok(collection) => collections.push(collection),
                // Without a policy there is no index.
                Err(VaultError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(collections)
    }

    /// What comes at the end of a scan.
    pub(super) async fn end_of_identifier_scan(
        &self,
        (tenant, store): (TenantId, &dyn Store),
        keys: &WorkKeys,
        row: &mut OperationRow,
    ) -> Result<(), VaultError> {
        match row.stage() {
            OperationStage::Unspecified | OperationStage::Removing => {
                return Err(VaultError::Integrity);
            }
            OperationStage::Counting => {
                let versions = Arc::new(versions(row)?);
                self.carry_policy_floors((tenant, store), &versions).await?;
                self.make_identifier_keys(tenant, keys, &versions).await?;
                let floor = |(class, version): (&_, &u32)| {
                    (*class, EpochFloor { epoch: 0, identifier_version: *version })
                };
                let floors = versions.iter().map(floor).collect();
                self.raise_floors((tenant, store), floors).await?;
                begin(row, OperationStage::Resealing);
            }
            OperationStage::Resealing => begin(row, OperationStage::Verifying),
            OperationStage::Verifying if row.damaged > 0 => {
                row.set_state(OperationState::NeedsAttention);
            }
            OperationStage::Verifying if row.left > 0 => begin(row, OperationStage::Verifying),
            OperationStage::Verifying | OperationStage::Destroying => {
                self.remove_strays((tenant, store), &versions(row)?).await?;
                row.set_stage(OperationStage::Destroying);
                row.verified_ms = self.clock().now_ms();
            }
        }
        Ok(())
    }

    /// What is known of indexes holds for them under the next key too: while both are kept, both are
    /// searched.
    async fn carry_policy_floors(
        &self,
        (tenant, store): (TenantId, &dyn Store),
        versions: &Arc<Targets>,
    ) -> Result<(), VaultError> {
        let policies = self.registry().collections(tenant).await?;
        let policies = with_floors(store, policies).await?;
        let (keyring, versions) = (self.keyring(tenant).await?, Arc::clone(versions));
        let carry = move || {
            let mut changes = Vec::new();
            for (collection, floor) in policies {
                let keys = (tenant, &keyring.rows);
                let before = PolicyFloor::read(keys, &collection.name, floor.as_deref())?;
                let mut floor = before.clone();
                for index in BlindIndex::all_of(&collection) {
                    let Some(version) = versions.get(&index.class) else { continue };
                    let from = keyring.keyring.newest_identifier_version(index.class);
                    floor = floor.carried(index.id(from)?, index.id(*version)?);
                }
                if floor != before {
                    changes.push(floor.change(keys)?);
                }
            }
            Ok::<_, VaultError>(changes)
        };
        let changes = self.key_worker().run(carry).await??;
        let outcomes = store.apply(changes).await?;
        match outcomes.iter().all(|outcome| *outcome == Outcome::Applied) {
            true => Ok(()),
            false => Err(VaultError::Conflict),
        }
    }

    /// Makes the versions that are not there yet, under the class keys that are lent.
    async fn make_identifier_keys(
        &self,
        tenant: TenantId,
        keys: &WorkKeys,
        versions: &Arc<Targets>,
    ) -> Result<(), VaultError> {
        let WorkKeys::Lent(loans) = keys else { return Err(VaultError::Internal) };
        let (loans, versions) = (loans.clone(), Arc::clone(versions));
        let (keyrings, entropy) = (self.keyrings_arc(), self.entropy_arc());
        let created_ms = self.clock().now_ms();
        let make = move || {
            let made = keyrings.edit(tenant, |keyring| {
                let mut made = 0;
                for (class, version) in versions.iter() {
                    let loan = loans.get(class).ok_or(VaultError::WrongKey)?;
                    let birth = KeyBirth { class: *class, version: *version, created_ms };
                    let is_new =
                        keyring.renew_identifier_key(birth, &loan.class_key, entropy.as_ref());
                    made += usize::from(is_new.map_err(|CryptoError| VaultError::Integrity)?);
                }
                // A crash came after the keyring was written: there is nothing left to write.
                if made == 0 { Err(VaultError::NotFound) } else { Ok(()) }
            });
            match made {
                Err(VaultError::NotFound) => Ok(()),
                made => made,
            }
        };
        self.key_worker().run(make).await?
    }

    /// Removes entries under older keys that no record lists: those of records that were damaged and
    /// deleted. Nothing is written under these keys any more, and a whole scan found no record that
    /// has an entry under them.
    async fn remove_strays(
        &self,
        (tenant, store): (TenantId, &dyn Store),
        versions: &Targets,
    ) -> Result<(), VaultError> {
        let keyring = self.keyring(tenant).await?;
        for collection in self.registry().collections(tenant).await? {
            for index in BlindIndex::all_of(&collection) {
                let Some(target) = versions.get(&index.class) else { continue };
                let kept = keyring.keyring.identifier_versions(index.class);
                for version in kept.filter(|version| version < target) {
                    let id = index.id(version)?;
                    remove_all(store, Keyspace::Index, id.as_bytes()).await?;
                }
            }
        }
        Ok(())
    }

    /// Looks at a page of the database for what hangs on older identifier keys, and whether it found
    /// something; then where to go on, if there is more.
    pub(super) async fn look_for_older(
        &self,
        row: &OperationRow,
        after: Option<StoreKey>,
    ) -> Result<(bool, Option<StoreKey>), VaultError> {
        let (tenant, versions) = (tenant_of(row)?, Arc::new(versions(row)?));
        let store = self.store(tenant).await?;
        let rows = sealed_rows::scan(store.as_ref(), after.as_ref(), PAGE_ROWS).await?;
        let next = rows.last().filter(|_| rows.len() == PAGE_ROWS).map(|(key, _)| key.clone());
        let policies = self.policies_of((tenant, store.as_ref()), &rows).await?;
        let keyring = self.keyring(tenant).await?;
        let look = move || {
            let older = OlderKeys::new(keyring, versions, policies)?;
            let hangs = |(key, row): &SealedRow| older.has_row(key, row).unwrap_or(true);
            Ok::<_, VaultError>(rows.iter().any(hangs))
        };
        let is_found = self.key_worker().run(look).await??;
        Ok((is_found, next))
    }

    /// Whether no write under the older identifier keys is taken.
    pub(super) async fn are_identifier_floors_at(
        &self,
        row: &OperationRow,
    ) -> Result<bool, VaultError> {
        let (tenant, versions) = (tenant_of(row)?, versions(row)?);
        let keys = versions.keys().map(|class| epoch_floor::key(*class)).collect();
        let rows = self.store(tenant).await?.read(keys).await?;
        let keyring = self.keyring(tenant).await?;
        let floors = versions.keys().copied().zip(rows.iter().map(Option::as_deref));
        let floors = Floors::read((tenant, &keyring.rows), floors)?;
        Ok(versions.iter().all(|(class, version)| floors.identifier_version(*class) >= *version))
    }

    /// Destroys the identifier keys below the versions of an operation.
    pub(super) async fn destroy_identifiers(&self, row: &OperationRow) -> Result<(), VaultError> {
        let (tenant, versions) = (tenant_of(row)?, versions(row)?);
        let (keyrings, now_ms) = (self.keyrings_arc(), self.clock().now_ms());
        let destroy = move || {
            let destroyed = keyrings.edit(tenant, |keyring| {
                let below = |(class, version): (&_, &u32)| {
                    keyring.destroy_identifier_keys(*class, *version, now_ms)
                };
                let destroyed: usize = versions.iter().map(below).sum();
                if destroyed == 0 { Err(VaultError::NotFound) } else { Ok(destroyed) }
            });
            match destroyed {
                Err(VaultError::NotFound) => Ok(0),
                destroyed => destroyed,
            }
        };
        let count = self.key_worker().run(destroy).await??;
        tracing::info!(%tenant, count, "identifier keys are destroyed");
        Ok(())
    }
}

async fn with_floors(
    store: &dyn Store,
    collections: Vec<Collection>,
) -> Result<Policies, VaultError> {
    let key = |collection: &Collection| policy_floor::key(&collection.name);
    let floors = store.read(collections.iter().map(key).collect()).await?;
    Ok(collections.into_iter().zip(floors).collect())
}

/// Removes every row with a prefix.
async fn remove_all(
    store: &dyn Store,
    keyspace: Keyspace,
    prefix: &[u8],
) -> Result<(), VaultError> {
    loop {
        let range = ScanRange { keyspace, prefix: prefix.to_vec(), after: None };
        let found = store.scan(range, STRAYS_AT_ONCE).await?;
        if found.is_empty() {
            return Ok(());
        }
        let remove = found.into_iter().map(|row| Write::Remove(StoreKey::new(keyspace, row.key)));
        let writes = remove.collect();
        store.apply(vec![Change { preconditions: Vec::new(), writes }]).await?;
    }
}
