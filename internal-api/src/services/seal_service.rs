//! `SealService`: which seals hold the root key, and locking. It answers while the vault is locked.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use tresor_proto::{
    ErrorCode, Failure,
    vault::{
        AddSealRequest, AddSealResponse, GetSealStatusRequest, GetSealStatusResponse, LockRequest,
        LockResponse, MigrateSealRequest, MigrateSealResponse, RemoveSealRequest,
        RemoveSealResponse, SealStatus, UnlockRequest, UnlockResponse,
        seal_service_server::SealService,
    },
};
use tresor_vault::SealId;

use crate::{caller::Origin, convert::seal::to_wire, gate::Gate, lockable::LockableVault};

/// The service.
pub(crate) struct SealDesk {
    gate: Gate,
}

impl SealDesk {
    /// The service behind `gate`.
    pub(crate) fn new(gate: Gate) -> Self {
        Self { gate }
    }

    fn vault(&self) -> &Arc<LockableVault> {
        self.gate.lockable()
    }

    /// The status, after a change too; every seal has to open.
    async fn status(&self) -> Result<Option<SealStatus>, Failure> {
        let reports = self.vault().try_seals().await?;
        Ok(Some(to_wire(&self.vault().watch().borrow(), &reports)))
    }
}

#[tonic::async_trait]
impl SealService for SealDesk {
    async fn get_seal_status(
        &self,
        request: Request<GetSealStatusRequest>,
    ) -> Result<Response<GetSealStatusResponse>, Status> {
        self.gate.permit_operator(&Origin::of(&request)?)?;
        Ok(Response::new(GetSealStatusResponse { status: self.status().await? }))
    }

    async fn add_seal(
        &self,
        request: Request<AddSealRequest>,
    ) -> Result<Response<AddSealResponse>, Status> {
        let permit = self.gate.permit_operator(&Origin::of(&request)?)?;
        let AddSealRequest { seal, dry_run } = request.into_inner();
        let seal = parse_seal("seal", &seal)?;
        let operator = permit.name().clone();
        let vault = self.gate.vault()?;
        vault.add_seal(permit, seal.clone(), dry_run).await.map_err(Failure::from)?;
        tracing::info!(%operator, %seal, dry_run, "a seal is added");
        Ok(Response::new(AddSealResponse { status: self.status().await? }))
    }

    async fn remove_seal(
        &self,
        request: Request<RemoveSealRequest>,
    ) -> Result<Response<RemoveSealResponse>, Status> {
        let permit = self.gate.permit_operator(&Origin::of(&request)?)?;
        let RemoveSealRequest { seal, dry_run } = request.into_inner();
        let seal = parse_seal("seal", &seal)?;
        let operator = permit.name().clone();
        let vault = self.gate.vault()?;
        vault.remove_seal(permit, seal.clone(), dry_run).await.map_err(Failure::from)?;
        tracing::info!(%operator, %seal, dry_run, "a seal is removed");
        Ok(Response::new(RemoveSealResponse { status: self.status().await? }))
    }

    async fn migrate_seal(
        &self,
        request: Request<MigrateSealRequest>,
    ) -> Result<Response<MigrateSealResponse>, Status> {
        let permit = self.gate.permit_operator(&Origin::of(&request)?)?;
        let MigrateSealRequest { from, to, dry_run } = request.into_inner();
        let (from, to) = (parse_seal("from", &from)?, parse_seal("to", &to)?);
        let operator = permit.name().clone();
        let vault = self.gate.vault()?;
        let migrated = vault.migrate_seal(permit, from, to.clone(), dry_run).await;
        migrated.map_err(Failure::from)?;
        tracing::info!(%operator, seal = %to, dry_run, "the root key has moved");
        Ok(Response::new(MigrateSealResponse { status: self.status().await? }))
    }

    async fn lock(&self, request: Request<LockRequest>) -> Result<Response<LockResponse>, Status> {
        let permit = self.gate.permit_operator(&Origin::of(&request)?)?;
        tracing::info!(operator = %permit.name(), "the vault is to be locked");
        let vault = Arc::clone(self.vault());
        // In a task of its own: a caller who goes away does not leave it half done.
        let locked = tokio::spawn(async move { vault.lock().await }).await;
        locked.map_err(|_| Failure::from(ErrorCode::Internal))??;
        Ok(Response::new(LockResponse { status: self.status().await? }))
    }

    async fn unlock(
        &self,
        request: Request<UnlockRequest>,
    ) -> Result<Response<UnlockResponse>, Status> {
        let permit = self.gate.permit_operator(&Origin::of(&request)?)?;
        tracing::info!(operator = %permit.name(), "the vault is to be unlocked");
        let vault = Arc::clone(self.vault());
        let unlocked = tokio::spawn(async move { vault.unlock().await }).await;
        let unlocked = unlocked.map_err(|_| Failure::from(ErrorCode::Internal))?;
        let refusal = |error| Failure::new(ErrorCode::Locked, format!("it stays locked: {error}"));
        unlocked.map_err(refusal)?;
        Ok(Response::new(UnlockResponse { status: self.status().await? }))
    }
}

fn parse_seal(field: &str, text: &str) -> Result<SealId, Failure> {
    SealId::parse(text).ok_or_else(|| Failure::invalid(field, "no name of a seal"))
}
