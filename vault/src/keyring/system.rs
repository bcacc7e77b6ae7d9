//! The system keyring: pepper, metadata keys of the registry, a file key per tenant.

use prost::Message as _;
use tresor_proto::{TenantId, storage};
use zeroize::{Zeroize as _, Zeroizing};

use super::retired::retire;
use crate::{
    crypto_error::CryptoError,
    entropy::Entropy,
    key::{FileKey, Key, MetadataKey, Pepper},
};

/// The open system keyring.
#[derive(Debug)]
pub(crate) struct SystemKeyring {
    pub(crate) sequence: u64,
    pub(crate) pepper: Pepper,
    pub(crate) metadata_keys: Vec<(u32, MetadataKey)>,
    pub(super) root: RootHistory,
    /// Whether the last write of its file was acknowledged by the disk.
    pub(super) is_settled: bool,
    tenants: Vec<TenantEntry>,
}

/// Which root keys there were; the keys themselves are with the seals.
#[derive(Clone, Debug, Default)]
pub(super) struct RootHistory {
    replacements: u32,
    /// 0 for never.
    pub(super) replaced_ms: u64,
    pub(super) retired: Vec<storage::RetiredKey>,
}

impl RootHistory {
    /// The number of the one in use, counted from 1.
    pub(super) fn generation(&self) -> u32 {
        self.replacements.saturating_add(1)
    }

    /// Writes down that the one in use, which others may know, is replaced.
    pub(super) fn replace(&mut self, now_ms: u64, is_compromised: bool) {
        let old = storage::RetiredKey {
            version: self.generation(),
            created_ms: self.replaced_ms,
            destroyed_ms: now_ms,
            compromised_ms: if is_compromised { now_ms } else { 0 },
        };
        retire(&mut self.retired, old);
        self.replacements = self.generation();
        self.replaced_ms = now_ms;
    }
}

#[derive(Debug)]
pub(super) struct TenantEntry {
    tenant: TenantId,
    key: FileKey,
    /// Under which the file is to be written next, if not under the same.
    next_key: Option<FileKey>,
    remembered_sequence: u64,
}

impl SystemKeyring {
    /// Makes the keyring of a new vault.
    pub(crate) fn generate(entropy: &dyn Entropy) -> Result<Self, CryptoError> {
        Ok(Self {
            sequence: 0,
            pepper: Pepper::generate(entropy)?,
            metadata_keys: vec![(1, MetadataKey::generate(entropy)?)],
            root: RootHistory::default(),
            is_settled: true,
            tenants: Vec::new(),
        })
    }

    /// The file key to write a tenant's keyring with, and the sequence number it had when last
    /// written.
    pub(crate) fn tenant(&self, tenant: TenantId) -> Option<(&FileKey, u64)> {
        let entry = self.tenants.iter().find(|entry| entry.tenant == tenant)?;
        Some((entry.next_key.as_ref().unwrap_or(&entry.key), entry.remembered_sequence))
    }

    /// The file keys of a tenant: the one in use, and the one that is to replace it.
    pub(super) fn file_keys(&self, tenant: TenantId) -> Option<(&FileKey, Option<&FileKey>)> {
        let entry = self.tenants.iter().find(|entry| entry.tenant == tenant)?;
        Some((&entry.key, entry.next_key.as_ref()))
    }

    /// Begins to replace a tenant's file key, and says whether that had not begun before.
    pub(super) fn begin_file_key(&mut self, tenant: TenantId, key: FileKey) -> bool {
        let entry = self.entry_mut(tenant).filter(|entry| entry.next_key.is_none());
        entry.map(|entry| entry.next_key = Some(key)).is_some()
    }

    /// Forgets a file key that was begun and never written.
    pub(super) fn take_back_file_key(&mut self, tenant: TenantId) {
        if let Some(entry) = self.entry_mut(tenant) {
            entry.next_key = None;
        }
    }

    /// Adds a tenant.
    pub(crate) fn add_tenant(&mut self, tenant: TenantId, key: FileKey) {
        let (next_key, remembered_sequence) = (None, 0);
        self.tenants.push(TenantEntry { tenant, key, next_key, remembered_sequence });
    }

    /// Takes a tenant out, with the keys of its file.
    pub(super) fn take_tenant(&mut self, tenant: TenantId) -> Option<TenantEntry> {
        let at = self.tenants.iter().position(|entry| entry.tenant == tenant)?;
        Some(self.tenants.remove(at))
    }

    /// Puts a tenant back that was taken out.
    pub(super) fn give_back_tenant(&mut self, entry: TenantEntry) {
        self.tenants.push(entry);
    }

    /// Remembers that a tenant's keyring was written with `sequence`, under the key to write with.
    pub(crate) fn remember(&mut self, tenant: TenantId, sequence: u64) {
        if let Some(entry) = self.entry_mut(tenant) {
            entry.remembered_sequence = sequence;
            if let Some(key) = entry.next_key.take() {
                entry.key = key;
            }
        }
    }

    /// Remembers a keyring that was found with `sequence`, under the key that is in use.
    pub(super) fn catch_up(&mut self, tenant: TenantId, sequence: u64) {
        if let Some(entry) = self.entry_mut(tenant) {
            entry.remembered_sequence = sequence;
        }
    }

    fn entry_mut(&mut self, tenant: TenantId) -> Option<&mut TenantEntry> {
        self.tenants.iter_mut().find(|entry| entry.tenant == tenant)
    }

    /// The body of its file.
    pub(crate) fn to_body(&self) -> Zeroizing<Vec<u8>> {
        let mut message = storage::SystemKeyring::from(self);
        let body = Zeroizing::new(message.encode_to_vec());
        wipe(&mut message);
        body
    }

    /// Reads the body of its file.
    pub(crate) fn from_body(sequence: u64, body: &[u8]) -> Result<Self, CryptoError> {
        let mut message = storage::SystemKeyring::decode(body)?;
        let keyring = Self::from_message(sequence, &message);
        wipe(&mut message);
        keyring
    }

    fn from_message(sequence: u64, message: &storage::SystemKeyring) -> Result<Self, CryptoError> {
        let metadata_keys = message.metadata_keys.iter();
        let metadata_keys =
            metadata_keys.map(|m| Ok((m.version, MetadataKey::from_slice(&m.key)?)));
        Ok(Self {
            sequence,
            pepper: Pepper::from_slice(&message.pepper)?,
            metadata_keys: metadata_keys.collect::<Result<_, CryptoError>>()?,
            root: RootHistory {
                replacements: message.root_replacements,
                replaced_ms: message.root_replaced_ms,
                retired: message.retired_root_keys.clone(),
            },
            is_settled: true,
            tenants: message.tenants.iter().map(TenantEntry::try_from).collect::<Result<_, _>>()?,
        })
    }
}

impl TryFrom<&storage::TenantFileKey> for TenantEntry {
    type Error = CryptoError;

    fn try_from(message: &storage::TenantFileKey) -> Result<Self, CryptoError> {
        let tenant = message.tenant.as_slice().try_into().map_err(|_| CryptoError)?;
        Ok(Self {
            tenant: TenantId::from_bytes(tenant),
            key: FileKey::from_slice(&message.key)?,
            next_key: match message.next_key.as_slice() {
                [] => None,
                key => Some(FileKey::from_slice(key)?),
            },
            remembered_sequence: message.remembered_sequence,
        })
    }
}

impl From<&SystemKeyring> for storage::SystemKeyring {
    fn from(keyring: &SystemKeyring) -> Self {
        let metadata_key = |(version, key): &(u32, MetadataKey)| storage::SystemMetadataKey {
            version: *version,
            state: storage::KeyState::Active as i32,
            key: key.expose_secret().to_vec(),
        };
        let tenant = |entry: &TenantEntry| storage::TenantFileKey {
            tenant: entry.tenant.to_bytes().to_vec(),
            key: entry.key.expose_secret().to_vec(),
            next_key: entry
                .next_key
                .as_ref()
                .map_or_else(Vec::new, |key| key.expose_secret().to_vec()),
            remembered_sequence: entry.remembered_sequence,
        };
        Self {
            pepper: keyring.pepper.expose_secret().to_vec(),
            metadata_keys: keyring.metadata_keys.iter().map(metadata_key).collect(),
            tenants: keyring.tenants.iter().map(tenant).collect(),
            root_replacements: keyring.root.replacements,
            root_replaced_ms: keyring.root.replaced_ms,
            retired_root_keys: keyring.root.retired.clone(),
        }
    }
}

fn wipe(message: &mut storage::SystemKeyring) {
    message.pepper.zeroize();
    message.metadata_keys.iter_mut().for_each(|key| key.key.zeroize());
    for tenant in &mut message.tenants {
        tenant.key.zeroize();
        tenant.next_key.zeroize();
    }
}
