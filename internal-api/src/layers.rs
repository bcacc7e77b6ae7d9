//! The layers every call passes before it reaches a service.
//!
//! Each refuses with a row of the one table of errors, and none reads a message. They rely on the
//! connection's [`Peer`], which the listener has verified.

use core::{panic::AssertUnwindSafe, time::Duration};
use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse as _, Response},
};
use futures::FutureExt as _;
use http::{Method, StatusCode};
use tokio::sync::watch;
use tonic::{Status, service::Routes};
use tower::ServiceBuilder;
use tresor_door::{Metrics, Owner, Peer, Place, Shares, Shutdown, guard};
use tresor_proto::{
    ErrorCode, Failure, RefusalReason,
    limits::{LONG_CALL_DEADLINE_MS, REQUEST_DEADLINE_MS},
};

use crate::{
    access_rules::{self, Barred},
    call_log::CallLog,
    caller::{CallNotes, Origin},
    directory::{Directory, ServiceGrant},
    grpc_timeout,
    lockable::{self, LockState},
    message_budget::MessageBudget,
    plane::Plane,
};

/// Health is answered under overload too, or a busy vault would be taken for a dead one.
const HEALTH_PREFIX: &str = "/grpc.health.v1.Health/";

/// Calls that look through a whole database and change nothing.
const LONG_CALLS: [&str; 2] = [
    "/tresor.vault.v1.CollectionService/AnalyzeCollection",
    "/tresor.vault.v1.CollectionService/GetInventory",
];

/// Half of them for each service, so that one which is captured leaves the other half to others.
pub(crate) type Seats = Shares<Option<Owner>>;
/// One of them.
pub(crate) type Seat = Place<Option<Owner>>;

/// What the layers of one listener know.
#[derive(Clone)]
pub(crate) struct Layers {
    pub(crate) plane: Plane,
    pub(crate) directory: Arc<Directory>,
    /// A seat for each call that may run at once.
    pub(crate) seats: Arc<Seats>,
    /// Bytes for the messages of all calls.
    pub(crate) budget: Arc<MessageBudget>,
    /// Set off when the grace after a shutdown is over.
    pub(crate) abort: Shutdown,
    /// Calls for records end when it is locked: they hold keys.
    pub(crate) states: watch::Receiver<LockState>,
    pub(crate) metrics: Metrics,
}

/// Puts the layers around `routes`, outermost first.
pub(crate) fn surround(routes: Routes, layers: &Layers) -> Routes {
    let stack = ServiceBuilder::new()
        // Outermost, so that every call is logged and counted, refused ones included.
        .layer(from_fn_with_state(layers.metrics.clone(), log))
        // Before anything that costs: a stranger takes no seat and starts no clock.
        .layer(from_fn_with_state(layers.clone(), identify))
        // Around all that may wait.
        .layer(from_fn_with_state(layers.clone(), limit_time))
        // Bounds what runs at once; there is no queue, one more is told to come back.
        .layer(from_fn_with_state(layers.clone(), take_seat))
        // Bounds what those that run have sent.
        .layer(from_fn_with_state(layers.clone(), measure))
        // Innermost, so that a fault of a service gives its seat back and is answered and logged.
        .layer(from_fn(catch_panic));
    Routes::from(routes.into_axum_router().layer(stack))
}

/// The answer to a refused call.
fn refuse(failure: impl Into<Failure>) -> Response {
    Status::from(failure.into()).into_http::<Body>()
}

async fn log(State(metrics): State<Metrics>, mut request: Request, next: Next) -> Response {
    let notes = CallNotes::default();
    let mut line = CallLog::begin(&request, notes.clone(), &metrics);
    request.extensions_mut().insert(notes.clone());
    let response = next.run(request).await;
    if let Some(status) = response.extensions().get::<Status>() {
        notes.note_refusal(status);
    }
    line.see_status(response.headers());
    guard(response, line)
}

async fn identify(State(layers): State<Layers>, mut request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        // gRPC's own refusals have status 200, and to CONNECT that would be a tunnel.
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    match layers.known(&request) {
        Ok(service) => {
            let notes = request.extensions().get::<CallNotes>().cloned().unwrap_or_default();
            let origin = Origin { service, notes };
            request.extensions_mut().insert(origin);
            next.run(request).await
        }
        Err(barred) => turn_away(barred),
    }
}

/// The answer to a call that does not get any further.
fn turn_away(barred: Barred) -> Response {
    match barred {
        Barred::Refused(reason) => refuse(reason),
        Barred::Unknown => Status::unimplemented("no such method").into_http(),
    }
}

async fn limit_time(State(layers): State<Layers>, request: Request, next: Next) -> Response {
    let ours = deadline(request.uri().path());
    let theirs = grpc_timeout::parse(request.headers());
    let limit = theirs.map_or(ours, |theirs| theirs.min(ours));
    if limit.is_zero() {
        // Nobody waits any more. Without a timer: the transport's own would answer CANCELLED.
        return refuse(ErrorCode::DeadlineExceeded);
    }
    tokio::select! {
        response = next.run(request) => response,
        () = tokio::time::sleep(limit) => refuse(ErrorCode::DeadlineExceeded),
        () = layers.abort.wait() => refuse(ErrorCode::Overloaded),
        () = layers.locked() => refuse(ErrorCode::Locked),
    }
}

/// How long a call may take: what looks through a whole database takes as long as that takes.
fn deadline(path: &str) -> Duration {
    let is_long = LONG_CALLS.contains(&path);
    Duration::from_millis(if is_long { LONG_CALL_DEADLINE_MS } else { REQUEST_DEADLINE_MS })
}

async fn take_seat(State(layers): State<Layers>, request: Request, next: Next) -> Response {
    if request.uri().path().starts_with(HEALTH_PREFIX) {
        return next.run(request).await;
    }
    let owner = request.extensions().get::<Arc<Peer>>().map(|peer| peer.owner());
    let notes = request.extensions().get::<CallNotes>().cloned().unwrap_or_default();
    match layers.seats.take_of_half(owner) {
        Ok(seat) => {
            let seated = notes.sit(seat);
            guard(next.run(request).await, seated)
        }
        Err(_) => refuse(ErrorCode::Overloaded),
    }
}

async fn measure(State(layers): State<Layers>, request: Request, next: Next) -> Response {
    let origin = request.extensions().get::<Origin>().cloned();
    match origin.filter(|_| !request.uri().path().starts_with(HEALTH_PREFIX)) {
        Some(origin) => {
            let (request, purse) = layers.budget.measure(&origin.service.name, request);
            origin.notes.keep_purse(purse.clone());
            let answer = next.run(request).await;
            // The caller may be as slow with it as it likes.
            purse.answered();
            answer
        }
        None => next.run(request).await,
    }
}

async fn catch_panic(request: Request, next: Next) -> Response {
    let caught = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    caught.unwrap_or_else(|_| refuse(ErrorCode::Internal))
}

impl Layers {
    /// Ends when the vault is locked; never for the operator, whose calls are short and lock it.
    async fn locked(&self) {
        match self.plane {
            Plane::Data => lockable::locked(self.states.clone()).await,
            Plane::Control => core::future::pending().await,
        }
    }

    /// The service that calls, when the configuration knows it and the table lets it call this.
    fn known(&self, request: &Request) -> Result<Arc<ServiceGrant>, Barred> {
        let peer = request.extensions().get::<Arc<Peer>>().ok_or(RefusalReason::ServiceUnknown)?;
        let service = self.directory.identify(peer).ok_or(RefusalReason::ServiceUnknown)?;
        access_rules::check(self.plane, &service.role, request.uri().path())?;
        Ok(service)
    }
}

#[cfg(test)]
mod tests;
