//! A bare tonic server that answers the same messages with canned answers of the same size.
//!
//! The same listener, TLS and HTTP/2 windows as the vault process, and nothing else of it: what it
//! reaches is what gRPC over mutual TLS can do here.

mod surrogates;

use std::{net::SocketAddr, path::Path};

use tonic::{Request, Response, Status, Streaming, codegen::BoxStream, transport::Server};
use tresor_door::{Authority, Listener, Shutdown, TrustFiles};
use tresor_proto::{
    TrustDomain,
    limits::MESSAGE_BYTES_MAX,
    vault::{
        DeleteRequest, DeleteResponse, GetRequest, GetResponse, IngestRequest, IngestResponse,
        ListRequest, ListResponse, PutRequest, PutResponse, PutResult, SearchRequest,
        SearchResponse, StoredRecord, put_result,
        record_service_server::{RecordService, RecordServiceServer},
    },
};

use crate::{premises, records};

/// As long as the ids that the vault makes.
const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
/// As the vault process sets them.
const STREAM_WINDOW_BYTES: u32 = 1024 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 4 * 1024 * 1024;
const FRAME_BYTES_MAX: u32 = 64 * 1024;

struct Echo;

#[tonic::async_trait]
impl RecordService for Echo {
    type IngestStream = BoxStream<IngestResponse>;

    async fn put(&self, request: Request<PutRequest>) -> Result<Response<PutResponse>, Status> {
        let result = |reference: String| {
            let stored = StoredRecord { id: ID.to_owned(), revision: 1, ..StoredRecord::default() };
            let outcome = Some(put_result::Outcome::Stored(stored));
            PutResult { reference, outcome, ..PutResult::default() }
        };
        let records = request.into_inner().records.into_iter();
        let results = records.map(|record| result(record.reference)).collect();
        Ok(Response::new(PutResponse { results }))
    }

    async fn get(&self, request: Request<GetRequest>) -> Result<Response<GetResponse>, Status> {
        let ids = request.into_inner().ids;
        let results = ids.iter().map(|id| records::revealed(id)).collect();
        Ok(Response::new(GetResponse { results }))
    }

    async fn ingest(
        &self,
        _: Request<Streaming<IngestRequest>>,
    ) -> Result<Response<Self::IngestStream>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn list(&self, _: Request<ListRequest>) -> Result<Response<ListResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn search(&self, _: Request<SearchRequest>) -> Result<Response<SearchResponse>, Status> {
        let (results, next_page_token) = (vec![records::revealed(ID)], String::new());
        Ok(Response::new(SearchResponse { results, next_page_token, index_complete: true }))
    }

    async fn delete(&self, _: Request<DeleteRequest>) -> Result<Response<DeleteResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }
}

/// Serves until the process is killed.
pub(crate) async fn serve(certificates: &Path, port: u16) {
    let tls = premises::tls_files(certificates, "internal-api");
    let domain = TrustDomain::parse("tresor.local").expect("a trust domain");
    let authority =
        Authority::load(TrustFiles::new(tls.authorities.clone()), domain).expect("the authority");
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let listener = Listener::bind(address, &tls, authority, &["h2"]).await.expect("a listener");
    let service = RecordServiceServer::new(Echo).max_decoding_message_size(MESSAGE_BYTES_MAX);
    Server::builder()
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_frame_size(FRAME_BYTES_MAX)
        .add_service(service)
        .add_service(surrogates::service())
        .serve_with_incoming(listener.into_incoming(Shutdown::default()))
        .await
        .expect("the echo");
}
