//! Batches on their way to the vault, and results on their way back.
//!
//! It promises that results keep the order of the rows, that a row is told as stored only after
//! the vault acknowledged it, and that at most two batches are under way. It relies on the vault
//! to answer every batch, in order.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use tokio::{
    sync::mpsc::{self, Sender},
    time::{Instant, timeout},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tresor_proto::{
    CollectionName, ErrorCode, Failure, IdempotencyKey,
    limits::IDLE_TIMEOUT_MS,
    vault::{
        Destination, IngestBatch, IngestOpening, IngestRequest, IngestResponse, PutResult,
        RecordInput, StoredRecord, ingest_request::Message, put_result::Outcome,
    },
};
use tresor_screening::reader::Row;

use super::{
    answer::{Answer, RowResult, Summary},
    batches::{Batch, Batches},
    screening::{Fate, Screening},
};
use crate::{
    client::KeyHolder,
    routes::App,
    vault::{self, malformed},
};

/// Batches under way: one being stored while the next travels.
const BATCHES_SENT_MAX: usize = 2;
/// How long the vault may take for a batch, and the client to take its results.
const IDLE_TIMEOUT: Duration = Duration::from_millis(IDLE_TIMEOUT_MS);
/// A stream unused for so long is opened anew; the vault cuts it after 30 seconds.
const STREAM_AGE_MAX: Duration = Duration::from_secs(10);

/// Forwards one upload.
pub(super) struct Forward {
    app: App,
    holder: KeyHolder,
    target: Target,
    screening: Screening,
    stream: Option<IngestStream>,
    sent: VecDeque<Sent>,
    summary: Summary,
}

/// Where an upload goes.
pub(super) struct Target {
    pub(super) collection: CollectionName,
    /// By what it is recognised when it is repeated.
    pub(super) idempotency_key: Option<IdempotencyKey>,
}

/// A batch that is not answered yet.
struct Sent {
    /// Kept until it is answered: when the policy turns out to be outdated, they are screened again.
    rows: Arc<Vec<Row>>,
    fates: Vec<Fate>,
    /// How many of the rows were forwarded.
    records: usize,
    is_retried: bool,
}

/// What comes next.
enum Event {
    Batch(Batch),
    Answer(Result<IngestResponse, Failure>),
    ClientGone,
}

impl Forward {
    /// An upload of which nothing is forwarded yet.
    pub(super) fn new(app: App, holder: KeyHolder, target: Target, screening: Screening) -> Self {
        Self {
            app,
            holder,
            target,
            screening,
            stream: None,
            sent: VecDeque::new(),
            summary: Summary::default(),
        }
    }

    /// Forwards all batches and sends what became of them; the summary is the last answer.
    pub(super) async fn run(mut self, mut batches: Batches, answers: Sender<Answer>) {
        let end = self.forward_all(&mut batches, &answers).await;
        // Nobody may be left to be told.
        let _ = answers.send_timeout(Answer::End(self.summary, end), IDLE_TIMEOUT).await;
        drop(answers);
        if let Some(stream) = self.stream {
            stream.finish().await;
        }
    }

    async fn forward_all(
        &mut self,
        batches: &mut Batches,
        answers: &Sender<Answer>,
    ) -> Result<(), Failure> {
        let mut end = None;
        loop {
            self.tell_unforwarded(answers).await?;
            if self.sent.is_empty()
                && let Some(end) = end
            {
                return end;
            }
            let has_room = end.is_none() && self.sent.len() < BATCHES_SENT_MAX;
            let is_awaiting = !self.sent.is_empty();
            let event = tokio::select! {
                batch = batches.next(), if has_room => Event::Batch(batch),
                answer = next_answer(&mut self.stream), if is_awaiting => Event::Answer(answer),
                () = answers.closed() => Event::ClientGone,
            };
            match event {
                Event::Batch(batch) => {
                    end = batch.end;
                    self.forward(batch.rows.into(), false).await?;
                }
                Event::Answer(Ok(answer)) => self.acknowledge(answer, answers).await?,
                Event::Answer(Err(failure)) => self.start_again(failure).await?,
                Event::ClientGone => return Err(gone()),
            }
        }
    }

    /// Screens rows and forwards what is to be stored.
    async fn forward(&mut self, rows: Arc<Vec<Row>>, is_retried: bool) -> Result<(), Failure> {
        if rows.is_empty() {
            return Ok(());
        }
        let screened = self.screening.screen(&rows).await?;
        self.sent.push_back(Sent {
            rows,
            fates: screened.fates,
            records: screened.records.len(),
            is_retried,
        });
        if screened.records.is_empty() {
            return Ok(());
        }
        match self.send(screened.records).await {
            Ok(()) => Ok(()),
            Err(failure) => Box::pin(self.start_again(failure)).await,
        }
    }

    async fn send(&mut self, records: Vec<RecordInput>) -> Result<(), Failure> {
        let is_stale = |stream: &mut IngestStream| stream.used.elapsed() > STREAM_AGE_MAX;
        if self.sent.len() == 1 && self.stream.as_mut().is_some_and(is_stale) {
            self.stream = None;
        }
        let stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.open().await?,
        };
        self.stream.insert(stream).send(records).await;
        Ok(())
    }

    async fn open(&self) -> Result<IngestStream, Failure> {
        let key = self.target.idempotency_key.as_ref();
        let opening = IngestOpening {
            context: Some(self.holder.context()),
            destination: Some(Destination {
                collection: self.target.collection.as_str().to_owned(),
                policy_version: self.screening.version(),
            }),
            idempotency_key: key.map_or_else(String::new, |key| key.as_str().to_owned()),
        };
        IngestStream::open(&self.app, opening).await
    }

    /// When the policy was outdated: screens what is under way again, under the new one, once.
    async fn start_again(&mut self, failure: Failure) -> Result<(), Failure> {
        let is_retried = self.sent.iter().any(|sent| sent.is_retried);
        if failure.code() != ErrorCode::Conflict || is_retried {
            return Err(failure);
        }
        let (client, collection) = (self.holder.client(), &self.target.collection);
        let policy = self.app.policies.refetch(client, collection).await?;
        self.screening.renew(policy);
        self.stream = None;
        for sent in core::mem::take(&mut self.sent) {
            self.forward(sent.rows, true).await?;
        }
        Ok(())
    }

    /// Tells the results of the batch that the vault has answered.
    async fn acknowledge(
        &mut self,
        answer: IngestResponse,
        answers: &Sender<Answer>,
    ) -> Result<(), Failure> {
        let sent = self.sent.pop_front().ok_or_else(malformed)?;
        if answer.results.len() != sent.records {
            return Err(malformed());
        }
        self.tell(sent.fates, answer.results, answers).await
    }

    /// Tells the results of batches of which nothing was forwarded, once it is their turn.
    async fn tell_unforwarded(&mut self, answers: &Sender<Answer>) -> Result<(), Failure> {
        while let Some(sent) = self.sent.pop_front_if(|sent| sent.records == 0) {
            self.tell(sent.fates, Vec::new(), answers).await?;
        }
        Ok(())
    }

    async fn tell(
        &mut self,
        fates: Vec<Fate>,
        results: Vec<PutResult>,
        answers: &Sender<Answer>,
    ) -> Result<(), Failure> {
        let mut results = results.into_iter();
        let results = fates.into_iter().map(|fate| {
            let outcome = match fate.outcome {
                Ok(counts) => stored(results.next()).inspect(|stored| {
                    self.summary.accept(counts);
                    if stored.replayed {
                        self.summary.replay();
                    }
                }),
                Err(failure) => Err(failure),
            };
            if outcome.is_err() {
                self.summary.reject();
            }
            RowResult { row: fate.row, line: fate.line, outcome, verdicts: fate.verdicts }
        });
        // A client that does not take its results would hold up the thread that reads its rows.
        let told = answers.send_timeout(Answer::Rows(results.collect()), IDLE_TIMEOUT).await;
        told.map_err(|_| gone())
    }
}

fn stored(result: Option<PutResult>) -> Result<StoredRecord, Failure> {
    match result.and_then(|result| result.outcome) {
        Some(Outcome::Stored(stored)) => Ok(stored),
        Some(Outcome::Status(status)) => Err(Failure::from_item_status(&status)),
        None => Err(malformed()),
    }
}

fn gone() -> Failure {
    Failure::new(ErrorCode::InvalidRequest, "the client has gone")
}

/// A stream to the vault.
struct IngestStream {
    requests: Sender<IngestRequest>,
    answers: Streaming<IngestResponse>,
    used: Instant,
}

impl IngestStream {
    async fn open(app: &App, opening: IngestOpening) -> Result<Self, Failure> {
        let (requests, queued) = mpsc::channel(1 + BATCHES_SENT_MAX);
        // The queue is empty and its other end is in our hands.
        let _ = requests.try_send(request(Message::Opening(opening)));
        let opened = app.vault.ingest(ReceiverStream::new(queued));
        let answers = timeout(IDLE_TIMEOUT, opened).await.map_err(|_| late())??;
        Ok(Self { requests, answers, used: Instant::now() })
    }

    /// Sends a batch. When the vault has ended the stream, its reason comes as its answer.
    async fn send(&mut self, records: Vec<RecordInput>) {
        self.used = Instant::now();
        let batch = request(Message::Batch(IngestBatch { records }));
        let _ = self.requests.send(batch).await;
    }

    /// Takes leave of the vault, which would otherwise see the call as cancelled.
    async fn finish(mut self) {
        drop(self.requests);
        // What it still answers is of no use any more.
        let _ = timeout(IDLE_TIMEOUT, self.answers.message()).await;
    }
}

fn request(message: Message) -> IngestRequest {
    IngestRequest { message: Some(message) }
}

/// The vault's next answer.
async fn next_answer(stream: &mut Option<IngestStream>) -> Result<IngestResponse, Failure> {
    let stream = stream.as_mut().ok_or_else(malformed)?;
    match timeout(IDLE_TIMEOUT, stream.answers.message()).await {
        Ok(Ok(Some(answer))) => Ok(answer),
        Ok(Ok(None)) => Err(ErrorCode::Overloaded.into()),
        Ok(Err(status)) => Err(vault::failure(&status)),
        Err(_) => Err(late()),
    }
}

fn late() -> Failure {
    Failure::new(ErrorCode::DeadlineExceeded, "the vault did not answer in time")
}
