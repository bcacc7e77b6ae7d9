//! `CustomerTokenService`: a tenant's own keys, through the edge.

use tonic::{Request, Response, Status};
use tresor_proto::{
    CustomerToken, EnrolmentCode, ErrorCode, Failure, RefusalReason,
    vault::{
        CustomerTokenServiceListRequest, CustomerTokenServiceListResponse, EnrolRequest,
        EnrolResponse, IssueRequest, IssueResponse, LendRequest, LendResponse, RevokeRequest,
        RevokeResponse, RotateRequest, RotateResponse,
        customer_token_service_server::CustomerTokenService,
    },
};
use tresor_vault::{IssueTokens, Lend, ListTokens, ManageTokens};
use zeroize::Zeroizing;

use super::to_its_end;
use crate::{
    caller::Origin,
    convert::{
        customer_tokens::{self, shown, view},
        key_operations,
    },
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
        let enrolled = to_its_end(async move { vault.enrol(permit, &code).await }).await?;
        Ok(Response::new(EnrolResponse {
            tenant_id: enrolled.tenant.to_string(),
            tenant_name: enrolled.name.as_str().to_owned(),
            customer_token: shown(&enrolled.customer_token),
            expires: None,
            recovery_token: shown(&enrolled.recovery_token),
        }))
    }

    async fn lend(&self, request: Request<LendRequest>) -> Result<Response<LendResponse>, Status> {
        let origin = Origin::of(&request)?;
        let mut request = request.into_inner();
        let context = origin.context(request.context.take())?;
        let loan = key_operations::loan(&request)?;
        check_id(&request.id, context.customer_token()?)?;
        let vault = self.gate.vault()?;
        let permit = self.gate.permit::<Lend>(&origin, &context).await?;
        let lent = vault.lend(&permit, &loan).await;
        Ok(Response::new(key_operations::lent(&lent.map_err(Failure::from)?)))
    }

    async fn issue(
        &self,
        request: Request<IssueRequest>,
    ) -> Result<Response<IssueResponse>, Status> {
        let origin = Origin::of(&request)?;
        let mut request = request.into_inner();
        let context = origin.context(request.context.take())?;
        let order = customer_tokens::order(&request)?;
        let vault = self.gate.vault()?;
        let permit = self.gate.permit::<IssueTokens>(&origin, &context).await?;
        let issue = async move { vault.issue_customer_token(&permit, order).await };
        let issued = to_its_end(issue).await?;
        Ok(Response::new(IssueResponse {
            customer_token: shown(&issued.customer_token),
            issued: Some(view(issued.view)),
        }))
    }

    async fn rotate(
        &self,
        request: Request<RotateRequest>,
    ) -> Result<Response<RotateResponse>, Status> {
        let origin = Origin::of(&request)?;
        let request = request.into_inner();
        let context = origin.context(request.context)?;
        let overlap_ms = customer_tokens::overlap_ms(request.overlap)?;
        let vault = self.gate.vault()?;
        let permit = self.gate.permit::<ManageTokens>(&origin, &context).await?;
        let id = customer_tokens::id(&request.id)?;
        let rotate = async move { vault.rotate_customer_token(&permit, id, overlap_ms).await };
        let rotated = to_its_end(rotate).await?;
        Ok(Response::new(RotateResponse {
            customer_token: shown(&rotated.issued.customer_token),
            issued: Some(view(rotated.issued.view)),
            replaced: Some(view(rotated.replaced)),
        }))
    }

    async fn revoke(
        &self,
        request: Request<RevokeRequest>,
    ) -> Result<Response<RevokeResponse>, Status> {
        let origin = Origin::of(&request)?;
        let request = request.into_inner();
        let context = origin.context(request.context)?;
        let vault = self.gate.vault()?;
        let permit = self.gate.permit::<ManageTokens>(&origin, &context).await?;
        let id = customer_tokens::id(&request.id)?;
        let confirmation = request.confirmation;
        let revoke = async move { vault.revoke_customer_token(&permit, id, &confirmation).await };
        let revoked = Some(view(to_its_end(revoke).await?));
        Ok(Response::new(RevokeResponse { revoked }))
    }

    async fn list(
        &self,
        request: Request<CustomerTokenServiceListRequest>,
    ) -> Result<Response<CustomerTokenServiceListResponse>, Status> {
        let origin = Origin::of(&request)?;
        let context = origin.context(request.into_inner().context)?;
        let vault = self.gate.vault()?;
        let permit = self.gate.permit::<ListTokens>(&origin, &context).await?;
        let customer_tokens = vault.customer_tokens(&permit).into_iter();
        let customer_tokens = customer_tokens.map(view).collect();
        Ok(Response::new(CustomerTokenServiceListResponse { customer_tokens }))
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
    EnrolmentCode::parse(&text).ok_or_else(|| Failure::from(RefusalReason::EnrolmentCodeWrong))
}
