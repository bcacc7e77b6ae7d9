use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::{CertificateError, OtherError};
use tresor_proto::{ErrorCode, Failure};

/// Why a peer was turned away, or why a door cannot open.
///
/// The first group is about a certificate: [`DoorError::reason`] goes to our own logs, the peer
/// sees a TLS alert. The second is about our own files and is for the operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each variant is documented by its message")]
pub enum DoorError {
    #[error("the certificate has expired")]
    Expired,
    #[error("the certificate is not valid yet")]
    NotYetValid,
    #[error("the certificate was not issued by one of our authorities")]
    Foreign,
    #[error("the certificate has no URI among its subject alternative names")]
    NoName,
    #[error("the certificate has more than one URI among its subject alternative names")]
    SeveralNames,
    #[error("the certificate's URI names no service or client of the trust domain")]
    BadName,
    #[error("the certificate is not for client authentication")]
    WrongUsage,
    #[error("the certificate's key is weaker than RSA with 2048 bits")]
    WeakKey,
    #[error("the certificate is revoked")]
    Revoked,
    #[error("the certificate is on the deny list")]
    Denied,
    #[error("no revocation list tells whether the certificate is revoked")]
    RevocationUnknown,
    #[error("the certificate is malformed")]
    Malformed,
    #[error("the certificate or its chain is over a limit")]
    TooLarge,
    #[error("no certificate was shown")]
    NoCertificate,
    #[error("the TLS handshake failed")]
    Handshake,

    #[error("{}: cannot be read: {}", path.display(), in_words(*kind))]
    Unreadable { path: PathBuf, kind: ErrorKind },
    #[error("{}: is readable by group or others (mode {mode:04o}); run `chmod 600 {}`", path.display(), path.display())]
    Exposed { path: PathBuf, mode: u32 },
    #[error("{}: holds no certificate in PEM form", path.display())]
    NoCertificateInFile { path: PathBuf },
    #[error("{}: holds no certificate revocation list in PEM form", path.display())]
    NoRevocationListInFile { path: PathBuf },
    #[error("{}: has an authority without a revocation list, while others have one", path.display())]
    NoRevocationList { path: PathBuf },
    #[error("{}: has a revocation list that none of the authorities has signed", path.display())]
    ForeignRevocationList { path: PathBuf },
    #[error("{}: line {line} is not a SHA-256 fingerprint in hex", path.display())]
    BadFingerprint { path: PathBuf, line: usize },
    #[error("{}: holds no private key in PEM form", path.display())]
    NoKeyInFile { path: PathBuf },
    #[error("{}: does not belong to the certificate", path.display())]
    KeyMismatch { path: PathBuf },
    #[error("{}: is larger than {bytes_max} bytes", path.display())]
    FileTooLarge { path: PathBuf, bytes_max: u64 },
    #[error("cannot listen on {address} ({kind})")]
    Listen { address: std::net::SocketAddr, kind: ErrorKind },
    #[error("not an address of the form https://host:port")]
    BadEndpoint,
    #[error("{}: can be written by everybody (mode {mode:04o}); run `chmod o-w {}`", path.display(), path.display())]
    WorldWritable { path: PathBuf, mode: u32 },
    #[error("the TLS settings were refused")]
    Tls,
    #[error("the system gives no randomness")]
    Randomness,
    #[error("signals cannot be received")]
    Signals,
}

/// What is wrong with a file or directory, in words; the library says "entity not found" of one
/// that is not there.
#[must_use]
pub fn in_words(kind: ErrorKind) -> String {
    if kind == ErrorKind::NotFound {
        return "there is no such file".to_owned();
    }
    kind.to_string()
}

impl DoorError {
    /// A stable word for logs and counters.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Expired => "certificate_expired",
            Self::NotYetValid => "certificate_not_yet_valid",
            Self::Foreign => "certificate_foreign",
            Self::NoName => "certificate_no_name",
            Self::SeveralNames => "certificate_several_names",
            Self::BadName => "certificate_bad_name",
            Self::WrongUsage => "certificate_wrong_usage",
            Self::WeakKey => "certificate_weak_key",
            Self::Revoked => "certificate_revoked",
            Self::Denied => "certificate_denied",
            Self::RevocationUnknown => "certificate_revocation_unknown",
            Self::Malformed => "certificate_malformed",
            Self::TooLarge => "certificate_too_large",
            Self::NoCertificate => "certificate_absent",
            Self::Handshake => "handshake_failed",
            Self::Unreadable { .. } => "file_unreadable",
            Self::Exposed { .. } => "file_exposed",
            Self::WorldWritable { .. } => "file_world_writable",
            Self::NoCertificateInFile { .. } => "file_without_certificate",
            Self::NoRevocationListInFile { .. } => "file_without_revocation_list",
            Self::NoRevocationList { .. } => "authority_without_revocation_list",
            Self::ForeignRevocationList { .. } => "revocation_list_foreign",
            Self::BadFingerprint { .. } => "bad_fingerprint",
            Self::NoKeyInFile { .. } => "file_without_key",
            Self::KeyMismatch { .. } => "key_mismatch",
            Self::FileTooLarge { .. } => "file_too_large",
            Self::Listen { .. } => "listen",
            Self::BadEndpoint => "bad_endpoint",
            Self::Tls => "tls_settings",
            Self::Randomness => "randomness",
            Self::Signals => "signals",
        }
    }

    /// The file that is at fault.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Unreadable { path, .. }
            | Self::Exposed { path, .. }
            | Self::WorldWritable { path, .. }
            | Self::NoCertificateInFile { path }
            | Self::NoRevocationListInFile { path }
            | Self::NoRevocationList { path }
            | Self::ForeignRevocationList { path }
            | Self::BadFingerprint { path, .. }
            | Self::NoKeyInFile { path }
            | Self::KeyMismatch { path }
            | Self::FileTooLarge { path, .. } => Some(path),
            Self::Expired
            | Self::NotYetValid
            | Self::Foreign
            | Self::NoName
            | Self::SeveralNames
            | Self::BadName
            | Self::WrongUsage
            | Self::WeakKey
            | Self::Revoked
            | Self::Denied
            | Self::RevocationUnknown
            | Self::Malformed
            | Self::TooLarge
            | Self::NoCertificate
            | Self::Handshake
            | Self::Listen { .. }
            | Self::BadEndpoint
            | Self::Tls
            | Self::Randomness
            | Self::Signals => None,
        }
    }

    /// Tells the operator's log of files that were not taken.
    pub(crate) fn warn(&self, message: &'static str) {
        let file = self.file().map(|path| tracing::field::display(path.display()));
        tracing::warn!(reason = self.reason(), file, "{message}");
    }

    /// What a caller is told: that it is not authenticated, when its certificate is at fault.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        if self.reason().starts_with("certificate_") {
            ErrorCode::Unauthenticated
        } else {
            ErrorCode::Internal
        }
    }

    /// Why rustls broke a handshake off, as far as the peer's certificate is at fault.
    #[allow(clippy::wildcard_enum_match_arm, reason = "rustls may add variants at any time")]
    pub(crate) fn from_handshake(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(error) => Self::from_certificate(error),
            rustls::Error::NoCertificatesPresented => Self::NoCertificate,
            _ => Self::Handshake,
        }
    }

    #[allow(clippy::wildcard_enum_match_arm, reason = "rustls may add variants at any time")]
    fn from_certificate(error: &CertificateError) -> Self {
        match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::NotYetValid
            }
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::Foreign,
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                Self::WrongUsage
            }
            CertificateError::Revoked => Self::Revoked,
            CertificateError::UnknownRevocationStatus => Self::RevocationUnknown,
            CertificateError::Other(OtherError(inner)) => {
                inner.downcast_ref().cloned().unwrap_or(Self::Malformed)
            }
            _ => Self::Malformed,
        }
    }

    /// As the error that gives the peer the fitting alert, and gives us the variant back.
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "everything else gives the peer the same alert"
    )]
    pub(crate) fn into_handshake(self) -> rustls::Error {
        rustls::Error::InvalidCertificate(match self {
            Self::Expired => CertificateError::Expired,
            Self::NotYetValid => CertificateError::NotValidYet,
            Self::Foreign => CertificateError::UnknownIssuer,
            Self::WrongUsage => CertificateError::InvalidPurpose,
            Self::Revoked => CertificateError::Revoked,
            Self::RevocationUnknown => CertificateError::UnknownRevocationStatus,
            other => CertificateError::Other(OtherError(Arc::new(other))),
        })
    }
}

/// What the outside is told; the variant stays with us.
impl From<DoorError> for Failure {
    fn from(error: DoorError) -> Self {
        Self::from(error.code())
    }
}
