use tonic::transport::Channel;

use crate::{DoorError, TlsFiles};

/// The client's side of mutual TLS 1.3: shows our certificate, verifies the server's name against
/// the authorities. Made for `reqwest::ClientBuilder::tls_backend_preconfigured` too.
pub fn client_config(_tls: &TlsFiles, _alpn: &[&str]) -> Result<rustls::ClientConfig, DoorError> {
    todo!()
}

/// A channel to `https://host:port` that connects at its first use and again when it broke.
/// Wants a Tokio runtime around it.
pub async fn connect(_endpoint: &str, _tls: &TlsFiles) -> Result<Channel, DoorError> {
    todo!()
}
