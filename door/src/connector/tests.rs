use std::net::{Ipv4Addr, SocketAddr};

use tokio::task::JoinHandle;
use tonic::service::interceptor::InterceptedService;
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tresor_proto::CertificateName;

use super::*;
use crate::testing::{CLIENT, House, Wish};
use crate::{Listener, OpenConnections, Peer, Shutdown};

/// A gRPC server behind the door, for services only.
struct Vault {
    address: SocketAddr,
    shutdown: Shutdown,
    task: JoinHandle<()>,
}

impl Vault {
    async fn open(house: &House, address: SocketAddr) -> Self {
        let files = house.issue("vault", &Wish::service());
        let listener = Listener::bind(address, &files, house.authority(), &["h2"]).await.unwrap();
        let shutdown = Shutdown::new();
        Self {
            address: listener.local_addr(),
            task: tokio::spawn(serve(listener, shutdown.clone())),
            shutdown,
        }
    }

    async fn close(self) {
        self.shutdown.trigger();
        self.task.await.unwrap();
    }
}

async fn serve(listener: Listener, shutdown: Shutdown) {
    let (_, health) = tonic_health::server::health_reporter();
    let incoming = listener.into_incoming(shutdown.clone());
    tonic::transport::Server::builder()
        .add_service(InterceptedService::new(health, admit_services))
        .serve_with_incoming_shutdown(incoming, shutdown.wait())
        .await
        .unwrap();
}

#[allow(clippy::result_large_err, reason = "the signature is tonic's")]
fn admit_services(request: Request<()>) -> Result<Request<()>, Status> {
    match request.extensions().get::<Arc<Peer>>() {
        None => Err(Status::internal("no peer")),
        Some(peer) if matches!(peer.name, CertificateName::Service(_)) => Ok(request),
        Some(_) => Err(Status::permission_denied("not a service")),
    }
}

async fn check(channel: &Channel) -> Result<(), Code> {
    let answer = HealthClient::new(channel.clone()).check(HealthCheckRequest::default()).await;
    answer.map(drop).map_err(|status| status.code())
}

fn any_port() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

#[tokio::test]
async fn a_service_calls_the_vault_by_name_and_by_address() {
    let house = House::new();
    let vault = Vault::open(&house, any_port()).await;
    let files = house.issue("edge", &Wish::service());
    for host in ["localhost", "127.0.0.1"] {
        let endpoint = format!("https://{host}:{}", vault.address.port());
        let channel = connect(&endpoint, &files).await.unwrap();
        assert_eq!(check(&channel).await, Ok(()), "{host}");
    }
}

#[tokio::test]
async fn the_server_learns_who_calls() {
    let house = House::new();
    let vault = Vault::open(&house, any_port()).await;
    let files = house.issue("planner", &Wish::client(&[CLIENT]));
    let endpoint = format!("https://{}", vault.address);
    let channel = connect(&endpoint, &files).await.unwrap();
    assert_eq!(check(&channel).await, Err(Code::PermissionDenied));
}

#[tokio::test]
async fn a_channel_connects_again_after_the_server_came_back() {
    let house = House::new();
    let files = house.issue("edge", &Wish::service());
    let vault = Vault::open(&house, any_port()).await;
    let address = vault.address;
    let channel = connect(&format!("https://{address}"), &files).await.unwrap();
    assert_eq!(check(&channel).await, Ok(()));
    vault.close().await;
    assert_eq!(check(&channel).await, Err(Code::Unavailable));
    let _vault = Vault::open(&house, address).await;
    let comes_back = async {
        while check(&channel).await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(CONNECT_TIMEOUT, comes_back).await.unwrap();
}

/// A gRPC server, and its connections.
async fn open(house: &House) -> (SocketAddr, OpenConnections) {
    let files = house.issue("vault", &Wish::service());
    let listener = Listener::bind(any_port(), &files, house.authority(), &["h2"]).await.unwrap();
    let (address, connections) = (listener.local_addr(), listener.open_connections());
    tokio::spawn(serve(listener, Shutdown::new()));
    (address, connections)
}

/// Waits until there are so many connections.
async fn until(count: usize, connections: &OpenConnections) {
    let are_there = async {
        while connections.count() != count {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(CONNECT_TIMEOUT, are_there).await.unwrap();
}

#[tokio::test]
async fn a_renewing_channel_leaves_its_connection_and_ends_no_call_that_is_under_way() {
    let house = House::new();
    let (address, connections) = open(&house).await;
    let files = house.issue("edge", &Wish::service());
    let route = Route::new(&format!("https://{address}"), &files).unwrap();
    let channel = RenewingChannel::lasting(route, Duration::from_millis(50));
    let mut health = HealthClient::new(channel);
    let request = HealthCheckRequest::default();
    let mut watching = health.watch(request.clone()).await.unwrap().into_inner();
    assert!(watching.message().await.unwrap().is_some());
    assert_eq!(connections.count(), 1);
    tokio::time::sleep(Duration::from_millis(100)).await;
    health.check(request).await.unwrap();
    assert_eq!(connections.count(), 2, "a call under way keeps its connection");
    until(1, &connections).await;
    let more = tokio::time::timeout(Duration::from_millis(50), watching.message()).await;
    assert!(more.is_err(), "it is under way still: {more:?}");
    drop(watching);
    until(0, &connections).await;
}

#[tokio::test]
async fn connections_that_are_cut_are_gone_and_the_next_call_makes_another() {
    let house = House::new();
    let (address, connections) = open(&house).await;
    let files = house.issue("edge", &Wish::service());
    let channel = connect(&format!("https://{address}"), &files).await.unwrap();
    assert_eq!(check(&channel).await, Ok(()));
    assert_eq!(connections.count(), 1);
    connections.cut_all().await;
    assert_eq!(connections.count(), 0);
    let comes_back = async { while check(&channel).await.is_err() {} };
    tokio::time::timeout(CONNECT_TIMEOUT, comes_back).await.unwrap();
}

#[tokio::test]
async fn a_server_of_a_foreign_authority_is_not_talked_to() {
    let vault_house = House::new();
    let vault = Vault::open(&vault_house, any_port()).await;
    let house = House::new();
    let files = house.issue("edge", &Wish::service());
    let channel = connect(&format!("https://{}", vault.address), &files).await.unwrap();
    assert_eq!(check(&channel).await, Err(Code::Unavailable));
}

#[tokio::test]
async fn a_server_under_another_name_is_not_talked_to() {
    let house = House::new();
    let elsewhere = Wish { hosts: vec!["elsewhere.example"], ..Wish::service() };
    let files = house.issue("elsewhere", &elsewhere);
    let listener = Listener::bind(any_port(), &files, house.authority(), &["h2"]).await.unwrap();
    let endpoint = format!("https://{}", listener.local_addr());
    let shutdown = Shutdown::new();
    tokio::spawn(serve(listener, shutdown));
    let channel = connect(&endpoint, &files).await.unwrap();
    assert_eq!(check(&channel).await, Err(Code::Unavailable));
}

#[test]
fn an_endpoint_is_https_host_and_port() {
    for (endpoint, host) in [
        ("https://vault.internal:7001", "vault.internal"),
        ("https://127.0.0.1:7001/", "127.0.0.1"),
        ("https://[::1]:7001", "::1"),
    ] {
        let server = Server::parse(endpoint).ok().unwrap();
        assert_eq!((server.host.as_str(), server.port), (host, 7001));
    }
}

#[test]
fn any_other_endpoint_is_refused() {
    for endpoint in [
        "http://vault.internal:7001",
        "https://vault.internal",
        "https://vault.internal:7001/path",
        "vault.internal:7001",
        "",
    ] {
        let refusal = Server::parse(endpoint).err();
        assert_eq!(refusal, Some(DoorError::BadEndpoint), "{endpoint}");
    }
}
