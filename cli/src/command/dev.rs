//! `tresor dev`: keeps both APIs up over one directory and prints commands that work.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use clap::Args;
use serde_json::json;
use tresor_door::{Shutdown, logs};
use tresor_proto::{CollectionName, Policy, TenantId};
use zeroize::Zeroizing;

use crate::{
    demo::SAMPLE,
    error::{CliError, Exit},
    local::{Addresses, Customer, LocalSystem, Premises, USER},
    output::{Output, Tone},
    private_file::write_private,
    session::Session,
    user::User,
};

const CUSTOMER: &str = "demo";
const COLLECTION: &str = "records";

/// Keeps both APIs up on this machine.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tresor dev
  tresor dev --data-dir /tmp/tresor --external-port 0

The first start makes a certificate authority, the tenant `demo` with its user and customer token,
and the collection `records`; later starts use them again. For trying things out, nothing else: the
operator's and the customer's secrets lie in one directory.")]
pub(crate) struct DevCommand {
    /// Directory everything is kept in
    #[arg(long, value_name = "DIR", default_value = ".tresor")]
    data_dir: PathBuf,
    /// Port of the external API; 0 for any
    #[arg(long, value_name = "PORT", default_value = "8443")]
    external_port: u16,
    /// Port of the vault's data plane; 0 for any
    #[arg(long, value_name = "PORT", default_value = "8450")]
    data_port: u16,
    /// Port of the vault's control plane; 0 for any
    #[arg(long, value_name = "PORT", default_value = "8451")]
    control_port: u16,
}

impl DevCommand {
    /// Runs it.
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        logs::install(&logs::LogSettings::default());
        let interrupted = Shutdown::on_signals();
        let interrupted = interrupted.map_err(|error| CliError::failed(error.to_string()))?;
        let premises = Premises::prepare(&self.data_dir)?;
        let tenant = match read_tenant(&premises)? {
            Some(tenant) => tenant,
            None => set_up(&premises).await?,
        };
        let data_dir = premises.data_dir();
        let addresses = self.addresses();
        let system = LocalSystem::start(&premises, &data_dir, addresses, Some(tenant)).await?;
        let guide = Guide { premises: &premises, tenant, addresses: system.addresses() };
        guide.write_profile()?;
        session.output.give(&guide.to_json(), |output| guide.show(output))?;
        interrupted.wait().await;
        session.output.note("stopping …");
        system.stop().await?;
        Ok(Exit::Done)
    }

    fn addresses(&self) -> Addresses {
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Addresses {
            external: local(self.external_port),
            data_plane: local(self.data_port),
            control_plane: local(self.control_port),
        }
    }
}

/// The tenant of an earlier start.
fn read_tenant(premises: &Premises) -> Result<Option<TenantId>, CliError> {
    let path = tenant_file(premises);
    match std::fs::read_to_string(&path) {
        Ok(text) => TenantId::parse(text.trim())
            .map(Some)
            .ok_or_else(|| CliError::failed(format!("{} names no tenant", path.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(CliError::file("read", &path, &error)),
    }
}

/// Registers and enrols the tenant. The vault is told of its developer with the next start.
async fn set_up(premises: &Premises) -> Result<TenantId, CliError> {
    let system = LocalSystem::start(premises, &premises.data_dir(), Addresses::any(), None).await?;
    let customer = Customer::register(&system, premises, CUSTOMER).await?;
    let collection = CollectionName::parse(COLLECTION)?;
    customer.put_collection(&system, premises, &collection, &Policy::default()).await?;
    write_private(&customer.directory.join("customer.header"), headers(&customer).as_bytes())?;
    write_private(&premises.root().join("sample.csv"), SAMPLE.as_bytes())?;
    write_private(&tenant_file(premises), customer.tenant.to_string().as_bytes())?;
    system.stop().await?;
    Ok(customer.tenant)
}

/// What a customer shows, as curl reads it: from a file, so that it is in no process's arguments.
fn headers(customer: &Customer) -> Zeroizing<String> {
    let customer_token = customer.customer_token.expose_text();
    let User { name, password } = customer.user.as_ref();
    let user = Zeroizing::new(format!("{}:{}", name.as_str(), password.expose_secret()));
    let user = Zeroizing::new(BASE64.encode(user.as_bytes()));
    Zeroizing::new(format!(
        "Tresor-Customer-Token: {}\nAuthorization: Basic {}\n",
        customer_token.as_str(),
        user.as_str()
    ))
}

fn tenant_file(premises: &Premises) -> PathBuf {
    premises.customer_dir(CUSTOMER).join("tenant")
}

/// What a developer needs to know.
struct Guide<'a> {
    premises: &'a Premises,
    tenant: TenantId,
    addresses: Addresses,
}

impl Guide<'_> {
    fn show(&self, output: &Output) -> Result<(), CliError> {
        output.line(output.paint(Tone::Heading, "External API, with curl"))?;
        for command in self.curl() {
            output.line(format!("  {command}"))?;
        }
        output.line("")?;
        output.line(output.paint(Tone::Heading, "Internal API, with grpcurl"))?;
        for command in self.grpcurl() {
            output.line(format!("  {command}"))?;
        }
        output.line("")?;
        output.line(output.paint(Tone::Heading, "Command line"))?;
        let profile = self.profile_file();
        output.line(format!("  export TRESOR_PROFILE={}", quoted(&profile)))?;
        output.line("  tresor tenant list")?;
        output.line(format!("  tresor list --collection {COLLECTION}"))?;
        output.line("")?;
        output.line("Ctrl-C stops both.")
    }

    fn curl(&self) -> [String; 4] {
        let tls = self.premises.client(CUSTOMER);
        let header = self.premises.customer_dir(CUSTOMER).join("customer.header");
        let curl = format!(
            "curl --cacert {} --cert {} --key {} -H @{}",
            quoted(&tls.authorities),
            quoted(&tls.certificate_chain),
            quoted(&tls.private_key),
            quoted(&header)
        );
        let port = self.addresses.external.port();
        let records = format!("https://localhost:{port}/v1/collections/{COLLECTION}/records");
        let sample = self.premises.root().join("sample.csv");
        [
            format!(
                "{curl} -H 'Content-Type: text/csv' --data-binary @{} '{records}?id_field=auftrag'",
                quoted(&sample)
            ),
            format!("{curl} '{records}/A-10000001?reveal=plain'"),
            format!("{curl} '{records}?page_size=10'"),
            format!("{curl} -X DELETE '{records}/A-10000001'"),
        ]
    }

    fn grpcurl(&self) -> [String; 2] {
        let tls = self.premises.service("developer");
        let grpcurl = format!(
            "grpcurl -cacert {} -cert {} -key {}",
            quoted(&tls.authorities),
            quoted(&tls.certificate_chain),
            quoted(&tls.private_key)
        );
        let address = format!("localhost:{}", self.addresses.data_plane.port());
        let customer_token = self.premises.customer_dir(CUSTOMER).join("customer.token");
        let body = format!(
            "{{\"context\":{{\"tenant\":\"{}\",\"customer_token\":\"%s\"}},\
             \"collection\":\"{COLLECTION}\",\"ids\":[\"A-10000002\"]}}",
            self.tenant
        );
        [
            format!("{grpcurl} {address} list"),
            // `printf` is the shell's own: what it is given is in no process's arguments.
            format!(
                "printf '{body}' \"$(cat {})\" | {grpcurl} -d @ {address} \
                 tresor.vault.v1.RecordService/Get",
                quoted(&customer_token)
            ),
        ]
    }

    fn to_json(&self) -> serde_json::Value {
        let url = |address: SocketAddr| format!("https://localhost:{}", address.port());
        json!({
            "external_api": url(self.addresses.external),
            "data_plane": url(self.addresses.data_plane),
            "control_plane": url(self.addresses.control_plane),
            "tenant_id": self.tenant.to_string(),
            "collection": COLLECTION,
            "profile": self.profile_file(),
            "commands": { "curl": self.curl(), "grpcurl": self.grpcurl() },
        })
    }

    /// Replaces the profile of an earlier start, whose ports may have been others.
    fn write_profile(&self) -> Result<(), CliError> {
        let port = |address: SocketAddr| address.port();
        let text = format!(
            "[operator]\nserver = \"https://localhost:{}\"\nca = \"ca/ca.pem\"\n\
             cert = \"ca/operator.pem\"\nkey = \"ca/operator.key\"\n\n\
             [customer]\nserver = \"https://localhost:{}\"\nca = \"ca/ca.pem\"\n\
             cert = \"customers/{CUSTOMER}/client.pem\"\nkey = \"customers/{CUSTOMER}/client.key\"\n\
             customer_token_file = \"customers/{CUSTOMER}/customer.token\"\n{}",
            port(self.addresses.control_plane),
            port(self.addresses.external),
            self.user_of_profile()
        );
        let path = self.profile_file();
        std::fs::write(&path, text).map_err(|error| CliError::file("write", &path, &error))
    }

    /// The customer's user; a tenant of an earlier version has none, and needs none.
    fn user_of_profile(&self) -> String {
        if !self.premises.customer_dir(CUSTOMER).join("password").exists() {
            return String::new();
        }
        format!("user = \"{USER}\"\npassword_file = \"customers/{CUSTOMER}/password\"\n")
    }

    fn profile_file(&self) -> PathBuf {
        self.premises.root().join(crate::profile::FILE_NAME)
    }
}

/// A path as one word of a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_one_word_of_a_shell() {
        assert_eq!(quoted(Path::new(".tresor/ca.pem")), ".tresor/ca.pem");
        assert_eq!(quoted(Path::new("my dir/it's")), "'my dir/it'\\''s'");
    }
}
