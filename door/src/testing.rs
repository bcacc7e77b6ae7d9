//! Certificates to test with: an authority and what it issues, as files.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PublicKeyData, RevokedCertParams, SanType,
    SerialNumber, date_time_ymd,
};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};
use tresor_proto::TrustDomain;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::{Authority, TlsFiles, TrustFiles};

pub(crate) const SERVICE: &str = "spiffe://tresor.local/svc/edge";
pub(crate) const CLIENT: &str =
    "spiffe://tresor.local/tenant/0192f0c1-2d3e-7f40-8a5b-6c7d8e9fa0b1/client/planner";

/// An authority with a directory of its own.
pub(crate) struct House {
    directory: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

/// What a certificate is to say.
#[derive(Clone)]
pub(crate) struct Wish {
    pub(crate) uris: Vec<&'static str>,
    pub(crate) hosts: Vec<&'static str>,
    pub(crate) usages: Vec<ExtendedKeyUsagePurpose>,
    pub(crate) years: (i32, i32),
}

impl Wish {
    pub(crate) fn client(uris: &[&'static str]) -> Self {
        Self {
            uris: uris.to_vec(),
            hosts: Vec::new(),
            usages: vec![ExtendedKeyUsagePurpose::ClientAuth],
            years: (2020, 2120),
        }
    }

    pub(crate) fn service() -> Self {
        Self {
            hosts: vec!["localhost", "127.0.0.1"],
            usages: vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth],
            ..Self::client(&[SERVICE])
        }
    }

    fn to_params(&self) -> CertificateParams {
        let hosts: Vec<String> = self.hosts.iter().map(|&host| host.to_owned()).collect();
        let mut params = CertificateParams::new(hosts).unwrap();
        for uri in &self.uris {
            let uri = SanType::URI((*uri).try_into().unwrap());
            params.subject_alt_names.push(uri);
        }
        params.extended_key_usages = self.usages.clone();
        params.not_before = date_time_ymd(self.years.0, 1, 1);
        params.not_after = date_time_ymd(self.years.1, 1, 1);
        params
    }
}

impl House {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).unwrap();
        fs::write(directory.path().join("ca.pem"), certificate.pem()).unwrap();
        let issuer = Issuer::new(params, key);
        Self { directory, issuer }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn authority(&self) -> Authority {
        self.authority_with(TrustFiles::new(self.path("ca.pem")))
    }

    pub(crate) fn authority_with(&self, files: TrustFiles) -> Authority {
        Authority::load(files, trust_domain()).unwrap()
    }

    /// Issues a certificate as `<name>.pem` and `<name>.key`; an old one is overwritten.
    pub(crate) fn issue(&self, name: &str, wish: &Wish) -> TlsFiles {
        let key = KeyPair::generate().unwrap();
        let certificate = wish.to_params().signed_by(&key, &self.issuer).unwrap();
        let files = TlsFiles {
            certificate_chain: self.path(&format!("{name}.pem")),
            private_key: self.path(&format!("{name}.key")),
            authorities: self.path("ca.pem"),
        };
        fs::write(&files.certificate_chain, certificate.pem()).unwrap();
        fs::write(&files.private_key, key.serialize_pem()).unwrap();
        set_mode(&files.private_key, 0o600);
        files
    }

    /// Writes the list of the certificates that are revoked, and gives its path.
    pub(crate) fn revoke(&self, revoked: &[&TlsFiles]) -> PathBuf {
        let now = OffsetDateTime::now_utc();
        let revoked = revoked.iter().map(|files| RevokedCertParams {
            serial_number: serial_of(&files.certificate_chain),
            revocation_time: now,
            reason_code: None,
            invalidity_date: None,
        });
        let list = CertificateRevocationListParams {
            this_update: now,
            next_update: now + Duration::days(1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let path = self.path("ca.crl");
        fs::write(&path, list.signed_by(&self.issuer).unwrap().pem().unwrap()).unwrap();
        path
    }

    /// The DER of a certificate as wished.
    pub(crate) fn der(&self, wish: &Wish) -> Vec<u8> {
        let key = KeyPair::generate().unwrap();
        self.der_for(wish, &key)
    }

    /// The same for somebody's key.
    pub(crate) fn der_for(&self, wish: &Wish, key: &impl PublicKeyData) -> Vec<u8> {
        wish.to_params().signed_by(key, &self.issuer).unwrap().der().to_vec()
    }
}

fn serial_of(certificate: &Path) -> SerialNumber {
    let der = der_of(certificate);
    let (_, certificate) = X509Certificate::from_der(&der).unwrap();
    SerialNumber::from_slice(certificate.raw_serial())
}

/// The DER of a file's first certificate.
pub(crate) fn der_of(certificate: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(certificate).unwrap()
}

pub(crate) fn trust_domain() -> TrustDomain {
    TrustDomain::parse("tresor.local").unwrap()
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}
