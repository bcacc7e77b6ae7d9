//! The operator's way to the vault: gRPC on the control plane, with the operator's certificate.

use tonic::transport::Channel;
use tresor_proto::vault::{
    RequestContext, collection_service_client::CollectionServiceClient,
    key_service_client::KeyServiceClient, seal_service_client::SealServiceClient,
    tenant_service_client::TenantServiceClient,
};

use crate::{connection::Endpoint, error::CliError};

/// A channel to the control plane.
pub(crate) struct ControlPlane(Channel);

impl ControlPlane {
    /// Prepares the channel; it connects with the first call.
    pub(crate) async fn connect(endpoint: &Endpoint) -> Result<Self, CliError> {
        let channel = tresor_door::connect(&endpoint.server, &endpoint.tls).await;
        Ok(Self(channel.map_err(|error| CliError::usage(error.to_string()))?))
    }

    /// The register of tenants.
    pub(crate) fn tenants(&self) -> TenantServiceClient<Channel> {
        TenantServiceClient::new(self.0.clone())
    }

    /// What keeps the root key.
    pub(crate) fn seals(&self) -> SealServiceClient<Channel> {
        SealServiceClient::new(self.0.clone())
    }

    /// Collections and their policies.
    pub(crate) fn collections(&self) -> CollectionServiceClient<Channel> {
        CollectionServiceClient::new(self.0.clone())
    }

    /// The server's keys.
    pub(crate) fn keys(&self) -> KeyServiceClient<Channel> {
        KeyServiceClient::new(self.0.clone())
    }
}

/// The context of a call for `tenant`, which the operator makes without a customer token.
pub(crate) fn context_for(tenant: &str) -> RequestContext {
    RequestContext {
        tenant: tenant.to_owned(),
        request_id: uuid::Uuid::now_v7().to_string(),
        ..RequestContext::default()
    }
}
