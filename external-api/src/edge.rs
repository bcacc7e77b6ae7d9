//! The running edge: two listeners and the connections they let in.
//!
//! It promises to be ready when [`start`] returns, and to let requests finish after a shutdown,
//! for twenty seconds at most. It relies on `tresor-door` for every handshake.

use core::{convert::Infallible, pin::pin, time::Duration};
use std::{net::SocketAddr, sync::Arc};

use axum::{Router, body::Body, response::Response};
use futures::StreamExt as _;
use http::Request;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use tresor_door::{
    Authority, Connection, DoorError, Listener, ListenerOptions, Metrics, Peer, PlainListener,
    RenewingChannel, Shutdown, TlsReload,
};
use tresor_proto::limits::{CONNECTION_STREAMS_MAX, IDLE_TIMEOUT_MS};

use crate::{
    Config, header_section,
    routes::{self, App},
    vault::Vault,
};

/// How long requests may go on after a shutdown.
const GRACE: Duration = Duration::from_secs(20);
const ALPN: &[&str] = &["h2", "http/1.1"];

/// A running edge.
#[derive(Debug)]
pub struct Edge {
    local_addr: SocketAddr,
    health_addr: Option<SocketAddr>,
    reload: TlsReload,
    serving: JoinHandle<()>,
}

impl Edge {
    /// Where customers' clients connect; the port is the real one.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Where probes ask for health.
    #[must_use]
    pub fn health_addr(&self) -> Option<SocketAddr> {
        self.health_addr
    }

    /// A handle to reload its certificates.
    #[must_use]
    pub fn reload_handle(&self) -> TlsReload {
        self.reload.clone()
    }

    /// Waits until it has shut down and its connections have ended.
    pub async fn join(self) {
        // A panic of the accepting task ends it too.
        let _ = self.serving.await;
    }
}

/// Binds both listeners and serves until `shutdown`. The vault need not be up yet.
///
/// # Errors
/// When an address is taken or a file is not as it has to be.
pub async fn start(config: Config, shutdown: Shutdown) -> Result<Edge, DoorError> {
    let authority = Authority::load(config.trust, config.trust_domain)?;
    let vault = Vault::new(RenewingChannel::new(&config.vault.endpoint, &config.vault.tls)?);
    let options = ListenerOptions {
        connections_max: config.limits.connections_max,
        is_tls12_allowed: config.is_tls12_allowed,
        proxies: config.proxies.protocol_v2,
        ..ListenerOptions::new(ALPN)
    };
    let listener = Listener::bind_with(config.listen, &config.tls, authority, options).await?;
    let health = match config.health_listen {
        Some(address) => Some(PlainListener::bind(address).await?),
        None => None,
    };
    let (local_addr, reload) = (listener.local_addr(), listener.reload_handle());
    let health_addr = health.as_ref().map(PlainListener::local_addr);
    let metrics = Metrics::new();
    metrics.watch_listener("customers", listener.open_connections(), listener.refusals());
    let app = App::new(&vault, config.proxies.x_forwarded_for)?;
    let router = routes::router(app, config.limits.requests_max, &shutdown, &metrics);
    let health_router = routes::health_router(&vault, &shutdown, &metrics);
    let serving = tokio::spawn(async move {
        let health = async {
            if let Some(health) = health {
                health.serve(health_router, shutdown.clone()).await;
            }
        };
        tokio::join!(serve(listener, router, shutdown.clone()), health);
    });
    Ok(Edge { local_addr, health_addr, reload, serving })
}

/// Serves every connection in a task of its own; ends when all of them have.
async fn serve(listener: Listener, router: Router, shutdown: Shutdown) {
    let connections = TaskTracker::new();
    let mut incoming = listener.into_incoming(shutdown.clone());
    while let Some(connection) = incoming.next().await {
        if let Ok(connection) = connection {
            connections.spawn(converse(connection, router.clone(), shutdown.clone()));
        }
    }
    connections.close();
    connections.wait().await;
}

async fn converse(connection: Connection, router: Router, shutdown: Shutdown) {
    let peer = connection.peer();
    let service = service_fn(move |request| answer(request, Arc::clone(&peer), router.clone()));
    let builder = protocols();
    let conversation = builder.serve_connection(TokioIo::new(connection), service);
    let mut conversation = pin!(conversation);
    tokio::select! {
        // How a connection ended is the client's affair; requests are logged on their own.
        _ = conversation.as_mut() => return,
        () = shutdown.wait() => conversation.as_mut().graceful_shutdown(),
    }
    let _ = tokio::time::timeout(GRACE, conversation).await;
}

async fn answer(
    request: Request<Incoming>,
    peer: Arc<Peer>,
    router: Router,
) -> Result<Response, Infallible> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(peer);
    router.oneshot(request).await
}

/// HTTP/1.1 and 2, within the limits of the API.
fn protocols() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(IDLE_TIMEOUT_MS))
        .max_buf_size(header_section::READ_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(CONNECTION_STREAMS_MAX)
        .max_header_list_size(u32::try_from(header_section::READ_BYTES_MAX).unwrap_or(u32::MAX));
    builder
}
