//! `CustomerTokenService`: a tenant's own keys, through the edge.

use tonic::{Request, Response, Status};
use tresor_proto::{
    EnrolmentCode, ErrorCode, Failure,
    vault::{EnrolRequest, EnrolResponse, customer_token_service_server::CustomerTokenService},
};
use zeroize::Zeroizing;

use crate::{caller::Origin, gate::Gate};

/// The service.
pub(crate) struct CustomerTokens {
    gate: Gate,
}

impl CustomerTokens {
    /// The service behind `gate`.
    pub(crate) fn new(gate: Gate) -> Self {
        Self { gate }
    }
}

#[tonic::async_trait]
impl CustomerTokenService for CustomerTokens {
    async fn enrol(
        &self,
        request: Request<EnrolRequest>,
    ) -> Result<Response<EnrolResponse>, Status> {
        let origin = Origin::of(&request)?;
        let request = request.into_inner();
        let code = parse_code(request.enrolment_code)?;
        let context = origin.context(request.context)?;
        let vault = self.gate.vault()?;
        let permit = self.gate.permit_enrol(&origin, &context).await?;
        // In a task of its own: a caller who goes away does not leave it half done.
        let enrolled = tokio::spawn(async move { vault.enrol(permit, &code).await });
        let enrolled = enrolled.await.map_err(|_| Failure::from(ErrorCode::Internal))?;
        let enrolled = enrolled.map_err(Failure::from)?;
        Ok(Response::new(EnrolResponse {
            tenant_id: enrolled.tenant.to_string(),
            tenant_name: enrolled.name.as_str().to_owned(),
            // The one moment the customer token is shown; it travels in this message only.
            customer_token: enrolled.customer_token.expose_text().as_str().to_owned(),
            expires: None,
        }))
    }
}

/// A malformed code is refused like a wrong one.
fn parse_code(text: String) -> Result<EnrolmentCode, Failure> {
    let text = Zeroizing::new(text);
    EnrolmentCode::parse(&text).ok_or_else(|| Failure::from(ErrorCode::Unauthenticated))
}
