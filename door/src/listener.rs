use core::time::Duration;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;

use futures::Stream;
use tresor_proto::limits;

use crate::{Authority, Connection, DoorError, Shutdown, TlsFiles};

/// A bound socket that lets verified peers in.
#[derive(Debug)]
pub struct Listener;

/// How a [`Listener`] behaves; `ListenerOptions::new(&["h2"])` gives the defaults.
#[derive(Clone, Debug)]
pub struct ListenerOptions {
    /// Application protocols, best first.
    pub alpn: Vec<String>,
    /// A handshake not done by then is cut.
    pub handshake_timeout: Duration,
    /// A connection on which nothing moved for so long is cut.
    pub idle_timeout: Duration,
    /// Connections open at once, handshakes included; one more is closed at once.
    pub connections_max: usize,
    /// Handshakes computed at once; others wait within their timeout.
    pub handshakes_max: usize,
    /// Whether TLS 1.2 is spoken beside 1.3.
    pub is_tls12_allowed: bool,
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
            handshakes_max: 64,
            is_tls12_allowed: false,
        }
    }
}

/// Reads certificate, key and authorities of a [`Listener`] again. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TlsReload;

impl TlsReload {
    /// Serves new connections with what the files hold now; when any of them is broken, all stay
    /// as they were, and the log says why.
    pub fn reload(&self) -> Result<(), DoorError> {
        todo!()
    }

    /// Reloads at every SIGHUP, in a task of its own.
    pub fn on_hangup(self) -> Result<(), DoorError> {
        todo!()
    }
}

/// How many connections were turned away, by reason. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Refusals;

impl Refusals {
    /// The counts so far.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        todo!()
    }
}

impl Listener {
    /// Binds with the default options.
    pub async fn bind(
        address: SocketAddr,
        tls: &TlsFiles,
        authority: Authority,
        alpn: &[&str],
    ) -> Result<Self, DoorError> {
        Self::bind_with(address, tls, authority, ListenerOptions::new(alpn)).await
    }

    /// Binds with options of the caller's.
    pub async fn bind_with(
        _address: SocketAddr,
        _tls: &TlsFiles,
        _authority: Authority,
        _options: ListenerOptions,
    ) -> Result<Self, DoorError> {
        todo!()
    }

    /// Where it listens; the port is the real one.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        todo!()
    }

    /// A handle to reload its files.
    #[must_use]
    pub fn reload_handle(&self) -> TlsReload {
        todo!()
    }

    /// Its counts of refusals.
    #[must_use]
    pub fn refusals(&self) -> Refusals {
        todo!()
    }

    /// Accepts until `shutdown` or until the stream is dropped.
    pub fn into_incoming(
        self,
        _shutdown: Shutdown,
    ) -> impl Stream<Item = io::Result<Connection>> + Send + Unpin + 'static {
        futures::stream::empty()
    }
}
