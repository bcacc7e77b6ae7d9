//! The services that may call, by the name in their certificate.
//!
//! A name the configuration does not list is nobody; a tenant's client is never a service. It
//! relies on the handshake, which has verified the certificate the name comes from.

use std::{collections::HashMap, sync::Arc};

use tresor_door::Peer;
use tresor_proto::{CertificateName, Failure, RefusalReason, ServiceName, TenantId};

/// A service of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceGrant {
    /// Its name, as in its certificate.
    pub name: ServiceName,
    /// What it is for.
    pub role: ServiceRole,
}

/// What a service is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceRole {
    /// Forwards the calls of tenants' clients, each with its evidence.
    Edge,
    /// Calls by itself, with customer tokens of these tenants.
    Service(Vec<TenantId>),
    /// Registers tenants and policies.
    Operator,
}

/// All services of the configuration.
pub(crate) struct Directory(HashMap<ServiceName, Arc<ServiceGrant>>);

impl Directory {
    /// Lists the services.
    pub(crate) fn new(services: &[ServiceGrant]) -> Self {
        let entry = |grant: &ServiceGrant| (grant.name.clone(), Arc::new(grant.clone()));
        Self(services.iter().map(entry).collect())
    }

    /// The service at the other end of a connection.
    pub(crate) fn identify(&self, peer: &Peer) -> Result<Arc<ServiceGrant>, Failure> {
        let grant = match &peer.name {
            CertificateName::Service(name) => self.0.get(name),
            CertificateName::Client { .. } => None,
        };
        grant.cloned().ok_or_else(|| Failure::from(RefusalReason::ServiceUnknown))
    }
}
