//! The vault process: gRPC over mutual TLS, the only process that holds keys.
//!
//! It promises that every call is from a service of the configuration, acts for a tenant whose
//! client it has verified itself, and ends with a row of the one table of errors. It relies on
//! `tresor-door` for the handshake and on `tresor-vault` for every decision about data.

mod access_rules;
mod call_log;
mod call_names;
mod caller;
mod chores;
mod config;
mod context;
mod convert;
mod directory;
mod evidence;
mod gate;
mod grpc_timeout;
mod health;
mod internal_api;
mod layers;
mod lockable;
mod message_budget;
mod plane;
#[cfg(test)]
#[allow(dead_code, reason = "shared; each test uses a part")]
#[path = "../../tests/fuzz/random.rs"]
mod random;
mod seal_config;
mod services;
mod tenant_usage;
mod transit_seal;
mod turnstile;

pub use access_rules::GrantedMethods;
pub use config::{Config, ConfigErrors, KeySettings, Limits, Trust};
pub use directory::{ServiceGrant, ServiceRights, ServiceRole};
pub use internal_api::{InternalApi, StartError, start};
pub use seal_config::{SealConfig, SealProvider, SecretFile};
pub use transit_seal::TransitKey;
pub use tresor_vault::{KeyPolicy, SealId, store::StoreEngine};
