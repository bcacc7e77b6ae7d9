use core::time::Duration;
use std::io;
use std::sync::Arc;

use http::Uri;
use http::uri::Scheme;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::version::TLS13;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

use crate::tls_files::crypto_provider;
use crate::{DoorError, TlsFiles};

mod renewing;
#[cfg(test)]
mod tests;

pub use renewing::RenewingChannel;

/// TCP and TLS together must be done by then.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A ping goes out after so long without a frame; well within the other side's idle timeout.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// A connection whose ping stays unanswered for so long is given up.
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// The client's side of mutual TLS 1.3: shows our certificate, verifies the server's name against
/// the authorities. Made for `reqwest::ClientBuilder::tls_backend_preconfigured` too.
///
/// # Errors
/// When one of the files is not as it has to be.
pub fn client_config(tls: &TlsFiles, alpn: &[&str]) -> Result<ClientConfig, DoorError> {
    let mut config = ClientConfig::builder_with_provider(crypto_provider())
        .with_protocol_versions(&[&TLS13])
        .map_err(|_| DoorError::Tls)?
        .with_root_certificates(tls.load_authorities()?)
        .with_client_auth_cert(tls.load_certificate_chain()?, tls.load_private_key()?)
        .map_err(|error| tls.refusal(&error))?;
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    // The doors resume no session, so that they check every certificate.
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// A channel to `https://host:port` that connects at its first use and again when it broke.
/// Wants a Tokio runtime around it.
///
/// # Errors
/// When the endpoint is not of that form or one of the files is not as it has to be.
pub async fn connect(endpoint: &str, tls: &TlsFiles) -> Result<Channel, DoorError> {
    Ok(Route::new(endpoint, tls)?.channel())
}

/// How a channel gets where it leads.
struct Route {
    server: Arc<Server>,
    connector: TlsConnector,
    endpoint: Endpoint,
}

impl Route {
    fn new(endpoint: &str, tls: &TlsFiles) -> Result<Self, DoorError> {
        let server = Arc::new(Server::parse(endpoint)?);
        let connector = TlsConnector::from(Arc::new(client_config(tls, &["h2"])?));
        let endpoint = Endpoint::from_shared(endpoint.to_owned())
            .map_err(|_| DoorError::BadEndpoint)?
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
            .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
            .keep_alive_while_idle(true);
        Ok(Self { server, connector, endpoint })
    }

    /// A channel that connects at its first use and again when it broke.
    fn channel(&self) -> Channel {
        let (server, connector) = (Arc::clone(&self.server), self.connector.clone());
        self.endpoint.connect_with_connector_lazy(service_fn(move |_: Uri| {
            let (server, connector) = (Arc::clone(&server), connector.clone());
            async move { server.open(&connector).await.map(TokioIo::new) }
        }))
    }
}

/// Where a channel leads.
struct Server {
    host: String,
    port: u16,
    name: ServerName<'static>,
}

impl Server {
    fn parse(endpoint: &str) -> Result<Self, DoorError> {
        let uri: Uri = endpoint.parse().map_err(|_| DoorError::BadEndpoint)?;
        let is_plain = uri.scheme() == Some(&Scheme::HTTPS) && matches!(uri.path(), "" | "/");
        let (Some(host), Some(port), true) = (uri.host(), uri.port_u16(), is_plain) else {
            return Err(DoorError::BadEndpoint);
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host.clone()).map_err(|_| DoorError::BadEndpoint)?;
        Ok(Self { host, port, name })
    }

    async fn open(&self, connector: &TlsConnector) -> io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.set_nodelay(true)?;
        connector.connect(self.name.clone(), stream).await
    }
}
