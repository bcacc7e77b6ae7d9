use std::path::Path;

use tresor_proto::{CertificateName, TrustDomain};

use crate::DoorError;

/// The operator's certificate authorities and trust domain. Cheap to clone; clones share what
/// [`Authority::reload`] reads.
#[derive(Clone, Debug)]
pub struct Authority;

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
    pub fn load(_authorities_pem: &Path, _trust_domain: TrustDomain) -> Result<Self, DoorError> {
        todo!()
    }

    /// Reads the file again; when it is broken, the authorities stay as they are.
    pub fn reload(&self) -> Result<(), DoorError> {
        todo!()
    }

    /// The trust domain.
    #[must_use]
    pub fn trust_domain(&self) -> &TrustDomain {
        todo!()
    }

    /// Verifies a client certificate now: chain, validity, usage, and the one name.
    /// `chain_der` are the intermediates, without the leaf.
    pub fn verify(&self, _leaf_der: &[u8], _chain_der: &[Vec<u8>]) -> Result<PeerName, DoorError> {
        todo!()
    }
}
