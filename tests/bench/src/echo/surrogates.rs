//! Surrogates of the echo: canned ones for values, and a canned value for each of them.

use futures::{StreamExt, future, stream::BoxStream};
use tonic::{Request, Response, Status, Streaming};
use tresor_proto::{
    limits::MESSAGE_BYTES_MAX,
    vault::{
        DataClass, DescribeRequest, DescribeResponse, DetokenizeRequest, DetokenizeResponse,
        DetokenizeResult, DetokenizeStreamRequest, DetokenizeStreamResponse, FieldState,
        IssuedSurrogate, RenewRequest, RenewResponse, RevealedValue, SurrogateItem,
        SurrogateServiceDeleteRequest, SurrogateServiceDeleteResponse, TokenizeItem,
        TokenizeRequest, TokenizeResponse, TokenizeResult, TokenizeStreamRequest,
        TokenizeStreamResponse, Value, detokenize_result, detokenize_stream_request,
        surrogate_service_server::{SurrogateService, SurrogateServiceServer},
        tokenize_result, tokenize_stream_request, value,
    },
};

/// As long as the surrogates that the vault makes.
const SURROGATE: &str = "srg_iban_01h455vb4pex5vsknk084sn02q_0000";
/// As long as the values that are traded.
const VALUE: &str = "DE02120300000000202051";

pub(super) struct Surrogates;

/// The service.
pub(super) fn service() -> SurrogateServiceServer<Surrogates> {
    SurrogateServiceServer::new(Surrogates).max_decoding_message_size(MESSAGE_BYTES_MAX)
}

#[tonic::async_trait]
impl SurrogateService for Surrogates {
    type TokenizeStreamStream = BoxStream<'static, Result<TokenizeStreamResponse, Status>>;
    type DetokenizeStreamStream = BoxStream<'static, Result<DetokenizeStreamResponse, Status>>;

    async fn tokenize(
        &self,
        request: Request<TokenizeRequest>,
    ) -> Result<Response<TokenizeResponse>, Status> {
        let results = issued(request.into_inner().items);
        Ok(Response::new(TokenizeResponse { results }))
    }

    async fn tokenize_stream(
        &self,
        request: Request<Streaming<TokenizeStreamRequest>>,
    ) -> Result<Response<Self::TokenizeStreamStream>, Status> {
        let answer = |request: Result<TokenizeStreamRequest, Status>| {
            future::ready(match request.map(|request| request.message) {
                Ok(Some(tokenize_stream_request::Message::Batch(batch))) => {
                    Some(Ok(TokenizeStreamResponse { results: issued(batch.items) }))
                }
                Ok(_) => None,
                Err(status) => Some(Err(status)),
            })
        };
        Ok(Response::new(request.into_inner().filter_map(answer).boxed()))
    }

    async fn detokenize(
        &self,
        request: Request<DetokenizeRequest>,
    ) -> Result<Response<DetokenizeResponse>, Status> {
        let results = shown(request.into_inner().items);
        Ok(Response::new(DetokenizeResponse { results }))
    }

    async fn detokenize_stream(
        &self,
        request: Request<Streaming<DetokenizeStreamRequest>>,
    ) -> Result<Response<Self::DetokenizeStreamStream>, Status> {
        let answer = |request: Result<DetokenizeStreamRequest, Status>| {
            future::ready(match request.map(|request| request.message) {
                Ok(Some(detokenize_stream_request::Message::Batch(batch))) => {
                    Some(Ok(DetokenizeStreamResponse { results: shown(batch.items) }))
                }
                Ok(_) => None,
                Err(status) => Some(Err(status)),
            })
        };
        Ok(Response::new(request.into_inner().filter_map(answer).boxed()))
    }

    async fn describe(
        &self,
        _: Request<DescribeRequest>,
    ) -> Result<Response<DescribeResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn renew(&self, _: Request<RenewRequest>) -> Result<Response<RenewResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn delete(
        &self,
        _: Request<SurrogateServiceDeleteRequest>,
    ) -> Result<Response<SurrogateServiceDeleteResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }
}

fn issued(items: Vec<TokenizeItem>) -> Vec<TokenizeResult> {
    let result = |item: TokenizeItem| {
        let surrogate = SURROGATE.to_owned();
        let issued = IssuedSurrogate { surrogate, ..IssuedSurrogate::default() };
        let outcome = Some(tokenize_result::Outcome::Issued(issued));
        TokenizeResult { reference: item.reference, outcome }
    };
    items.into_iter().map(result).collect()
}

fn shown(items: Vec<SurrogateItem>) -> Vec<DetokenizeResult> {
    let result = |item: SurrogateItem| {
        let revealed = RevealedValue {
            value: Some(Value { content: Some(value::Content::Text(VALUE.to_owned())) }),
            state: FieldState::Plain as i32,
            info_type: "IBAN_CODE".to_owned(),
            data_class: DataClass::Financial as i32,
            length_bytes_max: 0,
        };
        let outcome = Some(detokenize_result::Outcome::Revealed(revealed));
        DetokenizeResult { reference: item.reference, outcome }
    };
    items.into_iter().map(result).collect()
}
