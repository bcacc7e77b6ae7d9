//! What keys there are, in which state, how old and how much used; and what is due.
//!
//! It reads keyrings and the registry and opens nothing: a key's age and use are known without it.

use tresor_proto::{DataClass, TenantRef, storage};

use crate::{
    access::OperatorPermit,
    error::VaultError,
    keyring::{LoadedKeyring, TenantKeyring},
    registry::{Census, Tenant, TenantState},
    vault::Vault,
};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// The key of all keyrings.
    Root,
    /// The key of verifiers.
    Pepper,
    /// The key of the registry's rows.
    SystemMetadata,
    /// The server's half of the two locks of a tenant.
    Cipher,
    /// The key of a tenant's rows.
    Metadata,
    /// Seals the fields of a class.
    Data,
    /// Makes the identifiers of a class.
    Identifier,
}

/// Where a key is in its life, SP 800-57 part 1 §7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Made, not yet used.
    PreActive,
    /// Used to protect and to process.
    Active,
    /// Used to process only.
    Deactivated,
    /// Used to process only, and believed known to others.
    Compromised,
    /// Gone: only that it existed is kept.
    Destroyed,
}

/// Why a key is to be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyDue {
    /// It is older than the policy allows.
    Age,
    /// It has sealed more than the policy allows.
    Seals,
    /// An operator asked for it.
    Requested,
    /// It is believed known to others.
    Compromised,
}

/// One version of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyVersion {
    /// What it is for.
    pub kind: KeyKind,
    /// The class it serves, if it serves one.
    pub class: Option<DataClass>,
    /// Its version, or epoch.
    pub version: u32,
    /// Where it is in its life.
    pub state: KeyState,
    /// When it was made, milliseconds since the epoch; `None` when that was not written down.
    pub created_ms: Option<u64>,
    /// Groups sealed under it, at least; `None` for keys that seal none.
    pub seals: Option<u64>,
    /// Why it is to be replaced, if it is.
    pub due: Option<KeyDue>,
    /// Groups that hung on it when that was last counted.
    pub groups: Option<u64>,
}

/// The customer tokens of a tenant, by what they are good for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CustomerTokenCounts {
    /// Those that work.
    pub working: usize,
    /// Those that expired, or whose overlap has ended.
    pub expired: usize,
    /// Those that were revoked.
    pub revoked: usize,
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

/// How old keys may become and how much they may seal, before they are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPolicy {
    /// The age of a cipher key at most, milliseconds.
    pub cipher_age_ms_max: u64,
    /// The age of a data key at most, milliseconds.
    pub data_age_ms_max: u64,
    /// Groups sealed under a data key at most.
    pub data_seals_max: u64,
}

impl Default for KeyPolicy {
    /// 90 days, 365 days, 2³² groups.
    fn default() -> Self {
        Self {
            cipher_age_ms_max: 90 * DAY_MS,
            data_age_ms_max: 365 * DAY_MS,
            data_seals_max: 1 << 32,
        }
    }
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
        [root, pepper].into_iter().chain(metadata).collect()
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
        let keyring = match tenant.state {
            TenantState::Created => None,
            TenantState::Active | TenantState::Quarantined => self.keyring(tenant.id).await.ok(),
        };
        let Some(keyring) = keyring else {
            if tenant.state == TenantState::Active {
                tenant.state = TenantState::Quarantined;
            }
            let (keys, customer_tokens) = (Vec::new(), CustomerTokenCounts::default());
            return Ok(TenantKeyStatus { tenant, keys, customer_tokens, census });
        };
        let keys = self.key_versions(&keyring, census.as_ref())?;
        let customer_tokens = count_tokens(&keyring.keyring, self.clock().now_ms());
        Ok(TenantKeyStatus { tenant, keys, customer_tokens, census })
    }

    fn key_versions(
        &self,
        keyring: &LoadedKeyring,
        census: Option<&Census>,
    ) -> Result<Vec<KeyVersion>, VaultError> {
        let mut keys = cipher_and_metadata_keys(&keyring.keyring)?;
        keys.extend(data_keys(keyring, census)?);
        for key in &keyring.keyring.identifier_keys {
            keys.push(KeyVersion {
                class: DataClass::from_code(key.data_class),
                state: KeyState::try_from(key.state())?,
                created_ms: Some(key.created_ms),
                ..KeyVersion::plain(KeyKind::Identifier, key.version)
            });
        }
        let (policy, now_ms) = (self.key_policy(), self.clock().now_ms());
        for key in &mut keys {
            key.due = marked(&keyring.keyring, key).or_else(|| policy.due(key, now_ms));
        }
        Ok(keys)
    }
}

fn cipher_and_metadata_keys(keyring: &TenantKeyring) -> Result<Vec<KeyVersion>, VaultError> {
    let mut keys = Vec::new();
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
            ..KeyVersion::plain(KeyKind::Data, key.epoch)
        });
    }
    Ok(keys)
}

/// Why a data key was marked as due, if it was.
fn marked(keyring: &TenantKeyring, key: &KeyVersion) -> Option<KeyDue> {
    let mark = key.class.and_then(|class| keyring.rotation_mark(class))?;
    let is_it = key.kind == KeyKind::Data && mark.epoch == key.version;
    is_it.then_some(match mark.reason {
        storage::RotationReason::Compromised => KeyDue::Compromised,
        storage::RotationReason::Policy => KeyDue::Age,
        storage::RotationReason::Requested | storage::RotationReason::Unspecified => {
            KeyDue::Requested
        }
    })
}

fn count_tokens(keyring: &TenantKeyring, now_ms: u64) -> CustomerTokenCounts {
    let mut counts = CustomerTokenCounts::default();
    for token in &keyring.customer_tokens {
        match (token.revoked_ms, token.works_at(now_ms)) {
            (0, true) => counts.working += 1,
            (0, false) => counts.expired += 1,
            _ => counts.revoked += 1,
        }
    }
    counts
}

impl KeyVersion {
    /// A key of which nothing but its version is known.
    fn plain(kind: KeyKind, version: u32) -> Self {
        Self {
            kind,
            class: None,
            version,
            state: KeyState::Active,
            created_ms: None,
            seals: None,
            due: None,
            groups: None,
        }
    }
}

impl KeyPolicy {
    /// Why a key is due, if it is; only what is in use can be.
    fn due(&self, key: &KeyVersion, now_ms: u64) -> Option<KeyDue> {
        let age_ms_max = match key.kind {
            KeyKind::Cipher => self.cipher_age_ms_max,
            KeyKind::Data => self.data_age_ms_max,
            KeyKind::Root
            | KeyKind::Pepper
            | KeyKind::SystemMetadata
            | KeyKind::Metadata
            | KeyKind::Identifier => return None,
        };
        if key.state != KeyState::Active {
            return None;
        }
        let is_old =
            key.created_ms.is_some_and(|created_ms| now_ms.saturating_sub(created_ms) > age_ms_max);
        let is_worn = key.seals.is_some_and(|seals| seals > self.data_seals_max);
        is_worn.then_some(KeyDue::Seals).or(is_old.then_some(KeyDue::Age))
    }
}

impl TryFrom<storage::KeyState> for KeyState {
    type Error = VaultError;

    fn try_from(state: storage::KeyState) -> Result<Self, VaultError> {
        match state {
            storage::KeyState::PreActive => Ok(Self::PreActive),
            storage::KeyState::Active => Ok(Self::Active),
            storage::KeyState::Deactivated => Ok(Self::Deactivated),
            storage::KeyState::Compromised => Ok(Self::Compromised),
            storage::KeyState::Destroyed => Ok(Self::Destroyed),
            storage::KeyState::Unspecified => Err(VaultError::Integrity),
        }
    }
}

#[cfg(test)]
mod tests;
