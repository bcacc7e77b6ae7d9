//! One census: a step after the other, each answered with what was counted so far.
//!
//! It takes the vault for one step at a time, so that it can be locked in between, and ends with its
//! caller; only a whole count is kept.

use tonic::Status;
use tresor_proto::{Failure, vault::TakeCensusResponse};
use tresor_vault::CensusUnderWay;

use super::step_stream::{Steps, Stop};
use crate::{convert::keys::census_to_wire, gate::Gate};

/// A census under way.
pub(super) struct Counting {
    pub(super) gate: Gate,
    pub(super) under_way: CensusUnderWay,
}

impl Counting {
    async fn count(&mut self) -> Result<(), Status> {
        let counted = self.gate.vault()?.count_further(&mut self.under_way).await;
        counted.map_err(|error| Failure::from(error).into())
    }
}

impl Steps for Counting {
    type Answer = TakeCensusResponse;

    async fn step(&mut self, stop: &mut Stop) -> Result<Option<TakeCensusResponse>, Status> {
        if self.under_way.is_done() {
            return Ok(None);
        }
        stop.or(self.count()).await?;
        let census = Some(census_to_wire(self.under_way.census()));
        Ok(Some(TakeCensusResponse { census }))
    }
}
