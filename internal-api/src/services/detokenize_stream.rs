//! One stream of surrogates: how much to show, then batches of them.

use tresor_proto::{
    Failure, Reveal, TenantId,
    vault::{
        DetokenizeBatch, DetokenizeOpening, DetokenizeStreamRequest, DetokenizeStreamResponse,
        detokenize_stream_request as wire,
    },
};
use tresor_vault::Detokenize;

use super::{
    batch_stream::{Batches, Message},
    trading::{self, Trading},
};
use crate::{
    caller::Origin,
    context::Context,
    convert::{
        input::reveal,
        surrogates::{CommonForm, Names},
    },
    gate::Gate,
};

/// What the opening said, parsed once.
pub(super) struct DetokenizeStream {
    context: Context,
    reveal: Reveal,
    common: CommonForm,
}

impl Batches for DetokenizeStream {
    type Request = DetokenizeStreamRequest;
    type Opening = DetokenizeOpening;
    type Batch = DetokenizeBatch;
    type Answer = DetokenizeStreamResponse;

    fn message(
        request: DetokenizeStreamRequest,
    ) -> Option<Message<DetokenizeOpening, DetokenizeBatch>> {
        Some(match request.message? {
            wire::Message::Opening(opening) => Message::Opening(opening),
            wire::Message::Batch(batch) => Message::Batch(batch),
        })
    }

    async fn open(
        gate: &Gate,
        origin: &Origin,
        opening: DetokenizeOpening,
    ) -> Result<(Self, TenantId), Failure> {
        let context = origin.context(opening.context)?;
        let reveal = reveal(opening.reveal)?;
        let (info_type, format) = (&opening.info_type, opening.format);
        let common = CommonForm::from_wire(info_type, format, opening.key_version)?;
        let tenant = gate.permit::<Detokenize>(origin, &context).await?.tenant();
        Ok((Self { context, reveal, common }, tenant))
    }

    async fn take(
        &mut self,
        gate: &Gate,
        origin: &Origin,
        batch: DetokenizeBatch,
    ) -> Result<DetokenizeStreamResponse, Failure> {
        let names = Names::from_wire(batch.items, &self.common)?;
        let trading = Trading { gate, origin, context: &self.context };
        let results = trading::trade(&trading, self.reveal, names).await?;
        Ok(DetokenizeStreamResponse { results })
    }
}
