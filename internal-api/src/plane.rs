//! The two listeners and what each serves.
//!
//! Data and control are apart, so that an operator's network never reaches records and a service's
//! never reaches the register. Both serve health and reflection.

use tonic::{
    service::{Routes, RoutesBuilder},
    transport::{Server, server::Router},
};
use tonic_health::pb::health_server::{Health, HealthServer};
use tresor_door::Shutdown;
use tresor_proto::{
    FILE_DESCRIPTOR_SET,
    limits::{CONNECTION_STREAMS_MAX, HTTP_HEADER_BYTES_MAX, MESSAGE_BYTES_MAX},
    vault::{
        access_service_server::{AccessService, AccessServiceServer},
        collection_service_server::{CollectionService, CollectionServiceServer},
        customer_token_service_server::{CustomerTokenService, CustomerTokenServiceServer},
        key_service_server::{KeyService, KeyServiceServer},
        record_service_server::{RecordService, RecordServiceServer},
        seal_service_server::{SealService, SealServiceServer},
        surrogate_service_server::{SurrogateService, SurrogateServiceServer},
        tenant_service_server::{TenantService, TenantServiceServer},
    },
};

use crate::{
    gate::Gate,
    layers::{Layers, surround},
    services::{Access, Collections, CustomerTokens, Keys, Records, SealDesk, Surrogates, Tenants},
};

/// Bytes a stream may send ahead: one batch of usual size without a round trip in between.
const STREAM_WINDOW_BYTES: u32 = 1024 * 1024;
/// Bytes a connection may send ahead, the bound on its buffers.
const CONNECTION_WINDOW_BYTES: u32 = 4 * 1024 * 1024;
/// Bytes of an HTTP/2 frame.
const FRAME_BYTES_MAX: u32 = 64 * 1024;
/// Bytes of a question about health.
const HEALTH_BYTES_MAX: usize = 1024;
/// The services of this process, as health knows them; the empty name is the process as a whole.
pub(crate) const SERVICE_NAMES: [&str; 8] = [
    "",
    "tresor.vault.v1.RecordService",
    "tresor.vault.v1.SurrogateService",
    "tresor.vault.v1.CustomerTokenService",
    "tresor.vault.v1.CollectionService",
    "tresor.vault.v1.TenantService",
    "tresor.vault.v1.AccessService",
    "tresor.vault.v1.KeyService",
];

/// A listener's side of the house.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plane {
    /// Records, for the edge and other services.
    Data,
    /// The register, for the operator.
    Control,
}

impl Plane {
    /// The services of this listener.
    fn routes(self, gate: &Gate, shutdown: &Shutdown) -> RoutesBuilder {
        let mut routes = Routes::builder();
        routes.add_service(collections(Collections::new(gate.clone())));
        match self {
            Self::Data => routes
                .add_service(records(Records::new(gate.clone(), shutdown.clone())))
                .add_service(surrogates(Surrogates::new(gate.clone(), shutdown.clone())))
                .add_service(customer_tokens(CustomerTokens::new(gate.clone())))
                .add_service(access(Access::new(gate.clone()))),
            Self::Control => routes
                .add_service(tenants(Tenants::new(gate.clone())))
                .add_service(keys(Keys::new(gate.clone(), shutdown.clone())))
                .add_service(seals(SealDesk::new(gate.clone()))),
        };
        routes
    }

    /// The services with their layers, and health and reflection beside them.
    pub(crate) fn router<H: Health>(
        self,
        gate: &Gate,
        health: HealthServer<H>,
        layers: &Layers,
        shutdown: &Shutdown,
    ) -> Result<Router, tonic_reflection::server::Error> {
        let mut routes = self.routes(gate, shutdown);
        // They name a service, and take nothing from the budget of messages.
        routes.add_service(health.max_decoding_message_size(HEALTH_BYTES_MAX));
        add_reflection(&mut routes)?;
        Ok(server(surround(routes.routes(), layers)))
    }
}

/// HTTP/2 with bounds. Keep-alive pings are left out on purpose: the listener closes connections
/// idle for 30 s, dead peers among them, and pings would keep their buffers alive.
fn server(routes: Routes) -> Router {
    Server::builder()
        .max_concurrent_streams(CONNECTION_STREAMS_MAX)
        .http2_max_header_list_size(u32::try_from(HTTP_HEADER_BYTES_MAX).unwrap_or(u32::MAX))
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_frame_size(FRAME_BYTES_MAX)
        .add_routes(routes)
}

fn add_reflection(routes: &mut RoutesBuilder) -> Result<(), tonic_reflection::server::Error> {
    let builder = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    routes.add_service(builder().build_v1()?);
    // What grpcurl and older clients still ask for.
    routes.add_service(builder().build_v1alpha()?);
    Ok(())
}

fn records(service: impl RecordService) -> RecordServiceServer<impl RecordService> {
    RecordServiceServer::new(service)
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX)
}

fn surrogates(service: impl SurrogateService) -> SurrogateServiceServer<impl SurrogateService> {
    SurrogateServiceServer::new(service)
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX)
}

fn customer_tokens(
    service: impl CustomerTokenService,
) -> CustomerTokenServiceServer<impl CustomerTokenService> {
    CustomerTokenServiceServer::new(service).max_decoding_message_size(MESSAGE_BYTES_MAX)
}

fn collections(service: impl CollectionService) -> CollectionServiceServer<impl CollectionService> {
    CollectionServiceServer::new(service).max_decoding_message_size(MESSAGE_BYTES_MAX)
}

fn access(service: impl AccessService) -> AccessServiceServer<impl AccessService> {
    AccessServiceServer::new(service).max_decoding_message_size(MESSAGE_BYTES_MAX)
}

fn seals(service: impl SealService) -> SealServiceServer<impl SealService> {
    SealServiceServer::new(service).max_decoding_message_size(MESSAGE_BYTES_MAX)
}

fn tenants(service: impl TenantService) -> TenantServiceServer<impl TenantService> {
    TenantServiceServer::new(service).max_decoding_message_size(MESSAGE_BYTES_MAX)
}

fn keys(service: impl KeyService) -> KeyServiceServer<impl KeyService> {
    KeyServiceServer::new(service)
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX)
}
