//! The layers every request passes before it reaches its route.
//!
//! Each refuses with a row of the one table of errors, and none reads a body. They rely on the
//! connection's [`Peer`](tresor_door::Peer), which the listener has verified.

use core::{panic::AssertUnwindSafe, time::Duration};
use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse as _, Response},
};
use futures::FutureExt as _;
use http::{HeaderName, HeaderValue, StatusCode, header};
use tower::ServiceBuilder;
use tresor_door::{Metrics, Owner, Peer, Shares, guard};
use tresor_proto::{CertificateName, ErrorCode, RequestId, TenantId, limits::REQUEST_DEADLINE_MS};
use utoipa_axum::router::OpenApiRouter;
use uuid::Uuid;

use crate::{
    access_log::AccessLog,
    admissions::Admissions,
    credentials, customer_token, header_section,
    lingering_body::linger,
    problem::{self, Refusal},
    routes::App,
};

/// A seat for each request that may run at once.
type Seats = Arc<Shares<Option<Owner>>>;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Around all routes, outermost first.
pub(crate) fn surround(routes: Router, metrics: &Metrics) -> Router {
    let stack = ServiceBuilder::new()
        // Outermost, so that every request is logged and counted, and every refusal becomes a
        // problem document.
        .layer(from_fn_with_state(metrics.clone(), identify))
        // A refusal of it is logged and told like any other.
        .layer(from_fn(header_section::measure))
        // Before anything else could see these headers.
        .layer(from_fn(customer_token::take))
        .layer(from_fn(credentials::take))
        // Innermost, so that a fault is answered and logged.
        .layer(from_fn(catch_panic));
    routes.layer(stack)
}

/// Around the routes that work: bounds how many requests run at once, of each tenant to a quarter.
/// There is no queue; one more is told to come back.
pub(crate) fn limit_requests(
    routes: OpenApiRouter<App>,
    requests_max: usize,
) -> OpenApiRouter<App> {
    routes.layer(from_fn_with_state(Shares::new(requests_max), take_seat))
}

/// Around the routes that work: asks for a password where the tenant requires one. Each refusal has
/// that, so that it does not tell what was wrong.
pub(crate) fn challenge(
    routes: OpenApiRouter<App>,
    admissions: Arc<Admissions>,
) -> OpenApiRouter<App> {
    routes.layer(from_fn_with_state(admissions, ask_for_password))
}

/// Around the routes that answer at once; streams have idle timeouts instead.
pub(crate) fn limit_time(routes: OpenApiRouter<App>) -> OpenApiRouter<App> {
    routes.layer(from_fn(within_deadline))
}

async fn identify(State(metrics): State<Metrics>, mut request: Request, next: Next) -> Response {
    let request_id = RequestId::from_uuid(Uuid::now_v7());
    let mut line = AccessLog::begin(&request, request_id.clone(), &metrics);
    request.extensions_mut().insert(request_id.clone());
    let response = next.run(linger(request)).await;
    line.see(&response);
    let mut response = problem::document(response, &request_id);
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(request_id.as_str()) {
        headers.insert(X_REQUEST_ID, value);
    }
    // Answers are about persons; no cache may keep them.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    guard(response, line)
}

async fn take_seat(State(seats): State<Seats>, request: Request, next: Next) -> Response {
    let owner = request.extensions().get::<Arc<Peer>>().map(|peer| peer.owner());
    match seats.take(owner) {
        Ok(seat) => guard(next.run(request).await, seat),
        Err(_) => Refusal::from(ErrorCode::Overloaded).into_response(),
    }
}

async fn ask_for_password(
    State(admissions): State<Arc<Admissions>>,
    request: Request,
    next: Next,
) -> Response {
    let tenant = tenant(&request);
    let mut response = next.run(request).await;
    let is_required = || tenant.is_some_and(|tenant| admissions.is_password_required(tenant));
    if response.status() == StatusCode::UNAUTHORIZED && is_required() {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, credentials::CHALLENGE);
    }
    response
}

/// The tenant of the client certificate; services have none.
fn tenant(request: &Request) -> Option<TenantId> {
    match request.extensions().get::<Arc<Peer>>()?.name {
        CertificateName::Client { tenant, .. } => Some(tenant),
        CertificateName::Service(_) => None,
    }
}

async fn within_deadline(request: Request, next: Next) -> Response {
    let deadline = Duration::from_millis(REQUEST_DEADLINE_MS);
    let answered = tokio::time::timeout(deadline, next.run(request)).await;
    answered.unwrap_or_else(|_| Refusal::from(ErrorCode::DeadlineExceeded).into_response())
}

async fn catch_panic(request: Request, next: Next) -> Response {
    let caught = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    caught.unwrap_or_else(|_| Refusal::from(ErrorCode::Internal).into_response())
}
