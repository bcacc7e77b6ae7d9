use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::DoorError;
use crate::config::Table;
use crate::private_file::{read_private_file, read_trusted_file};

mod health;

pub use health::{CertificateHealth, TlsHealth};

/// Bytes of a PEM file: room for some dozens of certificates.
const PEM_BYTES_MAX: u64 = 256 * 1024;

/// The files one end of mutual TLS needs, all PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// Our certificate, then its intermediates.
    pub certificate_chain: PathBuf,
    /// Our private key; readable by its owner only, refused otherwise.
    pub private_key: PathBuf,
    /// The authorities that issue our peers' certificates.
    pub authorities: PathBuf,
}

impl TlsFiles {
    /// Reads the keys `certificate_chain`, `private_key`, `authorities` of a table.
    #[must_use]
    pub fn read(table: &mut Table<'_>) -> Option<Self> {
        let certificate_chain = table.path("certificate_chain");
        let private_key = table.path("private_key");
        let authorities = table.path("authorities");
        let files = Self {
            certificate_chain: certificate_chain?,
            private_key: private_key?,
            authorities: authorities?,
        };
        table.name_tls_files(&files);
        Some(files)
    }

    pub(crate) fn load_certificate_chain(&self) -> Result<Vec<CertificateDer<'static>>, DoorError> {
        read_certificates(&self.certificate_chain)
    }

    pub(crate) fn load_private_key(&self) -> Result<PrivateKeyDer<'static>, DoorError> {
        let pem = read_private_file(&self.private_key, PEM_BYTES_MAX)?;
        PrivateKeyDer::from_pem_slice(&pem)
            .map_err(|_| DoorError::NoKeyInFile { path: self.private_key.clone() })
    }

    pub(crate) fn load_authorities(&self) -> Result<RootCertStore, DoorError> {
        to_anchors(&self.authorities, read_certificates(&self.authorities)?)
    }

    /// What rustls says of a chain and a key it does not take.
    #[allow(clippy::wildcard_enum_match_arm, reason = "rustls may add variants at any time")]
    pub(crate) fn refusal(&self, error: &rustls::Error) -> DoorError {
        let path = self.private_key.clone();
        match error {
            rustls::Error::InconsistentKeys(_) => DoorError::KeyMismatch { path },
            rustls::Error::InvalidCertificate(_) => {
                DoorError::NoCertificateInFile { path: self.certificate_chain.clone() }
            }
            _ => DoorError::NoKeyInFile { path },
        }
    }
}

/// ring, whatever the process's default provider is.
pub(crate) fn crypto_provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The trust anchors that certificates of a file are.
pub(crate) fn to_anchors(
    path: &Path,
    certificates: Vec<CertificateDer<'static>>,
) -> Result<RootCertStore, DoorError> {
    let mut anchors = RootCertStore::empty();
    for certificate in certificates {
        anchors
            .add(certificate)
            .map_err(|_| DoorError::NoCertificateInFile { path: path.to_owned() })?;
    }
    Ok(anchors)
}

/// The certificates of a PEM file, at least one.
pub(crate) fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, DoorError> {
    let pem = read_trusted_file(path, PEM_BYTES_MAX)?;
    CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<Vec<_>, _>>()
        .ok()
        .filter(|certificates| !certificates.is_empty())
        .ok_or_else(|| DoorError::NoCertificateInFile { path: path.to_owned() })
}
