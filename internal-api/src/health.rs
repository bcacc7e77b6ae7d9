//! Whether the vault serves: `grpc.health.v1` on both planes, and for probes, which have no
//! certificate, on a plain loopback listener together with `/healthz`, `/readyz` and `/metrics`.
//!
//! It says SERVING while the vault is unlocked, until the shutdown begins; `/readyz` says in one
//! word why not, and no more than that to anybody.

use std::sync::Arc;

use axum::{Router, http::StatusCode, routing::get};
use tokio::sync::watch;
use tonic::service::Routes;
use tonic_health::{
    ServingStatus,
    pb::health_server::{Health, HealthServer},
    server::HealthReporter,
};
use tresor_door::{Metrics, Shutdown};

use crate::{
    lockable::{LockState, LockableVault},
    plane::SERVICE_NAMES,
};

/// What watches the vault being locked and unlocked.
type States = watch::Receiver<LockState>;

/// Reports every service as serving, or as not serving while the vault is locked.
pub(crate) async fn report(reporter: &HealthReporter, states: &States) {
    let is_locked = states.borrow().is_locked();
    let status = if is_locked { ServingStatus::NotServing } else { ServingStatus::Serving };
    report_all(reporter, status).await;
}

/// Reports the same at every change, until the shutdown; then the rest is up to that.
pub(crate) async fn follow(reporter: &HealthReporter, mut states: States, shutdown: &Shutdown) {
    loop {
        tokio::select! {
            biased;
            () = shutdown.wait() => core::future::pending().await,
            changed = states.changed() => match changed {
                Ok(()) => report(reporter, &states).await,
                Err(_) => core::future::pending().await,
            },
        }
    }
}

/// Reports every service as not serving.
pub(crate) async fn report_not_serving(reporter: &HealthReporter) {
    report_all(reporter, ServingStatus::NotServing).await;
}

async fn report_all(reporter: &HealthReporter, status: ServingStatus) {
    for name in SERVICE_NAMES {
        reporter.set_service_status(name, status).await;
    }
}

/// What probes are answered.
pub(crate) fn probes<H: Health>(
    health: HealthServer<H>,
    vault: Arc<LockableVault>,
    metrics: &Metrics,
    shutdown: Shutdown,
) -> Router {
    let readiness = move || async move { readiness(&shutdown, &vault) };
    Routes::new(health)
        .into_axum_router()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readiness))
        .merge(metrics.router())
}

fn readiness(shutdown: &Shutdown, vault: &LockableVault) -> (StatusCode, &'static str) {
    if shutdown.is_triggered() {
        (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n")
    } else if vault.watch().borrow().is_locked() {
        (StatusCode::SERVICE_UNAVAILABLE, "locked\n")
    } else if vault.is_degraded() {
        (StatusCode::OK, "ready; degraded: a seal does not open\n")
    } else {
        (StatusCode::OK, "ready\n")
    }
}
