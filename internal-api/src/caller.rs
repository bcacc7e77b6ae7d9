//! Who calls: the service of the connection, and the client it acts for.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tonic::{Request, Status};
use tresor_door::Guard;
use tresor_proto::{ErrorCode, Failure, RefusalReason, RequestId, vault};
use tresor_vault::{Caller, Role};

use crate::{
    context::Context,
    directory::{ServiceGrant, ServiceRole},
    evidence::EvidenceCheck,
    layers::Seat,
    message_budget::Purse,
    plane::Plane,
    turnstile::TenantSeat,
};

/// Where a call came from: left in the request's extensions by the layers, which see no messages.
#[derive(Clone)]
pub(crate) struct Origin {
    /// The service of the connection.
    pub(crate) service: Arc<ServiceGrant>,
    /// Filled in while the call goes on, read by the log.
    pub(crate) notes: CallNotes,
}

/// What the log is told of a call once that is known; what is noted first stays.
#[derive(Clone, Default)]
pub(crate) struct CallNotes(Arc<Noted>);

#[derive(Default)]
struct Noted {
    request_id: OnceLock<RequestId>,
    refusal: OnceLock<RefusalReason>,
    seats: Mutex<SeatsTaken>,
    /// The bytes of the message the service is at.
    purse: OnceLock<Purse>,
}

/// A call that has its seats; it leaves them when this is dropped.
pub(crate) struct Seated(CallNotes);

/// The places of a call among those that run at once, kept until its work is done.
#[derive(Default)]
struct SeatsTaken {
    of_service: Option<Seat>,
    of_tenant: Option<TenantSeat>,
}

impl CallNotes {
    /// The id the message names.
    pub(crate) fn request_id(&self) -> Option<&RequestId> {
        self.0.request_id.get()
    }

    /// Why it was refused.
    pub(crate) fn refusal(&self) -> Option<RefusalReason> {
        self.0.refusal.get().copied()
    }

    /// Notes why a status refuses the call, if it says so.
    pub(crate) fn note_refusal(&self, status: &Status) {
        if let Some(reason) = RefusalReason::of(status) {
            self.0.refusal.get_or_init(|| reason);
        }
    }

    /// Keeps the seat of the service that calls until what is given is dropped, or the work is done.
    pub(crate) fn sit(&self, seat: Seat) -> Seated {
        self.seats().of_service.get_or_insert(seat);
        Seated(self.clone())
    }

    /// Keeps a tenant's seat until the call has ended; one is enough.
    pub(crate) fn keep_seat(&self, seat: TenantSeat) {
        self.seats().of_tenant.get_or_insert(seat);
    }

    /// Gives the seats back: the work is done, however long its caller takes to hear of it.
    pub(crate) fn leave_seats(&self) {
        *self.seats() = SeatsTaken::default();
    }

    fn seats(&self) -> MutexGuard<'_, SeatsTaken> {
        // Nothing panics while it is held.
        self.0.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what the call takes for its messages; there is one for all of them.
    pub(crate) fn keep_purse(&self, purse: Purse) {
        self.0.purse.get_or_init(|| purse);
    }

    /// Gives the bytes of the last message back: it is done with.
    pub(crate) fn give_bytes_back(&self) {
        if let Some(purse) = self.0.purse.get() {
            purse.give_back();
        }
    }

    fn note_request_id(&self, request_id: &RequestId) {
        self.0.request_id.get_or_init(|| request_id.clone());
    }
}

impl Guard for Seated {}

impl Drop for Seated {
    fn drop(&mut self) {
        self.0.leave_seats();
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
            self.notes.note_request_id(request_id);
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
            (ServiceRole::Edge, None) => return Err(RefusalReason::EvidenceMissing.into()),
            (_, Some(_)) => return Err(RefusalReason::EvidenceUnexpected.into()),
            (ServiceRole::Service(rights), None) => Role::Service(rights.tenants.clone()),
            (
                ServiceRole::Operator
                | ServiceRole::Deployer
                | ServiceRole::Auditor
                | ServiceRole::CaOfficer,
                None,
            ) => return self.operator(),
        };
        Ok(self.service_caller(role))
    }

    /// The service itself, on the control plane. To the vault all roles there are one: it opens
    /// nothing to any. Which of them gets as far as this is the table's to say.
    pub(crate) fn operator(&self) -> Result<Caller, Failure> {
        match self.service.role.name().plane() {
            Plane::Control => Ok(self.service_caller(Role::Operator)),
            Plane::Data => Err(RefusalReason::NotForServices.into()),
        }
    }

    fn service_caller(&self, role: Role) -> Caller {
        let name = self.service.name.clone();
        Caller::Service { name, role }
    }
}
