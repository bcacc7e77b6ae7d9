//! The configuration of the vault process.
//!
//! [`Config::read`] finds every mistake of a file at once; a program that embeds the process
//! fills the fields itself. It holds no secret: those of the seals stay in their files.

use std::{
    collections::HashSet,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

pub use tresor_door::config::ConfigErrors;
use tresor_door::{
    TlsFiles, TrustFiles,
    config::{self, Inspection, Table},
    logs::LogSettings,
};
use tresor_proto::{ServiceName, TenantId, TrustDomain, limits::CONNECTION_STREAMS_MAX};
use tresor_vault::{KeyPolicy, store::StoreEngine};

use crate::{
    access_rules::GrantedMethods,
    directory::{ServiceGrant, ServiceRights, ServiceRole},
    seal_config::SealConfig,
};

/// Calls at once, by default: two connections' worth.
const REQUESTS_MAX_DEFAULT: u64 = 2 * CONNECTION_STREAMS_MAX as u64;
/// Connections at once, by default: callers are services, and few.
const CONNECTIONS_MAX_DEFAULT: u64 = 256;
/// Milliseconds calls have to end after a shutdown, by default.
const SHUTDOWN_GRACE_MS_DEFAULT: u64 = 10_000;
/// Seconds between two looks for keys that are due, by default.
const CHECK_INTERVAL_S_DEFAULT: u64 = 3_600;
/// The oldest that a key may be let become: ten years.
const AGE_DAYS_MAX: u64 = 3_650;
/// The most that a data key may be let seal: far below where random salts of 24 bytes meet.
const SEALS_MAX: u64 = 1 << 48;
/// What is expected of a granted method.
const GRANTABLE: &str =
    "a method that services may call, such as RecordService/Get, or RecordService/*";
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// What the vault process needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// The directory that holds everything the vault keeps.
    pub data_dir: PathBuf,
    /// The engine of the tenants' databases.
    pub engine: StoreEngine,
    /// The seals that unlock the root key, to be tried in this order.
    pub seals: Vec<SealConfig>,
    /// Where the data plane listens.
    pub listen: SocketAddr,
    /// Where the control plane listens.
    pub control_listen: SocketAddr,
    /// Where probes are answered without TLS; a loopback address.
    pub health_listen: Option<SocketAddr>,
    /// Our certificate and our key.
    pub tls: TlsFiles,
    /// Whose certificates are taken.
    pub trust: Trust,
    /// The trust domain of all certificates.
    pub trust_domain: TrustDomain,
    /// The services that may call.
    pub services: Vec<ServiceGrant>,
    /// What is logged, and how.
    pub log: LogSettings,
    /// What is bounded.
    pub limits: Limits,
    /// When keys are due.
    pub keys: KeySettings,
    /// How long calls under way have to end after a shutdown.
    pub shutdown_grace: Duration,
}

/// Who issues certificates, and what was revoked: for each branch of the authority its own.
#[derive(Clone, Debug)]
pub struct Trust {
    /// Of the services that call the data plane.
    pub services: TrustFiles,
    /// Of the operators that call the control plane.
    pub operators: TrustFiles,
    /// Of the tenants' clients that edges forward for.
    pub clients: TrustFiles,
}

impl Trust {
    /// One authority for all.
    #[must_use]
    pub fn all(files: &TrustFiles) -> Self {
        Self { services: files.clone(), operators: files.clone(), clients: files.clone() }
    }
}

/// The bounds of each listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Calls that run at once; one more is answered `overloaded`.
    pub requests_max: usize,
    /// Connections open at once; one more is closed.
    pub connections_max: usize,
}

/// When keys are due, and how often it is looked which are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySettings {
    /// When they are.
    pub policy: KeyPolicy,
    /// How often it is looked.
    pub check_interval: Duration,
}

impl Default for KeySettings {
    fn default() -> Self {
        let check_interval = Duration::from_secs(CHECK_INTERVAL_S_DEFAULT);
        Self { policy: KeyPolicy::default(), check_interval }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_max: to_usize(REQUESTS_MAX_DEFAULT),
            connections_max: to_usize(CONNECTIONS_MAX_DEFAULT),
        }
    }
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// Every mistake of the file, unknown keys and unusable files of secrets among them.
    pub fn read(path: &Path) -> Result<Self, ConfigErrors> {
        config::read(path, Self::from_table)
    }

    /// Looks at a configuration file as [`Config::read`] would, and tells all about it.
    #[must_use]
    pub fn inspect(path: &Path) -> Inspection {
        config::inspect(path, Self::from_table)
    }

    fn from_table(root: &mut Table<'_>) -> Option<Self> {
        let data_dir = root.path("data_dir");
        let engines = [("sled", StoreEngine::Sled), ("redb", StoreEngine::Redb)];
        let engine = root.one_of_or("engine", &engines, StoreEngine::Sled);
        let listen = root.socket_address("listen");
        let trust_domain = root.parsed("trust_domain", "a name of [a-z0-9.-]", TrustDomain::parse);
        let grace_ms = root.integer_or("shutdown_grace_ms", 0..=300_000, SHUTDOWN_GRACE_MS_DEFAULT);
        let seals = root.table("seal", SealConfig::read_all);
        let health_listen = root.optional_table("health", loopback_address);
        let tls = root.table("tls", |table| {
            let (tls, services) = (TlsFiles::read(table), TrustFiles::read(table));
            Some((tls?, services?))
        });
        let control = root.table("control", |table| {
            let (listen, operators) =
                (table.socket_address("listen"), TrustFiles::read_optional(table));
            Some((listen?, operators?))
        });
        let clients = root.optional_table("clients", TrustFiles::read);
        let log = root.table_or_empty("log", LogSettings::read);
        let limits = root.table_or_empty("limits", Limits::from_table);
        let keys = root.table_or_empty("keys", KeySettings::from_table);
        let grants = services(root);
        let ((tls, services), (control_listen, operators)) = (tls?, control?);
        let trust = Trust {
            operators: operators.unwrap_or_else(|| services.clone()),
            clients: clients?.unwrap_or_else(|| services.clone()),
            services,
        };
        Some(Self {
            data_dir: data_dir?,
            engine: engine?,
            seals: seals?,
            listen: listen?,
            control_listen,
            health_listen: health_listen?,
            tls,
            trust,
            trust_domain: trust_domain?,
            services: grants?,
            log: log?,
            limits: limits?,
            keys: keys?,
            shutdown_grace: Duration::from_millis(grace_ms?),
        })
    }
}

impl Limits {
    fn from_table(table: &mut Table<'_>) -> Option<Self> {
        let requests = table.integer_or("requests_max", 1..=65_536, REQUESTS_MAX_DEFAULT);
        let connections = table.integer_or("connections_max", 1..=65_536, CONNECTIONS_MAX_DEFAULT);
        Some(Self { requests_max: to_usize(requests?), connections_max: to_usize(connections?) })
    }
}

impl KeySettings {
    fn from_table(table: &mut Table<'_>) -> Option<Self> {
        let default = KeyPolicy::default();
        let mut days = |key: &str, least, default_ms: u64| {
            let days = table.integer_or(key, least..=AGE_DAYS_MAX, default_ms / DAY_MS);
            days.map(|days| days * DAY_MS)
        };
        let cipher = days("cipher_age_days_max", 1, default.cipher_age_ms_max);
        let data = days("data_age_days_max", 1, default.data_age_ms_max);
        // Nothing replaces them yet: they are due only when that is asked for.
        let identifier = days("identifier_age_days_max", 0, 0);
        let destroy_after = days("destroy_after_days", 0, default.destroy_after_ms);
        let seals = table.integer_or("data_seals_max", 1..=SEALS_MAX, default.data_seals_max);
        let is_automatic = table.boolean_or("automatic", default.is_automatic);
        let interval = table.integer_or("check_interval_s", 1..=86_400, CHECK_INTERVAL_S_DEFAULT);
        let policy = KeyPolicy {
            cipher_age_ms_max: cipher?,
            data_age_ms_max: data?,
            identifier_age_ms_max: Some(identifier?).filter(|age| *age > 0).unwrap_or(u64::MAX),
            data_seals_max: seals?,
            is_automatic: is_automatic?,
            destroy_after_ms: destroy_after?,
        };
        Some(Self { policy, check_interval: Duration::from_secs(interval?) })
    }
}

/// Probes have no certificate: what listens for them stays on this machine.
fn loopback_address(table: &mut Table<'_>) -> Option<SocketAddr> {
    let address = table.socket_address("listen")?;
    if !address.ip().is_loopback() {
        table.mistake("listen", "must be a loopback address");
    }
    Some(address)
}

fn services(root: &mut Table<'_>) -> Option<Vec<ServiceGrant>> {
    let mut names = HashSet::new();
    root.tables("services", |table| {
        let grant = service(table)?;
        if !names.insert(grant.name.clone()) {
            table.mistake("name", "is the name of a service above");
        }
        Some(grant)
    })
}

fn service(table: &mut Table<'_>) -> Option<ServiceGrant> {
    let rights = ServiceRights { tenants: Vec::new(), methods: GrantedMethods::default() };
    let roles = [
        ("edge", ServiceRole::Edge),
        ("service", ServiceRole::Service(rights)),
        ("operator", ServiceRole::Operator),
        ("deployer", ServiceRole::Deployer),
        ("auditor", ServiceRole::Auditor),
        ("ca-officer", ServiceRole::CaOfficer),
    ];
    let name = table.parsed("name", "a name of [a-z0-9-]", ServiceName::parse);
    let role = table.one_of("role", &roles);
    let tenants = table.list("tenants", "a tenant's id (UUID)", TenantId::parse);
    let methods = table.list("methods", GRANTABLE, GrantedMethods::parse);
    let (role, tenants, methods) = (role?, tenants?, methods?);
    let is_service = matches!(role, ServiceRole::Service(_));
    for (key, is_empty) in [("tenants", tenants.is_empty()), ("methods", methods.is_empty())] {
        if is_service == is_empty {
            table.mistake(key, "a list for the role \"service\", and for no other");
        }
    }
    let rights = ServiceRights { tenants, methods: methods.into_iter().collect() };
    let role = if is_service { ServiceRole::Service(rights) } else { role };
    Some(ServiceGrant { name: name?, role })
}

/// The reader has checked the range, which fits any machine's word.
fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
