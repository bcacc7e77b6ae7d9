//! `KeyService`: the server's keys, for the operator. It opens nothing.

use futures::stream::BoxStream;
use tonic::{Request, Response, Status};
use tresor_door::Shutdown;
use tresor_proto::{
    Failure,
    vault::{RotateCipherKeyRequest, RotateCipherKeyResponse, key_service_server::KeyService},
};

use super::cipher_rotation::{CipherRotation, Scope};
use crate::{caller::Origin, gate::Gate};

/// The service.
pub(crate) struct Keys {
    gate: Gate,
    shutdown: Shutdown,
}

impl Keys {
    /// The service behind `gate`; its streams end at `shutdown`.
    pub(crate) fn new(gate: Gate, shutdown: Shutdown) -> Self {
        Self { gate, shutdown }
    }
}

#[tonic::async_trait]
impl KeyService for Keys {
    type RotateCipherKeyStream = BoxStream<'static, Result<RotateCipherKeyResponse, Status>>;

    async fn rotate_cipher_key(
        &self,
        request: Request<RotateCipherKeyRequest>,
    ) -> Result<Response<Self::RotateCipherKeyStream>, Status> {
        let origin = Origin::of(&request)?;
        let request = request.into_inner();
        let scope = Scope::from_wire(&request)?;
        let permit = self.gate.permit_operator(&origin)?;
        let rotation = CipherRotation::new(self.gate.clone(), permit, scope, request.dry_run);
        let rotation = rotation.await.map_err(Failure::from)?;
        Ok(Response::new(rotation.into_answers(self.shutdown.clone())))
    }
}
