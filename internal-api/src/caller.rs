//! Who calls: the service of the connection, and the client it acts for.

use std::sync::{Arc, OnceLock};

use tonic::Request;
use tresor_proto::{ErrorCode, Failure, RequestId, vault};
use tresor_vault::{Caller, Role};

use crate::{
    context::Context,
    directory::{ServiceGrant, ServiceRole},
    evidence::EvidenceCheck,
};

/// Where a call came from: left in the request's extensions by the layers, which see no messages.
#[derive(Clone)]
pub(crate) struct Origin {
    /// The service of the connection.
    pub(crate) service: Arc<ServiceGrant>,
    /// Filled in once the message is parsed, read by the log.
    pub(crate) request_id: RequestIdSlot,
}

/// A place for the request id a message names.
#[derive(Clone, Default)]
pub(crate) struct RequestIdSlot(Arc<OnceLock<RequestId>>);

impl RequestIdSlot {
    /// Notes the id; the first one stays.
    fn note(&self, request_id: &RequestId) {
        self.0.get_or_init(|| request_id.clone());
    }

    /// The id noted.
    pub(crate) fn noted(&self) -> Option<&RequestId> {
        self.0.get()
    }
}

impl Origin {
    /// The origin the layers left; their absence is our own fault.
    pub(crate) fn of<T>(request: &Request<T>) -> Result<Self, Failure> {
        let origin = request.extensions().get::<Self>().cloned();
        origin.ok_or_else(|| Failure::from(ErrorCode::Internal))
    }

    /// Parses a call's context; its request id goes to the log whatever follows.
    pub(crate) fn context(&self, wire: Option<vault::RequestContext>) -> Result<Context, Failure> {
        let context = Context::from_wire(wire)?;
        if let Some(request_id) = &context.request_id {
            self.request_id.note(request_id);
        }
        Ok(context)
    }

    /// Whom the vault is asked by: the service itself, or the client an edge shows evidence of.
    pub(crate) fn caller(
        &self,
        context: &Context,
        evidence: &EvidenceCheck,
    ) -> Result<Caller, Failure> {
        let role = match (&self.service.role, &context.evidence) {
            (ServiceRole::Edge, Some(shown)) => return evidence.client(shown),
            (ServiceRole::Edge, None) => return Err(ErrorCode::Unauthenticated.into()),
            (ServiceRole::Service(_) | ServiceRole::Operator, Some(_)) => {
                return Err(ErrorCode::Forbidden.into());
            }
            (ServiceRole::Service(tenants), None) => Role::Service(tenants.clone()),
            (ServiceRole::Operator, None) => Role::Operator,
        };
        Ok(self.service_caller(role))
    }

    /// The service itself, on the control plane.
    pub(crate) fn operator(&self) -> Result<Caller, Failure> {
        match self.service.role {
            ServiceRole::Operator => Ok(self.service_caller(Role::Operator)),
            ServiceRole::Edge | ServiceRole::Service(_) => Err(ErrorCode::Forbidden.into()),
        }
    }

    fn service_caller(&self, role: Role) -> Caller {
        let name = self.service.name.clone();
        Caller::Service { name, role }
    }
}
