//! The gRPC services, one file each: a method parses, asks for a permit, calls, converts, replies.
//!
//! They promise that the vault is never called without its permit. They rely on the layers for who
//! calls, and on the vault for what the caller may do.

mod access_service;
mod batch_stream;
mod census;
mod cipher_rotation;
mod collection_service;
mod customer_token_service;
mod detokenize_stream;
mod ingest;
mod key_service;
mod reading;
mod record_service;
mod seal_service;
mod step_stream;
mod surrogate_service;
mod tenant_service;
mod tenant_users;
mod tokenize_stream;
mod told;
mod trading;

pub(crate) use access_service::Access;
pub(crate) use collection_service::Collections;
pub(crate) use customer_token_service::CustomerTokens;
pub(crate) use key_service::Keys;
pub(crate) use record_service::Records;
pub(crate) use seal_service::SealDesk;
pub(crate) use surrogate_service::Surrogates;
pub(crate) use tenant_service::Tenants;

use tresor_proto::{ErrorCode, Failure};
use tresor_vault::VaultError;

/// Runs a change in a task of its own: a caller who goes away does not leave it half done.
async fn to_its_end<T: Send + 'static>(
    change: impl Future<Output = Result<T, VaultError>> + Send + 'static,
) -> Result<T, Failure> {
    let changed = tokio::spawn(change).await;
    Ok(changed.map_err(|_| Failure::from(ErrorCode::Internal))??)
}
