//! Replaces the cipher keys of tenants, for which no customer is needed.
//!
//! It promises that each tenant's keyring is the old one or the new one, whatever happens, and that
//! requests under way end with the keyring they began with. It relies on the keyrings for that;
//! here tenants are taken a few at a time, so that others wait a moment at most.

use std::sync::Arc;

use tresor_proto::{ErrorCode, Failure, RefusalReason, ServiceName, TenantId};

use super::key_work::KeyWork;
use crate::{
    access::OperatorPermit,
    entropy::Entropy,
    error::VaultError,
    keyring::{KeyringError, Keyrings, LoadedKeyring},
    vault::Vault,
};

/// Tenants whose keyrings are written in one turn, during which no other keyring is read or
/// written: about 40 ms.
const TURN_TENANTS: usize = 16;

type Outcome = Result<CipherKeyReplacement, VaultError>;

/// A cipher key that was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CipherKeyReplacement {
    /// The version that is gone.
    pub old_version: u32,
    /// The version that locks now.
    pub new_version: u32,
    /// When, milliseconds since the epoch.
    pub replaced_ms: u64,
}

impl Vault {
    /// Replaces the cipher keys of tenants; what became of each, in order.
    ///
    /// # Errors
    /// `overloaded`; `conflict` when the lease is lost. Of a tenant: `not_found` when its customer has not enrolled,
    /// `storage_unavailable` when its keyring cannot be read or written.
    pub async fn rotate_cipher_keys(
        &self,
        work: &mut KeyWork,
        tenants: &[TenantId],
    ) -> Result<Vec<Result<CipherKeyReplacement, VaultError>>, VaultError> {
        let mut replaced = Vec::with_capacity(tenants.len());
        for turn in tenants.chunks(TURN_TENANTS) {
            self.go_on(work).await?;
            replaced.extend(self.rotate_in_one_turn(work, turn).await?);
        }
        Ok(replaced)
    }

    /// The versions that a rotation would replace, in order.
    pub async fn cipher_key_versions(
        &self,
        _permit: &OperatorPermit,
        tenants: &[TenantId],
    ) -> Vec<Result<u32, VaultError>> {
        let mut versions = Vec::with_capacity(tenants.len());
        for tenant in tenants {
            versions.push(self.cipher_key_version(*tenant).await);
        }
        versions
    }

    async fn cipher_key_version(&self, tenant: TenantId) -> Result<u32, VaultError> {
        let keyring = self.enrolled_keyring(tenant).await?;
        let newest = keyring.keyring.newest_cipher_key().map(|key| key.version);
        newest.map_err(|_| VaultError::Internal)
    }

    /// The keyring of a tenant, for its operator.
    pub(super) async fn enrolled_keyring(
        &self,
        tenant: TenantId,
    ) -> Result<Arc<LoadedKeyring>, VaultError> {
        let loaded = self.keyring(tenant).await;
        if matches!(loaded, Err(VaultError::Denied(RefusalReason::TenantNotEnrolled))) {
            return Err(not_enrolled());
        }
        loaded
    }

    async fn rotate_in_one_turn(
        &self,
        work: &KeyWork,
        tenants: &[TenantId],
    ) -> Result<Vec<Outcome>, VaultError> {
        // A damaged keyring quarantines its tenant here, and is not touched.
        let mut outcomes = Vec::with_capacity(tenants.len());
        let mut sound = Vec::with_capacity(tenants.len());
        for tenant in tenants {
            let version = self.cipher_key_version(*tenant).await;
            sound.extend(version.is_ok().then_some(*tenant));
            outcomes
                .push(version.err().map(|error| log(work.permit().name(), *tenant, Err(error))));
        }
        let keyrings = self.keyrings_arc();
        let (entropy, service) = (self.entropy_arc(), work.permit().name().clone());
        let at = (self.clock().now_ms(), work.is_compromised());
        // Logged where it is done: it is done even when nobody waits for the answer any more.
        let rotate = move || {
            let rotated = rotate(&keyrings, &sound, at, entropy.as_ref());
            let rotated = sound.iter().zip(rotated);
            rotated.map(|(tenant, outcome)| log(&service, *tenant, outcome)).collect::<Vec<_>>()
        };
        let mut rotated = self.key_worker().run(rotate).await?.into_iter();
        let outcome = |refused: Option<Outcome>| {
            refused.or_else(|| rotated.next()).unwrap_or(Err(VaultError::Internal))
        };
        Ok(outcomes.into_iter().map(outcome).collect())
    }
}

fn log(service: &ServiceName, tenant: TenantId, outcome: Outcome) -> Outcome {
    match &outcome {
        Ok(CipherKeyReplacement { new_version: version, .. }) => {
            tracing::info!(%tenant, %service, version, "cipher key replaced");
        }
        Err(error) => {
            let code = error.code().as_str();
            tracing::warn!(%tenant, %service, code, "cipher key not replaced");
        }
    }
    outcome
}

fn rotate(
    keyrings: &Keyrings,
    tenants: &[TenantId],
    (now_ms, is_compromised): (u64, bool),
    entropy: &dyn Entropy,
) -> Vec<Outcome> {
    // Whoever got at a cipher key may know the key of the file it was in.
    let begun = if is_compromised { keyrings.begin_file_keys(tenants) } else { Ok(()) };
    let edited = begun.and_then(|()| {
        keyrings.edit_many(tenants, |keyring| {
            let old_version = keyring.newest_cipher_key()?.version;
            let new_version = keyring.rotate_cipher_key(now_ms, is_compromised, entropy)?;
            Ok(CipherKeyReplacement { old_version, new_version, replaced_ms: now_ms })
        })
    });
    match edited {
        Ok(edited) => edited.into_iter().map(|one| one.map_err(to_vault_error)).collect(),
        Err(error) => tenants.iter().map(|_| Err(to_vault_error(error))).collect(),
    }
}

fn to_vault_error(error: KeyringError) -> VaultError {
    match error {
        KeyringError::Absent => not_enrolled(),
        KeyringError::Damaged | KeyringError::Unavailable => VaultError::StorageUnavailable,
        KeyringError::Keys => VaultError::Internal,
    }
}

fn not_enrolled() -> VaultError {
    Failure::new(ErrorCode::NotFound, "the tenant's customer has not enrolled").into()
}
