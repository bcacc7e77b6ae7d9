use core::pin::Pin;
use core::task::{Context, Poll};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tonic::transport::server::Connected;
use tresor_proto::CertificateName;

/// A verified connection: plain bytes to read and write, TLS beneath.
#[derive(Debug)]
pub struct Connection {
    peer: Arc<Peer>,
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

impl Connection {
    /// Who is at the other end.
    #[must_use]
    pub fn peer(&self) -> Arc<Peer> {
        Arc::clone(&self.peer)
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
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        todo!()
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        todo!()
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        todo!()
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        todo!()
    }
}
