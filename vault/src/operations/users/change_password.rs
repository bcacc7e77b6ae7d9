//! A user chooses another password.

use std::sync::Arc;

use tresor_proto::{Failure, Password, Session, UserName};

use crate::{access::LoginPermit, error::VaultError, vault::Vault};

impl Vault {
    /// Gives a user who shows the password another, and a session under it; all others of the user
    /// end. It is the one thing a one-time password is good for.
    ///
    /// Not safe to cancel: run it in a task of its own, so that the change ends with an answer.
    ///
    /// # Errors
    /// As [`Vault::login`]; `invalid_request` when the new one is the old one, the user's name or the
    /// tenant's; `conflict` when an operator changed the user meanwhile.
    pub async fn change_password(
        &self,
        permit: &LoginPermit,
        user: &UserName,
        password: Password,
        new_password: Password,
    ) -> Result<(Session, u64), VaultError> {
        check_new(permit, user, &password, &new_password)?;
        let record = self.check_password(permit, user, password).await?;
        let hash = self.hash_password(permit.tenant(), Arc::new(new_password)).await?;
        let now_ms = self.clock().now_ms();
        let change = |row: &mut tresor_proto::storage::UserRow| {
            hash.put_into(row);
            row.password_changed_ms = now_ms;
            row.one_time_expires_ms = 0;
        };
        let changed = self.registry().change_user(record, now_ms, change).await?;
        tracing::info!(tenant = %permit.tenant(), "password changed");
        self.open_session(permit, &changed)
    }
}

fn check_new(
    permit: &LoginPermit,
    user: &UserName,
    password: &Password,
    new_password: &Password,
) -> Result<(), VaultError> {
    let new = new_password.expose_secret();
    let refused = |why: &str| Err(Failure::invalid("new_password", why).into());
    if new == password.expose_secret() {
        return refused("is the old password");
    }
    let names = [user.as_str(), permit.tenant_name().as_str()];
    match names.iter().any(|name| new.eq_ignore_ascii_case(name)) {
        true => refused("is the name of the user or of the tenant"),
        false => Ok(()),
    }
}
