//! Streams of records.

use futures::stream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};
use tresor_proto::vault::{
    self, IngestRequest, IngestResponse, ingest_request::Message, put_result::Outcome,
};

use crate::{
    house::Running,
    tenant::{Tenant, destination, get_request, record, records},
};

pub(crate) fn opening(tenant: &Tenant) -> IngestRequest {
    let opening = vault::IngestOpening {
        context: Some(tenant.context()),
        destination: destination(),
        ..Default::default()
    };
    IngestRequest { message: Some(Message::Opening(opening)) }
}

fn batch(records: Vec<vault::RecordInput>) -> IngestRequest {
    let batch = vault::IngestBatch { records };
    IngestRequest { message: Some(Message::Batch(batch)) }
}

async fn collect(mut answers: Streaming<IngestResponse>) -> (Vec<IngestResponse>, Option<Status>) {
    let mut collected = Vec::new();
    loop {
        match answers.message().await {
            Ok(Some(answer)) => collected.push(answer),
            Ok(None) => return (collected, None),
            Err(status) => return (collected, Some(status)),
        }
    }
}

async fn ingest(
    running: &Running,
    messages: Vec<IngestRequest>,
) -> (Vec<IngestResponse>, Option<Status>) {
    let mut client = records(running).await;
    let answers = client.ingest(stream::iter(messages)).await.unwrap();
    collect(answers.into_inner()).await
}

#[tokio::test]
async fn batches_are_answered_in_order() {
    let running = Running::new().await;
    let tenant = Tenant::new(&running, "acme").await;
    let mut bad = record("b-0");
    bad.fields.clear();
    let messages = vec![
        opening(&tenant),
        batch((0..1_000).map(|at| record(&format!("a-{at}"))).collect()),
        batch(vec![bad, record("b-1")]),
    ];
    let (answers, end) = ingest(&running, messages).await;
    assert!(end.is_none(), "{end:?}");
    assert_eq!(answers.len(), 2);
    let ids = answers[0].results.iter().map(|result| match &result.outcome {
        Some(Outcome::Stored(stored)) => stored.id.clone(),
        Some(Outcome::Status(_)) | None => panic!("{} is stored", result.reference),
    });
    let expected = (0..1_000).map(|at| format!("a-{at}"));
    assert_eq!(ids.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    assert!(matches!(answers[1].results[0].outcome, Some(Outcome::Status(_))));
    assert!(matches!(answers[1].results[1].outcome, Some(Outcome::Stored(_))));
}

#[tokio::test]
async fn a_stream_that_does_not_begin_with_an_opening_is_refused() {
    let running = Running::new().await;
    let (answers, end) = ingest(&running, vec![batch(vec![record("a-1")])]).await;
    assert!(answers.is_empty());
    assert_eq!(end.unwrap().code(), Code::InvalidArgument);
    let (_, end) = ingest(&running, Vec::new()).await;
    assert_eq!(end.unwrap().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_wrong_credential_is_refused_at_the_opening() {
    let running = Running::new().await;
    let mut tenant = Tenant::new(&running, "acme").await;
    let other = Tenant::new(&running, "other").await;
    tenant.customer_token = other.customer_token;
    let (answers, end) = ingest(&running, vec![opening(&tenant)]).await;
    assert!(answers.is_empty());
    assert_eq!(end.unwrap().code(), Code::Unauthenticated);
}

#[tokio::test]
async fn an_oversized_batch_ends_the_stream_after_what_was_acknowledged() {
    let running = Running::new().await;
    let tenant = Tenant::new(&running, "acme").await;
    let messages = vec![
        opening(&tenant),
        batch(vec![record("a-1")]),
        batch(vec![vault::RecordInput::default(); 1_001]),
    ];
    let (answers, end) = ingest(&running, messages).await;
    assert_eq!(answers.len(), 1);
    assert_eq!(end.unwrap().code(), Code::OutOfRange);
    let mut client = records(&running).await;
    let got = client.get(get_request(&tenant, &["a-1"])).await.unwrap().into_inner();
    let outcome = got.results[0].outcome.as_ref();
    assert!(matches!(outcome, Some(vault::get_result::Outcome::Record(_))));
}

#[tokio::test]
async fn a_shutdown_ends_a_stream_after_what_was_acknowledged() {
    let running = Running::new().await;
    let tenant = Tenant::new(&running, "acme").await;
    let (sender, receiver) = mpsc::channel(4);
    sender.send(opening(&tenant)).await.unwrap();
    sender.send(batch(vec![record("a-1")])).await.unwrap();
    let mut client = records(&running).await;
    let answers = client.ingest(ReceiverStream::new(receiver)).await.unwrap();
    let mut answers = answers.into_inner();
    assert_eq!(answers.message().await.unwrap().unwrap().results.len(), 1);
    running.shutdown.trigger();
    let status = answers.message().await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    running.api.wait().await.unwrap();
}
