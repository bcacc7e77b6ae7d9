//! One tenant as a page: who it is, how it stands, what its clients are measured by.

use serde_json::{Value, json};
use tresor_proto::vault::{PasswordRule, Tenant, TenantState};

use super::moment;
use crate::{
    error::CliError,
    output::{Output, Tone, printable},
};

/// Columns of a row's name.
const NAME_WIDTH: usize = 11;

/// A row of the page.
struct Row {
    name: &'static str,
    text: String,
}

/// Shows a tenant to a person.
pub(super) fn show(output: &Output, tenant: &Tenant) -> Result<(), CliError> {
    let state = output.paint(tone(tenant), state(tenant));
    let mut rows = vec![
        row("name", printable(&tenant.name)),
        row("id", &tenant.id),
        row("state", state),
        row("created", moment(tenant.created).unwrap_or_default()),
        row("enrolled", moment(tenant.enrolled).as_deref().unwrap_or("not yet")),
    ];
    rows.extend(moment(tenant.suspended).map(|since| row("suspended", format!("since {since}"))));
    rows.extend(moment(tenant.deleting).map(|since| row("deleting", format!("since {since}"))));
    rows.extend(addresses(tenant));
    rows.push(row("password", password_rule(tenant)));
    rows.iter().try_for_each(|Row { name, text }| output.line(format!("{name:NAME_WIDTH$}{text}")))
}

/// The same for a program.
pub(super) fn to_json(tenant: &Tenant) -> Value {
    json!({
        "id": tenant.id,
        "name": tenant.name,
        "state": state(tenant),
        "created": moment(tenant.created),
        "enrolled": moment(tenant.enrolled),
        "suspended": moment(tenant.suspended),
        "deleting": moment(tenant.deleting),
        "allowed_addresses": tenant.allowed_addresses,
        "password": password_rule(tenant),
    })
}

/// Its state in a word.
pub(super) fn state(tenant: &Tenant) -> &'static str {
    match tenant.state() {
        TenantState::Unspecified => "unknown",
        TenantState::Created => "created",
        TenantState::Active => "active",
        TenantState::Quarantined => "quarantined",
        TenantState::Suspended => "suspended",
        TenantState::Deleting => "deleting",
    }
}

/// What its state means.
pub(super) fn tone(tenant: &Tenant) -> Tone {
    match tenant.state() {
        TenantState::Active => Tone::Good,
        TenantState::Quarantined | TenantState::Deleting => Tone::Bad,
        TenantState::Created | TenantState::Suspended | TenantState::Unspecified => Tone::Notable,
    }
}

/// Whether its clients show a password, in a word.
pub(super) fn password_rule(tenant: &Tenant) -> &'static str {
    match tenant.password_rule() {
        PasswordRule::Unspecified => "unknown",
        PasswordRule::Required => "required",
        PasswordRule::NotRequired => "not-required",
    }
}

fn row(name: &'static str, text: impl Into<String>) -> Row {
    Row { name, text: text.into() }
}

/// An address a row: a list of 64 in one line is not read by anybody.
fn addresses(tenant: &Tenant) -> impl Iterator<Item = Row> {
    let names = core::iter::once("addresses").chain(core::iter::repeat(""));
    let texts = tenant.allowed_addresses.iter().map(|entry| printable(entry).into_owned());
    names.zip(texts.collect::<Vec<_>>()).map(|(name, text)| Row { name, text })
}
