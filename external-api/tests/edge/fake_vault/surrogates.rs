//! Surrogates of the fake vault: a surrogate is the number of its value.

use futures::stream::BoxStream;
use tonic::{Request, Response, Status, Streaming, async_trait};
use tresor_proto::{
    ErrorCode, Failure,
    vault::{
        Action, DescribeRequest, DescribeResponse, DetokenizeRequest, DetokenizeResponse,
        DetokenizeResult, DetokenizeStreamRequest, DetokenizeStreamResponse, Field, FieldState,
        IssuedSurrogate, RenewRequest, RenewResponse, RenewResult, RevealedValue, SearchRequest,
        SearchResponse, SurrogateItem, SurrogateServiceDeleteRequest,
        SurrogateServiceDeleteResponse, TokenizeItem, TokenizeRequest, TokenizeResponse,
        TokenizeResult, TokenizeStreamRequest, TokenizeStreamResponse, detokenize_result,
        renew_result, surrogate_service_server::SurrogateService, tokenize_result, value::Content,
    },
};

use super::{FakeVault, Services, State};

/// What it was asked, without its contexts.
#[derive(Default)]
pub(super) struct Asked {
    tokenized: Vec<TokenizeRequest>,
    searched: Vec<SearchRequest>,
}

impl FakeVault {
    /// The calls of `Tokenize`.
    pub(crate) fn tokenized(&self) -> Vec<TokenizeRequest> {
        self.state.asked.lock().unwrap().tokenized.clone()
    }

    /// The calls of `Search`.
    pub(crate) fn searched(&self) -> Vec<SearchRequest> {
        self.state.asked.lock().unwrap().searched.clone()
    }
}

impl State {
    fn issue(&self, number: usize, item: &TokenizeItem) -> TokenizeResult {
        let outcome = match &item.value {
            Some(_) => tokenize_result::Outcome::Issued(IssuedSurrogate {
                surrogate: format!("srg_{number}"),
                replayed: item.reference == "again",
                key_version: 0,
            }),
            None => {
                let failure = Failure::invalid("value", "is missing");
                tokenize_result::Outcome::Status(failure.to_item_status())
            }
        };
        TokenizeResult { reference: item.reference.clone(), outcome: Some(outcome) }
    }

    fn reveal(&self, item: SurrogateItem) -> DetokenizeResult {
        use detokenize_result::Outcome;
        let number = item.surrogate.strip_prefix("srg_").and_then(|text| text.parse().ok());
        let asked = self.asked.lock().unwrap();
        let mut items = asked.tokenized.iter().flat_map(|request| &request.items);
        let outcome = match number.and_then(|number: usize| items.nth(number)) {
            Some(found) => Outcome::Revealed(RevealedValue {
                value: found.value.clone(),
                state: FieldState::Plain as i32,
                info_type: "PERSON_NAME".to_owned(),
                data_class: 1,
                length_bytes_max: 0,
            }),
            None => Outcome::Status(Failure::from(ErrorCode::NotFound).to_item_status()),
        };
        DetokenizeResult { reference: item.reference, outcome: Some(outcome) }
    }

    /// Finds the first record.
    pub(super) fn search(&self, mut request: SearchRequest) -> Result<SearchResponse, Failure> {
        self.admit(request.context.take())?;
        self.asked.lock().unwrap().searched.push(request);
        let first = self.stored.lock().unwrap().first().map(|record| record.id.clone());
        Ok(SearchResponse {
            results: first.iter().map(|id| self.found(id)).collect(),
            next_page_token: first.unwrap_or_default(),
            index_complete: false,
        })
    }
}

/// The surrogate of a field; empty for one that is not tokenized.
pub(super) fn surrogate(field: &Field) -> String {
    let is_tokenized = field.action() == Action::Tokenize;
    if is_tokenized { format!("srg_{}", field.name) } else { String::new() }
}

/// The version of the key that makes it: of those only whose values are numbers.
pub(super) fn key_version(field: &Field) -> u32 {
    match field.value.as_ref().and_then(|value| value.content.as_ref()) {
        Some(Content::Text(text)) if text.parse::<u64>().is_ok() => 2,
        _ => 0,
    }
}

/// What a surrogate and its request say, when they say what it was made for.
fn renewed(request: &RenewRequest, item: &SurrogateItem) -> RenewResult {
    let refused = |field: &str| {
        renew_result::Outcome::Status(Failure::invalid(field, "is missing").to_item_status())
    };
    let outcome = match request.info_type.as_str() {
        "" => refused("surrogate"),
        _ if request.key_version == 0 => refused("key_version"),
        info_type => renew_result::Outcome::Renewed(IssuedSurrogate {
            surrogate: format!("{info_type} {} {}", request.format, item.surrogate),
            replayed: false,
            key_version: request.key_version + 1,
        }),
    };
    RenewResult { reference: item.reference.clone(), outcome: Some(outcome) }
}

#[async_trait]
impl SurrogateService for Services {
    type TokenizeStreamStream = BoxStream<'static, Result<TokenizeStreamResponse, Status>>;
    type DetokenizeStreamStream = BoxStream<'static, Result<DetokenizeStreamResponse, Status>>;

    async fn tokenize(
        &self,
        request: Request<TokenizeRequest>,
    ) -> Result<Response<TokenizeResponse>, Status> {
        let mut request = request.into_inner();
        self.0.admit(request.context.take())?;
        let mut asked = self.0.asked.lock().unwrap();
        let before: usize = asked.tokenized.iter().map(|request| request.items.len()).sum();
        let items = request.items.iter().enumerate();
        let results = items.map(|(at, item)| self.0.issue(before + at, item)).collect();
        asked.tokenized.push(request);
        Ok(Response::new(TokenizeResponse { results }))
    }

    async fn tokenize_stream(
        &self,
        _: Request<Streaming<TokenizeStreamRequest>>,
    ) -> Result<Response<Self::TokenizeStreamStream>, Status> {
        Err(Status::unimplemented("the edge asks for batches"))
    }

    async fn detokenize(
        &self,
        request: Request<DetokenizeRequest>,
    ) -> Result<Response<DetokenizeResponse>, Status> {
        let request = request.into_inner();
        self.0.admit(request.context)?;
        let results = request.items.into_iter().map(|item| self.0.reveal(item)).collect();
        Ok(Response::new(DetokenizeResponse { results }))
    }

    async fn detokenize_stream(
        &self,
        _: Request<Streaming<DetokenizeStreamRequest>>,
    ) -> Result<Response<Self::DetokenizeStreamStream>, Status> {
        Err(Status::unimplemented("the edge asks for batches"))
    }

    async fn describe(
        &self,
        _: Request<DescribeRequest>,
    ) -> Result<Response<DescribeResponse>, Status> {
        Err(Status::unimplemented("the edge does not describe"))
    }

    async fn renew(
        &self,
        request: Request<RenewRequest>,
    ) -> Result<Response<RenewResponse>, Status> {
        let mut request = request.into_inner();
        self.0.admit(request.context.take())?;
        let results = request.items.iter().map(|item| renewed(&request, item)).collect();
        Ok(Response::new(RenewResponse { results }))
    }

    async fn delete(
        &self,
        _: Request<SurrogateServiceDeleteRequest>,
    ) -> Result<Response<SurrogateServiceDeleteResponse>, Status> {
        Err(Status::unimplemented("the edge does not delete"))
    }
}
