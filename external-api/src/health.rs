//! `GET /healthz` and `GET /readyz`, with a certificate or on the loopback without.
//!
//! It promises that `/healthz` says only that the process answers, and `/readyz` that the vault
//! serves and we are not shutting down. It relies on the vault's `grpc.health.v1`.

use axum::{Json, extract::State};
use serde::Serialize;
use tresor_door::Shutdown;
use tresor_proto::ErrorCode;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{openapi::NotReady, problem::Refusal, vault::Vault};

/// What readiness depends on.
#[derive(Clone)]
pub(crate) struct Health {
    /// The vault.
    pub(crate) vault: Vault,
    /// Whether we are leaving.
    pub(crate) shutdown: Shutdown,
}

/// How it is.
#[derive(Serialize, ToSchema)]
struct HealthStatus {
    #[schema(pattern = "^(ok|ready)$")]
    status: &'static str,
}

/// The two routes.
pub(crate) fn routes<S>(health: Health) -> OpenApiRouter<S> {
    let routes = OpenApiRouter::new().routes(routes!(healthz)).routes(routes!(readyz));
    routes.with_state(health)
}

/// Tells that the process answers.
#[utoipa::path(
    get, path = "/healthz", tag = "health",
    security(("mutual_tls" = [])),
    responses((status = 200, description = "It does.", body = HealthStatus))
)]
async fn healthz() -> Json<HealthStatus> {
    Json(HealthStatus { status: "ok" })
}

/// Tells whether the vault serves and the process is not shutting down.
#[utoipa::path(
    get, path = "/readyz", tag = "health",
    security(("mutual_tls" = [])),
    responses((status = 200, description = "All is well.", body = HealthStatus), NotReady)
)]
async fn readyz(State(health): State<Health>) -> Result<Json<HealthStatus>, Refusal> {
    if health.shutdown.is_triggered() || !health.vault.is_serving().await {
        return Err(ErrorCode::Overloaded.into());
    }
    Ok(Json(HealthStatus { status: "ready" }))
}
