//! One stream of values: what their surrogates are for, then batches of them.

use tresor_proto::{
    Failure, TenantId,
    vault::{
        TokenizeBatch, TokenizeOpening, TokenizeStreamRequest, TokenizeStreamResponse,
        tokenize_stream_request as wire,
    },
};
use tresor_vault::Tokenize;

use super::{
    batch_stream::{Batches, Message},
    surrogate_service::tokenize_results,
};
use crate::{
    caller::Origin,
    context::Context,
    convert::{
        item_keys::ItemKeys,
        surrogates::{CommonOptions, Values},
    },
    gate::Gate,
};

/// What the opening said, parsed once.
pub(super) struct TokenizeStream {
    context: Context,
    common: CommonOptions,
    keys: ItemKeys,
}

impl Batches for TokenizeStream {
    type Request = TokenizeStreamRequest;
    type Opening = TokenizeOpening;
    type Batch = TokenizeBatch;
    type Answer = TokenizeStreamResponse;

    fn message(request: TokenizeStreamRequest) -> Option<Message<TokenizeOpening, TokenizeBatch>> {
        Some(match request.message? {
            wire::Message::Opening(opening) => Message::Opening(opening),
            wire::Message::Batch(batch) => Message::Batch(batch),
        })
    }

    async fn open(
        gate: &Gate,
        origin: &Origin,
        opening: TokenizeOpening,
    ) -> Result<(Self, TenantId), Failure> {
        let context = origin.context(opening.context)?;
        let common = CommonOptions::from_wire(opening.options);
        let keys = ItemKeys::from_wire(&opening.idempotency_key)?;
        let tenant = gate.permit::<Tokenize>(origin, &context).await?.tenant();
        Ok((Self { context, common, keys }, tenant))
    }

    async fn take(
        &mut self,
        gate: &Gate,
        origin: &Origin,
        batch: TokenizeBatch,
    ) -> Result<TokenizeStreamResponse, Failure> {
        let batch = Values::from_wire(batch.items, &self.common, &mut self.keys)?;
        let vault = gate.vault()?;
        let permit = gate.permit::<Tokenize>(origin, &self.context).await?;
        let issued = vault.tokenize(&permit, batch.values).await?;
        Ok(TokenizeStreamResponse { results: tokenize_results(batch.references, issued) })
    }
}
