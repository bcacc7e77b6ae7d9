use core::time::Duration;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use rustls::client::danger::HandshakeSignatureValid;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, SignatureScheme};
use rustls_pki_types::{CertificateDer, UnixTime};
use tokio::time::sleep;
use tresor_proto::{CertificateName, TrustDomain};

use crate::DoorError;
use crate::swap::Swap;

mod anchors;
mod denied;
#[cfg(test)]
mod fuzz;
mod revocation_lists;
#[cfg(test)]
mod revocation_tests;
#[cfg(test)]
mod tests;
mod trust_files;

pub(crate) use anchors::Anchors;
use trust_files::Stamps;
pub use trust_files::TrustFiles;

/// How often it is looked whether certificates were revoked.
pub(crate) const REFRESH_INTERVAL: Duration = Duration::from_millis(250);

/// The operator's certificate authorities, what they have revoked, and the trust domain. Cheap to
/// clone; clones share what [`Authority::reload`] reads.
///
/// To rustls it is the verifier of client certificates, with what was read last. It names no
/// authorities in the handshake, so that a stranger learns none.
#[derive(Clone, Debug)]
pub struct Authority(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    files: TrustFiles,
    trust_domain: TrustDomain,
    anchors: Swap<Anchors>,
    /// How the files were when they were read last, whether they were taken or not.
    seen: Mutex<Stamps>,
    generation: AtomicU64,
}

/// Whom a verified certificate names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerName {
    /// The service or client.
    pub name: CertificateName,
    /// SHA-256 of the certificate's DER.
    pub certificate_digest: [u8; 32],
}

impl Authority {
    /// Reads the authorities' certificates, one or more, from a PEM file, and what was revoked.
    ///
    /// # Errors
    /// When a file cannot be read or can be written by everybody; when there is no certificate;
    /// when a list was not signed by one of the authorities, or an authority has none beside others.
    pub fn load(files: TrustFiles, trust_domain: TrustDomain) -> Result<Self, DoorError> {
        let seen = Mutex::new(files.stamps());
        let anchors = Anchors::load(&files, trust_domain.clone())?;
        Ok(Self(Arc::new(Shared {
            files,
            trust_domain,
            anchors: Swap::new(Arc::new(anchors)),
            seen,
            generation: AtomicU64::new(0),
        })))
    }

    /// Reads the files again; when one is broken, all stays as it is, and the log says why.
    ///
    /// # Errors
    /// As [`Authority::load`].
    pub fn reload(&self) -> Result<(), DoorError> {
        let mut seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = self.0.files.stamps();
        self.replace()
    }

    /// Reads the files again if one has changed since they were read last. Blocks on the disk for
    /// a moment.
    pub fn refresh(&self) {
        let mut seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps = self.0.files.stamps();
        if *seen != stamps {
            *seen = stamps;
            // What is wrong is in the log; the old ones stay.
            let _ = self.replace();
        }
    }

    /// Refreshes for ever, several times a second. A listener does so by itself.
    pub async fn keep_fresh(&self) {
        loop {
            sleep(REFRESH_INTERVAL).await;
            self.refresh();
        }
    }

    /// Grows with each reload: what was verified under an older one is to be verified again.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::Acquire)
    }

    /// The trust domain.
    #[must_use]
    pub fn trust_domain(&self) -> &TrustDomain {
        &self.0.trust_domain
    }

    /// Verifies a client certificate now: chain, validity, revocation, usage, and the one name.
    /// `chain_der` are the intermediates, without the leaf.
    ///
    /// # Errors
    /// One of the variants of [`DoorError`] about a certificate.
    pub fn verify(&self, leaf_der: &[u8], chain_der: &[Vec<u8>]) -> Result<PeerName, DoorError> {
        let chain: Vec<CertificateDer<'_>> =
            chain_der.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
        let leaf = CertificateDer::from(leaf_der);
        self.anchors().check(&leaf, &chain, UnixTime::now())
    }

    pub(crate) fn anchors(&self) -> Arc<Anchors> {
        self.0.anchors.load()
    }

    fn replace(&self) -> Result<(), DoorError> {
        match Anchors::load(&self.0.files, self.0.trust_domain.clone()) {
            Ok(anchors) => {
                self.0.anchors.store(Arc::new(anchors));
                self.0.generation.fetch_add(1, Ordering::Release);
                tracing::info!("authorities and revocations reloaded");
                Ok(())
            }
            Err(error) => {
                error.warn("authorities and revocations not reloaded, the old ones stay");
                Err(error)
            }
        }
    }
}

impl ClientCertVerifier for Authority {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.anchors()
            .check(end_entity, intermediates, now)
            .map(|_| ClientCertVerified::assertion())
            .map_err(DoorError::into_handshake)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.anchors().chains().verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.anchors().chains().verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.anchors().chains().supported_verify_schemes()
    }
}
