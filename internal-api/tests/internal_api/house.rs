//! An operator's house: an authority, its certificates, and a vault process in a directory.

use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};
use tempfile::TempDir;
use tonic::transport::Channel;
use tresor_door::{Shutdown, TlsFiles, TrustFiles, logs::LogSettings};
use tresor_internal_api::{
    Config, GrantedMethods, InternalApi, KeySettings, Limits, SealConfig, ServiceGrant,
    ServiceRights, ServiceRole, StoreEngine, Trust, start,
};
use tresor_proto::{ServiceName, TenantId, TrustDomain, vault::ClientEvidence};

/// Where all clients of the tests come from.
pub(crate) const CLIENT_ADDRESS: &str = "192.0.2.7";

pub(crate) struct House {
    directory: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

/// A vault process, serving in this one.
pub(crate) struct Running {
    doors: Doors,
    pub(crate) shutdown: Shutdown,
    pub(crate) api: InternalApi,
}

/// Where a vault process listens, and the certificates to call it with.
pub(crate) struct Doors {
    pub(crate) house: House,
    pub(crate) data: SocketAddr,
    pub(crate) control: SocketAddr,
}

impl House {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let certificate = params.self_signed(&key).unwrap();
        fs::write(directory.path().join("ca.pem"), certificate.pem()).unwrap();
        write_private(&directory.path().join("passphrase"), "correct horse battery staple\n");
        let issuer = Issuer::new(params, key);
        Self { directory, issuer }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn config(&self, services: Vec<ServiceGrant>) -> Config {
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        Config {
            data_dir: self.path("data"),
            engine: StoreEngine::Sled,
            seals: vec![SealConfig::passphrase(self.path("passphrase"))],
            listen: any_port,
            control_listen: any_port,
            health_listen: Some(any_port),
            tls: self.tls("svc/internal-api"),
            trust: Trust::all(&TrustFiles::new(self.path("ca.pem"))),
            trust_domain: TrustDomain::parse("tresor.local").unwrap(),
            services,
            log: LogSettings::default(),
            limits: Limits::default(),
            keys: KeySettings::default(),
            shutdown_grace: Duration::from_secs(5),
        }
    }

    /// Issues a certificate that names `path`, for a server on this machine or a client.
    pub(crate) fn tls(&self, path: &str) -> TlsFiles {
        let file = path.replace('/', "-");
        let key = KeyPair::generate().unwrap();
        let hosts = ["localhost", "127.0.0.1"].map(str::to_owned).to_vec();
        let params = params(path, hosts, (2020, 2120));
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let files = TlsFiles {
            certificate_chain: self.path(&format!("{file}.pem")),
            private_key: self.path(&format!("{file}.key")),
            authorities: self.path("ca.pem"),
        };
        fs::write(&files.certificate_chain, certificate.pem()).unwrap();
        write_private(&files.private_key, &key.serialize_pem());
        files
    }

    /// What an edge forwards of a client of `tenant`.
    pub(crate) fn evidence(&self, tenant: &str) -> ClientEvidence {
        self.evidence_of(&client_path(tenant), (2020, 2120))
    }

    pub(crate) fn evidence_of(&self, path: &str, years: (i32, i32)) -> ClientEvidence {
        let key = KeyPair::generate().unwrap();
        let params = params(path, Vec::new(), years);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        ClientEvidence {
            leaf_der: certificate.der().to_vec(),
            chain_der: Vec::new(),
            source_address: CLIENT_ADDRESS.to_owned(),
            session: String::new(),
        }
    }

    /// Starts the process with an edge and an operator.
    pub(crate) async fn start(self) -> Running {
        let services =
            vec![grant("edge", ServiceRole::Edge), grant("operator", ServiceRole::Operator)];
        let config = self.config(services);
        self.start_with(config).await
    }

    pub(crate) async fn start_with(self, config: Config) -> Running {
        let shutdown = Shutdown::new();
        let api = start(config, shutdown.clone()).await.unwrap();
        let (data, control) = (api.data_address(), api.control_address());
        Running { doors: Doors { house: self, data, control }, shutdown, api }
    }
}

impl Doors {
    /// A connection to the data plane with the certificate that names `path`.
    pub(crate) async fn data(&self, path: &str) -> Channel {
        self.channel(self.data, path).await
    }

    /// A connection to the control plane.
    pub(crate) async fn control(&self, path: &str) -> Channel {
        self.channel(self.control, path).await
    }

    async fn channel(&self, address: SocketAddr, path: &str) -> Channel {
        let endpoint = format!("https://{address}");
        tresor_door::connect(&endpoint, &self.house.tls(path)).await.unwrap()
    }
}

impl Running {
    pub(crate) async fn new() -> Self {
        House::new().start().await
    }

    /// Shuts down and waits for the end; the house stays.
    pub(crate) async fn stop(self) -> House {
        self.shutdown.trigger();
        self.api.wait().await.unwrap();
        self.doors.house
    }
}

impl core::ops::Deref for Running {
    type Target = Doors;

    fn deref(&self) -> &Doors {
        &self.doors
    }
}

pub(crate) fn client_path(tenant: &str) -> String {
    format!("tenant/{tenant}/client/planner")
}

pub(crate) fn grant(name: &str, role: ServiceRole) -> ServiceGrant {
    let name = ServiceName::parse(name).unwrap();
    ServiceGrant { name, role }
}

pub(crate) fn service_for(name: &str, tenant: &str) -> ServiceGrant {
    let tenants = vec![TenantId::parse(tenant).unwrap()];
    grant(name, ServiceRole::Service(ServiceRights { tenants, methods: GrantedMethods::all() }))
}

fn params(path: &str, hosts: Vec<String>, years: (i32, i32)) -> CertificateParams {
    let mut params = CertificateParams::new(hosts).unwrap();
    let uri = format!("spiffe://tresor.local/{path}");
    params.subject_alt_names.push(SanType::URI(uri.try_into().unwrap()));
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.not_before = date_time_ymd(years.0, 1, 1);
    params.not_after = date_time_ymd(years.1, 1, 1);
    params
}

fn write_private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}
