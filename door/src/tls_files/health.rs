//! Whether the files of mutual TLS would do, for whoever asks before a process is started.
//!
//! It promises to look at every file, whatever is wrong with another, and to repeat nothing of a
//! key. It relies on the same functions that load the files for a listener.

use rustls::sign::CertifiedKey;
use rustls_pki_types::CertificateDer;
use time::OffsetDateTime;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::{TlsFiles, crypto_provider, read_certificates};
use crate::DoorError;

/// What was found out about the files.
#[derive(Clone, Debug, Default)]
pub struct TlsHealth {
    /// The key of the configuration and what is wrong with its file.
    pub faults: Vec<(&'static str, DoorError)>,
    /// Every certificate that could be read.
    pub certificates: Vec<CertificateHealth>,
}

/// One certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateHealth {
    /// The key of the configuration that names its file.
    pub key: &'static str,
    /// Its place in the file, counted from 1.
    pub place: usize,
    /// When it begins to be valid.
    pub not_before: OffsetDateTime,
    /// When it ends to be valid.
    pub not_after: OffsetDateTime,
}

impl TlsFiles {
    /// Looks at all files.
    #[must_use]
    pub fn health(&self) -> TlsHealth {
        let mut health = TlsHealth::default();
        let chain = health.read("certificate_chain", self.load_certificate_chain());
        let key = health.read("private_key", self.load_private_key());
        let authorities = self.load_authorities();
        let authorities = authorities.and_then(|_| read_certificates(&self.authorities));
        let authorities = health.read("authorities", authorities);
        for (name, certificates) in [("certificate_chain", &chain), ("authorities", &authorities)] {
            health.note_validity(name, certificates.as_deref().unwrap_or_default());
        }
        if let (Some(chain), Some(key)) = (chain, key)
            && let Err(error) = CertifiedKey::from_der(chain, key, &crypto_provider())
        {
            health.faults.push(("private_key", self.refusal(&error)));
        }
        health
    }
}

impl TlsHealth {
    fn read<T>(&mut self, key: &'static str, read: Result<T, DoorError>) -> Option<T> {
        read.map_err(|error| self.faults.push((key, error))).ok()
    }

    fn note_validity(&mut self, key: &'static str, certificates: &[CertificateDer<'_>]) {
        for (at, certificate) in certificates.iter().enumerate() {
            let Ok((_, parsed)) = X509Certificate::from_der(certificate) else {
                self.faults.push((key, DoorError::Malformed));
                continue;
            };
            self.certificates.push(CertificateHealth {
                key,
                place: at + 1,
                not_before: parsed.validity().not_before.to_datetime(),
                not_after: parsed.validity().not_after.to_datetime(),
            });
        }
    }
}
