//! What certificates are verified against between two reloads: authorities, revocation lists and
//! the deny list.

use std::sync::Arc;

use ring::digest::{SHA256, digest};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls_pki_types::{CertificateDer, UnixTime};
use tresor_proto::{CertificateName, TrustDomain, limits};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};
use x509_parser::public_key::PublicKey;

use super::denied::Denied;
use super::revocation_lists::read_revocation_lists;
use super::{PeerName, TrustFiles};
use crate::DoorError;
use crate::tls_files::{crypto_provider, read_certificates, to_anchors};

/// Bits of an RSA key at least, as rustls has it in a handshake.
const RSA_BITS_MIN: usize = 2048;

/// The check itself.
#[derive(Debug)]
pub(crate) struct Anchors {
    chains: Arc<dyn ClientCertVerifier>,
    denied: Denied,
    trust_domain: TrustDomain,
}

impl Anchors {
    pub(super) fn load(files: &TrustFiles, trust_domain: TrustDomain) -> Result<Self, DoorError> {
        let (chains, denied) = load_files(files)?;
        Ok(Self { chains, denied, trust_domain })
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
        if self.denied.contains(&peer.certificate_digest) {
            return Err(DoorError::Denied);
        }
        Ok(peer)
    }

    fn identify(&self, leaf: &CertificateDer<'_>) -> Result<PeerName, DoorError> {
        let (_, certificate) = X509Certificate::from_der(leaf).map_err(|_| DoorError::Malformed)?;
        check_usage(&certificate)?;
        check_key(&certificate)?;
        let uri = the_one_uri(&certificate)?;
        let name = CertificateName::parse(uri, &self.trust_domain).ok_or(DoorError::BadName)?;
        Ok(PeerName { name, certificate_digest: sha256(leaf) })
    }

    pub(super) fn chains(&self) -> &dyn ClientCertVerifier {
        self.chains.as_ref()
    }
}

/// What verifies chains, and what is denied whatever that says.
pub(super) fn load_files(
    files: &TrustFiles,
) -> Result<(Arc<dyn ClientCertVerifier>, Denied), DoorError> {
    let authorities = read_certificates(&files.authorities)?;
    let lists = read_revocation_lists(files, &authorities)?;
    let anchors = Arc::new(to_anchors(&files.authorities, authorities)?);
    // A list that is past its next update still names what was revoked: better an old list than
    // every door shut. The log tells of it.
    let chains = WebPkiClientVerifier::builder_with_provider(anchors, crypto_provider())
        .only_check_end_entity_revocation();
    let chains = if lists.is_empty() {
        chains.allow_unknown_revocation_status()
    } else {
        chains.with_crls(lists)
    };
    let denied = files.denied_certificates.as_deref().map(Denied::read).transpose()?;
    Ok((chains.build().map_err(|_| DoorError::Tls)?, denied.unwrap_or_default()))
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

/// Stricter than webpki, which takes a certificate without the extension for any use, and asks for
/// nothing of the key's (RFC 8446 §4.4.2.4, SPIFFE X.509-SVID §4.3).
fn check_usage(certificate: &X509Certificate<'_>) -> Result<(), DoorError> {
    let key_usage = certificate.key_usage().map_err(|_| DoorError::Malformed)?;
    if key_usage.is_some_and(|usage| !usage.value.digital_signature()) {
        return Err(DoorError::WrongUsage);
    }
    let usage = certificate.extended_key_usage().map_err(|_| DoorError::Malformed)?;
    match usage {
        Some(usage) if usage.value.client_auth => Ok(()),
        Some(_) | None => Err(DoorError::WrongUsage),
    }
}

/// As the handshake does when the key signs; evidence was signed for elsewhere, by a door that may
/// not have asked (NIST SP 800-57 part 1 §5.6.1).
fn check_key(certificate: &X509Certificate<'_>) -> Result<(), DoorError> {
    let key = certificate.public_key().parsed().map_err(|_| DoorError::Malformed)?;
    if matches!(key, PublicKey::RSA(key) if key.key_size() < RSA_BITS_MIN) {
        return Err(DoorError::WeakKey);
    }
    Ok(())
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
