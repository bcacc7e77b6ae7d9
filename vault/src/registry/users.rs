//! Users of tenants in the registry.
//!
//! Store key: `tenant 16 ‖ name`.

use tresor_proto::{
    ErrorCode, Failure, TenantId, TenantRoles, UserName, limits::USERS_MAX, storage::UserRow,
};

use super::{Registry, Row, deletions::kept};
use crate::{
    error::VaultError,
    store::{Keyspace, Precondition, RowDigest, ScanRange, StoreKey, Write},
    users::PasswordHash,
};

/// A user of a tenant, as operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its name.
    pub name: UserName,
    /// What it is for.
    pub roles: TenantRoles,
    /// When it was added, milliseconds since the epoch.
    pub created_ms: u64,
    /// When its password was last changed or reset, milliseconds since the epoch.
    pub password_changed_ms: u64,
    /// Whether it is turned away.
    pub is_disabled: bool,
    /// Until when its one-time password works, milliseconds since the epoch; `None` once it has
    /// chosen one.
    pub one_time_expires_ms: Option<u64>,
}

/// A user's row as read.
pub(crate) struct UserRecord {
    pub(crate) tenant: TenantId,
    pub(crate) user: User,
    pub(crate) password: PasswordHash,
    pub(crate) password_version: u64,
    row: UserRow,
    digest: RowDigest,
}

impl Registry {
    /// A user by name; `None` when there is none.
    pub(crate) async fn user(
        &self,
        tenant: TenantId,
        name: &UserName,
    ) -> Result<Option<UserRecord>, VaultError> {
        let row = self.read::<UserRow>(key(tenant, name)).await?;
        row.map(|row| UserRecord::new(tenant, name.clone(), row)).transpose()
    }

    /// Users in the order of their names, after `after`.
    pub(crate) async fn users(
        &self,
        tenant: TenantId,
        after: Option<&UserName>,
        limit: usize,
    ) -> Result<Vec<User>, VaultError> {
        let prefix = tenant.to_bytes().to_vec();
        let after = after.map(|name| key(tenant, name).key);
        let range = ScanRange { keyspace: Keyspace::Users, prefix, after };
        let mut users = Vec::new();
        for found in self.store.scan(range, limit).await? {
            let name = found.key.get(tenant.to_bytes().len()..).unwrap_or_default();
            let name = core::str::from_utf8(name).ok().and_then(UserName::parse);
            let name = name.ok_or(VaultError::Integrity)?;
            let message = self.decode(&key(tenant, &name), &found.value)?;
            let row = Row { message, digest: RowDigest::of(&found.value) };
            users.push(UserRecord::new(tenant, name, row)?.user);
        }
        Ok(users)
    }

    /// Adds a user.
    ///
    /// # Errors
    /// `already_exists`; `too_large` when the tenant has as many as it may; `conflict` when it is
    /// being deleted.
    pub(crate) async fn add_user(
        &self,
        tenant: TenantId,
        name: &UserName,
        row: &UserRow,
    ) -> Result<(), VaultError> {
        // One at a time, so that two do not both find the last place free.
        let _turn = self.adding_user.lock().await;
        if self.user(tenant, name).await?.is_some() {
            return Err(VaultError::AlreadyExists);
        }
        if self.users(tenant, None, USERS_MAX).await?.len() >= USERS_MAX {
            return Err(Failure::new(ErrorCode::TooLarge, "a tenant has at most 256 users").into());
        }
        let key = key(tenant, name);
        let write = self.put(key.clone(), row)?;
        self.apply([&kept(tenant)[..], &[Precondition::Absent(key)]].concat(), vec![write]).await
    }

    /// Changes a user whose row is still what was read, and gives it as it is then. Its password
    /// version grows, which ends its sessions.
    ///
    /// # Errors
    /// `conflict` when it has changed in between.
    pub(crate) async fn change_user(
        &self,
        record: UserRecord,
        now_ms: u64,
        change: impl FnOnce(&mut UserRow) + Send,
    ) -> Result<UserRecord, VaultError> {
        let mut row = record.row;
        change(&mut row);
        row.password_version = now_ms.max(row.password_version.saturating_add(1));
        let key = key(record.tenant, &record.user.name);
        let unchanged = [Precondition::Unchanged(key.clone(), record.digest)];
        let preconditions = [&kept(record.tenant)[..], &unchanged].concat();
        self.apply(preconditions, vec![self.put(key, &row)?]).await?;
        let changed = self.user(record.tenant, &record.user.name).await?;
        changed.ok_or(VaultError::Conflict)
    }

    /// Removes a user whose row is still what was read.
    ///
    /// # Errors
    /// `conflict` when it has changed in between.
    pub(crate) async fn remove_user(&self, record: UserRecord) -> Result<(), VaultError> {
        let key = key(record.tenant, &record.user.name);
        let unchanged = Precondition::Unchanged(key.clone(), record.digest);
        self.apply(vec![unchanged], vec![Write::Remove(key)]).await
    }
}

impl UserRecord {
    fn new(tenant: TenantId, name: UserName, row: Row<UserRow>) -> Result<Self, VaultError> {
        let Row { message: row, digest } = row;
        let user = User {
            name,
            roles: TenantRoles::from_wire(&row.roles).ok_or(VaultError::Integrity)?,
            created_ms: row.created_ms,
            password_changed_ms: row.password_changed_ms,
            is_disabled: row.disabled,
            one_time_expires_ms: (row.one_time_expires_ms > 0).then_some(row.one_time_expires_ms),
        };
        let password = PasswordHash::from_row(&row)?;
        let password_version = row.password_version;
        Ok(Self { tenant, user, password, password_version, row, digest })
    }
}

fn key(tenant: TenantId, name: &UserName) -> StoreKey {
    let key = [&tenant.to_bytes()[..], name.as_str().as_bytes()].concat();
    StoreKey::new(Keyspace::Users, key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{house::House, store::StoreEngine};

    fn name(number: usize) -> UserName {
        UserName::parse(&format!("u{number:03}")).unwrap()
    }

    fn row() -> UserRow {
        let mut row = UserRow { roles: vec![1], password_version: 5, ..UserRow::default() };
        PasswordHash::of_nobody().put_into(&mut row);
        row
    }

    #[tokio::test]
    async fn a_tenant_has_as_many_users_as_it_may_and_another_its_own() {
        let house = House::build(StoreEngine::Memory).await;
        let (registry, tenant) = (house.vault().registry(), house.tenant);
        for number in 0..USERS_MAX {
            registry.add_user(tenant, &name(number), &row()).await.unwrap();
        }
        let refused = registry.add_user(tenant, &name(USERS_MAX), &row()).await;
        assert_eq!(refused.unwrap_err().code(), ErrorCode::TooLarge);
        let again = registry.add_user(tenant, &name(0), &row()).await;
        assert_eq!(again, Err(VaultError::AlreadyExists));
        let page = registry.users(tenant, Some(&name(253)), 10).await.unwrap();
        assert_eq!(
            page.iter().map(|user| user.name.as_str()).collect::<Vec<_>>(),
            ["u254", "u255"]
        );
        let (other, _) = house.create_tenant("other").await;
        assert!(registry.users(other, None, 10).await.unwrap().is_empty());
        registry.add_user(other, &name(0), &row()).await.unwrap();
    }

    #[tokio::test]
    async fn of_two_changes_of_what_was_read_one_counts_and_the_version_grows_whatever_the_clock_says()
     {
        let house = House::build(StoreEngine::Memory).await;
        let (registry, tenant) = (house.vault().registry(), house.tenant);
        registry.add_user(tenant, &name(0), &row()).await.unwrap();
        let read = async || registry.user(tenant, &name(0)).await.unwrap().unwrap();
        let (first, second, third) = (read().await, read().await, read().await);
        let changed = registry.change_user(first, 3, |row| row.disabled = true).await.unwrap();
        assert_eq!((changed.password_version, changed.user.is_disabled), (6, true));
        let late = registry.change_user(second, 9, |row| row.disabled = false).await;
        assert_eq!(late.err(), Some(VaultError::Conflict));
        assert_eq!(registry.remove_user(third).await, Err(VaultError::Conflict));
        assert_eq!(registry.change_user(changed, 9, |_| ()).await.unwrap().password_version, 9);
    }
}
