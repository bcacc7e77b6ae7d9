//! Changes of tenants on their way in.

use tresor_proto::{AddressList, Failure, PasswordRule, TenantLimits, vault};
use tresor_vault::{AddressChange, TenantChange};

/// What an operator wants changed.
pub(crate) fn from_wire(request: &vault::UpdateTenantRequest) -> Result<TenantChange, Failure> {
    Ok(TenantChange {
        etag: Some(request.etag.clone()).filter(|etag| !etag.is_empty()),
        addresses: addresses(request)?,
        password_rule: password_rule(request.password_rule)?,
        limits: limits(request.limits.as_ref())?,
    })
}

fn addresses(request: &vault::UpdateTenantRequest) -> Result<AddressChange, Failure> {
    let vault::UpdateTenantRequest { allowed_addresses, .. } = request;
    let added = list("added_addresses", &request.added_addresses)?;
    let removed = list("removed_addresses", &request.removed_addresses)?;
    if allowed_addresses.is_empty() {
        return Ok(AddressChange::Edit { added, removed });
    }
    if !(added.is_empty() && removed.is_empty()) {
        let what = "not together with entries to be added or removed";
        return Err(Failure::invalid("allowed_addresses", what));
    }
    Ok(AddressChange::Replace(AddressList::parse(allowed_addresses)?))
}

/// The entries of a list that are added or removed, named as the caller knows it.
fn list(field: &str, entries: &[String]) -> Result<AddressList, Failure> {
    AddressList::parse(entries).map_err(|failure| super::at_path(&failure, field))
}

fn limits(wire: Option<&vault::TenantLimits>) -> Result<Option<TenantLimits>, Failure> {
    wire.map(|limits| TenantLimits::from_wire(Some(limits))).transpose()
}

fn password_rule(wire: i32) -> Result<Option<PasswordRule>, Failure> {
    match vault::PasswordRule::try_from(wire) {
        Ok(vault::PasswordRule::Unspecified) => Ok(None),
        Ok(rule) => Ok(Some(PasswordRule::from_wire(rule))),
        Err(_) => Err(Failure::invalid("password_rule", "unknown")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused_field(request: &vault::UpdateTenantRequest) -> String {
        let failure = from_wire(request).err().unwrap();
        failure.violations()[0].field.clone()
    }

    #[test]
    fn nothing_given_changes_nothing() {
        let change = from_wire(&vault::UpdateTenantRequest::default()).unwrap();
        assert!(change.etag.is_none() && change.password_rule.is_none());
        let AddressChange::Edit { added, removed } = change.addresses else {
            panic!("another list");
        };
        assert!(added.is_empty() && removed.is_empty());
    }

    #[test]
    fn a_refused_change_names_the_field_at_fault() {
        let entries = vec!["192.0.2.7/24".to_owned()];
        let good = vec!["192.0.2.0/24".to_owned()];
        let nothing = vault::UpdateTenantRequest::default;
        let added_addresses = entries.clone();
        let request = vault::UpdateTenantRequest { added_addresses, ..nothing() };
        assert_eq!(refused_field(&request), "added_addresses");
        let request =
            vault::UpdateTenantRequest { removed_addresses: entries.clone(), ..nothing() };
        assert_eq!(refused_field(&request), "removed_addresses");
        let request = vault::UpdateTenantRequest { allowed_addresses: entries, ..nothing() };
        assert_eq!(refused_field(&request), "allowed_addresses");
        let (allowed_addresses, added_addresses) = (good.clone(), good);
        let both = vault::UpdateTenantRequest { allowed_addresses, added_addresses, ..nothing() };
        assert_eq!(refused_field(&both), "allowed_addresses");
        let request = vault::UpdateTenantRequest { password_rule: 9, ..nothing() };
        assert_eq!(refused_field(&request), "password_rule");
    }
}
