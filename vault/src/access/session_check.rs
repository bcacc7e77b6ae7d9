//! The user of a call: the session a client shows, held against certificate, tenant and user row.
//!
//! It promises that a session is checked on every call, with the row as it is now, so that whoever
//! is disabled, reset or given other roles is out at the next one.

use tresor_proto::{PasswordRule, RefusalReason as Reason, Session, TenantRoles, UserName};

use super::Caller;
use crate::{
    error::VaultError,
    registry::{TenantRecord, User},
    users::SessionClaims,
    vault::Vault,
};

/// Whether the end of a session counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SessionTime {
    /// A call begins.
    Counts,
    /// It did when the call began.
    Counted,
}

/// A session that is shown, and by which certificate.
struct Shown<'a> {
    session: &'a Session,
    certificate_digest: &'a [u8; 32],
    time: SessionTime,
}

impl Vault {
    /// The user a caller has logged in as, who has one of `roles`; `None` for services, and for
    /// clients without a session where none is required.
    pub(super) async fn user_for(
        &self,
        record: &TenantRecord,
        caller: &Caller,
        roles: TenantRoles,
        time: SessionTime,
    ) -> Result<Option<UserName>, VaultError> {
        let user = match caller {
            Caller::Client { session: Some(session), certificate_digest, .. } => {
                let shown = Shown { session, certificate_digest, time };
                self.user_of(record, shown).await?
            }
            Caller::Client { session: None, .. } => {
                return match record.password_rule {
                    PasswordRule::Required => Err(Reason::SessionMissing.into()),
                    PasswordRule::NotRequired => Ok(None),
                };
            }
            Caller::Service { .. } => return Ok(None),
        };
        if user.roles.has_any(roles) {
            Ok(Some(user.name))
        } else {
            Err(Reason::RoleLacking.into())
        }
    }

    async fn user_of(&self, record: &TenantRecord, shown: Shown<'_>) -> Result<User, VaultError> {
        let claims = SessionClaims::of(shown.session, self.keyrings().pepper())?;
        let claims = claims.ok_or(Reason::SessionInvalid)?;
        if claims.tenant != record.id {
            return Err(Reason::TenantMismatch.into());
        }
        if claims.certificate_digest != *shown.certificate_digest {
            return Err(Reason::SessionOfAnotherCertificate.into());
        }
        if shown.time == SessionTime::Counts && self.clock().now_ms() >= claims.expires_ms {
            return Err(Reason::SessionExpired.into());
        }
        let found = self.registry().user(record.id, &claims.user).await?;
        let found = found.ok_or(Reason::UserUnknown)?;
        if found.user.is_disabled {
            return Err(Reason::UserDisabled.into());
        }
        if found.password_version != claims.password_version {
            return Err(Reason::SessionSuperseded.into());
        }
        Ok(found.user)
    }
}
