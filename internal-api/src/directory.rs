//! The services that may call, by the name in their certificate.
//!
//! A name the configuration does not list is nobody; a tenant's client is never a service. It
//! relies on the handshake, which has verified the certificate the name comes from.

use std::{collections::HashMap, sync::Arc};

use tresor_door::Peer;
use tresor_proto::{CertificateName, ServiceName, TenantId};

use crate::{access_rules::GrantedMethods, plane::Plane};

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
    /// Calls by itself, with customer tokens.
    Service(ServiceRights),
    /// Does all of the control plane: registers tenants and policies, changes keys.
    Operator,
    /// Runs the machines: seals, and how keys are.
    Deployer,
    /// Looks at everything of the control plane and changes nothing.
    Auditor,
    /// Issues certificates: sees which tenants there are.
    CaOfficer,
}

/// For whom a service may call, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceRights {
    /// The tenants whose customer tokens it may show.
    pub tenants: Vec<TenantId>,
    /// What it may call.
    pub methods: GrantedMethods,
}

/// What services are for, without what the configuration adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RoleName {
    /// Of [`ServiceRole::Edge`].
    Edge,
    /// Of [`ServiceRole::Service`].
    Service,
    /// Of [`ServiceRole::Operator`].
    Operator,
    /// Of [`ServiceRole::Deployer`].
    Deployer,
    /// Of [`ServiceRole::Auditor`].
    Auditor,
    /// Of [`ServiceRole::CaOfficer`].
    CaOfficer,
}

impl ServiceRole {
    /// Its name.
    pub(crate) fn name(&self) -> RoleName {
        match self {
            Self::Edge => RoleName::Edge,
            Self::Service(_) => RoleName::Service,
            Self::Operator => RoleName::Operator,
            Self::Deployer => RoleName::Deployer,
            Self::Auditor => RoleName::Auditor,
            Self::CaOfficer => RoleName::CaOfficer,
        }
    }
}

impl RoleName {
    /// Where its services call: records and the register are kept apart.
    pub(crate) fn plane(self) -> Plane {
        match self {
            Self::Edge | Self::Service => Plane::Data,
            Self::Operator | Self::Deployer | Self::Auditor | Self::CaOfficer => Plane::Control,
        }
    }
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
    pub(crate) fn identify(&self, peer: &Peer) -> Option<Arc<ServiceGrant>> {
        match &peer.name {
            CertificateName::Service(name) => self.0.get(name).cloned(),
            CertificateName::Client { .. } => None,
        }
    }
}
