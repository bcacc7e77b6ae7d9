//! Who comes: a tenant's client by its certificate, from where it may come.
//!
//! A visitor is made only here, from what the listener verified; no password of it was checked yet.
//! It relies on the vault to check all of it again.

use std::{net::IpAddr, sync::Arc};

use axum::extract::FromRequestParts;
use http::request::Parts;
use tresor_door::{Peer, subscriber};
use tresor_proto::{
    AddressList, CertificateName, ErrorCode, Failure, RefusalReason, RequestId, TenantId,
    vault::{ClientEvidence, RequestContext},
};

use crate::{admissions::Admission, forwarded, problem::Refusal, routes::App, sessions::Session};

/// A tenant's client that comes from where it may.
pub(crate) struct Visitor {
    tenant: TenantId,
    peer: Arc<Peer>,
    source_address: IpAddr,
    request_id: RequestId,
}

impl Visitor {
    fn identify(parts: &Parts, proxies: &AddressList) -> Result<Self, Failure> {
        let peer = parts.extensions.get::<Arc<Peer>>();
        let peer = peer.ok_or(RefusalReason::NotAClient)?;
        let CertificateName::Client { tenant, .. } = &peer.name else {
            // Services have a door of their own.
            return Err(RefusalReason::NotAClient.into());
        };
        let request_id = parts.extensions.get::<RequestId>();
        Ok(Self {
            tenant: *tenant,
            peer: Arc::clone(peer),
            source_address: forwarded::source(peer.address.ip(), &parts.headers, proxies)?,
            request_id: request_id.ok_or(ErrorCode::Internal)?.clone(),
        })
    }

    /// Lets it in, or not, and tells what else it has to show.
    ///
    /// # Errors
    /// `unauthenticated` when it may not come from where it does.
    pub(crate) async fn admit(parts: &Parts, app: &App) -> Result<(Self, Admission), Refusal> {
        let visitor = Self::identify(parts, &app.proxies)?;
        let admission = app.admissions.admit(&visitor).await?;
        Ok((visitor, admission))
    }

    /// Its tenant.
    pub(crate) fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Who is behind the address it comes from.
    pub(crate) fn subscriber(&self) -> IpAddr {
        subscriber(self.source_address)
    }

    /// Where it comes from, as a proxy that is trusted says too.
    pub(crate) fn source_address(&self) -> IpAddr {
        self.source_address
    }

    /// SHA-256 of its certificate.
    pub(crate) fn certificate_digest(&self) -> &[u8] {
        &self.peer.certificate_digest
    }

    /// What the vault is told of it: evidence, not a verdict.
    pub(crate) fn context(&self, session: Option<&Session>) -> RequestContext {
        RequestContext {
            tenant: self.tenant.to_string(),
            customer_token: String::new(),
            request_id: self.request_id.as_str().to_owned(),
            purpose: String::new(),
            evidence: Some(ClientEvidence {
                leaf_der: self.peer.leaf_der.clone(),
                chain_der: self.peer.chain_der.clone(),
                source_address: self.source_address.to_string(),
                session: session
                    .map_or_else(String::new, |session| session.expose_text().to_owned()),
            }),
        }
    }
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        Ok(Self::admit(parts, app).await?.0)
    }
}
