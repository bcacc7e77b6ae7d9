//! What an operator does about a tenant's users.
//!
//! None of it shows a password or opens data: a one-time password is good for choosing another only.
//! Names are not logged, they may be people's.

use std::sync::Arc;

use tresor_proto::{
    Password, Secret, TenantId, TenantRef, TenantRoles, UserName,
    limits::ONE_TIME_PASSWORD_LIFETIME_MS, storage::UserRow,
};

use crate::{
    access::OperatorPermit,
    error::VaultError,
    record::Page,
    registry::{User, UserRecord},
    users::PasswordHash,
    vault::Vault,
};

/// A user with a one-time password, which is shown this once.
#[derive(Debug)]
pub struct GivenPassword {
    /// The user.
    pub user: User,
    /// The password, good for choosing another.
    pub one_time_password: Arc<Password>,
    /// When it stops working, milliseconds since the epoch.
    pub expires_ms: u64,
}

/// A one-time password that nobody has yet.
struct OneTime {
    password: Arc<Password>,
    hash: PasswordHash,
    made_ms: u64,
}

impl Vault {
    /// Adds a user to a tenant.
    ///
    /// # Errors
    /// `not_found` for an unknown tenant, `conflict` for one that is being deleted,
    /// `already_exists`, `too_large` beyond 256.
    pub async fn add_user(
        &self,
        permit: &OperatorPermit,
        tenant: &TenantRef,
        name: &UserName,
        roles: TenantRoles,
    ) -> Result<GivenPassword, VaultError> {
        let tenant = self.kept_tenant(tenant).await?.id;
        let one_time = self.one_time_password(tenant).await?;
        let mut row = UserRow {
            roles: roles.to_wire(),
            created_ms: one_time.made_ms,
            password_version: one_time.made_ms,
            ..UserRow::default()
        };
        one_time.put_into(&mut row);
        self.registry().add_user(tenant, name, &row).await?;
        tracing::info!(tenant = %tenant, service = %permit.name(), "user added");
        Ok(one_time.given_to(self.user_record(tenant, name).await?))
    }

    /// Gives up to `limit` users of a tenant after `after`, in the order of their names.
    ///
    /// # Errors
    /// `not_found` for an unknown tenant.
    pub async fn users(
        &self,
        _permit: &OperatorPermit,
        tenant: &TenantRef,
        after: Option<&UserName>,
        limit: usize,
    ) -> Result<Page<User>, VaultError> {
        let tenant = self.tenant_of(tenant).await?;
        let mut items = self.registry().users(tenant, after, limit + 1).await?;
        let has_more = items.len() > limit;
        items.truncate(limit);
        let last = items.last().filter(|_| has_more);
        let next = last.map(|user| user.name.as_str().to_owned());
        Ok(Page { items, next })
    }

    /// Changes what a user is for; its sessions end.
    ///
    /// # Errors
    /// `not_found`, `conflict`.
    pub async fn set_user_roles(
        &self,
        permit: &OperatorPermit,
        tenant: &TenantRef,
        name: &UserName,
        roles: TenantRoles,
    ) -> Result<User, VaultError> {
        let change = |row: &mut UserRow| row.roles = roles.to_wire();
        let (tenant, user) = self.change_user(tenant, name, change).await?;
        tracing::info!(tenant = %tenant, service = %permit.name(), "roles of a user changed");
        Ok(user)
    }

    /// Turns a user away until it is enabled; its sessions end.
    ///
    /// # Errors
    /// `not_found`, `conflict`.
    pub async fn disable_user(
        &self,
        permit: &OperatorPermit,
        tenant: &TenantRef,
        name: &UserName,
    ) -> Result<User, VaultError> {
        let (tenant, user) = self.change_user(tenant, name, |row| row.disabled = true).await?;
        tracing::info!(tenant = %tenant, service = %permit.name(), "user disabled");
        Ok(user)
    }

    /// Lets a disabled user in again, under its old password.
    ///
    /// # Errors
    /// `not_found`, `conflict`.
    pub async fn enable_user(
        &self,
        permit: &OperatorPermit,
        tenant: &TenantRef,
        name: &UserName,
    ) -> Result<User, VaultError> {
        let (tenant, user) = self.change_user(tenant, name, |row| row.disabled = false).await?;
        tracing::info!(tenant = %tenant, service = %permit.name(), "user enabled");
        Ok(user)
    }

    /// Gives a user a one-time password in place of its own; its sessions end.
    ///
    /// # Errors
    /// `not_found`, `conflict`.
    pub async fn reset_user_password(
        &self,
        permit: &OperatorPermit,
        tenant: &TenantRef,
        name: &UserName,
    ) -> Result<GivenPassword, VaultError> {
        let tenant = self.kept_tenant(tenant).await?.id;
        let record = self.user_record(tenant, name).await?;
        let one_time = self.one_time_password(tenant).await?;
        let change = |row: &mut UserRow| one_time.put_into(row);
        let changed = self.registry().change_user(record, one_time.made_ms, change).await?;
        tracing::info!(tenant = %tenant, service = %permit.name(), "password of a user reset");
        Ok(one_time.given_to(changed))
    }

    /// Removes a user; its sessions end.
    ///
    /// # Errors
    /// `not_found`, `conflict`.
    pub async fn remove_user(
        &self,
        permit: &OperatorPermit,
        tenant: &TenantRef,
        name: &UserName,
    ) -> Result<(), VaultError> {
        let tenant = self.tenant_of(tenant).await?;
        let record = self.user_record(tenant, name).await?;
        self.registry().remove_user(record).await?;
        tracing::info!(tenant = %tenant, service = %permit.name(), "user removed");
        Ok(())
    }

    async fn change_user(
        &self,
        tenant: &TenantRef,
        name: &UserName,
        change: impl FnOnce(&mut UserRow) + Send,
    ) -> Result<(TenantId, User), VaultError> {
        let tenant = self.kept_tenant(tenant).await?.id;
        let record = self.user_record(tenant, name).await?;
        let now_ms = self.clock().now_ms();
        let changed = self.registry().change_user(record, now_ms, change).await?;
        Ok((tenant, changed.user))
    }

    async fn tenant_of(&self, tenant: &TenantRef) -> Result<TenantId, VaultError> {
        let record = self.registry().tenant(tenant).await?;
        Ok(record.ok_or(VaultError::NotFound)?.id)
    }

    async fn user_record(
        &self,
        tenant: TenantId,
        name: &UserName,
    ) -> Result<UserRecord, VaultError> {
        self.registry().user(tenant, name).await?.ok_or(VaultError::NotFound)
    }

    async fn one_time_password(&self, tenant: TenantId) -> Result<OneTime, VaultError> {
        let random = Secret::try_fill(|bytes| self.entropy().fill(bytes))?;
        let password = Arc::new(Password::one_time(&random));
        let hash = self.hash_password(tenant, Arc::clone(&password)).await?;
        Ok(OneTime { password, hash, made_ms: self.clock().now_ms() })
    }
}

impl OneTime {
    fn expires_ms(&self) -> u64 {
        self.made_ms.saturating_add(ONE_TIME_PASSWORD_LIFETIME_MS)
    }

    fn put_into(&self, row: &mut UserRow) {
        self.hash.put_into(row);
        row.password_changed_ms = self.made_ms;
        row.one_time_expires_ms = self.expires_ms();
    }

    fn given_to(self, record: UserRecord) -> GivenPassword {
        let expires_ms = self.expires_ms();
        GivenPassword { user: record.user, one_time_password: self.password, expires_ms }
    }
}
