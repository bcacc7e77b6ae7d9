//! Start, health, reflection, overload, shutdown.

use futures::stream;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::mpsc,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};
use tresor_door::Shutdown;
use tresor_internal_api::{ServiceRole, StartError, start};
use tresor_proto::{Failure, vault::IngestRequest};

use crate::{
    house::{House, Running, grant},
    tenant::{Tenant, get_request, put_request, record, records},
};

/// Asks the plain listener for probes over HTTP/1.1.
pub(crate) async fn probe(running: &Running, path: &str) -> String {
    let address = running.api.health_address().unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.lines().next().unwrap().to_owned()
}

#[tokio::test]
async fn health_is_answered_on_both_planes_and_to_probes() {
    let running = Running::new().await;
    for channel in [running.data("svc/edge").await, running.control("svc/operator").await] {
        let mut health = HealthClient::new(channel);
        for service in ["", "tresor.vault.v1.RecordService"] {
            let request = HealthCheckRequest { service: service.to_owned() };
            let answer = health.check(request).await.unwrap().into_inner();
            assert_eq!(answer.status(), ServingStatus::Serving);
        }
    }
    assert_eq!(probe(&running, "/healthz").await, "HTTP/1.1 200 OK");
    assert_eq!(probe(&running, "/readyz").await, "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn reflection_names_the_services() {
    let running = Running::new().await;
    let mut client = ServerReflectionClient::new(running.data("svc/edge").await);
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let answers = client.server_reflection_info(stream::iter([request])).await.unwrap();
    let answer = answers.into_inner().message().await.unwrap().unwrap();
    let Some(MessageResponse::ListServicesResponse(listed)) = answer.message_response else {
        panic!("services are listed");
    };
    let names = listed.service.into_iter().map(|service| service.name).collect::<Vec<_>>();
    assert!(names.contains(&"tresor.vault.v1.RecordService".to_owned()), "{names:?}");
}

#[tokio::test]
async fn a_second_process_on_the_same_directory_is_refused() {
    let running = Running::new().await;
    let config = running.house.config(Vec::new());
    let error = start(config, Shutdown::new()).await.unwrap_err();
    assert!(matches!(error, StartError::Vault(_)), "{error}");
    assert!(error.to_string().contains("in use by another process"), "{error}");
    running.stop().await;
}

#[tokio::test]
async fn a_wrong_passphrase_does_not_open_the_vault() {
    let house = Running::new().await.stop().await;
    let wrong = "another horse battery staple";
    std::fs::write(house.path("passphrase"), wrong).unwrap();
    let error = start(house.config(Vec::new()), Shutdown::new()).await.unwrap_err();
    assert!(error.to_string().contains("passphrase"), "{error}");
    assert!(!error.to_string().contains("horse"), "{error}");
}

#[tokio::test]
async fn a_call_too_many_is_told_to_come_back() {
    let house = House::new();
    let services = vec![grant("edge", ServiceRole::Edge), grant("operator", ServiceRole::Operator)];
    let mut config = house.config(services);
    config.limits.requests_max = 1;
    let running = house.start_with(config).await;
    let tenant = Tenant::new(&running, "acme").await;
    let mut client = records(&running).await;
    // A stream that says nothing takes the one seat.
    let (sender, receiver) = mpsc::channel::<IngestRequest>(1);
    let silent = client.ingest(ReceiverStream::new(receiver)).await.unwrap();
    let status = client.get(get_request(&tenant, &["a-1"])).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    let failure = Failure::from(&status);
    assert_eq!(failure.code().as_str(), "overloaded");
    assert!(failure.retry_after().is_some());
    let mut health = HealthClient::new(running.data("svc/edge").await);
    assert!(health.check(HealthCheckRequest::default()).await.is_ok());
    drop((sender, silent));
    // The seat is free once the server has seen the stream end.
    let mut left = 100;
    while client.put(put_request(&tenant, vec![record("a-1")])).await.is_err() {
        left -= 1;
        assert!(left > 0, "the seat is given back");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
