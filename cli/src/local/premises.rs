//! The directory everything lies in: authority, certificates, passphrase, vault, customers.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::{Path, PathBuf},
};

use time::Duration;
use tresor_door::{TlsFiles, TrustFiles};
use tresor_proto::{CertificateName, ClientName, Password, ServiceName, TenantId, TrustDomain};
use tresor_vault::entropy::{Entropy as _, SystemEntropy};
use zeroize::Zeroizing;

use crate::{
    certificates::{AUTHORITY_CERTIFICATE, Branch, CertificateAuthority, Subject, Validity},
    error::CliError,
    private_file::{make_private_directory, write_private},
};

const TRUST_DOMAIN: &str = "tresor.local";
const LIFETIME: Duration = Duration::days(365);
const SERVICES: [&str; 3] = ["internal-api", "edge", "developer"];
const OPERATOR: &str = "operator";

/// A directory with everything both APIs need.
#[derive(Clone, Debug)]
pub(crate) struct Premises {
    root: PathBuf,
}

impl Premises {
    /// Uses what is in `root`, and makes what is missing.
    pub(crate) fn prepare(root: &Path) -> Result<Self, CliError> {
        let premises = Self { root: root.to_owned() };
        make_private_directory(root)?;
        let ca = premises.authority_dir();
        if !ca.join(AUTHORITY_CERTIFICATE).exists() {
            CertificateAuthority::create(&ca, trust_domain()?)?;
        }
        let is_missing = |name: &str| !ca.join(format!("{name}.pem")).exists();
        for service in SERVICES.into_iter().filter(|name| is_missing(name)) {
            premises.issue_service(service)?;
        }
        if is_missing(OPERATOR) {
            let name = CertificateName::Service(service_name(OPERATOR)?);
            premises.issue(&Subject::caller(name, Branch::Operators), (&ca, OPERATOR))?;
        }
        if !premises.passphrase_file().exists() {
            write_private(&premises.passphrase_file(), random_text()?.as_bytes())?;
        }
        Ok(premises)
    }

    /// The directory itself.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The vault's data directory.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.root.join("vault")
    }

    /// The passphrase of the seal.
    pub(crate) fn passphrase_file(&self) -> PathBuf {
        self.root.join("passphrase")
    }

    /// The authority's certificate.
    pub(crate) fn authority_file(&self) -> PathBuf {
        self.authority_dir().join(AUTHORITY_CERTIFICATE)
    }

    /// The authority of a branch, and what it has revoked.
    pub(crate) fn trust(&self, branch: Branch) -> TrustFiles {
        let file = |name: String| self.authority_dir().join(name);
        TrustFiles {
            revocation_lists: vec![file(branch.revocation_list_file())],
            ..TrustFiles::new(file(branch.certificate_file()))
        }
    }

    /// The certificate of a service.
    pub(crate) fn service(&self, name: &str) -> TlsFiles {
        self.tls_files(&self.authority_dir(), name)
    }

    /// The directory of a customer.
    pub(crate) fn customer_dir(&self, name: &str) -> PathBuf {
        self.root.join("customers").join(name)
    }

    /// The certificate of a customer's client.
    pub(crate) fn client(&self, customer: &str) -> TlsFiles {
        self.tls_files(&self.customer_dir(customer), "client")
    }

    /// Issues the certificate of a customer's client.
    pub(crate) fn issue_client(&self, customer: &str, tenant: TenantId) -> Result<(), CliError> {
        let directory = self.customer_dir(customer);
        make_private_directory(&directory)?;
        let client = ClientName::parse("client");
        let client = client.ok_or_else(|| CliError::failed("that is not a client's name"))?;
        let name = CertificateName::Client { tenant, client };
        self.issue(&Subject::caller(name, Branch::Clients), (&directory, "client"))
    }

    fn issue_service(&self, service: &str) -> Result<(), CliError> {
        let subject = Subject {
            name: CertificateName::Service(service_name(service)?),
            branch: Branch::Services,
            dns_names: vec!["localhost".to_owned()],
            addresses: vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)],
        };
        self.issue(&subject, (&self.authority_dir(), service))
    }

    fn issue(&self, subject: &Subject, files: (&Path, &str)) -> Result<(), CliError> {
        self.authority()?.issue(subject, Validity::lasting(LIFETIME), files, None)?;
        Ok(())
    }

    fn authority(&self) -> Result<CertificateAuthority, CliError> {
        CertificateAuthority::open(&self.authority_dir())
    }

    fn authority_dir(&self) -> PathBuf {
        self.root.join("ca")
    }

    fn tls_files(&self, directory: &Path, name: &str) -> TlsFiles {
        TlsFiles {
            certificate_chain: directory.join(format!("{name}.pem")),
            private_key: directory.join(format!("{name}.key")),
            authorities: self.authority_file(),
        }
    }
}

/// The domain all names of the premises live in.
pub(super) fn trust_domain() -> Result<TrustDomain, CliError> {
    TrustDomain::parse(TRUST_DOMAIN).ok_or_else(|| CliError::failed("that is no trust domain"))
}

fn service_name(text: &str) -> Result<ServiceName, CliError> {
    ServiceName::parse(text).ok_or_else(|| CliError::failed("that is not a service's name"))
}

/// A password nobody guesses.
pub(super) fn random_password() -> Result<Password, CliError> {
    Ok(Password::parse(&random_text()?)?)
}

fn random_text() -> Result<Zeroizing<String>, CliError> {
    let mut bytes = Zeroizing::new([0; 32]);
    let filled = SystemEntropy::default().fill(&mut bytes[..]);
    filled.map_err(|_| CliError::failed("the system gives no randomness"))?;
    Ok(Zeroizing::new(hex::encode(&bytes[..])))
}
