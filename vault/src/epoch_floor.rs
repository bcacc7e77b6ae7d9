//! The lowest epoch of a class that writes may use, and the lowest version of its identifier key, kept
//! in the tenant's database.
//!
//! Whoever writes a record says in its change what the floor of each of its classes was when it
//! chose its keys; so once a floor is raised, no write under an older key is applied, however late
//! it comes. It relies on the preconditions of the store, and on the MAC of the row.
//!
//! Store key: `e ‖ class u8`. A class has no row before its first rotation.

use std::collections::BTreeMap;

use prost::Message as _;
use tresor_proto::{DataClass, TenantId, storage::EpochFloor};

use crate::{
    crypto_error::CryptoError,
    error::VaultError,
    keyring::TenantKeyring,
    row::{RowKeys, RowPlace},
    store::{Change, Keyspace, Precondition, RowDigest, StoreKey, Write},
};

/// The floors of some classes, as read.
#[derive(Debug, Default)]
pub(crate) struct Floors(BTreeMap<DataClass, Floor>);

/// The floor of a class, with what it was read from; `None` where there is none.
type Floor = Option<(EpochFloor, RowDigest)>;

/// The key of a class's floor.
pub(crate) fn key(class: DataClass) -> StoreKey {
    StoreKey::new(Keyspace::Meta, [b'e', class.code()])
}

impl Floors {
    /// Reads the floors of classes, a row each.
    pub(crate) fn read<'r>(
        (tenant, keys): (TenantId, &RowKeys),
        rows: impl IntoIterator<Item = (DataClass, Option<&'r [u8]>)>,
    ) -> Result<Self, VaultError> {
        let mut floors = BTreeMap::new();
        for (class, row) in rows {
            let floor = row.map(|row| read_one((tenant, keys), class, row)).transpose();
            floors.insert(class, floor.map_err(|CryptoError| VaultError::Integrity)?);
        }
        Ok(Self(floors))
    }

    /// The floor of a class; 0 where there is none.
    pub(crate) fn epoch(&self, class: DataClass) -> u32 {
        self.floor(class).epoch
    }

    /// The floor of the identifier keys of a class; 0 where there is none.
    pub(crate) fn identifier_version(&self, class: DataClass) -> u32 {
        self.floor(class).identifier_version
    }

    fn floor(&self, class: DataClass) -> EpochFloor {
        self.0.get(&class).and_then(Option::as_ref).map_or_else(EpochFloor::default, |(it, _)| *it)
    }

    /// Whether a keyring has the keys to write: it knows the epochs and versions that the floors ask
    /// for.
    pub(crate) fn admit(&self, keyring: &TenantKeyring) -> bool {
        let is_known = |class: &DataClass| {
            let identifier = keyring.newest_identifier_version(*class);
            keyring.newest_epoch(*class).is_ok_and(|newest| newest >= self.epoch(*class))
                && identifier >= self.identifier_version(*class)
        };
        self.0.keys().all(is_known)
    }

    /// What a write of a class asks of the store: that its floor is what was read.
    pub(crate) fn precondition(&self, class: DataClass) -> Precondition {
        match self.0.get(&class).and_then(Option::as_ref) {
            None => Precondition::Absent(key(class)),
            Some((_, digest)) => Precondition::Unchanged(key(class), digest.clone()),
        }
    }

    /// The same, if the floor of the class was read.
    pub(crate) fn precondition_if_read(&self, class: DataClass) -> Option<Precondition> {
        self.0.contains_key(&class).then(|| self.precondition(class))
    }

    /// The change that raises the floor of a class; nothing when it is as high already.
    pub(crate) fn raise(
        &self,
        (tenant, keys): (TenantId, &RowKeys),
        class: DataClass,
        to: EpochFloor,
    ) -> Result<Option<Change>, CryptoError> {
        let before = self.floor(class);
        let floor = EpochFloor {
            epoch: before.epoch.max(to.epoch),
            identifier_version: before.identifier_version.max(to.identifier_version),
        };
        if floor == before {
            return Ok(None);
        }
        let key = key(class);
        let place = RowPlace { tenant, key: &key };
        let row = keys.encode(place, &floor.encode_to_vec())?;
        let preconditions = vec![self.precondition(class)];
        Ok(Some(Change { preconditions, writes: vec![Write::Put(key, row)] }))
    }
}

fn read_one(
    (tenant, keys): (TenantId, &RowKeys),
    class: DataClass,
    row: &[u8],
) -> Result<(EpochFloor, RowDigest), CryptoError> {
    let key = key(class);
    let message = keys.decode(RowPlace { tenant, key: &key }, row)?;
    Ok((EpochFloor::decode(message)?, RowDigest::of(row)))
}
