//! The routes of the external API, and what they share.
//!
//! It promises that every route but health passes all layers. It relies on `layers` for what they
//! do.

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};
use tresor_door::Shutdown;
use tresor_proto::ErrorCode;

use crate::{
    admissions::Admissions,
    enrol,
    health::{self, Health},
    layers, limits,
    policies::Policies,
    problem::Refusal,
    records, screen, upload,
    vault::Vault,
};

const RECORDS: &str = "/v1/collections/{collection}/records";
const RECORD: &str = "/v1/collections/{collection}/records/{id}";

/// What the routes share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct App {
    /// The vault.
    pub(crate) vault: Vault,
    /// Where clients may come from.
    pub(crate) admissions: Arc<Admissions>,
    /// Policies fetched from it.
    pub(crate) policies: Arc<Policies>,
}

/// All routes, with their layers.
pub(crate) fn router(vault: &Vault, requests_max: usize, shutdown: &Shutdown) -> Router {
    let app = App {
        vault: vault.clone(),
        admissions: Arc::new(Admissions::new(vault.clone())),
        policies: Arc::new(Policies::new(vault.clone())),
    };
    let streams = Router::new()
        .route(RECORDS, post(upload::upload))
        .route("/v1/screen", post(screen::screen))
        .with_state(app.clone());
    let unary = Router::new()
        .route(RECORDS, get(records::list))
        .route(RECORD, get(records::get).delete(records::delete))
        .route("/v1/enrol", post(enrol::enrol))
        .route("/v1/limits", get(limits::tell))
        .with_state(app);
    let work = streams.merge(layers::limit_time(unary));
    let work = layers::limit_requests(work, requests_max);
    finished(work.merge(health(vault, shutdown)))
}

/// Health alone, for the loopback.
pub(crate) fn health_router(vault: &Vault, shutdown: &Shutdown) -> Router {
    finished(health(vault, shutdown))
}

fn health(vault: &Vault, shutdown: &Shutdown) -> Router {
    health::routes(Health { vault: vault.clone(), shutdown: shutdown.clone() })
}

fn finished(routes: Router) -> Router {
    layers::surround(routes.fallback(async || Refusal::from(ErrorCode::NotFound)))
}
