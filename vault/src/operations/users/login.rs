//! A user shows a password and receives a session.
//!
//! Unknown, wrong, disabled and expired look alike to the caller and cost the same: one row read and
//! one hash. Only the log is told which it was.

use std::sync::Arc;

use tresor_proto::{
    Password, RefusalReason as Reason, Session, TenantId, TenantRoles, UserName,
    limits::SESSION_LIFETIME_MS,
};

use crate::{
    access::LoginPermit,
    error::VaultError,
    registry::{User, UserRecord},
    users::{PasswordHash, PasswordKey, SessionClaims},
    vault::Vault,
};

/// A user who has shown the password.
#[derive(Debug)]
pub struct LoggedIn {
    /// The session and when it ends, milliseconds since the epoch; `None` when the password is a
    /// one-time one, which has to be changed first.
    pub session: Option<(Session, u64)>,
    /// What the user is for.
    pub roles: TenantRoles,
}

impl Vault {
    /// Gives a session to whoever shows a user's password.
    ///
    /// # Errors
    /// `unauthenticated` for a wrong one, `rate_limited` after some of them, with the time to wait,
    /// `overloaded` when too many log in.
    pub async fn login(
        &self,
        permit: &LoginPermit,
        user: &UserName,
        password: Password,
    ) -> Result<LoggedIn, VaultError> {
        let record = self.check_password(permit, user, password).await?;
        let roles = record.user.roles;
        let session = match record.user.one_time_expires_ms {
            Some(_) => None,
            None => Some(self.open_session(permit, &record)?),
        };
        Ok(LoggedIn { session, roles })
    }

    /// The user whose password it is.
    pub(super) async fn check_password(
        &self,
        permit: &LoginPermit,
        user: &UserName,
        password: Password,
    ) -> Result<UserRecord, VaultError> {
        let (tenant, now_ms) = (permit.tenant(), self.clock().now_ms());
        let attempt = self.login_delays().begin(tenant, user, permit.source_address(), now_ms)?;
        let found = self.registry().user(tenant, user).await?;
        let kept =
            found.as_ref().map_or_else(PasswordHash::of_nobody, |found| found.password.clone());
        let keyrings = self.keyrings_arc();
        let check = move || kept.is_of(&password, &PasswordKey::derive(keyrings.pepper())?);
        let is_right = match self.password_desk().run(tenant, check).await {
            Ok(checked) => checked?,
            Err(not_tried) => {
                attempt.take_back();
                return Err(not_tried);
            }
        };
        let record = found.ok_or(Reason::UserUnknown)?;
        if let Some(reason) = refusal(&record.user, is_right, now_ms) {
            return Err(reason.into());
        }
        attempt.succeed();
        Ok(record)
    }

    /// A session for a user who has shown a password of its own.
    pub(super) fn open_session(
        &self,
        permit: &LoginPermit,
        record: &UserRecord,
    ) -> Result<(Session, u64), VaultError> {
        let expires_ms = self.clock().now_ms().saturating_add(SESSION_LIFETIME_MS);
        let claims = SessionClaims {
            tenant: permit.tenant(),
            user: record.user.name.clone(),
            certificate_digest: permit.certificate_digest(),
            password_version: record.password_version,
            expires_ms,
        };
        Ok((claims.sign(self.keyrings().pepper())?, expires_ms))
    }

    /// Hashes a new password of a tenant's user.
    pub(super) async fn hash_password(
        &self,
        tenant: TenantId,
        password: Arc<Password>,
    ) -> Result<PasswordHash, VaultError> {
        let (keyrings, entropy) = (self.keyrings_arc(), self.entropy_arc());
        let hash = move || {
            let key = PasswordKey::derive(keyrings.pepper())?;
            PasswordHash::make(&password, &key, entropy.as_ref())
        };
        Ok(self.password_desk().run(tenant, hash).await??)
    }
}

/// Why a user is not let in, for the log.
fn refusal(user: &User, is_right: bool, now_ms: u64) -> Option<Reason> {
    if !is_right {
        return Some(Reason::PasswordWrong);
    }
    if user.is_disabled {
        return Some(Reason::UserDisabled);
    }
    let has_expired = user.one_time_expires_ms.is_some_and(|expires_ms| now_ms >= expires_ms);
    has_expired.then_some(Reason::PasswordExpired)
}
