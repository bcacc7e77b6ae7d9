use core::time::Duration;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::Sender;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::open_connections::{OpenConnections, Registered};
use super::proxy_header::read_source;
use super::refusals::reason_of;
use super::turns::{Turn, Turns};
use super::{ListenerOptions, Refusals, TlsReload};
use crate::authority::REFRESH_INTERVAL;
use crate::connection::{Owner, Peer};
use crate::{Connection, DoorError, NoPlace, Shares, Shutdown};

/// How often it is looked whether the peers' certificates have expired.
const EXPIRY_ROUND: Duration = Duration::from_mins(1);
/// How long accepting rests when the system has no descriptor or memory left.
pub(super) const REST: Duration = Duration::from_millis(100);

/// Where connections come in: accepts, bounds and verifies them.
#[derive(Debug)]
pub(super) struct Entrance {
    options: ListenerOptions,
    reload: TlsReload,
    handshakes: Arc<Turns>,
    connections: Arc<Shares<Owner>>,
    refusals: Refusals,
    open: OpenConnections,
}

/// What the open connections were verified with last.
struct Verified {
    generation: u64,
    at: Instant,
}

impl Entrance {
    pub(super) fn new(options: ListenerOptions, reload: TlsReload) -> Self {
        Self {
            handshakes: Turns::new(options.handshakes_max),
            connections: Shares::new(options.connections_max),
            options,
            reload,
            refusals: Refusals::default(),
            open: OpenConnections::default(),
        }
    }

    pub(super) fn refusals(&self) -> Refusals {
        self.refusals.clone()
    }

    pub(super) fn open_connections(&self) -> OpenConnections {
        self.open.clone()
    }

    /// Accepts until `shutdown`, or until nobody takes the connections any more. Handshakes
    /// under way end with it.
    pub(super) async fn run(
        self: Arc<Self>,
        socket: TcpListener,
        sender: Sender<io::Result<Connection>>,
        shutdown: Shutdown,
    ) {
        let mut handshakes = JoinSet::new();
        let mut end = shutdown.wait();
        let mut verified =
            Verified { generation: self.reload.authority().generation(), at: Instant::now() };
        let mut rounds = interval(REFRESH_INTERVAL);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = &mut end => return,
                () = sender.closed() => return,
                Some(_) = handshakes.join_next() => {}
                _ = rounds.tick() => self.verify_again(&mut verified),
                accepted = socket.accept() => match accepted {
                    Ok(came) => self.admit(&mut handshakes, came, &sender),
                    Err(_) => self.rest().await,
                },
            }
        }
    }

    /// Starts the handshake, unless the address has enough of them.
    fn admit(
        self: &Arc<Self>,
        handshakes: &mut JoinSet<()>,
        (stream, address): (TcpStream, SocketAddr),
        sender: &Sender<io::Result<Connection>>,
    ) {
        // All that come by a proxy are from one address, until it tells.
        let origin = self.options.proxies.is_empty().then_some(address.ip());
        let Some(turn) = self.handshakes.take(origin) else {
            return self.refusals.note("handshakes_of_one_max");
        };
        let (entrance, sender) = (Arc::clone(self), sender.clone());
        handshakes.spawn(async move {
            match entrance.verify(stream, address, turn).await {
                Ok(connection) => {
                    // Fails when the server is gone, and then the connection is of no use.
                    let _ = sender.send(Ok(connection)).await;
                }
                Err(reason) => entrance.refusals.note(reason),
            }
        });
    }

    /// Reads what was revoked, if it has changed, and cuts the connections whose peers do not pass
    /// any more. Without a change the certificates are looked at seldom, for their expiry.
    fn verify_again(&self, verified: &mut Verified) {
        let authority = self.reload.authority();
        authority.refresh();
        let (generation, at) = (authority.generation(), Instant::now());
        if generation == verified.generation && at - verified.at < EXPIRY_ROUND {
            return;
        }
        *verified = Verified { generation, at };
        let refused = self.open.check(&authority.anchors());
        refused.iter().for_each(|error| self.refusals.note(error.reason()));
    }

    async fn verify(
        &self,
        stream: TcpStream,
        address: SocketAddr,
        turn: Turn,
    ) -> Result<Connection, &'static str> {
        // It only costs latency when it fails.
        let _ = stream.set_nodelay(true);
        let handshake = self.shake_hands(stream, address, &turn);
        let (stream, address) = tokio::select! {
            shaken = timeout(self.options.handshake_timeout, handshake) => {
                shaken.map_err(|_| "handshake_timeout")??
            }
            () = turn.cut() => return Err("handshakes_max"),
        };
        let (peer, registered) = self.let_in(&stream, address).map_err(|error| error.reason())?;
        let place = self.connections.take(peer.owner()).map_err(|none| match none {
            NoPlace::AllTaken => "connections_max",
            NoPlace::ShareTaken => "connections_of_one_max",
        })?;
        Ok(Connection::new(stream, peer, self.options.idle_timeout, registered, place))
    }

    async fn shake_hands(
        &self,
        mut stream: TcpStream,
        peer: SocketAddr,
        turn: &Turn,
    ) -> Result<(TlsStream<TcpStream>, SocketAddr), &'static str> {
        let address = self.source(&mut stream, peer, turn).await?;
        let acceptor = TlsAcceptor::from(Arc::clone(&self.reload.identity().config));
        let stream = acceptor.accept(stream).await.map_err(|error| reason_of(&error))?;
        Ok((stream, address))
    }

    /// Where the connection came from: behind proxies, what they say.
    async fn source(
        &self,
        stream: &mut TcpStream,
        peer: SocketAddr,
        turn: &Turn,
    ) -> Result<SocketAddr, &'static str> {
        if self.options.proxies.is_empty() {
            return Ok(peer);
        }
        let source = read_source(stream, peer, &self.options.proxies).await?;
        if turn.count_for(source.ip()) { Ok(source) } else { Err("handshakes_of_one_max") }
    }

    /// Verifies the peer and enters the connection; a reload that came in between is not missed.
    fn let_in(
        &self,
        stream: &TlsStream<TcpStream>,
        address: SocketAddr,
    ) -> Result<(Arc<Peer>, (Registered, CancellationToken)), DoorError> {
        let authority = self.reload.authority();
        let generation = authority.generation();
        let peer = Arc::new(Peer::of(stream, &authority.anchors(), address)?);
        let registered = self.open.enter(Arc::clone(&peer));
        if authority.generation() != generation {
            authority.verify(&peer.leaf_der, &peer.chain_der)?;
        }
        Ok((peer, registered))
    }

    async fn rest(&self) {
        self.refusals.note("accept_failed");
        sleep(REST).await;
    }
}
