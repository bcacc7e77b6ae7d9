//! Calls of the internal API as a careless or hostile service makes them (`clients/bad_calls.py`).

use std::process::Command;

use crate::{Site, Tenant, repository, tool};

/// The Python program that plays a scenario as `billing`; its standard input wants the customer
/// token.
#[must_use]
pub fn bad_calls(site: &Site, tenant: &Tenant, scenario: &str) -> Command {
    let mut command = Command::new(tool("python3"));
    command.arg(repository().join("tests/clients/bad_calls.py")).arg(site.data_plane());
    command.arg(repository().join("proto")).arg(site.path("ca")).arg(site.path("stubs"));
    command.arg(&tenant.id).arg(scenario).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}
