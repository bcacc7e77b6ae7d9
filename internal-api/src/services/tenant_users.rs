//! The users of tenants, as `TenantService` gives them to the operator.
//!
//! It promises that a one-time password leaves in one answer and is nowhere else. It relies on
//! [`super::tenant_service`] for the methods, which call it in one line each.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use tresor_proto::{
    Failure, TenantRef, UserName,
    vault::{
        AddUserRequest, AddUserResponse, DisableUserRequest, DisableUserResponse,
        EnableUserRequest, EnableUserResponse, ListUsersRequest, ListUsersResponse,
        RemoveUserRequest, RemoveUserResponse, ResetUserPasswordRequest, ResetUserPasswordResponse,
        SetUserRolesRequest, SetUserRolesResponse,
    },
};
use tresor_vault::{OperatorPermit, Vault};

use crate::{
    caller::Origin,
    context::parse_tenant,
    convert::{
        page,
        time::to_timestamp,
        user::{name, roles, to_wire},
    },
    gate::Gate,
    services::to_its_end,
};

/// The users behind a gate.
pub(super) struct TenantUsers<'a>(pub(super) &'a Gate);

impl TenantUsers<'_> {
    pub(super) async fn add(
        &self,
        request: Request<AddUserRequest>,
    ) -> Result<Response<AddUserResponse>, Status> {
        let parse = |r: AddUserRequest| Ok((user(&r.tenant, &r.name)?, roles(&r.roles)?));
        let (((tenant, name), roles), permit, vault) = self.asked(request, parse)?;
        let add = async move { vault.add_user(&permit, &tenant, &name, roles).await };
        let given = to_its_end(add).await?;
        Ok(Response::new(AddUserResponse {
            user: Some(to_wire(&given.user)),
            one_time_password: given.one_time_password.expose_secret().to_owned(),
            expires: Some(to_timestamp(given.expires_ms)),
        }))
    }

    pub(super) async fn list(
        &self,
        request: Request<ListUsersRequest>,
    ) -> Result<Response<ListUsersResponse>, Status> {
        let parse = |r: ListUsersRequest| {
            let place = (page::after(&r.page_token, UserName::parse)?, page::size(r.page_size)?);
            Ok((parse_tenant("tenant", &r.tenant)?, place))
        };
        let ((tenant, (after, limit)), permit, vault) = self.asked(request, parse)?;
        let page = vault.users(&permit, &tenant, after.as_ref(), limit).await;
        let page = page.map_err(Failure::from)?;
        Ok(Response::new(ListUsersResponse {
            users: page.items.iter().map(to_wire).collect(),
            next_page_token: page.next.unwrap_or_default(),
        }))
    }

    pub(super) async fn set_roles(
        &self,
        request: Request<SetUserRolesRequest>,
    ) -> Result<Response<SetUserRolesResponse>, Status> {
        let parse = |r: SetUserRolesRequest| Ok((user(&r.tenant, &r.name)?, roles(&r.roles)?));
        let (((tenant, name), roles), permit, vault) = self.asked(request, parse)?;
        let changed = vault.set_user_roles(&permit, &tenant, &name, roles).await;
        let user = Some(to_wire(&changed.map_err(Failure::from)?));
        Ok(Response::new(SetUserRolesResponse { user }))
    }

    pub(super) async fn disable(
        &self,
        request: Request<DisableUserRequest>,
    ) -> Result<Response<DisableUserResponse>, Status> {
        let ((tenant, name), permit, vault) = self.asked(request, |r| user(&r.tenant, &r.name))?;
        let changed = vault.disable_user(&permit, &tenant, &name).await;
        let user = Some(to_wire(&changed.map_err(Failure::from)?));
        Ok(Response::new(DisableUserResponse { user }))
    }

    pub(super) async fn enable(
        &self,
        request: Request<EnableUserRequest>,
    ) -> Result<Response<EnableUserResponse>, Status> {
        let ((tenant, name), permit, vault) = self.asked(request, |r| user(&r.tenant, &r.name))?;
        let changed = vault.enable_user(&permit, &tenant, &name).await;
        let user = Some(to_wire(&changed.map_err(Failure::from)?));
        Ok(Response::new(EnableUserResponse { user }))
    }

    pub(super) async fn reset_password(
        &self,
        request: Request<ResetUserPasswordRequest>,
    ) -> Result<Response<ResetUserPasswordResponse>, Status> {
        let ((tenant, name), permit, vault) = self.asked(request, |r| user(&r.tenant, &r.name))?;
        let reset = async move { vault.reset_user_password(&permit, &tenant, &name).await };
        let given = to_its_end(reset).await?;
        Ok(Response::new(ResetUserPasswordResponse {
            user: Some(to_wire(&given.user)),
            one_time_password: given.one_time_password.expose_secret().to_owned(),
            expires: Some(to_timestamp(given.expires_ms)),
        }))
    }

    pub(super) async fn remove(
        &self,
        request: Request<RemoveUserRequest>,
    ) -> Result<Response<RemoveUserResponse>, Status> {
        let ((tenant, name), permit, vault) = self.asked(request, |r| user(&r.tenant, &r.name))?;
        vault.remove_user(&permit, &tenant, &name).await.map_err(Failure::from)?;
        Ok(Response::new(RemoveUserResponse {}))
    }

    /// What is asked, the operator's permit for it, and the vault that is to do it.
    fn asked<R, A>(
        &self,
        request: Request<R>,
        parse: impl FnOnce(R) -> Result<A, Failure>,
    ) -> Result<(A, OperatorPermit, Arc<Vault>), Status> {
        let origin = Origin::of(&request)?;
        let asked = parse(request.into_inner())?;
        Ok((asked, self.0.permit_operator(&origin)?, self.0.vault()?))
    }
}

fn user(tenant: &str, user: &str) -> Result<(TenantRef, UserName), Failure> {
    Ok((parse_tenant("tenant", tenant)?, name(user)?))
}
