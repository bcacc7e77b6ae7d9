//! The configuration of the edge.
//!
//! It promises that a [`Config`] that was loaded is whole, and that health is never offered beyond
//! the machine without a certificate. It relies on `tresor_door::config`, which reports every
//! mistake at once.

use std::{net::SocketAddr, path::Path};

use tresor_door::{
    TlsFiles, TrustFiles,
    config::{self, ConfigErrors, Inspection, Table},
    logs::LogSettings,
};
use tresor_proto::{AddressList, TrustDomain};

/// The trust domain when none is configured.
const TRUST_DOMAIN: &str = "tresor.local";
const NOT_LOOPBACK: &str = "must be a loopback address: it asks for no certificate";

/// Everything the edge needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where customers' clients connect.
    pub listen: SocketAddr,
    /// Where probes ask for health, in plain HTTP on the loopback.
    pub health_listen: Option<SocketAddr>,
    /// The trust domain of all certificates.
    pub trust_domain: TrustDomain,
    /// Our certificate and our key.
    pub tls: TlsFiles,
    /// Whose certificates are taken: those of customers' clients.
    pub trust: TrustFiles,
    /// Whether TLS 1.2 is spoken beside 1.3.
    pub is_tls12_allowed: bool,
    /// Who may say whom it asks for.
    pub proxies: Proxies,
    /// Where the vault is.
    pub vault: VaultAddress,
    /// What runs at once.
    pub limits: Limits,
    /// What is logged.
    pub log: LogSettings,
}

/// Who stands between clients and us, and tells where they come from. Nobody else is believed.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    /// By the PROXY protocol, version 2. With some, nobody else gets in.
    pub protocol_v2: AddressList,
    /// By the header `X-Forwarded-For`.
    pub x_forwarded_for: AddressList,
}

/// Where the vault is, and how we show ourselves there.
#[derive(Clone, Debug)]
pub struct VaultAddress {
    /// `https://host:port` of its data plane.
    pub endpoint: String,
    /// Our certificate there, and the authorities of the vault's.
    pub tls: TlsFiles,
}

/// What runs at once. An upload holds about 12 MiB at most, so these bound the memory.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections.
    pub connections_max: usize,
    /// Requests, a quarter of them for a tenant; one more is refused as `overloaded`.
    pub requests_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections_max: 1024, requests_max: 128 }
    }
}

impl Config {
    /// Reads a TOML file.
    ///
    /// # Errors
    /// All mistakes of the file at once.
    pub fn load(path: &Path) -> Result<Self, ConfigErrors> {
        config::read(path, read)
    }

    /// Looks at a TOML file as [`Config::load`] would, and tells all about it.
    #[must_use]
    pub fn inspect(path: &Path) -> Inspection {
        config::inspect(path, read)
    }
}

fn read(root: &mut Table<'_>) -> Option<Config> {
    let listen = root.socket_address("listen");
    let health_listen = health_listen(root);
    let trust_domain = trust_domain(root);
    let mut trust = None;
    let tls = root.table("tls", |table| {
        trust = TrustFiles::read(table);
        TlsFiles::read(table)
    });
    let is_tls12_allowed = root.boolean_or("tls12_allowed", false);
    let proxies = root.table_or_empty("proxies", proxies);
    let vault = root.table("vault", |table| vault(table, tls.as_ref()));
    let limits = root.table_or_empty("limits", limits);
    let log = root.table_or_empty("log", LogSettings::read);
    Some(Config {
        listen: listen?,
        health_listen: health_listen?,
        trust_domain: trust_domain?,
        tls: tls?,
        trust: trust?,
        is_tls12_allowed: is_tls12_allowed?,
        proxies: proxies?,
        vault: vault?,
        limits: limits?,
        log: log?,
    })
}

fn health_listen(root: &mut Table<'_>) -> Option<Option<SocketAddr>> {
    let address = root.optional_socket_address("health_listen")?;
    if address.is_some_and(|address| !address.ip().is_loopback()) {
        root.mistake("health_listen", NOT_LOOPBACK);
        return None;
    }
    Some(address)
}

fn trust_domain(root: &mut Table<'_>) -> Option<TrustDomain> {
    let text = root.text_or("trust_domain", TRUST_DOMAIN)?;
    let domain = TrustDomain::parse(&text);
    if domain.is_none() {
        root.mistake("trust_domain", "expected a trust domain, [a-z0-9.-]{1,63}");
    }
    domain
}

/// Without files of its own the vault is shown the certificate that customers see.
fn vault(table: &mut Table<'_>, ours: Option<&TlsFiles>) -> Option<VaultAddress> {
    let endpoint = table.parsed("endpoint", "an address https://host:port", |text| {
        text.starts_with("https://").then(|| text.to_owned())
    });
    let tls = table.optional_table("tls", TlsFiles::read);
    Some(VaultAddress { endpoint: endpoint?, tls: tls?.or_else(|| ours.cloned())? })
}

fn proxies(table: &mut Table<'_>) -> Option<Proxies> {
    let protocol_v2 = addresses(table, "protocol_v2");
    let x_forwarded_for = addresses(table, "x_forwarded_for");
    Some(Proxies { protocol_v2: protocol_v2?, x_forwarded_for: x_forwarded_for? })
}

fn addresses(table: &mut Table<'_>, key: &str) -> Option<AddressList> {
    let entries = table.list(key, "an address or a network in CIDR notation", |entry| {
        AddressList::parse(&[entry]).ok().map(|_| entry.to_owned())
    })?;
    let addresses = AddressList::parse(&entries);
    if addresses.is_err() {
        table.mistake(key, "has more than 64 entries");
    }
    addresses.ok()
}

fn limits(table: &mut Table<'_>) -> Option<Limits> {
    let default = Limits::default();
    let mut number = |key: &str, default: usize| {
        let default = u64::try_from(default).unwrap_or(u64::MAX);
        let number = table.integer_or(key, 1..=100_000, default)?;
        usize::try_from(number).ok()
    };
    let connections_max = number("connections_max", default.connections_max);
    let requests_max = number("requests_max", default.requests_max);
    Some(Limits { connections_max: connections_max?, requests_max: requests_max? })
}

#[cfg(test)]
mod tests;
