//! The stream on which batches go to the vault, and its answers come back.
//!
//! It promises that neither side waits for the other for longer than a stream may be idle. It
//! relies on the vault to answer every batch, in order, or to end the stream with its reason.

use std::time::Duration;

use tokio::{
    sync::mpsc::{self, Sender},
    time::{Instant, timeout},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tresor_proto::{
    ErrorCode, Failure,
    limits::IDLE_TIMEOUT_MS,
    vault::{
        IngestBatch, IngestOpening, IngestRequest, IngestResponse, RecordInput,
        ingest_request::Message,
    },
};

use crate::{routes::App, vault};

/// Batches under way: one being stored while the next travels.
pub(super) const BATCHES_SENT_MAX: usize = 2;
/// How long the vault may take for a batch, and the client to take its results.
pub(super) const IDLE_TIMEOUT: Duration = Duration::from_millis(IDLE_TIMEOUT_MS);
/// A stream unused for so long is opened anew; the vault cuts it after 30 seconds.
const STREAM_AGE_MAX: Duration = Duration::from_secs(10);

/// A stream to the vault.
pub(super) struct IngestStream {
    requests: Sender<IngestRequest>,
    answers: Streaming<IngestResponse>,
    used: Instant,
}

impl IngestStream {
    /// Opens one.
    pub(super) async fn open(app: &App, opening: IngestOpening) -> Result<Self, Failure> {
        let (requests, queued) = mpsc::channel(1 + BATCHES_SENT_MAX);
        // The queue is empty and its other end is in our hands.
        let _ = requests.try_send(request(Message::Opening(opening)));
        let opened = app.vault.ingest(ReceiverStream::new(queued));
        let answers = timeout(IDLE_TIMEOUT, opened).await.map_err(|_| late())??;
        Ok(Self { requests, answers, used: Instant::now() })
    }

    /// Whether it was left unused for so long that the vault may cut it.
    pub(super) fn is_stale(&self) -> bool {
        self.used.elapsed() > STREAM_AGE_MAX
    }

    /// Sends a batch. When the vault has ended the stream, its reason comes as its answer.
    pub(super) async fn send(&mut self, records: Vec<RecordInput>) {
        self.used = Instant::now();
        let batch = request(Message::Batch(IngestBatch { records }));
        let _ = self.requests.send(batch).await;
    }

    /// The vault's next answer.
    pub(super) async fn answer(&mut self) -> Result<IngestResponse, Failure> {
        match timeout(IDLE_TIMEOUT, self.answers.message()).await {
            Ok(Ok(Some(answer))) => Ok(answer),
            Ok(Ok(None)) => Err(ErrorCode::Overloaded.into()),
            Ok(Err(status)) => Err(vault::failure(&status)),
            Err(_) => Err(late()),
        }
    }

    /// Takes leave of the vault, which would otherwise see the call as cancelled.
    pub(super) async fn finish(mut self) {
        drop(self.requests);
        // What it still answers is of no use any more.
        let _ = timeout(IDLE_TIMEOUT, self.answers.message()).await;
    }
}

fn request(message: Message) -> IngestRequest {
    IngestRequest { message: Some(message) }
}

fn late() -> Failure {
    Failure::new(ErrorCode::DeadlineExceeded, "the vault did not answer in time")
}
