//! Tenants in the registry: by id, and by name.

use tresor_proto::{
    AddressList, PasswordRule, RefusalReason, TenantId, TenantLimits, TenantName, TenantRef,
    storage, vault as wire,
};

use super::{Registry, Row};
use crate::{
    error::VaultError,
    store::{Keyspace, Precondition, RowDigest, ScanRange, StoreKey, StoreRow},
};

/// A tenant, as operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its name.
    pub name: TenantName,
    /// Where it is in its life.
    pub state: TenantState,
    /// When it was registered, milliseconds since the epoch.
    pub created_ms: u64,
    /// When its customer enrolled, milliseconds since the epoch.
    pub enrolled_ms: Option<u64>,
    /// Where its clients may come from.
    pub allowed_addresses: AddressList,
    /// Whether they show a password.
    pub password_rule: PasswordRule,
    /// How much it may ask for.
    pub limits: TenantLimits,
    /// Whether they are let in at all.
    pub standing: Standing,
    /// Changes whenever the tenant does.
    pub etag: String,
}

/// Whether anybody of a tenant is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Who has the credentials.
    Served,
    /// Nobody, until an operator says otherwise.
    Suspended {
        /// Since when, milliseconds since the epoch.
        since_ms: u64,
    },
    /// Nobody any more: it was suspended, and is being deleted.
    Deleting {
        /// Since when it was suspended, milliseconds since the epoch.
        suspended_ms: u64,
        /// Since when it is deleted, milliseconds since the epoch.
        since_ms: u64,
    },
}

/// Where a tenant is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenantState {
    /// Registered; its customer has not enrolled yet.
    Created,
    /// Enrolled and served.
    Active,
    /// Its database or keyring is damaged: not served until repaired.
    Quarantined,
    /// An operator lets nobody in.
    Suspended,
    /// Being deleted.
    Deleting,
}

/// A tenant's row.
pub(crate) struct TenantRecord {
    pub(crate) id: TenantId,
    pub(crate) name: TenantName,
    pub(crate) created_ms: u64,
    pub(crate) enrolment: Enrolment,
    pub(crate) allowed_addresses: AddressList,
    pub(crate) password_rule: PasswordRule,
    pub(crate) limits: TenantLimits,
    pub(crate) standing: Standing,
    /// The row as it was read, so that a change leaves the rest as it is.
    row: storage::TenantRow,
    digest: RowDigest,
}

/// Whether a tenant's customer has enrolled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Enrolment {
    /// Not yet: the verifier of the code, and until when it works.
    Open { verifier: Vec<u8>, expires_ms: u64 },
    /// Done.
    Done { enrolled_ms: u64 },
}

impl Registry {
    /// Registers a tenant; both its rows appear at once or not at all.
    pub(crate) async fn create_tenant(
        &self,
        id: TenantId,
        name: &TenantName,
        row: &storage::TenantRow,
    ) -> Result<(), VaultError> {
        let by_name = storage::TenantNameRow { tenant: id.to_bytes().to_vec() };
        let preconditions =
            vec![Precondition::Absent(id_key(id)), Precondition::Absent(name_key(name))];
        let writes = vec![self.put(id_key(id), row)?, self.put(name_key(name), &by_name)?];
        match self.apply(preconditions, writes).await {
            Err(VaultError::Conflict) => Err(VaultError::AlreadyExists),
            applied => applied,
        }
    }

    /// A tenant by id or name; `None` when there is none.
    pub(crate) async fn tenant(
        &self,
        tenant: &TenantRef,
    ) -> Result<Option<TenantRecord>, VaultError> {
        let id = match tenant {
            TenantRef::Id(id) => *id,
            TenantRef::Name(name) => match self.tenant_id(name).await? {
                Some(id) => id,
                None => return Ok(None),
            },
        };
        let row = self.read::<storage::TenantRow>(id_key(id)).await?;
        row.map(|row| TenantRecord::new(id, row)).transpose()
    }

    async fn tenant_id(&self, name: &TenantName) -> Result<Option<TenantId>, VaultError> {
        let row = self.read::<storage::TenantNameRow>(name_key(name)).await?;
        row.map(|row| parse_id(&row.message)).transpose()
    }

    /// Tenants in the order of their names, after `after`.
    pub(crate) async fn tenants(
        &self,
        after: Option<&TenantName>,
        limit: usize,
    ) -> Result<Vec<TenantRecord>, VaultError> {
        let mut after = after.map(|name| name.as_str().as_bytes().to_vec());
        let mut tenants = Vec::new();
        // Again for those that were skipped: a page that is not full is the last one.
        while tenants.len() < limit {
            let (keyspace, prefix) = (Keyspace::TenantNames, Vec::new());
            let range = ScanRange { keyspace, prefix, after };
            let rows = self.store.scan(range, limit - tenants.len()).await?;
            let Some(last) = rows.last() else { break };
            after = Some(last.key.clone());
            for row in rows {
                tenants.extend(self.tenant_named_by(row).await?);
            }
        }
        Ok(tenants)
    }

    /// The tenant of a name's row as it was scanned; `None` when both were removed since.
    async fn tenant_named_by(&self, row: StoreRow) -> Result<Option<TenantRecord>, VaultError> {
        let key = StoreKey::new(Keyspace::TenantNames, row.key);
        let by_name: storage::TenantNameRow = self.decode(&key, &row.value)?;
        let found = self.tenant(&TenantRef::Id(parse_id(&by_name)?)).await?;
        if found.is_none() && self.store.read(vec![key]).await? == [Some(row.value)] {
            return Err(VaultError::Integrity);
        }
        Ok(found)
    }

    /// Marks a tenant as enrolled, if its row is still what was read.
    pub(crate) async fn finish_enrolment(
        &self,
        tenant: &TenantRecord,
        enrolled_ms: u64,
    ) -> Result<(), VaultError> {
        let row = storage::TenantRow {
            enrolled_ms,
            enrolment_verifier: Vec::new(),
            enrolment_expires_ms: 0,
            ..tenant.row.clone()
        };
        self.replace_tenant(tenant, &row).await
    }

    /// Writes a tenant's settings and standing, if its row is still what was read.
    ///
    /// # Errors
    /// `conflict` when it is not.
    pub(crate) async fn update_tenant(&self, tenant: &TenantRecord) -> Result<(), VaultError> {
        self.replace_tenant(tenant, &tenant.to_row()).await
    }

    async fn replace_tenant(
        &self,
        tenant: &TenantRecord,
        row: &storage::TenantRow,
    ) -> Result<(), VaultError> {
        let writes = vec![self.put(id_key(tenant.id), row)?];
        self.apply(vec![tenant.unchanged()], writes).await
    }
}

impl TenantRecord {
    fn new(id: TenantId, row: Row<storage::TenantRow>) -> Result<Self, VaultError> {
        let Row { message: row, digest } = row;
        let enrolment = match row.enrolled_ms {
            0 => Enrolment::Open {
                verifier: row.enrolment_verifier.clone(),
                expires_ms: row.enrolment_expires_ms,
            },
            enrolled_ms => Enrolment::Done { enrolled_ms },
        };
        let addresses = AddressList::parse(&row.allowed_addresses);
        Ok(Self {
            id,
            name: TenantName::parse(&row.name).ok_or(VaultError::Integrity)?,
            created_ms: row.created_ms,
            enrolment,
            allowed_addresses: addresses.map_err(|_| VaultError::Integrity)?,
            password_rule: PasswordRule::from_storage(row.password_rule()),
            limits: TenantLimits::from_wire(row.limits.as_ref())
                .map_err(|_| VaultError::Integrity)?,
            standing: Standing::of(&row),
            row,
            digest,
        })
    }

    /// The precondition of a change: it is what was read.
    pub(super) fn unchanged(&self) -> Precondition {
        Precondition::Unchanged(id_key(self.id), self.digest.clone())
    }

    /// What it is to be written as.
    pub(super) fn to_row(&self) -> storage::TenantRow {
        let (suspended_ms, deleting_ms) = match self.standing {
            Standing::Served => (0, 0),
            Standing::Suspended { since_ms } => (since_ms, 0),
            Standing::Deleting { suspended_ms, since_ms } => (suspended_ms, since_ms),
        };
        storage::TenantRow {
            allowed_addresses: self.allowed_addresses.to_texts(),
            password_rule: wire::PasswordRule::from(self.password_rule) as i32,
            limits: Some(self.limits.to_wire()),
            suspended_ms,
            deleting_ms,
            ..self.row.clone()
        }
    }

    /// Changes whenever the tenant does.
    pub(crate) fn etag(&self) -> String {
        self.digest.to_etag()
    }

    /// As operators see it.
    pub(crate) fn to_tenant(&self, is_quarantined: bool) -> Tenant {
        let enrolled_ms = match self.enrolment {
            Enrolment::Open { .. } => None,
            Enrolment::Done { enrolled_ms } => Some(enrolled_ms),
        };
        let state = match (self.standing, enrolled_ms) {
            (Standing::Deleting { .. }, _) => TenantState::Deleting,
            _ if is_quarantined => TenantState::Quarantined,
            (Standing::Suspended { .. }, _) => TenantState::Suspended,
            (Standing::Served, None) => TenantState::Created,
            (Standing::Served, Some(_)) => TenantState::Active,
        };
        Tenant {
            id: self.id,
            name: self.name.clone(),
            state,
            created_ms: self.created_ms,
            enrolled_ms,
            allowed_addresses: self.allowed_addresses.clone(),
            password_rule: self.password_rule,
            limits: self.limits,
            standing: self.standing,
            etag: self.etag(),
        }
    }
}

impl Standing {
    fn of(row: &storage::TenantRow) -> Self {
        match (row.suspended_ms, row.deleting_ms) {
            (0, 0) => Self::Served,
            (since_ms, 0) => Self::Suspended { since_ms },
            (suspended_ms, since_ms) => Self::Deleting { suspended_ms, since_ms },
        }
    }

    /// Why nobody is let in.
    pub(crate) fn refusal(self) -> Option<RefusalReason> {
        match self {
            Self::Served => None,
            Self::Suspended { .. } | Self::Deleting { .. } => Some(RefusalReason::TenantSuspended),
        }
    }
}

pub(super) fn id_key(id: TenantId) -> StoreKey {
    StoreKey::new(Keyspace::Tenants, id.to_bytes())
}

pub(super) fn name_key(name: &TenantName) -> StoreKey {
    StoreKey::new(Keyspace::TenantNames, name.as_str().as_bytes())
}

fn parse_id(row: &storage::TenantNameRow) -> Result<TenantId, VaultError> {
    let bytes = row.tenant.as_slice().try_into().map_err(|_| VaultError::Integrity)?;
    Ok(TenantId::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        house::House,
        store::{StoreEngine, Write},
    };

    async fn scan(registry: &Registry) -> Vec<StoreRow> {
        let keyspace = Keyspace::TenantNames;
        let all = ScanRange { keyspace, prefix: Vec::new(), after: None };
        registry.store.scan(all, 10).await.unwrap()
    }

    #[tokio::test]
    async fn a_tenant_removed_while_all_are_listed_is_skipped_and_a_name_of_nobody_is_damage() {
        let house = House::build(StoreEngine::Memory).await;
        let (registry, here) = (house.vault().registry(), TenantRef::Id(house.tenant));
        let (other, _) = house.create_tenant("other").await;
        let record = registry.tenant(&here).await.unwrap().unwrap();
        let scanned = scan(registry).await.pop().unwrap();
        registry.remove_tenant(&record).await.unwrap();
        assert!(registry.tenant_named_by(scanned).await.unwrap().is_none());
        let listed = registry.tenants(None, 10).await.unwrap();
        assert_eq!(listed.iter().map(|tenant| tenant.id).collect::<Vec<_>>(), [other]);
        registry.apply(Vec::new(), vec![Write::Remove(id_key(other))]).await.unwrap();
        assert_eq!(registry.tenants(None, 10).await.err(), Some(VaultError::Integrity));
    }
}
