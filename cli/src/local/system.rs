//! The two processes' work, started and stopped in this one.

use std::{
    io::ErrorKind,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    time::Duration,
};

use tresor_door::{DoorError, Shutdown, logs::LogSettings};
use tresor_external_api::{Edge, Proxies, VaultAddress};
use tresor_internal_api::{
    GrantedMethods, InternalApi, KeySettings, Limits, SealConfig, ServiceGrant, ServiceRights,
    ServiceRole, StartError, StoreEngine, Trust,
};
use tresor_proto::{ServiceName, TenantId};

use super::{Premises, premises::trust_domain};
use crate::{certificates::Branch, connection::Endpoint, error::CliError};

/// Nobody waits for a demonstration: calls under way at its end are our own.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);

/// Where both APIs listen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses {
    /// The external API.
    pub(crate) external: SocketAddr,
    /// The vault's data plane.
    pub(crate) data_plane: SocketAddr,
    /// The vault's control plane.
    pub(crate) control_plane: SocketAddr,
}

/// Both APIs, serving.
pub(crate) struct LocalSystem {
    addresses: Addresses,
    internal: InternalApi,
    internal_shutdown: Shutdown,
    edge: Edge,
    edge_shutdown: Shutdown,
}

impl Addresses {
    /// Ports the system chooses, on loopback.
    pub(crate) fn any() -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self { external: any, data_plane: any, control_plane: any }
    }
}

impl LocalSystem {
    /// Starts both over the vault in `data_dir`; `developers_tenant` is the tenant the service
    /// `developer` may call for.
    pub(crate) async fn start(
        premises: &Premises,
        data_dir: &Path,
        addresses: Addresses,
        developers_tenant: Option<TenantId>,
    ) -> Result<Self, CliError> {
        let (internal_shutdown, edge_shutdown) = (Shutdown::new(), Shutdown::new());
        let config = internal_config(premises, data_dir, addresses, developers_tenant)?;
        let internal = tresor_internal_api::start(config, internal_shutdown.clone()).await;
        let internal = internal.map_err(|error| {
            let is_taken = matches!(&error, StartError::Door(door) if is_address_taken(door));
            does_not_start("internal", &error, is_taken)
        })?;
        let config = edge_config(premises, addresses.external, internal.data_address())?;
        let edge = tresor_external_api::start(config, edge_shutdown.clone()).await;
        let edge =
            edge.map_err(|error| does_not_start("external", &error, is_address_taken(&error)))?;
        let addresses = Addresses {
            external: edge.local_addr(),
            data_plane: internal.data_address(),
            control_plane: internal.control_address(),
        };
        Ok(Self { addresses, internal, internal_shutdown, edge, edge_shutdown })
    }

    /// Where it listens; the ports are the real ones.
    pub(crate) fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// The operator's way to the control plane.
    pub(crate) fn operator(&self, premises: &Premises) -> Endpoint {
        let server = url(self.addresses.control_plane);
        Endpoint { server, tls: premises.service("operator") }
    }

    /// Stops the edge, then the vault, which closes its databases.
    pub(crate) async fn stop(self) -> Result<(), CliError> {
        self.edge_shutdown.trigger();
        self.edge.join().await;
        self.internal_shutdown.trigger();
        let closed = self.internal.wait().await;
        closed.map_err(|error| CliError::failed(format!("the vault did not close: {error}")))
    }
}

fn does_not_start(api: &str, error: &impl std::fmt::Display, is_address_taken: bool) -> CliError {
    let refusal = CliError::failed(format!("the {api} API does not start: {error}"));
    if !is_address_taken {
        return refusal;
    }
    refusal
        .advise("is it running already? or choose --external-port, --data-port and --control-port")
}

fn is_address_taken(error: &DoorError) -> bool {
    matches!(error, DoorError::Listen { kind: ErrorKind::AddrInUse, .. })
}

/// `https://` at a loopback address, by the name in the certificates.
pub(super) fn url(address: SocketAddr) -> String {
    format!("https://localhost:{}", address.port())
}

fn internal_config(
    premises: &Premises,
    data_dir: &Path,
    addresses: Addresses,
    developers_tenant: Option<TenantId>,
) -> Result<tresor_internal_api::Config, CliError> {
    let mut services =
        vec![grant("edge", ServiceRole::Edge)?, grant("operator", ServiceRole::Operator)?];
    if let Some(tenant) = developers_tenant {
        services.push(grant(
            "developer",
            ServiceRole::Service(ServiceRights {
                tenants: vec![tenant],
                methods: GrantedMethods::all(),
            }),
        )?);
    }
    Ok(tresor_internal_api::Config {
        data_dir: data_dir.to_owned(),
        engine: StoreEngine::Sled,
        seals: vec![SealConfig::passphrase(premises.passphrase_file())],
        listen: addresses.data_plane,
        control_listen: addresses.control_plane,
        health_listen: None,
        tls: premises.service("internal-api"),
        trust: Trust {
            services: premises.trust(Branch::Services),
            operators: premises.trust(Branch::Operators),
            clients: premises.trust(Branch::Clients),
        },
        trust_domain: trust_domain()?,
        services,
        log: LogSettings::default(),
        limits: Limits::default(),
        keys: KeySettings::default(),
        shutdown_grace: SHUTDOWN_GRACE,
    })
}

fn edge_config(
    premises: &Premises,
    listen: SocketAddr,
    data_plane: SocketAddr,
) -> Result<tresor_external_api::Config, CliError> {
    let tls = premises.service("edge");
    Ok(tresor_external_api::Config {
        listen,
        health_listen: None,
        trust_domain: trust_domain()?,
        tls: tls.clone(),
        trust: premises.trust(Branch::Clients),
        is_tls12_allowed: false,
        proxies: Proxies::default(),
        vault: VaultAddress { endpoint: url(data_plane), tls },
        limits: tresor_external_api::Limits::default(),
        log: LogSettings::default(),
    })
}

fn grant(name: &str, role: ServiceRole) -> Result<ServiceGrant, CliError> {
    let name = ServiceName::parse(name);
    let name = name.ok_or_else(|| CliError::failed("that is not a service's name"))?;
    Ok(ServiceGrant { name, role })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_in_use_is_met_with_advice() {
        let address = Addresses::any().external;
        let advice = |kind| {
            let error = DoorError::Listen { address, kind };
            let refusal = does_not_start("internal", &error, is_address_taken(&error));
            refusal.advice().map(str::to_owned)
        };
        assert!(advice(ErrorKind::AddrInUse).unwrap().contains("--data-port"));
        assert_eq!(advice(ErrorKind::PermissionDenied), None);
    }
}
