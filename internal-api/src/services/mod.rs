//! The gRPC services, one file each: a method parses, asks for a permit, calls, converts, replies.
//!
//! They promise that the vault is never called without its permit. They rely on the layers for who
//! calls, and on the vault for what the caller may do.

mod access_service;
mod census;
mod cipher_rotation;
mod collection_service;
mod customer_token_service;
mod ingest;
mod key_service;
mod reading;
mod record_service;
mod seal_service;
mod step_stream;
mod tenant_service;

pub(crate) use access_service::Access;
pub(crate) use collection_service::Collections;
pub(crate) use customer_token_service::CustomerTokens;
pub(crate) use key_service::Keys;
pub(crate) use record_service::Records;
pub(crate) use seal_service::SealDesk;
pub(crate) use tenant_service::Tenants;
