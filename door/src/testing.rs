//! Certificates to test with: an authority and what it issues, as files.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType,
    date_time_ymd,
};
use tempfile::TempDir;
use tresor_proto::TrustDomain;

use crate::{Authority, TlsFiles};

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
        let certificate = params.self_signed(&key).unwrap();
        fs::write(directory.path().join("ca.pem"), certificate.pem()).unwrap();
        let issuer = Issuer::new(params, key);
        Self { directory, issuer }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn authority(&self) -> Authority {
        Authority::load(&self.path("ca.pem"), trust_domain()).unwrap()
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

    /// The DER of a certificate as wished.
    pub(crate) fn der(&self, wish: &Wish) -> Vec<u8> {
        let key = KeyPair::generate().unwrap();
        let certificate = wish.to_params().signed_by(&key, &self.issuer).unwrap();
        certificate.der().to_vec()
    }
}

pub(crate) fn trust_domain() -> TrustDomain {
    TrustDomain::parse("tresor.local").unwrap()
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}
