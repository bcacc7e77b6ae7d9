//! The processes that are measured, and the ways to them.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use tonic::transport::Channel;
use tresor_door::TlsFiles;
use tresor_proto::{
    limits::MESSAGE_BYTES_MAX,
    vault::{RequestContext, record_service_client::RecordServiceClient},
};
use tresor_tests::{Process, Site, Tenant, free_port};

/// What is measured is what the vault can, not what a tenant may.
const UNBOUNDED: [&str; 8] = [
    "--requests-per-second",
    "1000000",
    "--customer-token-requests-per-second",
    "1000000",
    "--reveals-per-day",
    "1000000000000",
    "--searches-per-day",
    "1000000000000",
];

/// A client of the vault or of the echo.
pub(crate) type Client = RecordServiceClient<Channel>;

/// A vault process, an edge process, an echo process and a tenant.
pub(crate) struct Premises {
    pub(crate) site: Site,
    pub(crate) tenant: Tenant,
    echo: Process,
    echo_port: u16,
}

impl Premises {
    /// Starts everything; logs at `info`, one line a call, as in operation.
    pub(crate) fn open(engine: &'static str) -> Self {
        let mut site = Site::start_with_log(engine, "info");
        let tenant = site.tenant("bench");
        site.operator(&[&["tenant", "update", "bench", "--yes"][..], &UNBOUNDED].concat()).ok();
        site.write_configs(&[&tenant.id]);
        assert_eq!(site.vault().stop(), 0, "{}", site.vault().log());
        site.start_vault();
        let echo_port = free_port();
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["echo", "--port", &echo_port.to_string(), "--certificates"]);
        let echo = Process::start(command.arg(site.path("ca")), &site.path("echo.log"));
        Self { site, tenant, echo, echo_port }
    }

    pub(crate) fn vault_process(&mut self) -> u32 {
        self.site.vault().id()
    }

    pub(crate) fn edge_process(&mut self) -> u32 {
        self.site.edge().id()
    }

    pub(crate) fn echo_process(&self) -> u32 {
        self.echo.id()
    }

    /// Clients of the vault, a connection each.
    pub(crate) async fn vault_clients(&self, connections: usize) -> Vec<Client> {
        clients(self.vault_channels(connections).await)
    }

    /// Clients of the echo, a connection each.
    pub(crate) async fn echo_clients(&self, connections: usize) -> Vec<Client> {
        clients(self.echo_channels(connections).await)
    }

    /// Connections to the vault.
    pub(crate) async fn vault_channels(&self, connections: usize) -> Vec<Channel> {
        self.channels(&self.site.data_plane(), connections).await
    }

    /// Connections to the echo.
    pub(crate) async fn echo_channels(&self, connections: usize) -> Vec<Channel> {
        self.channels(&format!("localhost:{}", self.echo_port), connections).await
    }

    async fn channels(&self, server: &str, connections: usize) -> Vec<Channel> {
        let tls = tls_files(&self.site.path("ca"), "billing");
        let mut channels = Vec::new();
        for _ in 0..connections {
            let channel = tresor_door::connect(&format!("https://{server}"), &tls).await;
            channels.push(channel.expect("a channel"));
        }
        channels
    }

    /// Whom calls act for.
    pub(crate) fn context(&self) -> RequestContext {
        RequestContext {
            tenant: self.tenant.id.clone(),
            customer_token: self.tenant.customer_token(),
            request_id: "bench".to_owned(),
            ..Default::default()
        }
    }

    /// The directory of the bare store.
    pub(crate) fn bare_directory(&self) -> PathBuf {
        self.site.path("bare-store")
    }
}

fn clients(channels: Vec<Channel>) -> Vec<Client> {
    let client = |it| Client::new(it).max_decoding_message_size(MESSAGE_BYTES_MAX);
    channels.into_iter().map(client).collect()
}

/// The files of one end of mutual TLS.
pub(crate) fn tls_files(certificates: &Path, name: &str) -> TlsFiles {
    TlsFiles {
        certificate_chain: certificates.join(format!("{name}.pem")),
        private_key: certificates.join(format!("{name}.key")),
        authorities: certificates.join("ca.pem"),
    }
}
