//! An authority for one test, and what it issues.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
};

use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType,
};
use tempfile::TempDir;
use tresor_door::TlsFiles;

pub(crate) struct House {
    directory: TempDir,
    issuer: Issuer<'static, KeyPair>,
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

    pub(crate) fn authorities(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    pub(crate) fn issue_service(&self, name: &str) -> TlsFiles {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.issue(name, &format!("spiffe://tresor.local/svc/{name}"), params)
    }

    pub(crate) fn issue_client(&self, name: &str, uri: &str) -> TlsFiles {
        self.issue(name, uri, CertificateParams::default())
    }

    fn issue(&self, name: &str, uri: &str, mut params: CertificateParams) -> TlsFiles {
        params.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth);
        params.subject_alt_names.push(SanType::URI(uri.try_into().unwrap()));
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let path = |extension| self.directory.path().join(format!("{name}.{extension}"));
        let files = TlsFiles {
            certificate_chain: path("pem"),
            private_key: path("key"),
            authorities: self.authorities(),
        };
        fs::write(&files.certificate_chain, certificate.pem()).unwrap();
        fs::write(&files.private_key, key.serialize_pem()).unwrap();
        fs::set_permissions(&files.private_key, Permissions::from_mode(0o600)).unwrap();
        files
    }
}
