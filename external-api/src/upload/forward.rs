//! Batches on their way to the vault, and results on their way back.
//!
//! It promises that results keep the order of the rows, that a row is told as stored only after
//! the vault acknowledged it, and that at most two batches are under way. It relies on the vault
//! to answer every batch, in order.

use std::{collections::VecDeque, sync::Arc};

use tokio::sync::mpsc::Sender;
use tresor_proto::{
    CollectionName, ErrorCode, Failure, IdempotencyKey,
    vault::{
        Destination, IngestOpening, IngestResponse, PutResult, RecordInput, put_result::Outcome,
    },
};
use tresor_screening::reader::Row;

use super::{
    answer::{Answer, RowResult, Stored, Summary},
    batches::{Batch, Batches},
    ingest_stream::{BATCHES_SENT_MAX, IDLE_TIMEOUT, IngestStream},
    pseudonymous,
    screening::{Fate, Screening},
};
use crate::{
    client::KeyHolder, policies::VersionedPolicy, routes::App, sessions::Session, vault::malformed,
};

/// Forwards one upload.
pub(super) struct Forward {
    app: App,
    holder: KeyHolder,
    target: Target,
    screening: Screening,
    stream: Option<IngestStream>,
    /// Under which the stream was opened.
    session: Option<Session>,
    sent: VecDeque<Sent>,
    summary: Summary,
}

/// Where an upload goes.
pub(super) struct Target {
    pub(super) collection: CollectionName,
    /// By what it is recognised when it is repeated.
    pub(super) idempotency_key: Option<IdempotencyKey>,
    /// Whether each stored record is told again, with surrogates and masks.
    pub(super) is_pseudonymous: bool,
    /// The one version of the policy under which rows are to be stored, if it may be no other.
    pub(super) policy_version: Option<u64>,
}

impl Target {
    /// Refuses a policy under which rows are not to be stored.
    pub(super) fn check(&self, policy: &VersionedPolicy) -> Result<(), Failure> {
        let version = policy.version;
        if self.policy_version.is_none_or(|wanted| wanted == version) {
            return Ok(());
        }
        let failure = Failure::new(ErrorCode::Conflict, "the policy of the collection has changed");
        Err(failure.with_violation("policy_version", format!("it is version {version} now")))
    }
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
            session: None,
            sent: VecDeque::new(),
            summary: Summary::default(),
        }
    }

    /// Forwards all batches and sends what became of them; the summary is the last answer.
    pub(super) async fn run(mut self, mut batches: Batches, answers: Sender<Answer>) {
        let end = self.forward_all(&mut batches, &answers).await;
        self.summary = self.summary.under(self.screening.version());
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
                answer = answer_of(&mut self.stream), if is_awaiting => Event::Answer(answer),
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
        if self.sent.len() == 1 && self.stream.as_ref().is_some_and(IngestStream::is_stale) {
            self.stream = None;
        }
        let stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.open().await?,
        };
        self.stream.insert(stream).send(records).await;
        Ok(())
    }

    async fn open(&mut self) -> Result<IngestStream, Failure> {
        self.session = self.holder.client().session().await?;
        let key = self.target.idempotency_key.as_ref();
        let opening = IngestOpening {
            context: Some(self.holder.context(self.session.as_ref())),
            destination: Some(Destination {
                collection: self.target.collection.as_str().to_owned(),
                policy_version: self.screening.version(),
                masks: self.target.is_pseudonymous,
            }),
            idempotency_key: key.map_or_else(String::new, |key| key.as_str().to_owned()),
        };
        IngestStream::open(&self.app, opening).await
    }

    /// When the policy was outdated, or the session: screens what is under way again and forwards
    /// it anew, once. The vault has stored nothing of it.
    async fn start_again(&mut self, failure: Failure) -> Result<(), Failure> {
        let is_retried = self.sent.iter().any(|sent| sent.is_retried);
        if is_retried || !self.is_renewed_after(&failure).await? {
            return Err(failure);
        }
        self.stream = None;
        for sent in core::mem::take(&mut self.sent) {
            self.forward(sent.rows, true).await?;
        }
        Ok(())
    }

    /// Renews what the vault refused as outdated, if it is that.
    async fn is_renewed_after(&mut self, failure: &Failure) -> Result<bool, Failure> {
        let client = self.holder.client();
        if failure.code() == ErrorCode::Conflict {
            let policy = self.app.policies.refetch(client, &self.target.collection).await?;
            self.target.check(&policy)?;
            self.screening.renew(policy);
            return Ok(true);
        }
        Ok(client.is_for_its_session(failure, self.session.as_ref()).await)
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
        self.tell(sent, answer.results, answers).await
    }

    /// Tells the results of batches of which nothing was forwarded, once it is their turn.
    async fn tell_unforwarded(&mut self, answers: &Sender<Answer>) -> Result<(), Failure> {
        while let Some(sent) = self.sent.pop_front_if(|sent| sent.records == 0) {
            self.tell(sent, Vec::new(), answers).await?;
        }
        Ok(())
    }

    async fn tell(
        &mut self,
        sent: Sent,
        results: Vec<PutResult>,
        answers: &Sender<Answer>,
    ) -> Result<(), Failure> {
        let (summary, is_pseudonymous) = (self.summary, self.target.is_pseudonymous);
        let tell = move || sent.told(results, summary, is_pseudonymous);
        let told = match is_pseudonymous {
            // To rebuild a batch of records takes a while: not on a thread that serves others.
            true => tokio::task::spawn_blocking(tell).await.map_err(|_| malformed())?,
            false => tell(),
        };
        let results;
        (results, self.summary) = told;
        // A client that does not take its results would hold up the thread that reads its rows.
        let told = answers.send_timeout(Answer::Rows(results), IDLE_TIMEOUT).await;
        told.map_err(|_| gone())
    }
}

impl Sent {
    /// What is told of its rows, and the summary with them.
    fn told(
        self,
        results: Vec<PutResult>,
        mut summary: Summary,
        is_pseudonymous: bool,
    ) -> (Vec<RowResult>, Summary) {
        let mut results = results.into_iter();
        let told = self.rows.iter().zip(self.fates).map(|(row, fate)| {
            let outcome = match fate.outcome {
                Ok(counts) => {
                    let told = is_pseudonymous.then_some((row, &fate));
                    stored(results.next(), told).inspect(|stored| {
                        summary.accept(counts);
                        summary.count(&stored.record);
                    })
                }
                Err(failure) => Err(failure),
            };
            if outcome.is_err() {
                summary.reject();
            }
            let Fate { row, line, verdicts, flagged, .. } = fate;
            RowResult { row, line, outcome, verdicts, flagged }
        });
        (told.collect(), summary)
    }
}

/// What is told of a row, with the record rebuilt when its row and its fate are given.
fn stored(result: Option<PutResult>, told: Option<(&Row, &Fate)>) -> Result<Stored, Failure> {
    let mut result = result.ok_or_else(malformed)?;
    let record = match result.outcome.take() {
        Some(Outcome::Stored(stored)) => stored,
        Some(Outcome::Status(status)) => return Err(Failure::from_item_status(&status)),
        None => return Err(malformed()),
    };
    let told = told.filter(|_| !record.superseded);
    let pseudonymous = told.map(|(row, fate)| {
        let record = row.result.as_ref().map_err(|_| malformed())?;
        pseudonymous::record(record, fate, &result)
    });
    let given = result.surrogates;
    let versions = given.iter().filter(|given| given.key_version > 0);
    let key_versions = versions.map(|given| (given.field.clone(), given.key_version)).collect();
    let surrogates = given.into_iter().map(|given| (given.field, given.surrogate)).collect();
    Ok(Stored { record, surrogates, key_versions, pseudonymous: pseudonymous.transpose()? })
}

/// The vault's next answer.
async fn answer_of(stream: &mut Option<IngestStream>) -> Result<IngestResponse, Failure> {
    stream.as_mut().ok_or_else(malformed)?.answer().await
}

fn gone() -> Failure {
    Failure::new(ErrorCode::InvalidRequest, "the client has gone")
}
