use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::NoServerSessionStorage;
use rustls::version::{TLS12, TLS13};
use tokio::signal::unix::SignalKind;

use super::ListenerOptions;
use crate::shutdown::receive;
use crate::swap::Swap;
use crate::tls_files::crypto_provider;
use crate::{Authority, DoorError, TlsFiles};

/// Reads certificate, key and authorities of a [`Listener`](crate::Listener) again. Cheap to
/// clone.
#[derive(Clone, Debug)]
pub struct TlsReload(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    files: TlsFiles,
    authority: Authority,
    alpn: Vec<Vec<u8>>,
    is_tls12_allowed: bool,
    current: Swap<Identity>,
}

/// What one handshake works with; it keeps it, whatever is reloaded meanwhile.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) config: Arc<ServerConfig>,
}

impl TlsReload {
    pub(super) fn load(
        files: TlsFiles,
        authority: Authority,
        options: &ListenerOptions,
    ) -> Result<Self, DoorError> {
        let alpn: Vec<Vec<u8>> = options.alpn.iter().map(|p| p.clone().into_bytes()).collect();
        let is_tls12_allowed = options.is_tls12_allowed;
        let identity = Identity::load((&files, &authority), &alpn, is_tls12_allowed)?;
        Ok(Self(Arc::new(Shared {
            files,
            authority,
            alpn,
            is_tls12_allowed,
            current: Swap::new(Arc::new(identity)),
        })))
    }

    /// Serves new connections with what the files hold now; when any of them is broken, certificate
    /// and key stay as they were, and the log says why. The authorities change for every clone of
    /// the listener's [`Authority`].
    ///
    /// # Errors
    /// What is wrong with the new files.
    pub fn reload(&self) -> Result<(), DoorError> {
        // Ours may be broken, and what was revoked counts nevertheless.
        let authorities = self.0.authority.reload();
        match self.replace() {
            Ok(()) => tracing::info!("certificate reloaded"),
            Err(error) => {
                error.warn("certificate not reloaded, the old one stays");
                return Err(error);
            }
        }
        authorities
    }

    /// Reloads at every SIGHUP, in a task of its own. Wants a Tokio runtime around it.
    ///
    /// # Errors
    /// [`DoorError::Signals`] when the process cannot receive signals.
    pub fn on_hangup(self) -> Result<(), DoorError> {
        let mut hangup = receive(SignalKind::hangup())?;
        tokio::spawn(async move {
            while hangup.recv().await.is_some() {
                // What went wrong is logged; the old files stay.
                let _ = self.reload();
            }
        });
        Ok(())
    }

    pub(super) fn identity(&self) -> Arc<Identity> {
        self.0.current.load()
    }

    pub(super) fn authority(&self) -> &Authority {
        &self.0.authority
    }

    fn replace(&self) -> Result<(), DoorError> {
        let Shared { files, authority, alpn, is_tls12_allowed, current } = self.0.as_ref();
        let identity = Identity::load((files, authority), alpn, *is_tls12_allowed)?;
        current.store(Arc::new(identity));
        Ok(())
    }
}

impl Identity {
    fn load(
        (files, authority): (&TlsFiles, &Authority),
        alpn: &[Vec<u8>],
        is_tls12_allowed: bool,
    ) -> Result<Self, DoorError> {
        let versions = if is_tls12_allowed { &[&TLS13, &TLS12][..] } else { &[&TLS13][..] };
        let verifier = Arc::new(authority.clone());
        let mut config = ServerConfig::builder_with_provider(crypto_provider())
            .with_protocol_versions(versions)
            .map_err(|_| DoorError::Tls)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(files.load_certificate_chain()?, files.load_private_key()?)
            .map_err(|error| files.refusal(&error))?;
        config.alpn_protocols = alpn.to_vec();
        // A resumed session would skip the check of the client's certificate.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Self { config: Arc::new(config) })
    }
}
