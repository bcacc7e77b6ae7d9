//! A stream of batches: an opening, then batches, each answered when it is durable.
//!
//! It promises order, one batch in memory beside the one being received, and a check of every
//! credential before every batch; a stream ends with a status after the batches it has
//! acknowledged. It relies on HTTP/2's flow control: nothing is read until the answer before is
//! taken.

use core::{future::Future, time::Duration};

use tonic::{Status, Streaming};
use tresor_proto::{ErrorCode, Failure, TenantId, limits::IDLE_TIMEOUT_MS};

use super::step_stream::{Steps, Stop};
use crate::{caller::Origin, gate::Gate};

/// What a message of a stream is.
pub(super) enum Message<O, B> {
    /// The first.
    Opening(O),
    /// Every further one.
    Batch(B),
}

/// What is done with the batches of a stream, once it is opened.
pub(super) trait Batches: Sized + Send + Sync + 'static {
    type Request: Send + 'static;
    type Opening: Send;
    type Batch: Send;
    type Answer: Send + 'static;

    /// What a message holds; `None` for nothing.
    fn message(request: Self::Request) -> Option<Message<Self::Opening, Self::Batch>>;

    /// Parses the opening, and refuses a wrong credential before the first batch is sent.
    fn open(
        gate: &Gate,
        origin: &Origin,
        opening: Self::Opening,
    ) -> impl Future<Output = Result<(Self, TenantId), Failure>> + Send;

    /// Takes a batch in, after a check of every credential.
    fn take(
        &mut self,
        gate: &Gate,
        origin: &Origin,
        batch: Self::Batch,
    ) -> impl Future<Output = Result<Self::Answer, Failure>> + Send;
}

/// A stream under way.
pub(super) struct BatchStream<T: Batches> {
    gate: Gate,
    origin: Origin,
    messages: Streaming<T::Request>,
    opened: Option<(T, TenantId)>,
}

impl<T: Batches> BatchStream<T> {
    /// A stream that has not been read yet.
    pub(super) fn new(gate: Gate, origin: Origin, messages: Streaming<T::Request>) -> Self {
        Self { gate, origin, messages, opened: None }
    }

    /// Waits until the tenant may send a batch more: a stream is slowed down, not refused.
    async fn turn(&self) -> Result<(), Status> {
        if let Some((_, tenant)) = &self.opened {
            self.gate.turnstile().pace(*tenant).await;
        }
        Ok(())
    }

    async fn message(&mut self) -> Result<Option<T::Request>, Status> {
        let idle = Duration::from_millis(IDLE_TIMEOUT_MS);
        let message = tokio::time::timeout(idle, self.messages.message()).await;
        message.unwrap_or_else(|_| Err(Failure::from(ErrorCode::DeadlineExceeded).into()))
    }
}

impl<T: Batches> Steps for BatchStream<T> {
    type Answer = T::Answer;

    /// Takes the next batch in; what was received is answered, whatever wants to end the stream.
    async fn step(&mut self, stop: &mut Stop) -> Result<Option<T::Answer>, Status> {
        if self.opened.is_none() {
            let opening = as_opening::<T>(stop.or(self.message()).await?)?;
            self.opened = Some(T::open(&self.gate, &self.origin, opening).await?);
        }
        stop.or(self.turn()).await?;
        let Some(message) = stop.or(self.message()).await? else { return Ok(None) };
        let (batches, _) = self.opened.as_mut().ok_or(Failure::from(ErrorCode::Internal))?;
        Ok(Some(batches.take(&self.gate, &self.origin, as_batch::<T>(message)?).await?))
    }
}

fn as_opening<T: Batches>(request: Option<T::Request>) -> Result<T::Opening, Failure> {
    match request.and_then(T::message) {
        Some(Message::Opening(opening)) => Ok(opening),
        Some(Message::Batch(_)) | None => {
            Err(Failure::invalid("message", "a stream begins with its opening"))
        }
    }
}

fn as_batch<T: Batches>(request: T::Request) -> Result<T::Batch, Failure> {
    match T::message(request) {
        Some(Message::Batch(batch)) => Ok(batch),
        Some(Message::Opening(_)) | None => {
            Err(Failure::invalid("message", "a batch follows the opening"))
        }
    }
}
