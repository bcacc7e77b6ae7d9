//! `SurrogateService`: trades values of one tenant for surrogates, and surrogates for values.

use futures::stream::BoxStream;
use tonic::{Request, Response, Status, Streaming};
use tresor_door::Shutdown;
use tresor_proto::{
    Failure,
    vault::{
        DescribeRequest, DescribeResponse, DetokenizeRequest, DetokenizeResponse,
        DetokenizeStreamRequest, DetokenizeStreamResponse, RenewRequest, RenewResponse,
        SurrogateServiceDeleteRequest, SurrogateServiceDeleteResponse, TokenizeRequest,
        TokenizeResponse, TokenizeResult, TokenizeStreamRequest, TokenizeStreamResponse,
        surrogate_service_server::SurrogateService,
    },
};
use tresor_vault::{
    DeleteSurrogates, DescribeSurrogates, IssuedSurrogate, RenewSurrogates, Tokenize, VaultError,
};

use super::{
    batch_stream::BatchStream,
    detokenize_stream::DetokenizeStream,
    step_stream::{self, Stop},
    tokenize_stream::TokenizeStream,
    trading::{self, Trading},
};
use crate::{
    caller::Origin,
    convert::{
        input::reveal,
        item_keys::ItemKeys,
        surrogates::{
            CommonForm, CommonOptions, Names, Values, delete_surrogate_result, describe_result,
            renew_result, tokenize_result,
        },
    },
    gate::Gate,
};

/// The service.
pub(crate) struct Surrogates {
    gate: Gate,
    shutdown: Shutdown,
}

impl Surrogates {
    /// The service behind `gate`; its streams end at `shutdown`.
    pub(crate) fn new(gate: Gate, shutdown: Shutdown) -> Self {
        Self { gate, shutdown }
    }
}

#[tonic::async_trait]
impl SurrogateService for Surrogates {
    type TokenizeStreamStream = BoxStream<'static, Result<TokenizeStreamResponse, Status>>;
    type DetokenizeStreamStream = BoxStream<'static, Result<DetokenizeStreamResponse, Status>>;

    async fn tokenize(
        &self,
        request: Request<TokenizeRequest>,
    ) -> Result<Response<TokenizeResponse>, Status> {
        let origin = Origin::of(&request)?;
        let request = request.into_inner();
        let context = origin.context(request.context)?;
        let common = CommonOptions::from_wire(request.options);
        let mut keys = ItemKeys::from_wire(&request.idempotency_key)?;
        let batch = Values::from_wire(request.items, &common, &mut keys)?;
        let vault = self.gate.vault()?;
        let permit = self.gate.permit::<Tokenize>(&origin, &context).await?;
        let issued = vault.tokenize(&permit, batch.values).await.map_err(Failure::from)?;
        let results = tokenize_results(batch.references, issued);
        Ok(Response::new(TokenizeResponse { results }))
    }

    async fn tokenize_stream(
        &self,
        request: Request<Streaming<TokenizeStreamRequest>>,
    ) -> Result<Response<Self::TokenizeStreamStream>, Status> {
        let origin = Origin::of(&request)?;
        let stop = Stop::new(&self.gate, &self.shutdown, &origin);
        let stream =
            BatchStream::<TokenizeStream>::new(self.gate.clone(), origin, request.into_inner());
        Ok(Response::new(step_stream::into_answers(stream, stop)))
    }

    async fn detokenize(
        &self,
        request: Request<DetokenizeRequest>,
    ) -> Result<Response<DetokenizeResponse>, Status> {
        let origin = Origin::of(&request)?;
        let request = request.into_inner();
        let context = origin.context(request.context)?;
        let reveal = reveal(request.reveal)?;
        let (info_type, format) = (&request.info_type, request.format);
        let common = CommonForm::from_wire(info_type, format, request.key_version)?;
        let names = Names::from_wire(request.items, &common)?;
        let trading = Trading { gate: &self.gate, origin: &origin, context: &context };
        let results = trading::trade(&trading, reveal, names).await?;
        Ok(Response::new(DetokenizeResponse { results }))
    }

    async fn detokenize_stream(
        &self,
        request: Request<Streaming<DetokenizeStreamRequest>>,
    ) -> Result<Response<Self::DetokenizeStreamStream>, Status> {
        let origin = Origin::of(&request)?;
        let stop = Stop::new(&self.gate, &self.shutdown, &origin);
        let stream =
            BatchStream::<DetokenizeStream>::new(self.gate.clone(), origin, request.into_inner());
        Ok(Response::new(step_stream::into_answers(stream, stop)))
    }

    async fn describe(
        &self,
        request: Request<DescribeRequest>,
    ) -> Result<Response<DescribeResponse>, Status> {
        let origin = Origin::of(&request)?;
        let request = request.into_inner();
        let context = origin.context(request.context)?;
        let names = Names::from_wire(request.items, &CommonForm::default())?;
        let vault = self.gate.vault()?;
        let permit = self.gate.permit::<DescribeSurrogates>(&origin, &context).await?;
        let described = vault.describe_surrogates(&permit, names.queries).await;
        let described = names.references.into_iter().zip(described.map_err(Failure::from)?);
        let results = described.map(|(reference, it)| describe_result(reference, it));
        let results = results.collect();
        Ok(Response::new(DescribeResponse { results }))
    }

    async fn renew(
        &self,
        request: Request<RenewRequest>,
    ) -> Result<Response<RenewResponse>, Status> {
        let origin = Origin::of(&request)?;
        let request = request.into_inner();
        let context = origin.context(request.context)?;
        let (info_type, format) = (&request.info_type, request.format);
        let common = CommonForm::from_wire(info_type, format, request.key_version)?;
        let names = Names::from_wire(request.items, &common)?;
        let vault = self.gate.vault()?;
        let permit = self.gate.permit::<RenewSurrogates>(&origin, &context).await?;
        let renewed = vault.renew_surrogates(&permit, names.queries).await;
        let renewed = names.references.into_iter().zip(renewed.map_err(Failure::from)?);
        let results = renewed.map(|(reference, it)| renew_result(reference, it)).collect();
        Ok(Response::new(RenewResponse { results }))
    }

    async fn delete(
        &self,
        request: Request<SurrogateServiceDeleteRequest>,
    ) -> Result<Response<SurrogateServiceDeleteResponse>, Status> {
        let origin = Origin::of(&request)?;
        let request = request.into_inner();
        let context = origin.context(request.context)?;
        let names = Names::from_wire(request.items, &CommonForm::default())?;
        let vault = self.gate.vault()?;
        let permit = self.gate.permit::<DeleteSurrogates>(&origin, &context).await?;
        let deleted = vault.delete_surrogates(&permit, names.queries).await;
        let deleted = names.references.into_iter().zip(deleted.map_err(Failure::from)?);
        let results = deleted.map(|(reference, it)| delete_surrogate_result(reference, it));
        let results = results.collect();
        Ok(Response::new(SurrogateServiceDeleteResponse { results }))
    }
}

/// One result for each value, in order.
pub(super) fn tokenize_results(
    references: Vec<String>,
    issued: Vec<Result<IssuedSurrogate, VaultError>>,
) -> Vec<TokenizeResult> {
    let items = references.into_iter().zip(issued);
    items.map(|(reference, issued)| tokenize_result(reference, issued)).collect()
}
