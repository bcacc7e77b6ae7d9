//! One census: a step after the other, each answered with what was counted so far.
//!
//! It ends with its caller, or with the process; only a whole count is kept.

use core::panic::AssertUnwindSafe;

use futures::{FutureExt as _, StreamExt as _, stream, stream::BoxStream};
use tonic::Status;
use tresor_door::Shutdown;
use tresor_proto::{ErrorCode, Failure, vault::TakeCensusResponse};
use tresor_vault::CensusUnderWay;

use crate::{convert::keys::census_to_wire, gate::Gate};

/// One answer a step; an error is the last.
pub(super) fn into_answers(
    gate: Gate,
    under_way: CensusUnderWay,
    shutdown: Shutdown,
) -> BoxStream<'static, Result<TakeCensusResponse, Status>> {
    stream::unfold(Some((gate, under_way, shutdown)), |state| async move {
        let (gate, mut under_way, shutdown) = state?;
        if under_way.is_done() {
            return None;
        }
        // The connection's task polls this: a panic here would take all its streams along.
        let step = AssertUnwindSafe(step(&gate, &mut under_way)).catch_unwind();
        let counted = tokio::select! {
            biased;
            () = shutdown.wait() => Err(Failure::from(ErrorCode::Overloaded)),
            counted = step => counted.unwrap_or_else(|_| Err(ErrorCode::Internal.into())),
        };
        match counted {
            Ok(()) => {
                let census = Some(census_to_wire(under_way.census()));
                Some((Ok(TakeCensusResponse { census }), Some((gate, under_way, shutdown))))
            }
            Err(failure) => Some((Err(failure.into()), None)),
        }
    })
    .boxed()
}

/// Takes the vault for one step at a time, so that it can be locked in between.
async fn step(gate: &Gate, under_way: &mut CensusUnderWay) -> Result<(), Failure> {
    Ok(gate.vault()?.count_further(under_way).await?)
}
