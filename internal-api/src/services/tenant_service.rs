//! `TenantService`: the operator's register. It opens nothing.

use tonic::{Request, Response, Status};
use tresor_proto::{
    AddressList, Failure, PasswordRule, TenantName,
    vault::{
        self, AddUserRequest, AddUserResponse, CreateTenantRequest, CreateTenantResponse,
        DeleteTenantRequest, DeleteTenantResponse, DisableUserRequest, DisableUserResponse,
        EnableUserRequest, EnableUserResponse, GetTenantRequest, GetTenantResponse,
        GetTenantUsageRequest, GetTenantUsageResponse, ListTenantsRequest, ListTenantsResponse,
        ListUsersRequest, ListUsersResponse, RemoveUserRequest, RemoveUserResponse,
        ResetUserPasswordRequest, ResetUserPasswordResponse, ResumeTenantRequest,
        ResumeTenantResponse, SetUserRolesRequest, SetUserRolesResponse, SuspendTenantRequest,
        SuspendTenantResponse, UpdateTenantRequest, UpdateTenantResponse,
        tenant_service_server::TenantService,
    },
};
use tresor_vault::NewTenant;

use super::tenant_users::TenantUsers;
use crate::{
    caller::Origin,
    context::parse_tenant,
    convert::{page, tenant::to_wire, tenant_change, time::to_timestamp},
    gate::Gate,
    tenant_usage,
};

/// The service.
pub(crate) struct Tenants {
    gate: Gate,
}

impl Tenants {
    /// The service behind `gate`.
    pub(crate) fn new(gate: Gate) -> Self {
        Self { gate }
    }

    fn users(&self) -> TenantUsers<'_> {
        TenantUsers(&self.gate)
    }
}

#[tonic::async_trait]
impl TenantService for Tenants {
    async fn create_tenant(
        &self,
        request: Request<CreateTenantRequest>,
    ) -> Result<Response<CreateTenantResponse>, Status> {
        let origin = Origin::of(&request)?;
        let new = parse_new(&request.into_inner())?;
        let permit = self.gate.permit_operator(&origin)?;
        let vault = self.gate.vault()?;
        let created = vault.create_tenant(&permit, new).await;
        let created = created.map_err(Failure::from)?;
        Ok(Response::new(CreateTenantResponse {
            tenant: Some(to_wire(&created.tenant)),
            enrolment_code: created.code.expose_text().as_str().to_owned(),
            enrolment_expires: Some(to_timestamp(created.code_expires_ms)),
        }))
    }

    async fn get_tenant(
        &self,
        request: Request<GetTenantRequest>,
    ) -> Result<Response<GetTenantResponse>, Status> {
        let origin = Origin::of(&request)?;
        let tenant = parse_tenant("tenant", &request.into_inner().tenant)?;
        let permit = self.gate.permit_operator(&origin)?;
        let vault = self.gate.vault()?;
        let tenant = vault.tenant(&permit, &tenant).await;
        let tenant = Some(to_wire(&tenant.map_err(Failure::from)?));
        Ok(Response::new(GetTenantResponse { tenant }))
    }

    async fn get_tenant_usage(
        &self,
        request: Request<GetTenantUsageRequest>,
    ) -> Result<Response<GetTenantUsageResponse>, Status> {
        let origin = Origin::of(&request)?;
        let tenant = parse_tenant("tenant", &request.into_inner().tenant)?;
        let permit = self.gate.permit_operator(&origin)?;
        let vault = self.gate.vault()?;
        let tenant = vault.tenant(&permit, &tenant).await.map_err(Failure::from)?;
        Ok(Response::new(tenant_usage::of(&self.gate, tenant.id, &tenant.limits)))
    }

    async fn list_tenants(
        &self,
        request: Request<ListTenantsRequest>,
    ) -> Result<Response<ListTenantsResponse>, Status> {
        let origin = Origin::of(&request)?;
        let request = request.into_inner();
        let limit = page::size(request.page_size)?;
        let after = page::after(&request.page_token, TenantName::parse)?;
        let permit = self.gate.permit_operator(&origin)?;
        let vault = self.gate.vault()?;
        let page = vault.tenants(&permit, after.as_ref(), limit).await;
        let page = page.map_err(Failure::from)?;
        Ok(Response::new(ListTenantsResponse {
            tenants: page.items.iter().map(to_wire).collect(),
            next_page_token: page.next.unwrap_or_default(),
        }))
    }

    async fn add_user(
        &self,
        request: Request<AddUserRequest>,
    ) -> Result<Response<AddUserResponse>, Status> {
        self.users().add(request).await
    }

    async fn list_users(
        &self,
        request: Request<ListUsersRequest>,
    ) -> Result<Response<ListUsersResponse>, Status> {
        self.users().list(request).await
    }

    async fn set_user_roles(
        &self,
        request: Request<SetUserRolesRequest>,
    ) -> Result<Response<SetUserRolesResponse>, Status> {
        self.users().set_roles(request).await
    }

    async fn disable_user(
        &self,
        request: Request<DisableUserRequest>,
    ) -> Result<Response<DisableUserResponse>, Status> {
        self.users().disable(request).await
    }

    async fn enable_user(
        &self,
        request: Request<EnableUserRequest>,
    ) -> Result<Response<EnableUserResponse>, Status> {
        self.users().enable(request).await
    }

    async fn reset_user_password(
        &self,
        request: Request<ResetUserPasswordRequest>,
    ) -> Result<Response<ResetUserPasswordResponse>, Status> {
        self.users().reset_password(request).await
    }

    async fn remove_user(
        &self,
        request: Request<RemoveUserRequest>,
    ) -> Result<Response<RemoveUserResponse>, Status> {
        self.users().remove(request).await
    }
    async fn update_tenant(
        &self,
        request: Request<UpdateTenantRequest>,
    ) -> Result<Response<UpdateTenantResponse>, Status> {
        let origin = Origin::of(&request)?;
        let request = request.into_inner();
        let tenant = parse_tenant("tenant", &request.tenant)?;
        let change = tenant_change::from_wire(&request)?;
        let permit = self.gate.permit_operator(&origin)?;
        let vault = self.gate.vault()?;
        let updated = vault.update_tenant(&permit, &tenant, change, request.dry_run).await;
        let tenant = Some(to_wire(&updated.map_err(Failure::from)?));
        Ok(Response::new(UpdateTenantResponse { tenant }))
    }

    async fn suspend_tenant(
        &self,
        request: Request<SuspendTenantRequest>,
    ) -> Result<Response<SuspendTenantResponse>, Status> {
        let origin = Origin::of(&request)?;
        let tenant = parse_tenant("tenant", &request.into_inner().tenant)?;
        let permit = self.gate.permit_operator(&origin)?;
        let suspended = self.gate.vault()?.suspend_tenant(&permit, &tenant).await;
        let tenant = Some(to_wire(&suspended.map_err(Failure::from)?));
        Ok(Response::new(SuspendTenantResponse { tenant }))
    }

    async fn resume_tenant(
        &self,
        request: Request<ResumeTenantRequest>,
    ) -> Result<Response<ResumeTenantResponse>, Status> {
        let origin = Origin::of(&request)?;
        let tenant = parse_tenant("tenant", &request.into_inner().tenant)?;
        let permit = self.gate.permit_operator(&origin)?;
        let resumed = self.gate.vault()?.resume_tenant(&permit, &tenant).await;
        let tenant = Some(to_wire(&resumed.map_err(Failure::from)?));
        Ok(Response::new(ResumeTenantResponse { tenant }))
    }

    async fn delete_tenant(
        &self,
        request: Request<DeleteTenantRequest>,
    ) -> Result<Response<DeleteTenantResponse>, Status> {
        let origin = Origin::of(&request)?;
        let request = request.into_inner();
        let tenant = parse_tenant("tenant", &request.tenant)?;
        let permit = self.gate.permit_operator(&origin)?;
        let vault = self.gate.vault()?;
        let deletion = match request.dry_run {
            true => vault.deletion_plan(permit, &tenant).await,
            false => {
                let confirmed_name = parse_name("confirmed_name", &request.confirmed_name)?;
                vault.begin_deletion(permit, &tenant, &confirmed_name).await
            }
        };
        let deletion = deletion.map_err(Failure::from)?;
        Ok(Response::new(DeleteTenantResponse {
            tenant: Some(to_wire(&deletion.tenant)),
            collections: u64::try_from(deletion.collections).unwrap_or(u64::MAX),
            users: u64::try_from(deletion.users).unwrap_or(u64::MAX),
            records: deletion.records,
        }))
    }
}

fn parse_name(field: &str, text: &str) -> Result<TenantName, Failure> {
    let invalid = || Failure::invalid(field, "a tenant's name is [a-z][a-z0-9-]{1,62}");
    TenantName::parse(text).ok_or_else(invalid)
}

fn parse_new(request: &CreateTenantRequest) -> Result<NewTenant, Failure> {
    let name = parse_name("name", &request.name)?;
    if request.allowed_addresses.is_empty() {
        return Err(Failure::invalid("allowed_addresses", "at least one entry"));
    }
    let rule = vault::PasswordRule::try_from(request.password_rule);
    let rule = rule.map_err(|_| Failure::invalid("password_rule", "unknown"))?;
    Ok(NewTenant {
        name,
        allowed_addresses: AddressList::parse(&request.allowed_addresses)?,
        password_rule: PasswordRule::from_wire(rule),
    })
}
