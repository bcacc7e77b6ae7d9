use std::path::{Path, PathBuf};
use std::sync::Arc;

use ring::digest::{SHA256, digest};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, SignatureScheme};
use rustls_pki_types::{CertificateDer, UnixTime};
use tresor_proto::{CertificateName, TrustDomain, limits};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use crate::DoorError;
use crate::swap::Swap;
use crate::tls_files::{crypto_provider, read_authorities};

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;

/// The operator's certificate authorities and trust domain. Cheap to clone; clones share what
/// [`Authority::reload`] reads.
#[derive(Clone, Debug)]
pub struct Authority(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    trust_domain: TrustDomain,
    anchors: Swap<Anchors>,
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
    /// Reads the authorities' certificates, one or more, from a PEM file.
    ///
    /// # Errors
    /// When the file cannot be read, can be written by everybody, or holds no certificate.
    pub fn load(authorities_pem: &Path, trust_domain: TrustDomain) -> Result<Self, DoorError> {
        let anchors = Anchors::load(authorities_pem, trust_domain.clone())?;
        Ok(Self(Arc::new(Shared {
            path: authorities_pem.to_owned(),
            trust_domain,
            anchors: Swap::new(Arc::new(anchors)),
        })))
    }

    /// Reads the file again; when it is broken, the authorities stay as they are.
    ///
    /// # Errors
    /// As [`Authority::load`].
    pub fn reload(&self) -> Result<(), DoorError> {
        self.replace_anchors(self.load_anchors()?);
        Ok(())
    }

    /// The trust domain.
    #[must_use]
    pub fn trust_domain(&self) -> &TrustDomain {
        &self.0.trust_domain
    }

    /// Verifies a client certificate now: chain, validity, usage, and the one name.
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

    pub(crate) fn load_anchors(&self) -> Result<Arc<Anchors>, DoorError> {
        Anchors::load(&self.0.path, self.0.trust_domain.clone()).map(Arc::new)
    }

    pub(crate) fn replace_anchors(&self, anchors: Arc<Anchors>) {
        self.0.anchors.store(anchors);
    }
}

/// The check itself, as it stands between two reloads; rustls calls it in the handshake.
#[derive(Debug)]
pub(crate) struct Anchors {
    chains: Arc<dyn ClientCertVerifier>,
    trust_domain: TrustDomain,
}

impl Anchors {
    fn load(path: &Path, trust_domain: TrustDomain) -> Result<Self, DoorError> {
        let anchors = Arc::new(read_authorities(path)?);
        let chains = WebPkiClientVerifier::builder_with_provider(anchors, crypto_provider())
            .build()
            .map_err(|_| DoorError::Tls)?;
        Ok(Self { chains, trust_domain })
    }

    /// Bounds first, since they cost nothing; then the chain, so that only what an authority
    /// signed is parsed further; then what the certificate is for, and whom it names.
    pub(crate) fn check(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<PeerName, DoorError> {
        check_bounds(leaf, chain)?;
        self.chains
            .verify_client_cert(leaf, chain, now)
            .map_err(|error| DoorError::from_handshake(&error))?;
        let peer = self.identify(leaf)?;
        // Revocation belongs here: refuse `peer.certificate_digest` when it is on the deny list.
        Ok(peer)
    }

    fn identify(&self, leaf: &CertificateDer<'_>) -> Result<PeerName, DoorError> {
        let (_, certificate) = X509Certificate::from_der(leaf).map_err(|_| DoorError::Malformed)?;
        check_usage(&certificate)?;
        let uri = the_one_uri(&certificate)?;
        let name = CertificateName::parse(uri, &self.trust_domain).ok_or(DoorError::BadName)?;
        Ok(PeerName { name, certificate_digest: sha256(leaf) })
    }
}

fn check_bounds(leaf: &CertificateDer<'_>, chain: &[CertificateDer<'_>]) -> Result<(), DoorError> {
    let is_large =
        |certificate: &CertificateDer<'_>| certificate.len() > limits::CERTIFICATE_BYTES_MAX;
    if chain.len() >= limits::CERTIFICATE_CHAIN_MAX || is_large(leaf) || chain.iter().any(is_large)
    {
        return Err(DoorError::TooLarge);
    }
    Ok(())
}

/// Stricter than webpki, which takes a certificate without the extension for any use.
fn check_usage(certificate: &X509Certificate<'_>) -> Result<(), DoorError> {
    let usage = certificate.extended_key_usage().map_err(|_| DoorError::Malformed)?;
    match usage {
        Some(usage) if usage.value.client_auth => Ok(()),
        Some(_) | None => Err(DoorError::WrongUsage),
    }
}

/// SPIFFE X.509-SVID §2: exactly one URI; names of hosts may stand beside it.
#[allow(clippy::wildcard_enum_match_arm, reason = "every other kind of name is passed over")]
fn the_one_uri<'a>(certificate: &'a X509Certificate<'_>) -> Result<&'a str, DoorError> {
    let names = certificate
        .subject_alternative_name()
        .map_err(|_| DoorError::Malformed)?
        .ok_or(DoorError::NoName)?;
    let mut uri = None;
    for name in &names.value.general_names {
        match name {
            GeneralName::URI(_) if uri.is_some() => return Err(DoorError::SeveralNames),
            GeneralName::URI(text) => uri = Some(*text),
            GeneralName::Invalid(..) => return Err(DoorError::Malformed),
            _ => {}
        }
    }
    uri.ok_or(DoorError::NoName)
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut output = [0; 32];
    output.copy_from_slice(digest(&SHA256, bytes).as_ref());
    output
}

impl ClientCertVerifier for Anchors {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chains.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.check(end_entity, intermediates, now)
            .map(|_| ClientCertVerified::assertion())
            .map_err(DoorError::into_handshake)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chains.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chains.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}
