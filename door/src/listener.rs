use core::time::Duration;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use futures::Stream;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tresor_proto::{AddressList, limits};

use crate::{Authority, Connection, DoorError, Shutdown, TlsFiles};

mod entrance;
mod open_connections;
mod plain;
mod proxy_header;
mod refusals;
mod reload;
#[cfg(test)]
mod tests;
mod turns;

use entrance::Entrance;
pub use open_connections::OpenConnections;
pub(crate) use open_connections::Registered;
pub(crate) use plain::PLAIN_CONNECTIONS_MAX;
pub use plain::PlainListener;
pub use refusals::Refusals;
pub use reload::TlsReload;

/// Handshakes under way at once, when the caller names no other number.
pub(crate) const HANDSHAKES_MAX: usize = 256;
/// Connections that wait for the server to take them.
const CONNECTIONS_QUEUED_MAX: usize = 64;

/// A bound socket that lets verified peers in.
///
/// Handshakes run beside each other and never hold up the accepting; one that fails, stalls or
/// comes when the house is full is closed, counted and logged by a reason code.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    local_addr: SocketAddr,
    entrance: Arc<Entrance>,
    reload: TlsReload,
}

/// How a [`Listener`] behaves; `ListenerOptions::new(&["h2"])` gives the defaults.
#[derive(Clone, Debug)]
pub struct ListenerOptions {
    /// Application protocols, best first.
    pub alpn: Vec<String>,
    /// A handshake not done by then is cut.
    pub handshake_timeout: Duration,
    /// A connection on which nothing moved for so long is cut.
    pub idle_timeout: Duration,
    /// Verified connections open at once, a quarter of them for a tenant or service; one more is
    /// closed.
    pub connections_max: usize,
    /// Handshakes under way at once, a quarter of them for an address; with one more the oldest is
    /// closed. Apart from the connections, so that stalled handshakes take no place of a verified
    /// peer.
    pub handshakes_max: usize,
    /// Whether TLS 1.2 is spoken beside 1.3.
    pub is_tls12_allowed: bool,
    /// Proxies that say whom they connect for (PROXY protocol, version 2). With some, nobody else
    /// gets in, and the header is demanded of each connection.
    pub proxies: AddressList,
}

impl ListenerOptions {
    /// The defaults.
    #[must_use]
    pub fn new(alpn: &[&str]) -> Self {
        Self {
            alpn: alpn.iter().map(|&protocol| protocol.to_owned()).collect(),
            handshake_timeout: Duration::from_millis(limits::TLS_HANDSHAKE_TIMEOUT_MS),
            idle_timeout: Duration::from_millis(limits::IDLE_TIMEOUT_MS),
            connections_max: 1024,
            handshakes_max: HANDSHAKES_MAX,
            is_tls12_allowed: false,
            proxies: AddressList::default(),
        }
    }
}

impl Listener {
    /// Binds with the default options.
    ///
    /// # Errors
    /// When the address is taken or one of the files is not as it has to be.
    pub async fn bind(
        address: SocketAddr,
        tls: &TlsFiles,
        authority: Authority,
        alpn: &[&str],
    ) -> Result<Self, DoorError> {
        Self::bind_with(address, tls, authority, ListenerOptions::new(alpn)).await
    }

    /// Binds with options of the caller's.
    ///
    /// # Errors
    /// When the address is taken or one of the files is not as it has to be.
    pub async fn bind_with(
        address: SocketAddr,
        tls: &TlsFiles,
        authority: Authority,
        options: ListenerOptions,
    ) -> Result<Self, DoorError> {
        let reload = TlsReload::load(tls.clone(), authority, &options)?;
        let refuse = |error: io::Error| DoorError::Listen { address, kind: error.kind() };
        let socket = TcpListener::bind(address).await.map_err(refuse)?;
        let local_addr = socket.local_addr().map_err(refuse)?;
        Ok(Self {
            socket,
            local_addr,
            entrance: Arc::new(Entrance::new(options, reload.clone())),
            reload,
        })
    }

    /// Where it listens; the port is the real one.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// A handle to reload its files.
    #[must_use]
    pub fn reload_handle(&self) -> TlsReload {
        self.reload.clone()
    }

    /// Its connections that are open.
    #[must_use]
    pub fn open_connections(&self) -> OpenConnections {
        self.entrance.open_connections()
    }

    /// Its counts of refusals.
    #[must_use]
    pub fn refusals(&self) -> Refusals {
        self.entrance.refusals()
    }

    /// Accepts until `shutdown` or until the stream is dropped, in a task of its own. Wants a
    /// Tokio runtime around it.
    pub fn into_incoming(
        self,
        shutdown: Shutdown,
    ) -> impl Stream<Item = io::Result<Connection>> + Send + Unpin + 'static {
        let (sender, receiver) = mpsc::channel(CONNECTIONS_QUEUED_MAX);
        tokio::spawn(self.entrance.run(self.socket, sender, shutdown));
        ReceiverStream::new(receiver)
    }
}
