//! The routes of the external API, and what they share.
//!
//! It promises that every route but health passes all layers, and that every route is told in
//! `/openapi.json`. It relies on `layers` for what they do.

use std::sync::Arc;

use axum::{Extension, Router};
use tresor_door::{DoorError, Metrics, Shutdown};
use tresor_proto::{AddressList, ErrorCode};
use utoipa::OpenApi as _;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    admissions::Admissions,
    customer_tokens, enrol,
    health::{self, Health},
    layers, limits,
    openapi::{self, Document, Frame},
    password,
    policies::Policies,
    problem::Refusal,
    records, screen,
    sessions::Sessions,
    surrogates, upload,
    vault::Vault,
};

/// What the routes share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct App {
    /// The vault.
    pub(crate) vault: Vault,
    /// Where clients may come from.
    pub(crate) admissions: Arc<Admissions>,
    /// Proxies that say whom they ask for.
    pub(crate) proxies: Arc<AddressList>,
    /// Sessions of users.
    pub(crate) sessions: Arc<Sessions>,
    /// Policies fetched from it.
    pub(crate) policies: Arc<Policies>,
    /// What the columns of uploads hold.
    pub(crate) columns: Arc<upload::Columns>,
}

impl App {
    /// What the routes of an edge before `vault` share.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub(crate) fn new(vault: &Vault, proxies: AddressList) -> Result<Self, DoorError> {
        Ok(Self {
            vault: vault.clone(),
            admissions: Arc::new(Admissions::new(vault.clone())),
            proxies: Arc::new(proxies),
            sessions: Arc::new(Sessions::new(vault.clone())?),
            policies: Arc::new(Policies::new(vault.clone())),
            columns: Arc::default(),
        })
    }
}

/// All routes, with their layers.
pub(crate) fn router(
    app: App,
    requests_max: usize,
    shutdown: &Shutdown,
    metrics: &Metrics,
) -> Router {
    app.columns.tell(metrics);
    let work = layers::challenge(work(requests_max), Arc::clone(&app.admissions));
    let (work, mut document) = OpenApiRouter::with_openapi(Frame::openapi())
        .merge(work)
        .merge(health(&app.vault, shutdown))
        .split_for_parts();
    customer_tokens::describe(&mut document);
    openapi::describe_users(&mut document);
    let work = work.layer(Extension(Document::new(&document)));
    finished(work.with_state(app), metrics)
}

/// Health and metrics, for the loopback.
pub(crate) fn health_router(vault: &Vault, shutdown: &Shutdown, metrics: &Metrics) -> Router {
    let health = Router::from(health(vault, shutdown));
    finished(health.merge(metrics.router()), metrics)
}

/// The routes that work, each registered with its description.
fn work(requests_max: usize) -> OpenApiRouter<App> {
    let streams =
        OpenApiRouter::new().routes(routes!(upload::upload)).routes(routes!(screen::screen));
    let unary = OpenApiRouter::new()
        .routes(routes!(records::list))
        .routes(routes!(records::get, records::delete))
        .routes(routes!(records::search::search))
        .routes(routes!(surrogates::tokenize))
        .routes(routes!(surrogates::detokenize))
        .routes(routes!(surrogates::renew))
        .routes(routes!(enrol::enrol))
        .routes(routes!(customer_tokens::list, customer_tokens::issue))
        .routes(routes!(customer_tokens::call))
        .routes(routes!(password::change))
        .routes(routes!(limits::tell))
        .routes(routes!(openapi::tell));
    layers::limit_requests(streams.merge(layers::limit_time(unary)), requests_max)
}

fn health<S: Clone + Send + Sync + 'static>(
    vault: &Vault,
    shutdown: &Shutdown,
) -> OpenApiRouter<S> {
    health::routes(Health { vault: vault.clone(), shutdown: shutdown.clone() })
}

fn finished(routes: Router, metrics: &Metrics) -> Router {
    layers::surround(routes.fallback(async || Refusal::from(ErrorCode::NotFound)), metrics)
}
