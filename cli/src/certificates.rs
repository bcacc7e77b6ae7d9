//! The operator's small certificate authority: ECDSA P-256, files on disk, names as SPIFFE IDs.
//!
//! Every certificate it issues names exactly one service or client in its one URI, and is for no
//! more than that name needs (RFC 5280 §4.2.1.12). It relies on rcgen for keys and encoding, and
//! never overwrites a file.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType, string::Ia5String,
};
use time::{Duration, OffsetDateTime};
use tresor_proto::{CertificateName, TrustDomain};
use x509_parser::prelude::GeneralName;
use zeroize::Zeroizing;

use crate::{
    error::CliError,
    private_file::{make_private_directory, write_private, write_public},
};

/// The authority's certificate, in its directory.
pub(crate) const AUTHORITY_CERTIFICATE: &str = "ca.pem";
const AUTHORITY_KEY: &str = "ca.key";
const AUTHORITY_LIFETIME: Duration = Duration::days(10 * 365);
/// Clocks differ; a certificate works at once on one that is behind.
const CLOCK_SKEW: Duration = Duration::minutes(5);

/// A certificate authority in a directory.
pub(crate) struct CertificateAuthority {
    issuer: Issuer<'static, KeyPair>,
    trust_domain: TrustDomain,
}

/// Whom a certificate is for.
pub(crate) struct Subject {
    /// The one name.
    pub(crate) name: CertificateName,
    /// Host names it answers to; services only.
    pub(crate) dns_names: Vec<String>,
    /// Addresses it answers at; services only.
    pub(crate) addresses: Vec<IpAddr>,
}

/// When a certificate works.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Validity {
    /// From here.
    pub(crate) not_before: OffsetDateTime,
    /// To here.
    pub(crate) not_after: OffsetDateTime,
}

/// Where a certificate and its key were written.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct IssuedFiles {
    /// The certificate, PEM.
    pub(crate) certificate: PathBuf,
    /// The private key, PEM, mode 0600.
    pub(crate) key: PathBuf,
}

impl CertificateAuthority {
    /// Makes an authority and writes `ca.pem` and `ca.key` into a directory of its owner's.
    pub(crate) fn create(directory: &Path, trust_domain: TrustDomain) -> Result<Self, CliError> {
        make_private_directory(directory)?;
        let key = new_key()?;
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, "Tresor certificate authority");
        // SPIFFE X.509-SVID §4.1: a signing certificate names its trust domain, without a path.
        params.subject_alt_names = vec![uri(&format!("spiffe://{trust_domain}"))?];
        let validity = Validity::lasting(AUTHORITY_LIFETIME);
        (params.not_before, params.not_after) = (validity.not_before, validity.not_after);
        let certificate = params.self_signed(&key).map_err(unencodable)?;
        write_pair(directory, "ca", &certificate.pem(), &key)?;
        Ok(Self { issuer: Issuer::new(params, key), trust_domain })
    }

    /// Opens the authority in a directory.
    pub(crate) fn open(directory: &Path) -> Result<Self, CliError> {
        let certificate_pem = read(&directory.join(AUTHORITY_CERTIFICATE))?;
        let key_pem = read(&directory.join(AUTHORITY_KEY))?;
        let damaged =
            || CliError::failed(format!("{} holds no usable authority", directory.display()));
        let key = KeyPair::from_pem(&key_pem).map_err(|_| damaged())?;
        let trust_domain = trust_domain_of(&certificate_pem).ok_or_else(damaged)?;
        let issuer = Issuer::from_ca_cert_pem(&certificate_pem, key).map_err(|_| damaged())?;
        Ok(Self { issuer, trust_domain })
    }

    /// The domain its names live in.
    pub(crate) fn trust_domain(&self) -> &TrustDomain {
        &self.trust_domain
    }

    /// Makes a key and a certificate for `subject` and writes `<file name>.pem` and `.key`.
    pub(crate) fn issue(
        &self,
        subject: &Subject,
        validity: Validity,
        directory: &Path,
        file_name: &str,
    ) -> Result<IssuedFiles, CliError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, file_name);
        params.subject_alt_names = self.alternative_names(subject)?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = usages(&subject.name);
        params.use_authority_key_identifier_extension = true;
        (params.not_before, params.not_after) = (validity.not_before, validity.not_after);
        let key = new_key()?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(unencodable)?;
        write_pair(directory, file_name, &certificate.pem(), &key)
    }

    fn alternative_names(&self, subject: &Subject) -> Result<Vec<SanType>, CliError> {
        let mut names = vec![uri(&subject.name.to_uri(&self.trust_domain))?];
        for name in &subject.dns_names {
            let name = Ia5String::try_from(name.as_str());
            names.push(SanType::DnsName(name.map_err(|_| CliError::usage("a DNS name is ASCII"))?));
        }
        names.extend(subject.addresses.iter().copied().map(SanType::IpAddress));
        Ok(names)
    }
}

impl Validity {
    /// From now on, for `lifetime`.
    pub(crate) fn lasting(lifetime: Duration) -> Self {
        let now = OffsetDateTime::now_utc();
        Self { not_before: now - CLOCK_SKEW, not_after: now + lifetime }
    }
}

/// Services answer and call; clients only call.
fn usages(name: &CertificateName) -> Vec<ExtendedKeyUsagePurpose> {
    match name {
        CertificateName::Service(_) => {
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth]
        }
        CertificateName::Client { .. } => vec![ExtendedKeyUsagePurpose::ClientAuth],
    }
}

fn new_key() -> Result<KeyPair, CliError> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)
        .map_err(|_| CliError::failed("no key can be made: the system gives no randomness"))
}

fn uri(text: &str) -> Result<SanType, CliError> {
    Ia5String::try_from(text).map(SanType::URI).map_err(unencodable)
}

#[allow(clippy::needless_pass_by_value, reason = "the shape `map_err` wants")]
fn unencodable(_: rcgen::Error) -> CliError {
    CliError::failed("the certificate cannot be encoded")
}

fn write_pair(
    directory: &Path,
    name: &str,
    certificate_pem: &str,
    key: &KeyPair,
) -> Result<IssuedFiles, CliError> {
    let files = IssuedFiles {
        certificate: directory.join(format!("{name}.pem")),
        key: directory.join(format!("{name}.key")),
    };
    if files.certificate.exists() {
        return Err(CliError::failed(format!("{} exists already", files.certificate.display()))
            .advise("choose another name or directory; nothing is overwritten"));
    }
    write_private(&files.key, Zeroizing::new(key.serialize_pem()).as_bytes())?;
    write_public(&files.certificate, certificate_pem.as_bytes())?;
    Ok(files)
}

fn read(path: &Path) -> Result<Zeroizing<String>, CliError> {
    let text = std::fs::read_to_string(path).map_err(|error| CliError::file("read", path, &error));
    text.map(Zeroizing::new).map_err(|error| error.advise("`tresor ca init` makes an authority"))
}

/// The trust domain an authority's certificate names.
fn trust_domain_of(certificate_pem: &str) -> Option<TrustDomain> {
    TrustDomain::parse(uri_of(certificate_pem)?.strip_prefix("spiffe://")?)
}

/// SHA-256 of a certificate file's first certificate, in hex.
pub(crate) fn digest(certificate: &Path) -> Result<String, CliError> {
    let failed = |error| CliError::file("read", certificate, &error);
    let bytes = std::fs::read(certificate).map_err(failed)?;
    let parsed = x509_parser::pem::parse_x509_pem(&bytes).ok().map(|(_, pem)| pem);
    let is_one = |pem: &x509_parser::pem::Pem| pem.label == "CERTIFICATE";
    let pem = parsed.filter(is_one).ok_or_else(|| {
        CliError::failed(format!("{}: is not a certificate (PEM)", certificate.display()))
    })?;
    Ok(hex::encode(ring::digest::digest(&ring::digest::SHA256, &pem.contents)))
}

/// The tenant a client's certificate names, as far as it can be told without checking it.
pub(crate) fn tenant_of(certificate: &Path) -> Option<String> {
    let uri = uri_of(&std::fs::read_to_string(certificate).ok()?)?;
    let (_, named) = uri.split_once("/tenant/")?;
    Some(named.split('/').next()?.to_owned())
}

fn uri_of(certificate_pem: &str) -> Option<String> {
    let (_, pem) = x509_parser::pem::parse_x509_pem(certificate_pem.as_bytes()).ok()?;
    let certificate = pem.parse_x509().ok()?;
    let names = certificate.subject_alternative_name().ok()??;
    names.value.general_names.iter().find_map(|name| {
        let GeneralName::URI(uri) = name else {
            return None;
        };
        Some((*uri).to_owned())
    })
}

#[cfg(test)]
mod tests;
