//! One line of the log for each request, and its count.
//!
//! They promise to say which route was asked, never which path: ids and queries stay out. They rely
//! on being dropped when the answer has been sent.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request},
    response::Response,
};
use tresor_door::{Guard, Metrics, Peer};
use tresor_proto::{CertificateName, RefusalReason, RequestId, TenantId};

use crate::problem;

/// nginx's status for a client that went away before it was answered.
const CLIENT_GONE: u16 = 499;

/// A line under way; it is written when it is dropped.
pub(crate) struct AccessLog {
    started: Instant,
    request_id: RequestId,
    method: &'static str,
    route: String,
    tenant: Option<TenantId>,
    status: u16,
    reason: Option<RefusalReason>,
    metrics: Metrics,
}

impl AccessLog {
    /// Begins the line of a request.
    pub(crate) fn begin(request: &Request, request_id: RequestId, metrics: &Metrics) -> Self {
        let route = request.extensions().get::<MatchedPath>();
        Self {
            started: Instant::now(),
            request_id,
            method: method(request),
            route: route.map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned()),
            tenant: request.extensions().get().and_then(tenant),
            status: CLIENT_GONE,
            reason: None,
            metrics: metrics.clone(),
        }
    }

    /// Notes how the request was answered, and why it was refused.
    pub(crate) fn see(&mut self, response: &Response) {
        self.status = response.status().as_u16();
        self.reason = problem::reason(response);
    }
}

/// Only well-known methods: another one is a text of the client's.
fn method(request: &Request) -> &'static str {
    ["GET", "POST", "DELETE", "HEAD", "PUT", "OPTIONS", "PATCH"]
        .into_iter()
        .find(|known| *known == request.method().as_str())
        .unwrap_or("other")
}

fn tenant(peer: &Arc<Peer>) -> Option<TenantId> {
    match &peer.name {
        CertificateName::Client { tenant, .. } => Some(*tenant),
        CertificateName::Service(_) => None,
    }
}

impl Guard for AccessLog {}

impl Drop for AccessLog {
    fn drop(&mut self) {
        let took = self.started.elapsed();
        let call = format!("{} {}", self.method, self.route);
        self.metrics.answered(&call, &self.status.to_string(), took);
        if let Some(reason) = self.reason {
            self.metrics.refused(reason.as_str());
        }
        let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let tenant = self.tenant.map(|tenant| tenant.to_string());
        tracing::info!(
            method = self.method,
            route = self.route,
            status = self.status,
            reason = self.reason.map(RefusalReason::as_str),
            duration_ms,
            tenant,
            request_id = self.request_id.as_str(),
            "answered"
        );
    }
}
