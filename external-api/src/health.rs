//! `GET /healthz` and `GET /readyz`, with a certificate or on the loopback without.
//!
//! It promises that `/healthz` says only that the process answers, and `/readyz` that the vault
//! serves and we are not shutting down. It relies on the vault's `grpc.health.v1`.

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;
use tresor_door::Shutdown;
use tresor_proto::ErrorCode;

use crate::{problem::Refusal, vault::Vault};

/// What readiness depends on.
#[derive(Clone)]
pub(crate) struct Health {
    /// The vault.
    pub(crate) vault: Vault,
    /// Whether we are leaving.
    pub(crate) shutdown: Shutdown,
}

/// The two routes.
pub(crate) fn routes(health: Health) -> Router {
    Router::new().route("/healthz", get(healthz)).route("/readyz", get(readyz)).with_state(health)
}

async fn healthz() -> Response {
    Json(json!({"status": "ok"})).into_response()
}

async fn readyz(State(health): State<Health>) -> Result<Response, Refusal> {
    if health.shutdown.is_triggered() || !health.vault.is_serving().await {
        return Err(ErrorCode::Overloaded.into());
    }
    Ok(Json(json!({"status": "ready"})).into_response())
}
