//! What keys there are, in which state, how old and how much used; and what is due.
//!
//! It reads keyrings and the registry and opens nothing: a key's age and use are known without it.

use tresor_proto::{DataClass, TenantRef, storage};

use super::{
    key_policy::KeyPolicy,
    key_version::{KeyDue, KeyKind, KeyState, KeyVersion, written},
};
use crate::{
    access::OperatorPermit,
    error::VaultError,
    keyring::{LoadedKeyring, RotationMark, TenantKeyring},
    registry::{Census, Tenant, TenantState},
    vault::Vault,
};

/// The customer tokens of a tenant, by what they are good for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CustomerTokenCounts {
    /// Those that work.
    pub working: usize,
    /// Those that expired, or whose overlap has ended.
    pub expired: usize,
    /// Those that were revoked.
    pub revoked: usize,
    /// Those that work and were locked under a cipher key that is compromised.
    pub exposed: usize,
}

/// The keys of one tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantKeyStatus {
    /// The tenant.
    pub tenant: Tenant,
    /// Its keys; none before its customer has enrolled, or when its keyring is damaged.
    pub keys: Vec<KeyVersion>,
    /// Its customer tokens.
    pub customer_tokens: CustomerTokenCounts,
    /// The last census, if one was taken.
    pub census: Option<Census>,
}

impl Vault {
    /// The keys of the vault itself.
    pub fn system_key_status(&self, _permit: &OperatorPermit) -> Vec<KeyVersion> {
        let system = self.keyrings().system_keys();
        let newest = system.metadata_versions.last().copied();
        let metadata = system.metadata_versions.into_iter().map(|version| {
            let is_newest = Some(version) == newest;
            let state = if is_newest { KeyState::Active } else { KeyState::Deactivated };
            KeyVersion { state, ..KeyVersion::plain(KeyKind::SystemMetadata, version) }
        });
        let root = KeyVersion {
            created_ms: system.root_replaced_ms,
            ..KeyVersion::plain(KeyKind::Root, system.root_generation)
        };
        let pepper = KeyVersion::plain(KeyKind::Pepper, 1);
        let retired = system.retired_root_keys.iter().rev();
        let retired = retired.map(|key| KeyVersion::retired(KeyKind::Root, key));
        [root].into_iter().chain(retired).chain([pepper]).chain(metadata).collect()
    }

    /// The keys of a tenant.
    ///
    /// # Errors
    /// `not_found` for an unknown tenant; those of the registry.
    pub async fn tenant_key_status(
        &self,
        permit: &OperatorPermit,
        tenant: &TenantRef,
    ) -> Result<TenantKeyStatus, VaultError> {
        let mut tenant = self.tenant(permit, tenant).await?;
        let census = self.registry().census(tenant.id).await?;
        let keyring = match tenant.enrolled_ms {
            None => None,
            Some(_) if tenant.state == TenantState::Deleting => None,
            Some(_) => self.keyring(tenant.id).await.ok(),
        };
        let Some(keyring) = keyring else {
            if tenant.enrolled_ms.is_some() && tenant.state != TenantState::Deleting {
                tenant.state = TenantState::Quarantined;
            }
            let (keys, customer_tokens) = (Vec::new(), CustomerTokenCounts::default());
            return Ok(TenantKeyStatus { tenant, keys, customer_tokens, census });
        };
        let keys = self.key_versions(&keyring, census.as_ref())?;
        let customer_tokens = count_tokens(&keyring.keyring, self.clock().now_ms());
        Ok(TenantKeyStatus { tenant, keys, customer_tokens, census })
    }

    pub(super) fn key_versions(
        &self,
        keyring: &LoadedKeyring,
        census: Option<&Census>,
    ) -> Result<Vec<KeyVersion>, VaultError> {
        let mut keys = cipher_and_metadata_keys(&keyring.keyring)?;
        keys.extend(data_keys(keyring, census)?);
        keys.extend(identifier_keys(keyring, census)?);
        let (policy, now_ms) = (self.key_policy(), self.clock().now_ms());
        for key in &mut keys {
            key.due = due(&keyring.keyring, key, (&policy, now_ms));
        }
        Ok(keys)
    }
}

fn cipher_and_metadata_keys(keyring: &TenantKeyring) -> Result<Vec<KeyVersion>, VaultError> {
    let retired = keyring.retired_cipher_keys.iter();
    let mut keys: Vec<_> = retired.map(|key| KeyVersion::retired(KeyKind::Cipher, key)).collect();
    for key in &keyring.cipher_keys {
        keys.push(KeyVersion {
            state: KeyState::try_from(key.state)?,
            created_ms: Some(key.created_ms),
            ..KeyVersion::plain(KeyKind::Cipher, key.version)
        });
    }
    for key in &keyring.metadata_keys {
        let state = KeyState::try_from(key.state())?;
        keys.push(KeyVersion { state, ..KeyVersion::plain(KeyKind::Metadata, key.version) });
    }
    Ok(keys)
}

fn data_keys(
    keyring: &LoadedKeyring,
    census: Option<&Census>,
) -> Result<Vec<KeyVersion>, VaultError> {
    let unwritten = keyring.seals.unwritten();
    let mut keys = Vec::new();
    for key in &keyring.keyring.data_keys {
        let (place, message) = ((key.class, key.epoch), key.message());
        let sealed = unwritten.get(&place).copied().unwrap_or(0);
        keys.push(KeyVersion {
            class: Some(key.class),
            state: KeyState::try_from(message.state())?,
            created_ms: Some(message.created_ms),
            seals: Some(message.seal_count.saturating_add(sealed)),
            groups: census.map(|census| census.groups.get(&place).copied().unwrap_or(0)),
            compromised_ms: written(message.compromised_ms),
            destroyed_ms: written(message.destroyed_ms),
            ..KeyVersion::plain(KeyKind::Data, key.epoch)
        });
    }
    Ok(keys)
}

fn identifier_keys(
    keyring: &LoadedKeyring,
    census: Option<&Census>,
) -> Result<Vec<KeyVersion>, VaultError> {
    let key = |key: &storage::IdentifierKey| {
        let class = DataClass::from_code(key.data_class);
        let rows = |census: &Census| {
            let place = class.map(|class| (class, key.version));
            place.and_then(|place| census.identifiers.get(&place).copied()).unwrap_or(0)
        };
        Ok(KeyVersion {
            class,
            state: KeyState::try_from(key.state())?,
            created_ms: Some(key.created_ms),
            identifier_rows: census.map(rows),
            destroyed_ms: written(key.destroyed_ms),
            ..KeyVersion::plain(KeyKind::Identifier, key.version)
        })
    };
    keyring.keyring.identifier_keys.iter().map(key).collect()
}

/// Why a key is due, if it is: a mark goes before the policy.
fn due(
    keyring: &TenantKeyring,
    key: &KeyVersion,
    (policy, now_ms): (&KeyPolicy, u64),
) -> Option<KeyDue> {
    let by_policy = policy.due(key, now_ms);
    let mark = key.class.and_then(|class| keyring.rotation_mark(class));
    let is_it = |mark: &&RotationMark| key.kind == KeyKind::Data && mark.epoch == key.version;
    let Some(mark) = mark.filter(is_it) else {
        return by_policy;
    };
    Some(match mark.reason {
        storage::RotationReason::Compromised => KeyDue::Compromised,
        storage::RotationReason::Policy => by_policy.unwrap_or(KeyDue::Age),
        storage::RotationReason::Requested | storage::RotationReason::Unspecified => {
            KeyDue::Requested
        }
    })
}

fn count_tokens(keyring: &TenantKeyring, now_ms: u64) -> CustomerTokenCounts {
    let exposed_until_ms = keyring.exposed_until_ms();
    let mut counts = CustomerTokenCounts::default();
    for token in &keyring.customer_tokens {
        match (token.revoked_ms, token.works_at(now_ms)) {
            (0, true) => {
                let is_exposed = exposed_until_ms.is_some_and(|until| token.created_ms <= until);
                counts.working += 1;
                counts.exposed += usize::from(is_exposed);
            }
            (0, false) => counts.expired += 1,
            _ => counts.revoked += 1,
        }
    }
    counts
}

#[cfg(test)]
mod tests;
