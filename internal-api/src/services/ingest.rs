//! One stream of records: an opening, then batches, each answered when it is durable.
//!
//! It promises order, one batch in memory beside the one being received, and a check of every
//! credential before every batch; a stream ends with a status after the batches it has
//! acknowledged. It relies on HTTP/2's flow control: nothing is read until the answer before is
//! taken.

use core::time::Duration;

use tonic::{Status, Streaming};
use tresor_proto::{
    ErrorCode, Failure, TenantId,
    limits::IDLE_TIMEOUT_MS,
    vault::{IngestBatch, IngestOpening, IngestRequest, IngestResponse, ingest_request::Message},
};
use tresor_vault::{Destination, Write};

use super::{
    record_service::put_results,
    step_stream::{Steps, Stop},
};
use crate::{
    caller::Origin,
    context::Context,
    convert::{
        input::{Batch, destination},
        item_keys::ItemKeys,
    },
    gate::Gate,
};

/// A stream under way.
pub(super) struct Ingest {
    gate: Gate,
    origin: Origin,
    messages: Streaming<IngestRequest>,
    opened: Option<Opened>,
}

/// What the opening said, parsed once.
struct Opened {
    context: Context,
    tenant: TenantId,
    destination: Destination,
    keys: ItemKeys,
}

impl Ingest {
    /// A stream that has not been read yet.
    pub(super) fn new(gate: Gate, origin: Origin, messages: Streaming<IngestRequest>) -> Self {
        Self { gate, origin, messages, opened: None }
    }

    /// Refuses a wrong credential before the first batch is sent.
    async fn open(&mut self, opening: IngestOpening) -> Result<(), Failure> {
        let context = self.origin.context(opening.context)?;
        let destination = destination(opening.destination)?;
        let keys = ItemKeys::from_wire(&opening.idempotency_key)?;
        let tenant = self.gate.permit::<Write>(&self.origin, &context).await?.tenant();
        self.opened = Some(Opened { context, tenant, destination, keys });
        Ok(())
    }

    async fn put(&mut self, batch: IngestBatch) -> Result<IngestResponse, Failure> {
        let opened = self.opened.as_mut().ok_or(ErrorCode::Internal)?;
        let batch = Batch::from_wire(batch.records, &mut opened.keys)?;
        let vault = self.gate.vault()?;
        let permit = self.gate.permit(&self.origin, &opened.context).await?;
        let stored = vault.put(&permit, &opened.destination, batch.records);
        let results = put_results(batch.references, stored.await?);
        Ok(IngestResponse { results })
    }

    /// Waits until the tenant may send a batch more: a stream is slowed down, not refused.
    async fn turn(&self) -> Result<(), Status> {
        if let Some(opened) = &self.opened {
            self.gate.turnstile().pace(opened.tenant).await;
        }
        Ok(())
    }

    async fn message(&mut self) -> Result<Option<IngestRequest>, Status> {
        let idle = Duration::from_millis(IDLE_TIMEOUT_MS);
        let message = tokio::time::timeout(idle, self.messages.message()).await;
        message.unwrap_or_else(|_| Err(Failure::from(ErrorCode::DeadlineExceeded).into()))
    }
}

impl Steps for Ingest {
    type Answer = IngestResponse;

    /// Takes the next batch in; what was received is answered, whatever wants to end the stream.
    async fn step(&mut self, stop: &mut Stop) -> Result<Option<IngestResponse>, Status> {
        if self.opened.is_none() {
            let opening = as_opening(stop.or(self.message()).await?)?;
            self.open(opening).await?;
        }
        stop.or(self.turn()).await?;
        match stop.or(self.message()).await? {
            Some(message) => Ok(Some(self.put(as_batch(message)?).await?)),
            None => Ok(None),
        }
    }
}

fn as_opening(request: Option<IngestRequest>) -> Result<IngestOpening, Failure> {
    match request.and_then(|request| request.message) {
        Some(Message::Opening(opening)) => Ok(opening),
        Some(Message::Batch(_)) | None => {
            Err(Failure::invalid("message", "a stream begins with its opening"))
        }
    }
}

fn as_batch(request: IngestRequest) -> Result<IngestBatch, Failure> {
    match request.message {
        Some(Message::Batch(batch)) => Ok(batch),
        Some(Message::Opening(_)) | None => {
            Err(Failure::invalid("message", "a batch follows the opening"))
        }
    }
}
