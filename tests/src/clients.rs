//! Clients of the running processes: careless and hostile ones of our own (`tests/clients`), and
//! `grpcurl`.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::{Ran, Site, Tenant, repository, run, tool};

/// Calls of the internal API as a careless or hostile service makes them (`bad_calls.py`): plays a
/// scenario as `billing`; its standard input wants the customer token.
#[must_use]
pub fn bad_calls(site: &Site, tenant: &Tenant, scenario: &str) -> Command {
    let mut command = Command::new(tool("python3"));
    command.arg(repository().join("tests/clients/bad_calls.py")).arg(site.data_plane());
    command.arg(repository().join("proto")).arg(site.path("ca")).arg(site.path("stubs"));
    command.arg(&tenant.id).arg(scenario).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// A client of the external API without manners (`rude.py`); its standard input wants the customer
/// token.
///
/// # Panics
/// When the site has no URL.
#[must_use]
pub fn rude(site: &Site, tenant: &Tenant, manner: &str, number: usize) -> Command {
    let mut command = Command::new(tool("python3"));
    command.arg(repository().join("tests/clients/rude.py")).arg(manner);
    command.arg(site.url("").rsplit(':').next().expect("a port")).arg(site.path("ca/ca.pem"));
    command.arg(tenant.directory.join("client.pem")).arg(tenant.directory.join("client.key"));
    command.arg(number.to_string());
    command
}

/// Uploads that hang until it is dropped, one a connection.
#[derive(Debug)]
pub struct Crowd {
    process: Child,
    statuses: Vec<String>,
}

impl Crowd {
    /// Begins so many uploads of a tenant.
    ///
    /// # Panics
    /// When they cannot be begun.
    #[must_use]
    pub fn begin(site: &Site, tenant: &Tenant, number: usize) -> Self {
        let mut command = rude(site, tenant, "crowd", number);
        let process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut process = process.expect("a crowd");
        let input = process.stdin.as_mut().expect("its input");
        writeln!(input, "{}", tenant.customer_token()).expect("it reads");
        let mut told = String::new();
        let output = process.stdout.as_mut().expect("its output");
        BufReader::new(output).read_line(&mut told).expect("it tells");
        let statuses = serde_json::from_str(&told).expect("statuses");
        Self { process, statuses }
    }

    /// What each was answered as soon as it was begun.
    #[must_use]
    pub fn statuses(&self) -> &[String] {
        &self.statuses
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        // It ends its uploads when its input ends.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// Calls a method of the vault's by `grpcurl`, under a certificate of the site's.
#[must_use]
pub fn grpcurl(site: &Site, identity: &str, server: &str, method: &str, body: &Value) -> Ran {
    let mut command = Command::new(tool("grpcurl"));
    command.arg("-cacert").arg(site.path("ca/ca.pem"));
    command.arg("-cert").arg(site.path(&format!("ca/{identity}.pem")));
    command.arg("-key").arg(site.path(&format!("ca/{identity}.key")));
    // The body holds the customer token: standard input, never an argument.
    command.args(["-d", "@", server, method]);
    run(&mut command, body.to_string())
}
