//! One stream of records: where they go, then batches of them.

use tresor_proto::{
    Failure, TenantId,
    vault::{IngestBatch, IngestOpening, IngestRequest, IngestResponse, ingest_request as wire},
};
use tresor_vault::{Destination, Write};

use super::{
    batch_stream::{Batches, Message},
    record_service::put_results,
};
use crate::{
    caller::Origin,
    context::Context,
    convert::{
        answer_size,
        input::{Batch, destination},
        item_keys::ItemKeys,
    },
    gate::Gate,
};

/// What the opening said, parsed once.
pub(super) struct Ingest {
    context: Context,
    destination: Destination,
    keys: ItemKeys,
}

impl Batches for Ingest {
    type Request = IngestRequest;
    type Opening = IngestOpening;
    type Batch = IngestBatch;
    type Answer = IngestResponse;

    fn message(request: IngestRequest) -> Option<Message<IngestOpening, IngestBatch>> {
        Some(match request.message? {
            wire::Message::Opening(opening) => Message::Opening(opening),
            wire::Message::Batch(batch) => Message::Batch(batch),
        })
    }

    async fn open(
        gate: &Gate,
        origin: &Origin,
        opening: IngestOpening,
    ) -> Result<(Self, TenantId), Failure> {
        let context = origin.context(opening.context)?;
        let destination = destination(opening.destination)?;
        let keys = ItemKeys::from_wire(&opening.idempotency_key)?;
        let tenant = gate.permit::<Write>(origin, &context).await?.tenant();
        Ok((Self { context, destination, keys }, tenant))
    }

    async fn take(
        &mut self,
        gate: &Gate,
        origin: &Origin,
        batch: IngestBatch,
    ) -> Result<IngestResponse, Failure> {
        answer_size::check(&batch.records, self.destination.has_masks)?;
        let batch = Batch::from_wire(batch.records, &mut self.keys)?;
        let vault = gate.vault()?;
        let permit = gate.permit(origin, &self.context).await?;
        let stored = vault.put(&permit, &self.destination, batch.records);
        let results = put_results(batch.references, stored.await?);
        Ok(IngestResponse { results })
    }
}
