//! `CustomerTokenService`: a tenant's own keys, through the edge.

use tonic::{Request, Response, Status};
use tresor_proto::{
    CustomerToken, EnrolmentCode, ErrorCode, Failure,
    vault::{
        self, EnrolRequest, EnrolResponse, LendRequest, LendResponse,
        customer_token_service_server::CustomerTokenService,
    },
};
use tresor_vault::Lend;
use zeroize::Zeroizing;

use crate::{
    caller::Origin,
    convert::{key_operations, time::to_timestamp},
    gate::Gate,
};

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

    async fn lend(&self, request: Request<LendRequest>) -> Result<Response<LendResponse>, Status> {
        let origin = Origin::of(&request)?;
        let request = request.into_inner();
        let context = origin.context(request.context)?;
        let lifetime = key_operations::milliseconds("lifetime", request.lifetime.as_ref())?;
        let classes = key_operations::classes(&request.classes)?;
        check_id(&request.id, context.customer_token()?)?;
        let vault = self.gate.vault()?;
        let permit = self.gate.permit::<Lend>(&origin, &context).await?;
        let lent = vault.lend(&permit, &classes, lifetime).await;
        let lent = lent.map_err(Failure::from)?;
        let classes = lent.classes.into_iter().map(|class| vault::DataClass::from(class) as i32);
        Ok(Response::new(LendResponse {
            classes: classes.collect(),
            ends: Some(to_timestamp(lent.ends_ms)),
            operation_ids: lent.operations.iter().map(ToString::to_string).collect(),
        }))
    }
}

/// A customer token is lent by whoever shows it: the one that is named is the one that is shown.
fn check_id(id: &str, customer_token: &CustomerToken) -> Result<(), Failure> {
    let text = customer_token.expose_text();
    let is_it = id.is_empty() || text.split('_').nth(1) == Some(id);
    if is_it { Ok(()) } else { Err(ErrorCode::NotFound.into()) }
}

/// A malformed code is refused like a wrong one.
fn parse_code(text: String) -> Result<EnrolmentCode, Failure> {
    let text = Zeroizing::new(text);
    EnrolmentCode::parse(&text).ok_or_else(|| Failure::from(ErrorCode::Unauthenticated))
}
