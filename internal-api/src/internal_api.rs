//! From a configuration to a serving process, and back to an empty one.
//!
//! It promises that nothing is served before the vault is open or known to be locked, that calls under way may end
//! within the grace after a shutdown, and that the vault is closed last. It relies on the caller
//! for the runtime and for the signal.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use futures::{
    FutureExt as _,
    future::{BoxFuture, join_all},
};
use tokio::task::JoinHandle;
use tonic::transport::server::Router;
use tonic_health::{
    pb::health_server::{Health, HealthServer},
    server::HealthReporter,
};
use tresor_door::{
    Authority, DoorError, Listener, ListenerOptions, Metrics, OpenConnections, PlainListener,
    Shares, Shutdown, TlsReload, TrustFiles, half_of,
};
use tresor_vault::{OpenError, Settings, VaultError, VaultPlace, clock::SystemClock};

use crate::{
    chores,
    config::Config,
    directory::Directory,
    evidence::EvidenceCheck,
    gate::Gate,
    health,
    layers::Layers,
    lockable::LockableVault,
    message_budget::{BUDGET_BYTES, MessageBudget},
    plane::Plane,
    seal_config::build_seals,
    tenant_usage,
    turnstile::Turnstile,
};

/// How long calls have to end once they were told to, after the grace.
const ABORT_GRACE: Duration = Duration::from_secs(1);

/// The vault process, serving.
#[derive(Debug)]
pub struct InternalApi {
    addresses: Addresses,
    reloads: [TlsReload; 2],
    serving: JoinHandle<Result<(), VaultError>>,
}

/// Where it listens; the ports are the real ones.
#[derive(Clone, Copy, Debug)]
struct Addresses {
    data: SocketAddr,
    control: SocketAddr,
    health: Option<SocketAddr>,
}

/// Why the process cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A file of TLS or a listener.
    #[error(transparent)]
    Door(#[from] DoorError),
    /// The data directory, a keyring, seals that will not open.
    #[error("the vault does not open: {0}")]
    Vault(#[from] OpenError),
    /// The descriptor set built into the program.
    #[error("the program's descriptor set is damaged")]
    Reflection,
}

/// The listeners, bound but not yet served.
struct Listeners {
    data: Listener,
    control: Listener,
    probes: Option<PlainListener>,
}

/// Starts the vault process; it serves until `shutdown`.
///
/// # Errors
/// [`StartError`], one sentence for the operator; nothing is served then.
pub async fn start(config: Config, shutdown: Shutdown) -> Result<InternalApi, StartError> {
    let listeners = Listeners::bind(&config).await?;
    let connections = listeners.data.open_connections();
    let vault = Arc::new(open_vault(&config, connections).await?);

    let clients = Authority::load(config.trust.clients.clone(), config.trust_domain.clone())?;
    let evidence = EvidenceCheck::new(clients, Arc::new(SystemClock));
    let gate = Gate::new(
        Arc::clone(&vault),
        evidence,
        Turnstile::new(half_of(config.limits.requests_max)),
    );
    let (reporter, health) = tonic_health::server::health_reporter();
    health::report(&reporter, &vault.watch()).await;
    let ending =
        Ending { shutdown, grace: config.shutdown_grace, abort: Shutdown::new(), reporter };
    let addresses = listeners.addresses();
    let reloads = [&listeners.data, &listeners.control].map(Listener::reload_handle);
    let parts = parts(&config, listeners, &gate, &health, &ending)?;
    let serving = tokio::spawn(run(parts, gate, ending, config.keys.check_interval));
    Ok(InternalApi { addresses, reloads, serving })
}

impl InternalApi {
    /// Where the data plane listens.
    #[must_use]
    pub fn data_address(&self) -> SocketAddr {
        self.addresses.data
    }

    /// Where the control plane listens.
    #[must_use]
    pub fn control_address(&self) -> SocketAddr {
        self.addresses.control
    }

    /// Where probes are answered, when configured.
    #[must_use]
    pub fn health_address(&self) -> Option<SocketAddr> {
        self.addresses.health
    }

    /// Reads the TLS files again at every SIGHUP.
    ///
    /// # Errors
    /// [`DoorError::Signals`] when signals cannot be received.
    pub fn reload_on_hangup(&self) -> Result<(), DoorError> {
        self.reloads.iter().cloned().try_for_each(TlsReload::on_hangup)
    }

    /// Waits for the end: shut down, calls ended, vault closed.
    ///
    /// # Errors
    /// [`VaultError`] when the last sync failed.
    pub async fn wait(self) -> Result<(), VaultError> {
        self.serving.await.unwrap_or(Err(VaultError::Internal))
    }
}

impl Listeners {
    async fn bind(config: &Config) -> Result<Self, StartError> {
        let options = ListenerOptions {
            connections_max: config.limits.connections_max,
            ..ListenerOptions::new(&["h2"])
        };
        let bind = async |address, trust: &TrustFiles| {
            let authority = Authority::load(trust.clone(), config.trust_domain.clone())?;
            Listener::bind_with(address, &config.tls, authority, options.clone()).await
        };
        let probes = match config.health_listen {
            Some(address) => Some(PlainListener::bind(address).await?),
            None => None,
        };
        Ok(Self {
            data: bind(config.listen, &config.trust.services).await?,
            control: bind(config.control_listen, &config.trust.operators).await?,
            probes,
        })
    }

    fn watch(&self, metrics: &Metrics) {
        for (name, listener) in [("data", &self.data), ("control", &self.control)] {
            metrics.watch_listener(name, listener.open_connections(), listener.refusals());
        }
    }

    fn addresses(&self) -> Addresses {
        Addresses {
            data: self.data.local_addr(),
            control: self.control.local_addr(),
            health: self.probes.as_ref().map(PlainListener::local_addr),
        }
    }
}

async fn open_vault(
    config: &Config,
    connections: OpenConnections,
) -> Result<LockableVault, StartError> {
    let settings = Settings {
        engine: config.engine,
        key_policy: config.keys.policy,
        ..Settings::new(config.data_dir.clone())
    };
    let place = VaultPlace::take(settings, build_seals(&config.seals))?;
    Ok(LockableVault::open(place, connections).await?)
}

/// One listener being served.
type Part = BoxFuture<'static, Result<(), tonic::transport::Error>>;

/// How the end comes.
struct Ending {
    shutdown: Shutdown,
    grace: Duration,
    /// Tells the calls that are left to end.
    abort: Shutdown,
    reporter: HealthReporter,
}

/// The listeners, each with its services and layers.
fn parts<H: Health>(
    config: &Config,
    listeners: Listeners,
    gate: &Gate,
    health: &HealthServer<H>,
    ending: &Ending,
) -> Result<Vec<Part>, StartError> {
    let directory = Arc::new(Directory::new(&config.services));
    let metrics = Metrics::new();
    listeners.watch(&metrics);
    let of_tenants = gate.clone();
    metrics.watch(move || tenant_usage::figures(&of_tenants));
    let plane = |plane: Plane, listener: Listener| {
        let layers = Layers {
            plane,
            directory: Arc::clone(&directory),
            // Each plane has its own, so that a flood of records never keeps the operator out.
            seats: Shares::new(config.limits.requests_max),
            budget: MessageBudget::new(BUDGET_BYTES),
            abort: ending.abort.clone(),
            states: gate.lockable().watch(),
            metrics: metrics.clone(),
        };
        let router = plane.router(gate, health.clone(), &layers, &ending.shutdown);
        let router = router.map_err(|_| StartError::Reflection)?;
        Ok::<Part, StartError>(serve(router, listener, ending.shutdown.clone()).boxed())
    };
    let mut parts =
        vec![plane(Plane::Data, listeners.data)?, plane(Plane::Control, listeners.control)?];
    if let Some(probes) = listeners.probes {
        let vault = Arc::clone(gate.lockable());
        let shutdown = ending.shutdown.clone();
        let router = health::probes(health.clone(), vault, &metrics, shutdown.clone());
        parts.push(probes.serve(router, shutdown).map(Ok).boxed());
    }
    Ok(parts)
}

/// Serves until the shutdown, then until the calls under way have ended.
async fn serve(
    router: Router,
    listener: Listener,
    shutdown: Shutdown,
) -> Result<(), tonic::transport::Error> {
    let incoming = listener.into_incoming(shutdown.clone());
    let stopped = async move { shutdown.wait().await };
    router.serve_with_incoming_shutdown(incoming, stopped).await
}

async fn run(
    parts: Vec<Part>,
    gate: Gate,
    ending: Ending,
    policy_interval: Duration,
) -> Result<(), VaultError> {
    let vault = gate.lockable();
    tokio::select! {
        () = ending.serve(parts) => {}
        () = gate.keep_fresh() => {}
        () = chores::keep_house(vault, policy_interval) => {}
        () = health::follow(&ending.reporter, vault.watch(), &ending.shutdown) => {}
    }
    let closed = vault.close().await;
    tracing::info!("the vault is closed");
    closed
}

impl Ending {
    /// Serves all parts to their end, or cuts them off when the grace is over.
    async fn serve(&self, parts: Vec<Part>) {
        let mut all = join_all(parts);
        tokio::select! {
            _ = &mut all => return,
            () = self.grace_over() => {}
        }
        tracing::warn!("the grace is over; calls under way are cut off");
        self.abort.trigger();
        if tokio::time::timeout(ABORT_GRACE, all).await.is_err() {
            tracing::warn!("connections were still open at the end");
        }
    }

    async fn grace_over(&self) {
        self.shutdown.wait().await;
        health::report_not_serving(&self.reporter).await;
        tokio::time::sleep(self.grace).await;
    }
}
