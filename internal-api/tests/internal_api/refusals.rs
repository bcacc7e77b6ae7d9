//! What the door refuses, and how.

use tonic::{Code, Status, transport::Channel};
use tresor_proto::{
    CustomerToken, CustomerTokenId, CustomerTokenKind, Failure, Secret,
    vault::{
        self, RequestContext, customer_token_service_client::CustomerTokenServiceClient,
        record_service_client::RecordServiceClient, tenant_service_client::TenantServiceClient,
    },
};

use crate::{
    house::{Running, client_path},
    tenant::{Tenant, get_request, put_request, record, records, register},
};

/// A process with two tenants, each with a record `a-1`.
async fn two_tenants() -> (Running, Tenant, Tenant) {
    let running = Running::new().await;
    let acme = Tenant::new(&running, "acme").await;
    let other = Tenant::new(&running, "other").await;
    for tenant in [&acme, &other] {
        let request = put_request(tenant, vec![record("a-1")]);
        records(&running).await.put(request).await.unwrap();
    }
    (running, acme, other)
}

/// Asks for a record with a context that was changed; tells the refusal.
async fn refusal(
    running: &Running,
    tenant: &Tenant,
    change: impl FnOnce(&mut RequestContext),
) -> Status {
    let mut request = get_request(tenant, &["a-1"]);
    change(request.context.as_mut().unwrap());
    records(running).await.get(request).await.unwrap_err()
}

#[tokio::test]
async fn every_wrong_credential_gets_the_same_answer() {
    let (running, acme, other) = two_tenants().await;
    let house = &running.house;
    let never_issued = CustomerToken::new(
        CustomerTokenKind::ReadWrite,
        CustomerTokenId::from_bytes([7; 12]),
        Secret::from_slice(&[7; 32]).unwrap(),
    );
    let mut forged = acme.customer_token.clone();
    forged.pop();
    let statuses = [
        refusal(&running, &acme, |context| context.evidence = None).await,
        refusal(&running, &acme, |context| context.evidence = Some(other.evidence.clone())).await,
        refusal(&running, &acme, |context| context.tenant = other.id.clone()).await,
        refusal(&running, &acme, |context| context.tenant = "other".to_owned()).await,
        refusal(&running, &acme, |context| context.tenant = "nobody".to_owned()).await,
        refusal(&running, &acme, |context| context.customer_token.clear()).await,
        refusal(&running, &acme, |context| context.customer_token = forged).await,
        refusal(&running, &acme, |context| {
            context.customer_token = other.customer_token.clone();
        })
        .await,
        refusal(&running, &acme, |context| {
            context.customer_token = never_issued.expose_text().as_str().to_owned();
        })
        .await,
        refusal(&running, &acme, |context| {
            context.evidence.as_mut().unwrap().source_address = "198.51.100.1".to_owned();
        })
        .await,
        refusal(&running, &acme, |context| {
            context.evidence = Some(house.evidence_of(&client_path(&acme.id), (2020, 2021)));
        })
        .await,
        refusal(&running, &acme, |context| {
            context.evidence = Some(house.evidence_of("svc/edge", (2020, 2120)));
        })
        .await,
        refusal(&running, &acme, |context| {
            let foreign = crate::house::House::new();
            context.evidence = Some(foreign.evidence(&acme.id));
        })
        .await,
    ];
    for (at, status) in statuses.iter().enumerate() {
        assert_eq!(status.code(), Code::Unauthenticated, "{at}: {status:?}");
        assert_eq!(status.message(), "invalid credential", "{at}");
        assert_eq!(status.details(), statuses[0].details(), "{at}");
    }
}

#[tokio::test]
async fn a_tenant_named_by_its_name_is_served() {
    let (running, acme, _) = two_tenants().await;
    let mut request = get_request(&acme, &["a-1"]);
    request.context.as_mut().unwrap().tenant = "acme".to_owned();
    assert!(records(&running).await.get(request).await.is_ok());
}

#[tokio::test]
async fn an_enrolment_code_works_once_and_for_its_tenant_only() {
    let running = Running::new().await;
    let (id, enrolment_code) = register(&running, "acme").await;
    let (other, _) = register(&running, "other").await;
    let edge = running.data("svc/edge").await;
    let mut tokens = CustomerTokenServiceClient::new(edge);
    let ask = |tenant: &str, code: &str| vault::EnrolRequest {
        context: Some(RequestContext {
            tenant: tenant.to_owned(),
            evidence: Some(running.house.evidence(tenant)),
            ..RequestContext::default()
        }),
        enrolment_code: code.to_owned(),
    };
    let status = tokens.enrol(ask(&other, &enrolment_code)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    let status = tokens.enrol(ask(&id, "tre_nonsense")).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    tokens.enrol(ask(&id, &enrolment_code)).await.unwrap();
    assert!(tokens.enrol(ask(&id, &enrolment_code)).await.is_err());
}

#[tokio::test]
async fn each_plane_refuses_the_others_services() {
    let (running, acme, _) = two_tenants().await;
    let operator = running.data("svc/operator").await;
    let request = get_request(&acme, &["a-1"]);
    let status = RecordServiceClient::new(operator).get(request).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    let edge = running.control("svc/edge").await;
    let request = vault::ListTenantsRequest::default();
    let status = TenantServiceClient::new(edge).list_tenants(request).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn the_control_plane_has_no_records_and_the_data_plane_no_register() {
    let (running, acme, _) = two_tenants().await;
    let operator = running.control("svc/operator").await;
    let request = get_request(&acme, &["a-1"]);
    let status = RecordServiceClient::new(operator).get(request).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    let edge = running.data("svc/edge").await;
    let request = vault::ListTenantsRequest::default();
    let status = TenantServiceClient::new(edge).list_tenants(request).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn strangers_and_tenants_clients_are_refused_alike() {
    let (running, acme, _) = two_tenants().await;
    let call = async |channel: Channel| {
        let request = get_request(&acme, &["a-1"]);
        RecordServiceClient::new(channel).get(request).await.unwrap_err()
    };
    let stranger = call(running.data("svc/stranger").await).await;
    let client = call(running.data(&client_path(&acme.id)).await).await;
    for status in [&stranger, &client] {
        assert_eq!(status.code(), Code::Unauthenticated);
        assert_eq!(status.message(), "invalid credential");
    }
}

#[tokio::test]
async fn a_foreign_certificate_does_not_get_past_the_handshake() {
    let (running, acme, _) = two_tenants().await;
    let mut tls = crate::house::House::new().tls("svc/edge");
    tls.authorities = running.house.path("ca.pem");
    let endpoint = format!("https://{}", running.data);
    let Ok(channel) = tresor_door::connect(&endpoint, &tls).await else {
        return;
    };
    let request = get_request(&acme, &["a-1"]);
    assert!(RecordServiceClient::new(channel).get(request).await.is_err());
}

#[tokio::test]
async fn batches_and_messages_over_their_limits_are_too_large() {
    let (running, acme, _) = two_tenants().await;
    let mut client = records(&running).await;
    let batch = (0..1_001).map(|at| record(&at.to_string())).collect();
    let status = client.put(put_request(&acme, batch)).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange);
    assert_eq!(Failure::from(&status).code().as_str(), "too_large");

    let mut large = record("large");
    large.subject = "s".repeat(4 * 1024 * 1024);
    let status = client.put(put_request(&acme, vec![large])).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange);
    assert_eq!(Failure::from(&status).code().as_str(), "too_large");

    let status = client.get(get_request(&acme, &[])).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn an_unknown_collection_is_not_found() {
    let (running, acme, _) = two_tenants().await;
    let mut request = put_request(&acme, vec![record("a-2")]);
    request.destination.as_mut().unwrap().collection = "suppliers".to_owned();
    let status = records(&running).await.put(request).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
}
