//! `AccessService`: what an edge turns clients away by, before they cost anything.

use tonic::{Request, Response, Status};
use tresor_proto::vault::{
    IntrospectRequest, IntrospectResponse, access_service_server::AccessService,
};

use crate::{caller::Origin, gate::Gate};

/// The service.
pub(crate) struct Access {
    gate: Gate,
}

impl Access {
    /// The service behind `gate`.
    pub(crate) fn new(gate: Gate) -> Self {
        Self { gate }
    }
}

#[tonic::async_trait]
impl AccessService for Access {
    async fn introspect(
        &self,
        request: Request<IntrospectRequest>,
    ) -> Result<Response<IntrospectResponse>, Status> {
        let origin = Origin::of(&request)?;
        let context = origin.context(request.into_inner().context)?;
        let permit = self.gate.permit_policy(&origin, &context).await?;
        let allowed_addresses = permit.allowed_addresses().to_texts();
        Ok(Response::new(IntrospectResponse {
            allowed_addresses,
            limits: Some(permit.limits().effective(0)),
        }))
    }
}
