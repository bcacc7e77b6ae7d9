//! Callers of the service of surrogates: one call after the other, or over a stream.

use std::sync::Arc;

use tokio::sync::{Mutex, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Streaming, transport::Channel};
use tresor_proto::{
    limits::MESSAGE_BYTES_MAX,
    vault::{
        DetokenizeBatch, DetokenizeOpening, DetokenizeRequest, DetokenizeResult,
        DetokenizeStreamRequest, DetokenizeStreamResponse, RequestContext, TokenizeBatch,
        TokenizeOpening, TokenizeRequest, TokenizeResult, TokenizeStreamRequest,
        TokenizeStreamResponse, detokenize_result, detokenize_stream_request,
        surrogate_service_client::SurrogateServiceClient, tokenize_result, tokenize_stream_request,
    },
};

use crate::trades::{Goods, Trade};

type Client = SurrogateServiceClient<Channel>;

/// Who trades.
#[derive(Clone)]
pub(crate) enum Trader {
    Unary(Client, Box<RequestContext>),
    Tokenize(Arc<Exchange<TokenizeStreamRequest, TokenizeStreamResponse>>),
    Detokenize(Arc<Exchange<DetokenizeStreamRequest, DetokenizeStreamResponse>>),
}

/// A stream, of which the next batch is sent when the last is answered.
pub(crate) struct Exchange<Q, A> {
    requests: mpsc::Sender<Q>,
    answers: Mutex<Streaming<A>>,
}

impl<Q, A> Exchange<Q, A> {
    async fn trade(&self, request: Q) -> A {
        assert!(self.requests.send(request).await.is_ok(), "the stream is over");
        let answer = self.answers.lock().await.message().await;
        answer.expect("an answer").expect("one more answer")
    }
}

impl Trader {
    /// Who calls once a batch.
    pub(crate) fn unary(channel: Channel, context: RequestContext) -> Self {
        Self::Unary(client(channel), Box::new(context))
    }

    /// Who sends batches over a stream.
    pub(crate) async fn stream(channel: Channel, context: RequestContext, trade: Trade) -> Self {
        match trade.reveal() {
            None => {
                let options = Some(trade.options());
                let context = Some(context);
                let opening = TokenizeOpening { context, options, ..TokenizeOpening::default() };
                let message = Some(tokenize_stream_request::Message::Opening(opening));
                let (requests, opened) = begun(TokenizeStreamRequest { message });
                let answers = client(channel).tokenize_stream(opened).await;
                let answers = Mutex::new(answers.expect("a stream").into_inner());
                Self::Tokenize(Arc::new(Exchange { requests, answers }))
            }
            Some(reveal) => {
                let (info_type, format) = form(trade);
                let (context, reveal) = (Some(context), reveal as i32);
                let opening =
                    DetokenizeOpening { context, reveal, info_type, format, key_version: 0 };
                let message = Some(detokenize_stream_request::Message::Opening(opening));
                let (requests, opened) = begun(DetokenizeStreamRequest { message });
                let answers = client(channel).detokenize_stream(opened).await;
                let answers = Mutex::new(answers.expect("a stream").into_inner());
                Self::Detokenize(Arc::new(Exchange { requests, answers }))
            }
        }
    }

    /// Trades a batch; gives the surrogates, or as many empty texts as values were shown.
    pub(crate) async fn trade(self, trade: Trade, goods: Goods) -> Vec<String> {
        match (self, goods) {
            (Self::Unary(mut client, context), Goods::Values(items)) => {
                let (context, options) = (Some(*context), Some(trade.options()));
                let idempotency_key = String::new();
                let request = TokenizeRequest { context, options, items, idempotency_key };
                issued(client.tokenize(request).await.expect("an answer").into_inner().results)
            }
            (Self::Unary(mut client, context), Goods::Surrogates(items)) => {
                let (info_type, format) = form(trade);
                let reveal = trade.reveal().unwrap_or_default() as i32;
                let context = Some(*context);
                let request =
                    DetokenizeRequest { context, items, reveal, info_type, format, key_version: 0 };
                shown(client.detokenize(request).await.expect("an answer").into_inner().results)
            }
            (Self::Tokenize(exchange), Goods::Values(items)) => {
                let batch = tokenize_stream_request::Message::Batch(TokenizeBatch { items });
                let request = TokenizeStreamRequest { message: Some(batch) };
                issued(exchange.trade(request).await.results)
            }
            (Self::Detokenize(exchange), Goods::Surrogates(items)) => {
                let batch = detokenize_stream_request::Message::Batch(DetokenizeBatch { items });
                let request = DetokenizeStreamRequest { message: Some(batch) };
                shown(exchange.trade(request).await.results)
            }
            (Self::Tokenize(_) | Self::Detokenize(_), _) => panic!("another stream's goods"),
        }
    }
}

fn client(channel: Channel) -> Client {
    Client::new(channel).max_decoding_message_size(MESSAGE_BYTES_MAX)
}

/// A stream of requests with its opening in it.
fn begun<Q>(opening: Q) -> (mpsc::Sender<Q>, ReceiverStream<Q>) {
    let (requests, opened) = mpsc::channel(1);
    assert!(requests.try_send(opening).is_ok(), "there is room for one");
    (requests, ReceiverStream::new(opened))
}

/// What format-preserving surrogates do not say themselves.
fn form(trade: Trade) -> (String, i32) {
    let info_type = if trade.is_preserving() { trade.info_type() } else { "" };
    (info_type.to_owned(), trade.format() as i32)
}

fn issued(results: Vec<TokenizeResult>) -> Vec<String> {
    let text = |result: TokenizeResult| match result.outcome {
        Some(tokenize_result::Outcome::Issued(issued)) => issued.surrogate,
        other => panic!("no surrogate: {other:?}"),
    };
    results.into_iter().map(text).collect()
}

fn shown(results: Vec<DetokenizeResult>) -> Vec<String> {
    let empty = |result: DetokenizeResult| match result.outcome {
        Some(detokenize_result::Outcome::Revealed(revealed)) if revealed.value.is_some() => {
            String::new()
        }
        other => panic!("no value: {other:?}"),
    };
    results.into_iter().map(empty).collect()
}
