//! `KeyService`: the server's keys, for the operator. It opens nothing.

use futures::stream::BoxStream;
use tonic::{Request, Response, Status};
use tresor_door::Shutdown;
use tresor_proto::{
    ErrorCode, Failure, TenantName, TenantRef,
    vault::{
        self, CancelOperationRequest, CancelOperationResponse, GetKeyStatusRequest,
        GetKeyStatusResponse, GetOperationRequest, GetOperationResponse, ListOperationsRequest,
        ListOperationsResponse, MarkDataKeysDueRequest, MarkDataKeysDueResponse,
        PauseOperationRequest, PauseOperationResponse, RekeyIdentifiersRequest,
        RekeyIdentifiersResponse, ResumeOperationRequest, ResumeOperationResponse,
        RotateCipherKeyRequest, RotateCipherKeyResponse, RotateRootKeyRequest,
        RotateRootKeyResponse, TakeCensusRequest, TakeCensusResponse,
        key_service_server::KeyService,
    },
};
use tresor_vault::{KeyOperation, OperatorPermit, VaultError};

use super::{
    census::Counting,
    cipher_rotation::{CipherRotation, Scope},
    step_stream::{self, Stop},
};
use crate::{
    caller::Origin,
    context::parse_tenant,
    convert::{
        key_operations::{self, operation_id},
        keys::{key_to_wire, status_to_wire},
        page,
        time::to_timestamp,
    },
    gate::Gate,
};

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

impl Keys {
    fn stop(&self, origin: &Origin) -> Stop {
        Stop::new(&self.gate, &self.shutdown, origin)
    }

    /// The vault's own keys and a page of the tenants'.
    async fn page(
        &self,
        permit: &OperatorPermit,
        request: &GetKeyStatusRequest,
    ) -> Result<GetKeyStatusResponse, Failure> {
        let limit = page::size(request.page_size)?;
        let after = page::after(&request.page_token, TenantName::parse)?;
        let vault = self.gate.vault()?;
        let page = vault.tenants(permit, after.as_ref(), limit).await?;
        let mut tenants = Vec::with_capacity(page.items.len());
        for tenant in page.items {
            let status = vault.tenant_key_status(permit, &TenantRef::Id(tenant.id)).await?;
            tenants.push(status_to_wire(&status));
        }
        let system_keys = vault.system_key_status(permit).iter().map(key_to_wire).collect();
        let next_page_token = page.next.unwrap_or_default();
        Ok(GetKeyStatusResponse { system_keys, tenants, next_page_token })
    }
}

#[tonic::async_trait]
impl KeyService for Keys {
    type TakeCensusStream = BoxStream<'static, Result<TakeCensusResponse, Status>>;
    type RotateCipherKeyStream = BoxStream<'static, Result<RotateCipherKeyResponse, Status>>;

    async fn get_key_status(
        &self,
        request: Request<GetKeyStatusRequest>,
    ) -> Result<Response<GetKeyStatusResponse>, Status> {
        let origin = Origin::of(&request)?;
        let request = request.into_inner();
        let permit = self.gate.permit_operator(&origin)?;
        if request.tenant.is_empty() {
            return Ok(Response::new(self.page(&permit, &request).await?));
        }
        let tenant = parse_tenant("tenant", &request.tenant)?;
        let status = self.gate.vault()?.tenant_key_status(&permit, &tenant).await;
        let tenants = vec![status_to_wire(&status.map_err(Failure::from)?)];
        Ok(Response::new(GetKeyStatusResponse { tenants, ..GetKeyStatusResponse::default() }))
    }

    async fn rotate_root_key(
        &self,
        request: Request<RotateRootKeyRequest>,
    ) -> Result<Response<RotateRootKeyResponse>, Status> {
        let permit = self.gate.permit_operator(&Origin::of(&request)?)?;
        let RotateRootKeyRequest { dry_run: is_dry_run, compromised } = request.into_inner();
        let vault = self.gate.vault()?;
        // In a task of its own: a caller who goes away does not leave it half done.
        let replace = async move {
            if is_dry_run {
                return vault.root_key_plan(&permit).await;
            }
            let work = vault.begin_key_work(permit, "replacing the root key").await?;
            vault.rotate_root_key(&mut work.on_compromised_keys(compromised)).await
        };
        let replaced =
            tokio::spawn(replace).await.map_err(|_| Failure::from(ErrorCode::Internal))?;
        let replaced = replaced.map_err(Failure::from)?;
        Ok(Response::new(RotateRootKeyResponse {
            old_generation: replaced.old_generation,
            new_generation: replaced.new_generation,
            replaced: replaced.replaced_ms.map(to_timestamp),
            seals: replaced.seals,
        }))
    }

    async fn take_census(
        &self,
        request: Request<TakeCensusRequest>,
    ) -> Result<Response<Self::TakeCensusStream>, Status> {
        let origin = Origin::of(&request)?;
        let tenant = parse_tenant("tenant", &request.into_inner().tenant)?;
        let permit = self.gate.permit_operator(&origin)?;
        let under_way = self.gate.vault()?.begin_census(&permit, &tenant).await;
        let under_way = under_way.map_err(Failure::from)?;
        let counting = Counting { gate: self.gate.clone(), under_way };
        Ok(Response::new(step_stream::into_answers(counting, self.stop(&origin))))
    }

    async fn rotate_cipher_key(
        &self,
        request: Request<RotateCipherKeyRequest>,
    ) -> Result<Response<Self::RotateCipherKeyStream>, Status> {
        let origin = Origin::of(&request)?;
        let request = request.into_inner();
        let scope = Scope::from_wire(&request)?;
        let permit = self.gate.permit_operator(&origin)?;
        let rotation = CipherRotation::new(self.gate.clone(), permit, scope, &request);
        let rotation = rotation.await.map_err(Failure::from)?;
        Ok(Response::new(step_stream::into_answers(rotation, self.stop(&origin))))
    }

    async fn mark_data_keys_due(
        &self,
        request: Request<MarkDataKeysDueRequest>,
    ) -> Result<Response<MarkDataKeysDueResponse>, Status> {
        let origin = Origin::of(&request)?;
        let request = request.into_inner();
        let tenant = parse_tenant("tenant", &request.tenant)?;
        let request = key_operations::rotation_request(&request)?;
        let permit = self.gate.permit_operator(&origin)?;
        let rotation = self.gate.vault()?.mark_data_keys_due(&permit, &tenant, &request).await;
        let rotation = rotation.map_err(Failure::from)?;
        Ok(Response::new(key_operations::marked(&rotation)))
    }

    async fn rekey_identifiers(
        &self,
        request: Request<RekeyIdentifiersRequest>,
    ) -> Result<Response<RekeyIdentifiersResponse>, Status> {
        let origin = Origin::of(&request)?;
        let request = request.into_inner();
        let tenant = parse_tenant("tenant", &request.tenant)?;
        let request = key_operations::rekey_request(&request)?;
        let permit = self.gate.permit_operator(&origin)?;
        let rekeying = self.gate.vault()?.rekey_identifiers(&permit, &tenant, &request).await;
        let rekeying = rekeying.map_err(Failure::from)?;
        Ok(Response::new(key_operations::rekeying(&rekeying)))
    }

    async fn get_operation(
        &self,
        request: Request<GetOperationRequest>,
    ) -> Result<Response<GetOperationResponse>, Status> {
        let origin = Origin::of(&request)?;
        let id = operation_id(&request.into_inner().id)?;
        let permit = self.gate.permit_operator(&origin)?;
        let operation = Some(shown(self.gate.vault()?.key_operation(&permit, id).await)?);
        Ok(Response::new(GetOperationResponse { operation }))
    }

    async fn list_operations(
        &self,
        request: Request<ListOperationsRequest>,
    ) -> Result<Response<ListOperationsResponse>, Status> {
        let origin = Origin::of(&request)?;
        let request = request.into_inner();
        let limit = page::size(request.page_size)?;
        let after = page::after(&request.page_token, key_operations::page_start)?;
        let tenant = match request.tenant.as_str() {
            "" => None,
            text => Some(parse_tenant("tenant", text)?),
        };
        let permit = self.gate.permit_operator(&origin)?;
        let page = self.gate.vault()?.key_operations(&permit, tenant.as_ref(), after, limit).await;
        let page = page.map_err(Failure::from)?;
        Ok(Response::new(ListOperationsResponse {
            operations: page.items.iter().map(key_operations::operation).collect(),
            next_page_token: page.next.unwrap_or_default(),
        }))
    }

    async fn pause_operation(
        &self,
        request: Request<PauseOperationRequest>,
    ) -> Result<Response<PauseOperationResponse>, Status> {
        let origin = Origin::of(&request)?;
        let id = operation_id(&request.into_inner().id)?;
        let permit = self.gate.permit_operator(&origin)?;
        let operation = Some(shown(self.gate.vault()?.pause_key_operation(&permit, id).await)?);
        Ok(Response::new(PauseOperationResponse { operation }))
    }

    async fn resume_operation(
        &self,
        request: Request<ResumeOperationRequest>,
    ) -> Result<Response<ResumeOperationResponse>, Status> {
        let origin = Origin::of(&request)?;
        let id = operation_id(&request.into_inner().id)?;
        let permit = self.gate.permit_operator(&origin)?;
        let operation = Some(shown(self.gate.vault()?.resume_key_operation(&permit, id).await)?);
        Ok(Response::new(ResumeOperationResponse { operation }))
    }

    async fn cancel_operation(
        &self,
        request: Request<CancelOperationRequest>,
    ) -> Result<Response<CancelOperationResponse>, Status> {
        let origin = Origin::of(&request)?;
        let id = operation_id(&request.into_inner().id)?;
        let permit = self.gate.permit_operator(&origin)?;
        let operation = Some(shown(self.gate.vault()?.cancel_key_operation(&permit, id).await)?);
        Ok(Response::new(CancelOperationResponse { operation }))
    }
}

fn shown(operation: Result<KeyOperation, VaultError>) -> Result<vault::Operation, Failure> {
    Ok(key_operations::operation(&operation?))
}
