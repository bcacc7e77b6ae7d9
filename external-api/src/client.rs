//! Who asks: the tenant's client by its certificate, and with its customer token.
//!
//! Both types are proofs: they are made only here, from what the listener verified, of clients that
//! come from an allowed address. They rely on the vault to check all of it, and the customer token,
//! again.

use std::{net::IpAddr, sync::Arc};

use axum::extract::FromRequestParts;
use http::request::Parts;
use tresor_door::Peer;
use tresor_proto::{
    AddressList, CertificateName, CustomerToken, ErrorCode, Failure, RefusalReason, RequestId,
    TenantId,
    vault::{ClientEvidence, RequestContext},
};

use crate::{customer_token::Shown, forwarded, problem::Refusal, routes::App};

/// A tenant's client that comes from where it may.
#[derive(Clone)]
pub(crate) struct Client {
    tenant: TenantId,
    peer: Arc<Peer>,
    source_address: IpAddr,
    request_id: RequestId,
}

/// A tenant's client that showed a well-formed customer token.
#[derive(Clone)]
pub(crate) struct KeyHolder {
    client: Client,
    customer_token: Arc<CustomerToken>,
}

impl Client {
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

    /// Its tenant.
    pub(crate) fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// What the vault is told of it: evidence, not a verdict.
    pub(crate) fn context(&self) -> RequestContext {
        RequestContext {
            tenant: self.tenant.to_string(),
            customer_token: String::new(),
            request_id: self.request_id.as_str().to_owned(),
            purpose: String::new(),
            evidence: Some(ClientEvidence {
                leaf_der: self.peer.leaf_der.clone(),
                chain_der: self.peer.chain_der.clone(),
                source_address: self.source_address.to_string(),
                session: String::new(),
            }),
        }
    }
}

impl KeyHolder {
    /// The client, without its customer token.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The same as [`Client::context`], with the customer token.
    pub(crate) fn context(&self) -> RequestContext {
        RequestContext {
            customer_token: self.customer_token.expose_text().as_str().to_owned(),
            ..self.client.context()
        }
    }
}

impl FromRequestParts<App> for Client {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let client = Self::identify(parts, &app.proxies)?;
        app.admissions.admit(client.tenant, client.source_address, || client.context()).await?;
        Ok(client)
    }
}

impl FromRequestParts<App> for KeyHolder {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let client = Client::from_request_parts(parts, app).await?;
        let shown = parts.extensions.remove::<Shown>();
        let Shown(customer_token) = shown.ok_or(RefusalReason::CustomerTokenMissing)?;
        Ok(Self { client, customer_token })
    }
}
