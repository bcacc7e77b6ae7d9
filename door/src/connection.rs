use core::future::Future as _;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::io::{self, ErrorKind, IoSlice};
use std::net::SocketAddr;
use std::sync::Arc;

use rustls_pki_types::{CertificateDer, UnixTime};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::transport::server::Connected;
use tresor_proto::{CertificateName, ServiceName, TenantId};

use crate::authority::Anchors;
use crate::listener::Registered;
use crate::{DoorError, Place};

/// A verified connection: plain bytes to read and write, TLS beneath.
///
/// It is cut with [`ErrorKind::TimedOut`] when a write does not move for the idle timeout, or
/// when nothing moved in either direction for that long; and with
/// [`ErrorKind::ConnectionAborted`] once the peer's certificate has expired or is revoked, or
/// all are cut.
#[derive(Debug)]
pub struct Connection {
    stream: Pin<Box<TimeoutStream<TlsStream<TcpStream>>>>,
    idle_timeout: Duration,
    wrote_at: Instant,
    peer: Arc<Peer>,
    /// Ready once the connection is to end; readers and writers wait apart.
    cuts: [Pin<Box<WaitForCancellationFutureOwned>>; 2],
    _registered: Registered,
    /// Its place among the connections the listener lets in.
    _place: Place<Owner>,
}

/// Who waits to be told of a cut.
#[derive(Clone, Copy)]
enum Side {
    Reader,
    Writer,
}

/// Who is at the other end of a [`Connection`].
#[derive(Clone, Debug)]
pub struct Peer {
    /// The service or client the certificate names.
    pub name: CertificateName,
    /// SHA-256 of the leaf.
    pub certificate_digest: [u8; 32],
    /// The certificate, DER.
    pub leaf_der: Vec<u8>,
    /// The intermediates that came with it, DER, without the leaf.
    pub chain_der: Vec<Vec<u8>>,
    /// Where the connection came from.
    pub address: SocketAddr,
}

/// Whose a [`Connection`] is, however many certificates they have.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// A tenant.
    Tenant(TenantId),
    /// A service.
    Service(ServiceName),
}

impl Connection {
    /// Takes over a stream whose handshake is done.
    pub(crate) fn new(
        stream: TlsStream<TcpStream>,
        peer: Arc<Peer>,
        idle_timeout: Duration,
        (registered, cut): (Registered, CancellationToken),
        place: Place<Owner>,
    ) -> Self {
        let mut stream = TimeoutStream::new(stream);
        stream.set_read_timeout(Some(idle_timeout));
        stream.set_write_timeout(Some(idle_timeout));
        Self {
            stream: Box::pin(stream),
            idle_timeout,
            wrote_at: Instant::now(),
            peer,
            cuts: [0; 2].map(|_| Box::pin(cut.clone().cancelled_owned())),
            _registered: registered,
            _place: place,
        }
    }

    /// Who is at the other end.
    #[must_use]
    pub fn peer(&self) -> Arc<Peer> {
        Arc::clone(&self.peer)
    }

    /// Whether the connection is cut; else the task is woken when it is.
    fn poll_cut(&mut self, side: Side, context: &mut Context<'_>) -> io::Result<()> {
        match self.cuts[side as usize].as_mut().poll(context) {
            Poll::Ready(()) => Err(ErrorKind::ConnectionAborted.into()),
            Poll::Pending => Ok(()),
        }
    }

    fn note_write(&mut self, written: &Poll<io::Result<usize>>) {
        if matches!(written, Poll::Ready(Ok(_))) {
            self.wrote_at = Instant::now();
        }
    }
}

impl Peer {
    /// Whose the connection is.
    #[must_use]
    pub fn owner(&self) -> Owner {
        match &self.name {
            CertificateName::Client { tenant, .. } => Owner::Tenant(*tenant),
            CertificateName::Service(name) => Owner::Service(name.clone()),
        }
    }

    /// Asks the certificates of a finished handshake who it is. They are checked as a whole, as
    /// evidence is, so that no way through the handshake can go around the check.
    pub(crate) fn of(
        stream: &TlsStream<TcpStream>,
        anchors: &Anchors,
        address: SocketAddr,
    ) -> Result<Self, DoorError> {
        let shown = stream.get_ref().1.peer_certificates();
        let (leaf, chain) =
            shown.and_then(<[CertificateDer<'_>]>::split_first).ok_or(DoorError::NoCertificate)?;
        let named = anchors.check(leaf, chain, UnixTime::now())?;
        Ok(Self {
            name: named.name,
            certificate_digest: named.certificate_digest,
            leaf_der: leaf.to_vec(),
            chain_der: chain.iter().map(|der| der.to_vec()).collect(),
            address,
        })
    }
}

impl Connected for Connection {
    type ConnectInfo = Arc<Peer>;

    fn connect_info(&self) -> Self::ConnectInfo {
        self.peer()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.poll_cut(Side::Reader, context)?;
        match ready!(this.stream.as_mut().poll_read(context, buffer)) {
            // A long answer is not idleness: the peer has nothing to say while it listens. The
            // second poll starts the time anew.
            Err(error)
                if error.kind() == ErrorKind::TimedOut
                    && this.wrote_at.elapsed() < this.idle_timeout =>
            {
                this.stream.as_mut().poll_read(context, buffer)
            }
            result => Poll::Ready(result),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.poll_cut(Side::Writer, context)?;
        let written = this.stream.as_mut().poll_write(context, bytes);
        this.note_write(&written);
        written
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.poll_cut(Side::Writer, context)?;
        let written = this.stream.as_mut().poll_write_vectored(context, slices);
        this.note_write(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().stream.as_mut().poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().stream.as_mut().poll_shutdown(context)
    }
}
