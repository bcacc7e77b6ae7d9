//! Customer tokens over the wire.

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, transport::Channel};
use tresor_proto::vault::{
    self, CustomerTokenKind, CustomerTokenState, IngestRequest, RequestContext,
    customer_token_service_client::CustomerTokenServiceClient, ingest_request::Message,
};

use crate::{
    house::Running,
    tenant::{Tenant, destination, get_request, put_request, record, records},
};

async fn tokens(running: &Running) -> CustomerTokenServiceClient<Channel> {
    CustomerTokenServiceClient::new(running.data("svc/edge").await)
}

fn issue_request(tenant: &Tenant, kind: CustomerTokenKind) -> vault::IssueRequest {
    vault::IssueRequest { context: Some(tenant.context()), kind: kind as i32, ..Default::default() }
}

fn revoke_request(tenant: &Tenant, id: &str) -> vault::RevokeRequest {
    let context = Some(tenant.context());
    vault::RevokeRequest { context, id: id.to_owned(), confirmation: String::new() }
}

fn batch(id: &str) -> IngestRequest {
    let batch = vault::IngestBatch { records: vec![record(id)] };
    IngestRequest { message: Some(Message::Batch(batch)) }
}

#[tokio::test]
async fn a_revoked_customer_token_is_refused_inside_an_open_stream() {
    let running = Running::new().await;
    let tenant = Tenant::new(&running, "acme").await;
    let mut tokens = tokens(&running).await;
    let request = issue_request(&tenant, CustomerTokenKind::WriteOnly);
    let issued = tokens.issue(request).await.unwrap().into_inner();
    let customer_token = issued.customer_token;
    let context = Some(RequestContext { customer_token, ..tenant.context() });
    let opening =
        vault::IngestOpening { context, destination: destination(), ..Default::default() };
    let (sender, messages) = mpsc::channel(4);
    sender.send(IngestRequest { message: Some(Message::Opening(opening)) }).await.unwrap();
    sender.send(batch("r1")).await.unwrap();
    let mut client = records(&running).await;
    let answers = client.ingest(ReceiverStream::new(messages)).await.unwrap();
    let mut answers = answers.into_inner();
    assert_eq!(answers.message().await.unwrap().unwrap().results.len(), 1);
    let id = issued.issued.unwrap().id;
    tokens.revoke(revoke_request(&tenant, &id)).await.unwrap();
    sender.send(batch("r2")).await.unwrap();
    assert_eq!(answers.message().await.unwrap_err().code(), Code::Unauthenticated);
    let stored = client.get(get_request(&tenant, &["r1", "r2"])).await.unwrap().into_inner();
    let outcomes = stored.results.into_iter().map(|result| result.outcome.unwrap());
    let is_stored: Vec<_> =
        outcomes.map(|outcome| matches!(outcome, vault::get_result::Outcome::Record(_))).collect();
    assert_eq!(is_stored, [true, false]);
}

#[tokio::test]
async fn customer_tokens_are_listed_without_their_secrets() {
    let running = Running::new().await;
    let tenant = Tenant::new(&running, "acme").await;
    let mut tokens = tokens(&running).await;
    let request = vault::IssueRequest {
        name: "the uploader".to_owned(),
        bound_certificate: vec![7; 32],
        classes: vec![vault::DataClass::Contact as i32],
        ..issue_request(&tenant, CustomerTokenKind::WriteOnly)
    };
    let issued = tokens.issue(request).await.unwrap().into_inner();
    let first = tenant.customer_token.split('_').nth(1).unwrap().to_owned();
    let request = vault::RotateRequest {
        context: Some(tenant.context()),
        id: issued.issued.as_ref().unwrap().id.clone(),
        overlap: None,
    };
    let rotated = tokens.rotate(request).await.unwrap().into_inner();
    let request = vault::CustomerTokenServiceListRequest { context: Some(tenant.context()) };
    let listed = tokens.list(request).await.unwrap().into_inner().customer_tokens;
    assert_eq!(listed.len(), 4);
    assert_eq!((&listed[0].id, listed[0].operations.len()), (&first, 10));
    assert_eq!(listed[1].kind(), CustomerTokenKind::Recovery);
    let [old, new] = &listed[2..] else { panic!("four of them") };
    assert_eq!(old.state(), CustomerTokenState::Replaced);
    assert_eq!(Some(new), rotated.issued.as_ref());
    assert_eq!(Some(old), rotated.replaced.as_ref());
    assert_eq!(
        (new.name.as_str(), new.bound_certificate.as_slice()),
        ("the uploader", &[7; 32][..])
    );
    assert_eq!((&new.replaces, new.rotated), (&old.id, new.created));
    let overlap = old.overlap_ends.unwrap().seconds - new.created.unwrap().seconds;
    assert_eq!(overlap, 7 * 24 * 60 * 60);
    let secret = issued.customer_token.split('_').nth(2).unwrap().as_bytes().to_vec();
    let bytes: Vec<u8> = listed.iter().flat_map(prost::Message::encode_to_vec).collect();
    assert!(!bytes.windows(secret.len()).any(|window| window == secret));
}

#[tokio::test]
async fn refusals_say_what_was_asked_for_too_much() {
    let running = Running::new().await;
    let tenant = Tenant::new(&running, "acme").await;
    let mut tokens = tokens(&running).await;
    let unknown = tokens.revoke(revoke_request(&tenant, "00000000000000000")).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    let first = tenant.customer_token.split('_').nth(1).unwrap();
    let last = tokens.revoke(revoke_request(&tenant, first)).await.unwrap_err();
    assert_eq!(last.code(), Code::Aborted);
    let confirmed =
        vault::RevokeRequest { confirmation: "acme".to_owned(), ..revoke_request(&tenant, first) };
    let request = put_request(&tenant, vec![record("r1")]);
    assert!(records(&running).await.put(request.clone()).await.is_ok());
    let revoked = tokens.revoke(confirmed).await.unwrap().into_inner().revoked.unwrap();
    assert_eq!(revoked.state(), CustomerTokenState::Revoked);
    let refused = records(&running).await.put(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
}
