//! The listener without TLS, for what has no certificate: probes and Prometheus on this machine.
//!
//! It promises that nobody who can reach it takes more than a few file descriptors: with one
//! connection too many the oldest ends, and none lives longer than some seconds. It relies on
//! probes and scrapes to be short; who watches `grpc.health.v1` here connects again.

use core::{pin::pin, time::Duration};
use std::{io, net::SocketAddr};

use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};
use tresor_proto::limits::CONNECTION_STREAMS_MAX;

use super::{
    entrance::REST,
    turns::{Turn, Turns},
};
use crate::{DoorError, Shutdown};

/// Connections open at once.
pub(crate) const PLAIN_CONNECTIONS_MAX: usize = 32;
/// A request whose header section is not there by then is given up.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection lives, whatever goes on.
const LIFE: Duration = Duration::from_secs(10);

/// A bound socket for plain HTTP/1.1 and HTTP/2.
#[derive(Debug)]
pub struct PlainListener {
    socket: TcpListener,
    local_addr: SocketAddr,
}

impl PlainListener {
    /// Binds; the caller has made sure that the address is a loopback one.
    ///
    /// # Errors
    /// When the address is taken.
    pub async fn bind(address: SocketAddr) -> Result<Self, DoorError> {
        let refuse = |error: io::Error| DoorError::Listen { address, kind: error.kind() };
        let socket = TcpListener::bind(address).await.map_err(refuse)?;
        let local_addr = socket.local_addr().map_err(refuse)?;
        Ok(Self { socket, local_addr })
    }

    /// Where it listens; the port is the real one.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves until `shutdown`, then what is being asked, for some seconds at most.
    pub async fn serve(self, router: Router, shutdown: Shutdown) {
        let turns = Turns::new(PLAIN_CONNECTIONS_MAX);
        let mut conversations = JoinSet::new();
        let mut end = shutdown.wait();
        loop {
            // The next is taken only when the one it has cut is gone.
            let has_room = conversations.len() <= PLAIN_CONNECTIONS_MAX;
            tokio::select! {
                () = &mut end => break,
                Some(_) = conversations.join_next() => {}
                accepted = self.socket.accept(), if has_room => match accepted {
                    Ok((stream, _)) => if let Some(turn) = turns.take(None) {
                        let conversation = converse(stream, router.clone(), shutdown.clone());
                        conversations.spawn(within(turn, conversation));
                    },
                    Err(_) => sleep(REST).await,
                },
            }
        }
        drop(self.socket);
        while conversations.join_next().await.is_some() {}
    }
}

/// Ends with the conversation, or when its time is over.
async fn within(turn: Turn, conversation: impl Future<Output = ()>) {
    tokio::select! {
        _ = timeout(LIFE, conversation) => {}
        () = turn.cut() => {}
    }
}

async fn converse(stream: TcpStream, router: Router, shutdown: Shutdown) {
    let builder = protocols();
    let service = TowerToHyperService::new(router);
    let mut conversation = pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        // How a connection ended is the prober's affair.
        _ = conversation.as_mut() => return,
        () = shutdown.wait() => conversation.as_mut().graceful_shutdown(),
    }
    let _ = conversation.await;
}

fn protocols() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(CONNECTION_STREAMS_MAX);
    builder
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const SILENT: usize = 500;
    const REQUEST: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

    async fn ask(address: SocketAddr) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(REQUEST).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    /// Whether the other side has neither closed nor said anything.
    fn is_open(stream: TcpStream) -> bool {
        let read = stream.into_std().unwrap().read(&mut [0; 16]);
        read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    #[tokio::test]
    async fn however_many_are_silent_few_stay_open_and_the_next_is_answered() {
        let listener = PlainListener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let (address, shutdown) = (listener.local_addr(), Shutdown::new());
        let router = Router::new().route("/healthz", get(|| async { "ok\n" }));
        let serving = tokio::spawn(listener.serve(router, shutdown.clone()));
        let mut silent = Vec::new();
        for _ in 0..SILENT {
            silent.push(TcpStream::connect(address).await.unwrap());
        }
        assert!(ask(address).await.ends_with("ok\n"));
        let open = silent.into_iter().map(is_open).filter(|&is_open| is_open).count();
        assert!((1..=PLAIN_CONNECTIONS_MAX).contains(&open), "{open} open");
        shutdown.trigger();
        serving.await.unwrap();
    }
}
