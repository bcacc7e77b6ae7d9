use core::time::Duration;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rcgen::ExtendedKeyUsagePurpose;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, SupportedProtocolVersion};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_stream::StreamExt as _;

use super::*;
use crate::TrustFiles;
use crate::testing::{CLIENT, House, SERVICE, Wish, set_mode, trust_domain};
use crate::tls_files::crypto_provider;

mod bounds;
mod life;
mod proxies;

const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(20);

/// A door that greets each connection with its name and a new line, then echoes; asked with `?` it
/// tells the peer's address.
struct Door {
    house: House,
    files: TlsFiles,
    address: SocketAddr,
    reload: TlsReload,
    refusals: Refusals,
    shutdown: Shutdown,
    server: JoinHandle<()>,
}

fn options() -> ListenerOptions {
    ListenerOptions { handshake_timeout: LONG, ..ListenerOptions::new(&["h2", "http/1.1"]) }
}

async fn open(options: ListenerOptions) -> Door {
    let house = House::new();
    let authority = house.authority();
    open_with(house, authority, options).await
}

async fn open_with(house: House, authority: Authority, options: ListenerOptions) -> Door {
    let files = house.issue("edge", &Wish::service());
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let listener = Listener::bind_with(any_port, &files, authority, options).await.unwrap();
    let shutdown = Shutdown::new();
    Door {
        address: listener.local_addr(),
        reload: listener.reload_handle(),
        refusals: listener.refusals(),
        server: tokio::spawn(serve(listener, shutdown.clone())),
        house,
        files,
        shutdown,
    }
}

async fn serve(listener: Listener, shutdown: Shutdown) {
    let mut incoming = listener.into_incoming(shutdown);
    while let Some(connection) = incoming.next().await {
        tokio::spawn(greet(connection.unwrap()));
    }
}

async fn greet(mut connection: Connection) -> io::Result<()> {
    let mut name = connection.peer().name.to_uri(&trust_domain());
    name.push('\n');
    connection.write_all(name.as_bytes()).await?;
    let mut buffer = [0; 64];
    loop {
        let count = connection.read(&mut buffer).await?;
        if count == 0 {
            return connection.shutdown().await;
        }
        if &buffer[..count] == b"?" {
            let address = connection.peer().address;
            connection.write_all(format!("{address}\n").as_bytes()).await?;
            continue;
        }
        connection.write_all(&buffer[..count]).await?;
    }
}

impl Door {
    async fn connect(&self, config: ClientConfig) -> io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(self.address).await?;
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }

    /// What the door greets with. In TLS 1.3 the client learns of a refusal only here.
    async fn greeting(&self, config: ClientConfig) -> io::Result<String> {
        let mut stream = self.connect(config).await?;
        read_greeting(&mut stream).await
    }

    async fn wait_for_refusal(&self, reason: &str) {
        let deadline = Instant::now() + LONG;
        while !self.refusals.counts().contains_key(reason) {
            let counts = self.refusals.counts();
            assert!(Instant::now() < deadline, "{reason}: {counts:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn config(&self, wish: &Wish) -> ClientConfig {
        crate::client_config(&self.house.issue("peer", wish), &["h2"]).unwrap()
    }
}

async fn read_greeting(stream: &mut TlsStream<TcpStream>) -> io::Result<String> {
    let mut name = Vec::new();
    loop {
        match stream.read_u8().await? {
            b'\n' => return Ok(String::from_utf8(name).unwrap()),
            byte => name.push(byte),
        }
    }
}

fn without_certificate(
    files: &TlsFiles,
    version: &'static SupportedProtocolVersion,
) -> ClientConfig {
    ClientConfig::builder_with_provider(crypto_provider())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(files.load_authorities().unwrap())
        .with_no_client_auth()
}

fn with_certificate(files: &TlsFiles, version: &'static SupportedProtocolVersion) -> ClientConfig {
    ClientConfig::builder_with_provider(crypto_provider())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(files.load_authorities().unwrap())
        .with_client_auth_cert(
            files.load_certificate_chain().unwrap(),
            files.load_private_key().unwrap(),
        )
        .unwrap()
}

#[tokio::test]
async fn a_service_and_a_client_come_in_under_their_names() {
    let door = open(options()).await;
    for (wish, name) in [(Wish::service(), SERVICE), (Wish::client(&[CLIENT]), CLIENT)] {
        assert_eq!(door.greeting(door.config(&wish)).await.unwrap(), name);
    }
    assert!(door.refusals.counts().is_empty());
}

#[tokio::test]
async fn a_flawed_certificate_never_comes_in() {
    let door = open(options()).await;
    let client = Wish::client(&[CLIENT]);
    let years = |years| Wish { years, ..client.clone() };
    let for_servers = Wish { usages: vec![ExtendedKeyUsagePurpose::ServerAuth], ..client.clone() };
    for (wish, reason) in [
        (years((2020, 2021)), "certificate_expired"),
        (years((2119, 2120)), "certificate_not_yet_valid"),
        (Wish::client(&[]), "certificate_no_name"),
        (Wish::client(&[CLIENT, SERVICE]), "certificate_several_names"),
        (Wish::client(&["spiffe://other.local/svc/edge"]), "certificate_bad_name"),
        (for_servers, "certificate_wrong_usage"),
    ] {
        assert!(door.greeting(door.config(&wish)).await.is_err(), "{reason}");
        door.wait_for_refusal(reason).await;
    }
    let reasons = door.refusals.counts();
    assert!(reasons.values().all(|&count| count == 1), "{reasons:?}");
    assert_eq!(reasons.len(), 6);
}

#[tokio::test]
async fn a_certificate_of_a_foreign_authority_never_comes_in() {
    let door = open(options()).await;
    let foreign = House::new();
    let files = TlsFiles {
        authorities: door.files.authorities.clone(),
        ..foreign.issue("peer", &Wish::client(&[CLIENT]))
    };
    let config = crate::client_config(&files, &["h2"]).unwrap();
    assert!(door.greeting(config).await.is_err());
    door.wait_for_refusal("certificate_foreign").await;
}

#[tokio::test]
async fn a_peer_without_a_certificate_never_comes_in() {
    let door = open(options()).await;
    let config = without_certificate(&door.files, &TLS13);
    assert!(door.greeting(config).await.is_err());
    door.wait_for_refusal("certificate_absent").await;
}

#[tokio::test]
async fn tls_1_2_is_refused_unless_it_is_allowed() {
    let door = open(options()).await;
    let files = door.house.issue("peer", &Wish::client(&[CLIENT]));
    assert!(door.greeting(with_certificate(&files, &TLS12)).await.is_err());
    door.wait_for_refusal("tls_incompatible").await;

    let door = open(ListenerOptions { is_tls12_allowed: true, ..options() }).await;
    let files = door.house.issue("peer", &Wish::client(&[CLIENT]));
    let named = door.greeting(with_certificate(&files, &TLS12)).await;
    assert_eq!(named.unwrap(), CLIENT);
    // The check of the one name stands in the older protocol too.
    let files = door.house.issue("peer", &Wish::client(&[]));
    assert!(door.greeting(with_certificate(&files, &TLS12)).await.is_err());
    door.wait_for_refusal("certificate_no_name").await;
}

#[tokio::test]
async fn the_application_protocol_is_agreed_on_or_refused() {
    let door = open(options()).await;
    let files = door.house.issue("peer", &Wish::client(&[CLIENT]));
    let config = |alpn: &[&str]| crate::client_config(&files, alpn).unwrap();
    let stream = door.connect(config(&["http/1.1", "h2"])).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    assert!(door.connect(config(&["smtp"])).await.is_err());
    door.wait_for_refusal("tls_no_application_protocol").await;
}
