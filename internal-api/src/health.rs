//! Whether the vault serves: `grpc.health.v1` on both planes, and for probes, which have no
//! certificate, on a plain loopback listener together with `/healthz` and `/readyz`.
//!
//! It says SERVING from the moment the vault is open until the shutdown begins, and no more than
//! that to anybody.

use std::net::SocketAddr;

use axum::{Router, http::StatusCode, routing::get};
use tokio::net::TcpListener;
use tonic::{
    service::Routes,
    transport::{Server, server::TcpIncoming},
};
use tonic_health::{
    ServingStatus,
    pb::health_server::{Health, HealthServer},
    server::HealthReporter,
};
use tresor_door::Shutdown;

use crate::plane::SERVICE_NAMES;

/// Reports every service as serving.
pub(crate) async fn report_serving(reporter: &HealthReporter) {
    report(reporter, ServingStatus::Serving).await;
}

/// Reports every service as not serving.
pub(crate) async fn report_not_serving(reporter: &HealthReporter) {
    report(reporter, ServingStatus::NotServing).await;
}

async fn report(reporter: &HealthReporter, status: ServingStatus) {
    for name in SERVICE_NAMES {
        reporter.set_service_status(name, status).await;
    }
}

/// The plain listener for probes.
pub(crate) struct Probes {
    listener: TcpListener,
    address: SocketAddr,
}

impl Probes {
    /// Binds; the configuration has made sure that the address is a loopback one.
    pub(crate) async fn bind(address: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Where it listens; the port is the real one.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown`.
    pub(crate) async fn serve<H: Health>(
        self,
        health: HealthServer<H>,
        shutdown: Shutdown,
    ) -> Result<(), tonic::transport::Error> {
        let ready = shutdown.clone();
        let readiness = move || async move {
            match ready.is_triggered() {
                false => (StatusCode::OK, "ready\n"),
                true => (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n"),
            }
        };
        let router: Router = Routes::new(health)
            .into_axum_router()
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(readiness));
        Server::builder()
            .accept_http1(true)
            .add_routes(Routes::from(router))
            .serve_with_incoming_shutdown(TcpIncoming::from(self.listener), async move {
                shutdown.wait().await;
            })
            .await
    }
}
