//! A vault that keeps in memory what it is given, so that tests can look at it.

mod surrogates;
mod users;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard},
};

use futures::{StreamExt as _, stream::BoxStream};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming, async_trait, transport::Server};
use tresor_door::{Authority, Listener, Shutdown, TrustFiles};
use tresor_proto::{
    Action, Content, CustomerToken, CustomerTokenId, CustomerTokenKind, ErrorCode, Failure,
    FieldName, FieldPolicy, InfoType, Policy, Secret, TrustDomain, UndeclaredPolicy,
    vault::{
        self as wire, BuildIndexRequest, BuildIndexResponse, Collection,
        CustomerTokenServiceListRequest, CustomerTokenServiceListResponse, DeleteRequest,
        DeleteResponse, DeleteResult, Destination, EnrolRequest, EnrolResponse, FieldState,
        FieldSurrogate, GetCollectionRequest, GetCollectionResponse, GetRequest, GetResponse,
        GetResult, IngestOpening, IngestRequest, IngestResponse, IssueRequest, IssueResponse,
        LendRequest, LendResponse, ListCollectionsRequest, ListCollectionsResponse, ListRequest,
        ListResponse, PutCollectionRequest, PutCollectionResponse, PutRequest, PutResponse,
        PutResult, RecordInput, RequestContext, RevealedField, RevealedRecord, RevokeRequest,
        RevokeResponse, RotateRequest, RotateResponse, SearchRequest, SearchResponse, StoredRecord,
        access_service_server::AccessServiceServer,
        collection_service_server::{CollectionService, CollectionServiceServer},
        customer_token_service_server::{CustomerTokenService, CustomerTokenServiceServer},
        get_result,
        ingest_request::Message,
        put_result,
        record_service_server::{RecordService, RecordServiceServer},
        surrogate_service_server::SurrogateServiceServer,
    },
};

pub(crate) use self::users::{PASSWORD, USER};
use self::{
    surrogates::{Asked, key_version, surrogate},
    users::Users,
};
use super::house::House;

#[derive(Clone)]
pub(crate) struct FakeVault {
    state: Arc<State>,
    address: SocketAddr,
}

struct State {
    customer_token: String,
    version: Mutex<u64>,
    contexts: Mutex<Vec<RequestContext>>,
    batches: Mutex<Vec<usize>>,
    stored: Mutex<Vec<RecordInput>>,
    is_acknowledging: watch::Sender<bool>,
    allowed_address: Mutex<&'static str>,
    users: Mutex<Users>,
    asked: Mutex<Asked>,
}

#[derive(Clone)]
struct Services(Arc<State>);

impl FakeVault {
    pub(crate) async fn start(house: &House) -> Self {
        let state = Arc::new(State {
            customer_token: customer_token(7),
            version: Mutex::new(1),
            contexts: Mutex::default(),
            batches: Mutex::default(),
            stored: Mutex::default(),
            is_acknowledging: watch::Sender::new(true),
            allowed_address: Mutex::new("127.0.0.1"),
            users: Mutex::default(),
            asked: Mutex::default(),
        });
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let domain = TrustDomain::parse("tresor.local").unwrap();
        let authority = Authority::load(TrustFiles::new(house.authorities()), domain).unwrap();
        let tls = house.issue_service("vault");
        let listener = Listener::bind(any_port, &tls, authority, &["h2"]).await.unwrap();
        let address = listener.local_addr();
        let services = Services(Arc::clone(&state));
        let (health, health_service) = tonic_health::server::health_reporter();
        health.set_service_status("", tonic_health::ServingStatus::Serving).await;
        let server = Server::builder()
            .add_service(RecordServiceServer::new(services.clone()))
            .add_service(SurrogateServiceServer::new(services.clone()))
            .add_service(CollectionServiceServer::new(services.clone()))
            .add_service(AccessServiceServer::new(services.clone()))
            .add_service(CustomerTokenServiceServer::new(services))
            .add_service(health_service);
        tokio::spawn(server.serve_with_incoming(listener.into_incoming(Shutdown::new())));
        Self { state, address }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    pub(crate) fn customer_token(&self) -> &str {
        &self.state.customer_token
    }

    /// Everybody who called.
    pub(crate) fn contexts(&self) -> Vec<RequestContext> {
        self.state.contexts.lock().unwrap().clone()
    }

    pub(crate) fn stored(&self) -> Vec<RecordInput> {
        self.state.stored.lock().unwrap().clone()
    }

    /// The number of records of each batch.
    pub(crate) fn batches(&self) -> Vec<usize> {
        self.state.batches.lock().unwrap().clone()
    }

    /// Lets clients in only from elsewhere.
    pub(crate) fn move_clients(&self) {
        *self.state.allowed_address.lock().unwrap() = "192.0.2.0/24";
    }

    /// Lets clients in from the whole loopback.
    pub(crate) fn allow_loopback(&self) {
        *self.state.allowed_address.lock().unwrap() = "127.0.0.0/24";
    }

    /// Its users.
    pub(crate) fn users(&self) -> MutexGuard<'_, Users> {
        self.state.users.lock().unwrap()
    }

    /// Makes the policy of the collection a newer one.
    pub(crate) fn renew_policy(&self) {
        *self.state.version.lock().unwrap() += 1;
    }

    /// Lets batches wait, or no longer.
    pub(crate) fn acknowledge(&self, is_acknowledging: bool) {
        self.state.is_acknowledging.send_replace(is_acknowledging);
    }
}

/// A well-formed customer token.
pub(crate) fn customer_token(byte: u8) -> String {
    let secret = Secret::try_fill::<()>(|bytes| {
        bytes.fill(byte);
        Ok(())
    });
    let id = CustomerTokenId::from_bytes([byte; 12]);
    let customer_token = CustomerToken::new(CustomerTokenKind::ReadWrite, id, secret.unwrap());
    customer_token.expose_text().to_string()
}

/// The only collection is `customers`; every version of its policy drops `surplus` and rejects
/// `forbidden` and tokenizes `account`, and from the second on `tariff` is clear.
fn policy(version: u64) -> Policy {
    let declared = |name: &str, action| FieldPolicy::new(FieldName::parse(name).unwrap(), action);
    let tariff = if version == 1 { Action::Seal } else { Action::Clear };
    let fields = vec![
        declared("surplus", Action::Drop),
        declared("forbidden", Action::Reject),
        declared("number", Action::Clear),
        declared("tariff", tariff),
        FieldPolicy {
            info_type: Some(InfoType::IbanCode),
            ..declared("account", Action::Tokenize)
        },
    ];
    Policy::new(fields, UndeclaredPolicy::default(), Action::Seal).unwrap()
}

impl State {
    /// Notes the caller and checks it as a vault would.
    fn admit(&self, context: Option<RequestContext>) -> Result<(), Failure> {
        let context = context.unwrap();
        let is_known = context.customer_token == self.customer_token
            && self.users.lock().unwrap().admit(&context);
        self.contexts.lock().unwrap().push(context);
        if is_known { Ok(()) } else { Err(ErrorCode::Unauthenticated.into()) }
    }

    fn open(&self, opening: IngestOpening) -> Result<Destination, Failure> {
        self.admit(opening.context)?;
        Ok(opening.destination.unwrap())
    }

    async fn put(
        &self,
        destination: &Destination,
        records: Vec<RecordInput>,
    ) -> Result<IngestResponse, Failure> {
        let mut is_acknowledging = self.is_acknowledging.subscribe();
        is_acknowledging.wait_for(|is| *is).await.unwrap();
        if destination.policy_version != *self.version.lock().unwrap() {
            return Err(ErrorCode::Conflict.into());
        }
        self.batches.lock().unwrap().push(records.len());
        let put = |record| self.put_one(record, destination.masks);
        Ok(IngestResponse { results: records.into_iter().map(put).collect() })
    }

    /// Stores a record; gives `srg_` and its name for a field to tokenize, under a key of its own where
    /// the value is a number, and dots as masks.
    fn put_one(&self, record: RecordInput, has_masks: bool) -> PutResult {
        let of_action = |action: wire::Action| {
            record.fields.iter().filter(move |field| field.action() == action)
        };
        let surrogates = of_action(wire::Action::Tokenize).map(|field| FieldSurrogate {
            field: field.name.clone(),
            surrogate: surrogate(field),
            key_version: key_version(field),
        });
        let surrogates = surrogates.collect();
        let masked = of_action(wire::Action::Seal).map(|field| RevealedField {
            name: field.name.clone(),
            value: Some(Content::text("•••").unwrap().into_wire()),
            state: FieldState::Masked as i32,
            ..RevealedField::default()
        });
        let fields = masked.filter(|_| has_masks).collect();
        let mut stored = self.stored.lock().unwrap();
        let outcome = if record.id == "refused" {
            put_result::Outcome::Status(Failure::from(ErrorCode::AlreadyExists).to_item_status())
        } else {
            let made = format!("made-{}", stored.len());
            let id = Some(record.id.clone()).filter(|id| !id.is_empty()).unwrap_or(made);
            stored.push(record);
            put_result::Outcome::Stored(StoredRecord { id, revision: 1, ..StoredRecord::default() })
        };
        PutResult { outcome: Some(outcome), surrogates, fields, ..PutResult::default() }
    }

    async fn ingest(
        &self,
        messages: &mut Streaming<IngestRequest>,
        answers: &mpsc::Sender<Result<IngestResponse, Status>>,
    ) -> Result<(), Status> {
        let mut destination = None;
        let mut context = RequestContext::default();
        while let Some(message) = messages.message().await? {
            match (message.message.unwrap(), &destination) {
                (Message::Opening(opening), None) => {
                    context.clone_from(opening.context.as_ref().unwrap());
                    destination = Some(self.open(opening)?);
                }
                (Message::Batch(batch), Some(destination)) => {
                    self.users.lock().unwrap().check(&context)?;
                    let answer = self.put(destination, batch.records).await?;
                    let _ = answers.send(Ok(answer)).await;
                }
                (Message::Opening(_), Some(_)) | (Message::Batch(_), None) => {
                    return Err(Status::internal("out of order"));
                }
            }
        }
        Ok(())
    }

    fn revealed(&self, id: &str) -> Option<RevealedRecord> {
        let stored = self.stored.lock().unwrap();
        let record = stored.iter().find(|record| record.id == id)?;
        let field = |field: &tresor_proto::vault::Field| RevealedField {
            name: field.name.clone(),
            value: field.value.clone(),
            state: FieldState::Plain as i32,
            info_type: field.info_type.clone(),
            data_class: field.data_class,
            surrogate: surrogate(field),
            key_version: key_version(field),
            ..RevealedField::default()
        };
        Some(RevealedRecord {
            id: id.to_owned(),
            revision: 1,
            created: Some(prost_types::Timestamp { seconds: 1, nanos: 0 }),
            fields: record.fields.iter().map(field).collect(),
            ..RevealedRecord::default()
        })
    }

    fn found(&self, id: &str) -> GetResult {
        let absent = || Failure::from(ErrorCode::NotFound).to_item_status();
        let outcome = match self.revealed(id) {
            Some(record) => get_result::Outcome::Record(record),
            None => get_result::Outcome::Status(absent()),
        };
        GetResult { id: id.to_owned(), outcome: Some(outcome) }
    }
}

#[async_trait]
impl RecordService for Services {
    async fn put(&self, _: Request<PutRequest>) -> Result<Response<PutResponse>, Status> {
        Err(Status::unimplemented("the edge ingests"))
    }

    type IngestStream = BoxStream<'static, Result<IngestResponse, Status>>;

    async fn ingest(
        &self,
        request: Request<Streaming<IngestRequest>>,
    ) -> Result<Response<Self::IngestStream>, Status> {
        let (state, mut messages) = (Arc::clone(&self.0), request.into_inner());
        let (sender, answers) = mpsc::channel(4);
        tokio::spawn(async move {
            if let Err(status) = state.ingest(&mut messages, &sender).await {
                let _ = sender.send(Err(status)).await;
            }
        });
        Ok(Response::new(ReceiverStream::new(answers).boxed()))
    }

    async fn get(&self, request: Request<GetRequest>) -> Result<Response<GetResponse>, Status> {
        let request = request.into_inner();
        self.0.admit(request.context)?;
        let results = request.ids.iter().map(|id| self.0.found(id)).collect();
        Ok(Response::new(GetResponse { results }))
    }

    async fn list(&self, request: Request<ListRequest>) -> Result<Response<ListResponse>, Status> {
        let request = request.into_inner();
        self.0.admit(request.context)?;
        let ids: Vec<_> = self.0.stored.lock().unwrap().iter().map(|r| r.id.clone()).collect();
        let first = request.page_token.parse::<usize>().unwrap_or(0);
        let next = first + request.page_size as usize;
        let page = ids.iter().take(next).skip(first);
        let is_last = next >= ids.len();
        Ok(Response::new(ListResponse {
            results: page.map(|id| self.0.found(id)).collect(),
            next_page_token: if is_last { String::new() } else { next.to_string() },
        }))
    }

    async fn search(
        &self,
        request: Request<SearchRequest>,
    ) -> Result<Response<SearchResponse>, Status> {
        Ok(Response::new(self.0.search(request.into_inner())?))
    }

    async fn delete(
        &self,
        request: Request<DeleteRequest>,
    ) -> Result<Response<DeleteResponse>, Status> {
        let request = request.into_inner();
        self.0.admit(request.context)?;
        let delete = |id: String| {
            let mut stored = self.0.stored.lock().unwrap();
            let before = stored.len();
            stored.retain(|record| record.id != id);
            let is_absent = stored.len() == before;
            let status = is_absent.then(|| Failure::from(ErrorCode::NotFound).to_item_status());
            DeleteResult { id, status }
        };
        let results = request.ids.into_iter().map(delete).collect();
        Ok(Response::new(DeleteResponse { results }))
    }
}

#[async_trait]
impl CollectionService for Services {
    async fn put_collection(
        &self,
        _: Request<PutCollectionRequest>,
    ) -> Result<Response<PutCollectionResponse>, Status> {
        Err(Status::unimplemented("the edge puts none"))
    }

    async fn analyze_collection(
        &self,
        _: Request<wire::AnalyzeCollectionRequest>,
    ) -> Result<Response<wire::AnalyzeCollectionResponse>, Status> {
        Err(Status::unimplemented("the edge analyzes none"))
    }

    async fn get_inventory(
        &self,
        _: Request<wire::GetInventoryRequest>,
    ) -> Result<Response<wire::GetInventoryResponse>, Status> {
        Err(Status::unimplemented("the edge takes none"))
    }

    async fn get_collection(
        &self,
        request: Request<GetCollectionRequest>,
    ) -> Result<Response<GetCollectionResponse>, Status> {
        let request = request.into_inner();
        if request.name != "customers" {
            return Err(Failure::from(ErrorCode::NotFound).into());
        }
        self.0.contexts.lock().unwrap().extend(request.context);
        let version = *self.0.version.lock().unwrap();
        let collection = Some(Collection {
            name: request.name,
            policy_version: version,
            policy: Some((&policy(version)).into()),
            updated: None,
            ..Collection::default()
        });
        Ok(Response::new(GetCollectionResponse { collection }))
    }

    async fn list_collections(
        &self,
        _: Request<ListCollectionsRequest>,
    ) -> Result<Response<ListCollectionsResponse>, Status> {
        Err(Status::unimplemented("the edge lists none"))
    }

    async fn build_index(
        &self,
        _: Request<BuildIndexRequest>,
    ) -> Result<Response<BuildIndexResponse>, Status> {
        Err(Status::unimplemented("the edge builds none"))
    }
}

#[async_trait]
impl CustomerTokenService for Services {
    async fn enrol(
        &self,
        request: Request<EnrolRequest>,
    ) -> Result<Response<EnrolResponse>, Status> {
        let context = request.into_inner().context.unwrap();
        let tenant_id = context.tenant.clone();
        self.0.contexts.lock().unwrap().push(context);
        Ok(Response::new(EnrolResponse {
            tenant_id,
            tenant_name: "planner".to_owned(),
            customer_token: self.0.customer_token.clone(),
            expires: None,
            recovery_token: customer_token(8),
        }))
    }

    async fn lend(&self, _request: Request<LendRequest>) -> Result<Response<LendResponse>, Status> {
        Err(Status::unimplemented("the fake vault has no keys to lend"))
    }

    async fn issue(
        &self,
        request: Request<IssueRequest>,
    ) -> Result<Response<IssueResponse>, Status> {
        let issued = Some(self.0.asked(request.into_inner()));
        Ok(Response::new(IssueResponse { customer_token: customer_token(9), issued }))
    }

    async fn rotate(
        &self,
        request: Request<RotateRequest>,
    ) -> Result<Response<RotateResponse>, Status> {
        let RotateRequest { id, overlap, .. } = request.into_inner();
        let name = overlap.map_or_else(|| "a week".to_owned(), |overlap| overlap.to_string());
        let replaced = Some(wire::CustomerToken { id, name, kind: 1, ..Default::default() });
        let issued = Some(self.0.asked(IssueRequest { kind: 1, ..Default::default() }));
        Ok(Response::new(RotateResponse { customer_token: customer_token(9), issued, replaced }))
    }

    async fn revoke(
        &self,
        request: Request<RevokeRequest>,
    ) -> Result<Response<RevokeResponse>, Status> {
        let RevokeRequest { id, confirmation, .. } = request.into_inner();
        let revoked =
            Some(wire::CustomerToken { id, name: confirmation, kind: 1, ..Default::default() });
        Ok(Response::new(RevokeResponse { revoked }))
    }

    async fn list(
        &self,
        _: Request<CustomerTokenServiceListRequest>,
    ) -> Result<Response<CustomerTokenServiceListResponse>, Status> {
        let customer_tokens = vec![self.0.asked(IssueRequest { kind: 1, ..Default::default() })];
        Ok(Response::new(CustomerTokenServiceListResponse { customer_tokens }))
    }
}

impl State {
    /// A customer token just as asked for.
    fn asked(&self, request: IssueRequest) -> wire::CustomerToken {
        self.contexts.lock().unwrap().extend(request.context);
        wire::CustomerToken {
            id: CustomerTokenId::from_bytes([9; 12]).to_string(),
            kind: request.kind,
            name: request.name,
            classes: request.classes,
            operations: request.operations,
            state: wire::CustomerTokenState::Active as i32,
            expires: request.expires,
            bound_certificate: request.bound_certificate,
            ..Default::default()
        }
    }
}
