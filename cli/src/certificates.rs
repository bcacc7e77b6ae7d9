//! The operator's small certificate authority: an offline root, a branch for each kind of peer, ECDSA
//! P-256, files on disk, names as SPIFFE IDs.
//!
//! Every certificate it issues names exactly one service or client in its one URI, and is for no
//! more than that name needs. It relies on rcgen for keys and encoding, and
//! never overwrites a key.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, SanType, string::Ia5String,
};
use ring::digest::{SHA256, digest as sha256};
use time::{Duration, OffsetDateTime};
use tresor_proto::{CertificateName, TrustDomain};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};
use zeroize::Zeroizing;

use crate::{
    error::CliError,
    private_file::{make_private_directory, write_private, write_public},
};

mod branch;
mod ledger;
mod pkcs12;
mod revocation;

pub(crate) use branch::Branch;
pub(crate) use ledger::{Issued, Ledger, Standing};
pub(crate) use revocation::NEXT_UPDATE_DAYS;

/// The root's certificate, in the authority's directory: what everybody verifies servers with.
pub(crate) const AUTHORITY_CERTIFICATE: &str = "ca.pem";
/// The root's key, which only `init` needs.
pub(crate) const ROOT_KEY: &str = "ca.key";
const AUTHORITY_LIFETIME: Duration = Duration::days(10 * 365);
/// Clocks differ; a certificate works at once on one that is behind.
const CLOCK_SKEW: Duration = Duration::minutes(5);
/// Names of the authority's own files.
pub(crate) const RESERVED_NAMES: [&str; 4] = ["ca", "clients", "services", "operators"];

/// A certificate authority in a directory.
pub(crate) struct CertificateAuthority {
    directory: PathBuf,
    trust_domain: TrustDomain,
}

/// Whom a certificate is for.
pub(crate) struct Subject {
    /// The one name.
    pub(crate) name: CertificateName,
    /// Who issues it.
    pub(crate) branch: Branch,
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
    /// Both with the chain, PKCS#12, mode 0600.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pkcs12: Option<PathBuf>,
}

/// A certificate being issued: made, but not yet written anywhere.
struct Made {
    key: KeyPair,
    leaf_der: Vec<u8>,
    leaf_pem: String,
}

impl Subject {
    /// Somebody who only calls.
    pub(crate) fn caller(name: CertificateName, branch: Branch) -> Self {
        Self { name, branch, dns_names: Vec::new(), addresses: Vec::new() }
    }
}

impl CertificateAuthority {
    /// Makes the root and the branches, with an empty revocation list each, in a directory of
    /// their owner's.
    pub(crate) fn create(directory: &Path, trust_domain: TrustDomain) -> Result<Self, CliError> {
        make_private_directory(directory)?;
        let authority = Self { directory: directory.to_owned(), trust_domain };
        let root_key = new_key()?;
        let params = authority.signing_params("Tresor root authority", 1)?;
        let root = params.self_signed(&root_key).map_err(unencodable)?;
        write_pair(directory, "ca", &root.pem(), &root_key)?;
        Ledger::create(directory)?;
        let root = Issuer::new(params, root_key);
        for branch in Branch::ALL {
            authority.create_branch(branch, &root)?;
        }
        Ok(authority)
    }

    fn create_branch(&self, branch: Branch, root: &Issuer<'_, KeyPair>) -> Result<(), CliError> {
        let mut params = self.signing_params(&format!("Tresor {}", branch.name()), 0)?;
        params.extended_key_usages = branch.usages();
        params.use_authority_key_identifier_extension = true;
        let key = new_key()?;
        let certificate = params.signed_by(&key, root).map_err(unencodable)?;
        write_pair(&self.directory, branch.name(), &certificate.pem(), &key)?;
        self.write_revocation_list(&self.ledger()?, branch, NEXT_UPDATE_DAYS)
    }

    fn signing_params(&self, name: &str, depth: u8) -> Result<CertificateParams, CliError> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(depth));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        // SPIFFE X.509-SVID §4.1: a signing certificate names its trust domain, without a path.
        params.subject_alt_names = vec![uri(&format!("spiffe://{}", self.trust_domain))?];
        let validity = Validity::lasting(AUTHORITY_LIFETIME);
        (params.not_before, params.not_after) = (validity.not_before, validity.not_after);
        Ok(params)
    }

    /// Opens the authority in a directory. The root's key may be elsewhere.
    pub(crate) fn open(directory: &Path) -> Result<Self, CliError> {
        let certificate_pem = read(&directory.join(AUTHORITY_CERTIFICATE))?;
        let trust_domain = trust_domain_of(&certificate_pem);
        let trust_domain = trust_domain.ok_or_else(|| unusable(directory))?;
        Ok(Self { directory: directory.to_owned(), trust_domain })
    }

    /// The domain its names live in.
    pub(crate) fn trust_domain(&self) -> &TrustDomain {
        &self.trust_domain
    }

    /// What it has issued; nobody else changes that until it is dropped.
    pub(crate) fn ledger(&self) -> Result<Ledger, CliError> {
        Ledger::open(&self.directory)
    }

    fn issuer(&self, branch: Branch) -> Result<Issuer<'static, KeyPair>, CliError> {
        let key_pem = read(&self.directory.join(format!("{}.key", branch.name())))?;
        let certificate_pem = self.branch_pem(branch)?;
        let unusable = |_| unusable(&self.directory);
        let key = KeyPair::from_pem(&key_pem).map_err(unusable)?;
        Issuer::from_ca_cert_pem(&certificate_pem, key).map_err(unusable)
    }

    fn branch_pem(&self, branch: Branch) -> Result<Zeroizing<String>, CliError> {
        read(&self.directory.join(branch.certificate_file()))
    }

    /// Makes a key and a certificate for `subject` and writes `<file name>.pem`, with the branch's
    /// certificate behind it, and `.key`; with a password `.p12` too.
    pub(crate) fn issue(
        &self,
        subject: &Subject,
        validity: Validity,
        (directory, file_name): (&Path, &str),
        password: Option<&str>,
    ) -> Result<IssuedFiles, CliError> {
        let branch_pem = self.branch_pem(subject.branch)?;
        let made = self.make(subject, validity, file_name)?;
        let issued = self.entry(subject, validity, file_name, &made.leaf_der)?;
        refuse_to_overwrite(directory, file_name)?;
        // In the list before it is anywhere else: nothing is out that cannot be revoked.
        self.ledger()?.add(issued)?;
        let chain_pem = [made.leaf_pem.as_str(), branch_pem.as_str()].concat();
        let mut files = write_pair(directory, file_name, &chain_pem, &made.key)?;
        if let Some(password) = password {
            let path = directory.join(format!("{file_name}.p12"));
            let chain = [made.leaf_der, first_der(&branch_pem)?, first_der(&self.root_pem()?)?];
            let key_der = Zeroizing::new(made.key.serialize_der());
            write_private(&path, &pkcs12::encode(file_name, &key_der, &chain, password)?)?;
            files.pkcs12 = Some(path);
        }
        Ok(files)
    }

    fn root_pem(&self) -> Result<Zeroizing<String>, CliError> {
        read(&self.directory.join(AUTHORITY_CERTIFICATE))
    }

    fn make(
        &self,
        subject: &Subject,
        validity: Validity,
        file_name: &str,
    ) -> Result<Made, CliError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, file_name);
        params.subject_alt_names = self.alternative_names(subject)?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = subject.branch.usages();
        params.use_authority_key_identifier_extension = true;
        (params.not_before, params.not_after) = (validity.not_before, validity.not_after);
        let key = new_key()?;
        let leaf = params.signed_by(&key, &self.issuer(subject.branch)?).map_err(unencodable)?;
        Ok(Made { key, leaf_der: leaf.der().to_vec(), leaf_pem: leaf.pem() })
    }

    fn entry(
        &self,
        subject: &Subject,
        validity: Validity,
        file_name: &str,
        leaf_der: &[u8],
    ) -> Result<Issued, CliError> {
        let (_, leaf) = X509Certificate::from_der(leaf_der)
            .map_err(|_| CliError::failed("the certificate cannot be encoded"))?;
        Ok(Issued {
            serial: hex::encode(leaf.raw_serial()),
            name: subject.name.to_uri(&self.trust_domain),
            file: file_name.to_owned(),
            branch: subject.branch,
            dns_names: subject.dns_names.clone(),
            addresses: subject.addresses.clone(),
            certificate_digest: hex::encode(sha256(&SHA256, leaf_der)),
            not_before: validity.not_before,
            not_after: validity.not_after,
            revoked: None,
        })
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
    refuse_to_overwrite(directory, name)?;
    let files = IssuedFiles {
        certificate: directory.join(format!("{name}.pem")),
        key: directory.join(format!("{name}.key")),
        pkcs12: None,
    };
    write_private(&files.key, Zeroizing::new(key.serialize_pem()).as_bytes())?;
    write_public(&files.certificate, certificate_pem.as_bytes())?;
    Ok(files)
}

fn refuse_to_overwrite(directory: &Path, name: &str) -> Result<(), CliError> {
    let taken = ["pem", "key", "p12"].map(|kind| directory.join(format!("{name}.{kind}")));
    match taken.iter().find(|path| path.exists()) {
        None => Ok(()),
        Some(path) => Err(CliError::failed(format!("{} exists already", path.display()))
            .advise("choose another name or directory; nothing is overwritten")),
    }
}

fn unusable(directory: &Path) -> CliError {
    CliError::failed(format!("{} holds no usable authority", directory.display()))
        .advise("`tresor ca init` makes one, with a root and three branches, in a new directory")
}

fn first_der(pem: &str) -> Result<Vec<u8>, CliError> {
    let parsed = x509_parser::pem::parse_x509_pem(pem.as_bytes());
    parsed.map(|(_, pem)| pem.contents).map_err(|_| CliError::failed("that is no certificate"))
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
    Ok(hex::encode(sha256(&SHA256, &pem.contents)))
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
