//! `RecordService`: stores, reads and deletes records of one tenant.

use futures::stream::BoxStream;
use tonic::{Request, Response, Status, Streaming};
use tresor_door::Shutdown;
use tresor_proto::{
    CollectionName, Failure, RecordId,
    vault::{
        DeleteRequest, DeleteResponse, GetRequest, GetResponse, IngestRequest, IngestResponse,
        ListRequest, ListResponse, PutRequest, PutResponse, PutResult, SearchRequest,
        SearchResponse, record_service_server::RecordService,
    },
};
use tresor_vault::{Delete, StoredRecord, VaultError, Write};

use super::{
    batch_stream::BatchStream,
    ingest::Ingest,
    reading::{self, Reading},
    step_stream::{self, Stop},
};
use crate::{
    caller::Origin,
    convert::{
        answer_size,
        input::{Batch, Ids, destination, view},
        item_keys::ItemKeys,
        page,
        revealed::{delete_result, put_result},
        search::terms,
    },
    gate::Gate,
};

/// The service.
pub(crate) struct Records {
    gate: Gate,
    shutdown: Shutdown,
}

impl Records {
    /// The service behind `gate`; its streams end at `shutdown`.
    pub(crate) fn new(gate: Gate, shutdown: Shutdown) -> Self {
        Self { gate, shutdown }
    }
}

#[tonic::async_trait]
impl RecordService for Records {
    type IngestStream = BoxStream<'static, Result<IngestResponse, Status>>;

    async fn put(&self, request: Request<PutRequest>) -> Result<Response<PutResponse>, Status> {
        let origin = Origin::of(&request)?;
        let request = request.into_inner();
        let context = origin.context(request.context)?;
        let destination = destination(request.destination)?;
        let mut keys = ItemKeys::from_wire(&request.idempotency_key)?;
        answer_size::check(&request.records, destination.has_masks)?;
        let batch = Batch::from_wire(request.records, &mut keys)?;
        let vault = self.gate.vault()?;
        let permit = self.gate.permit::<Write>(&origin, &context).await?;
        let stored = vault.put(&permit, &destination, batch.records);
        let stored = stored.await.map_err(Failure::from)?;
        let results = put_results(batch.references, stored);
        Ok(Response::new(PutResponse { results }))
    }

    async fn ingest(
        &self,
        request: Request<Streaming<IngestRequest>>,
    ) -> Result<Response<Self::IngestStream>, Status> {
        let origin = Origin::of(&request)?;
        let stop = Stop::new(&self.gate, &self.shutdown, &origin);
        let ingest = BatchStream::<Ingest>::new(self.gate.clone(), origin, request.into_inner());
        Ok(Response::new(step_stream::into_answers(ingest, stop)))
    }

    async fn get(&self, request: Request<GetRequest>) -> Result<Response<GetResponse>, Status> {
        let origin = Origin::of(&request)?;
        let request = request.into_inner();
        let context = origin.context(request.context)?;
        let view = view(&request.collection, request.reveal, &request.fields)?;
        let ids = Ids::from_wire(request.ids)?;
        let reading = Reading { gate: &self.gate, origin: &origin, context: &context };
        let results = reading::by_id(&reading, &view, ids).await?;
        Ok(Response::new(GetResponse { results }))
    }

    async fn list(&self, request: Request<ListRequest>) -> Result<Response<ListResponse>, Status> {
        let origin = Origin::of(&request)?;
        let request = request.into_inner();
        let context = origin.context(request.context)?;
        let view = view(&request.collection, request.reveal, &request.fields)?;
        let limit = page::size(request.page_size)?;
        let after = page::after(&request.page_token, |text| RecordId::parse(text).ok())?;
        let reading = Reading { gate: &self.gate, origin: &origin, context: &context };
        let page = reading::page(&reading, &view, after, limit).await?;
        Ok(Response::new(page))
    }

    async fn search(
        &self,
        request: Request<SearchRequest>,
    ) -> Result<Response<SearchResponse>, Status> {
        let origin = Origin::of(&request)?;
        let request = request.into_inner();
        let context = origin.context(request.context)?;
        let view = view(&request.collection, request.reveal, &request.fields)?;
        let terms = terms(request.terms)?;
        let place = (request.page_token.as_str(), page::size(request.page_size)?);
        let reading = Reading { gate: &self.gate, origin: &origin, context: &context };
        let page = reading::search(&reading, &view, &terms, place).await?;
        Ok(Response::new(page))
    }

    async fn delete(
        &self,
        request: Request<DeleteRequest>,
    ) -> Result<Response<DeleteResponse>, Status> {
        let origin = Origin::of(&request)?;
        let request = request.into_inner();
        let context = origin.context(request.context)?;
        let collection = CollectionName::parse(&request.collection)?;
        let ids = Ids::from_wire(request.ids)?;
        let vault = self.gate.vault()?;
        let permit = self.gate.permit::<Delete>(&origin, &context).await?;
        let asked = ids.valid();
        let deleted = vault.delete(&permit, &collection, &asked);
        let deleted = ids.in_order(deleted.await.map_err(Failure::from)?);
        let results = deleted.map(|(id, deleted)| delete_result(id, deleted));
        let results = results.collect();
        Ok(Response::new(DeleteResponse { results }))
    }
}

/// One result for each record, in order.
pub(super) fn put_results(
    references: Vec<String>,
    stored: Vec<Result<StoredRecord, VaultError>>,
) -> Vec<PutResult> {
    let items = references.into_iter().zip(stored);
    items.map(|(reference, stored)| put_result(reference, stored)).collect()
}
