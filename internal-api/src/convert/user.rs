//! Users of tenants on their way in and out.

use tresor_proto::{Failure, TenantRoles, UserName, vault};
use tresor_vault::User;

use super::time::to_timestamp;

/// Parses a user's name; it is not repeated.
pub(crate) fn name(text: &str) -> Result<UserName, Failure> {
    let invalid = || Failure::invalid("name", "a user's name is [a-z][a-z0-9._-]{0,62}");
    UserName::parse(text).ok_or_else(invalid)
}

/// Parses roles.
pub(crate) fn roles(wire: &[i32]) -> Result<TenantRoles, Failure> {
    let invalid = || Failure::invalid("roles", "at least one of admin, writer, reader, auditor");
    TenantRoles::from_wire(wire).ok_or_else(invalid)
}

/// A user, as its tenant's operator sees it.
pub(crate) fn to_wire(user: &User) -> vault::User {
    vault::User {
        name: user.name.as_str().to_owned(),
        roles: user.roles.to_wire(),
        created: Some(to_timestamp(user.created_ms)),
        password_changed: Some(to_timestamp(user.password_changed_ms)),
        disabled: user.is_disabled,
        one_time_password_expires: user.one_time_expires_ms.map(to_timestamp),
    }
}
