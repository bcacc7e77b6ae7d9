//! The seal file: `TRS1 ‖ version u16 BE ‖ protobuf SealFile`, the root key once for each seal.
//!
//! It promises that a root key opens only under the key and the id of the seal it was wrapped for,
//! and that a file it does not know whole is refused. It is changed only by making a new one.

use prost::Message as _;
use tresor_proto::{
    Secret, TenantId,
    storage::{self, seal_entry::Provider},
};

use super::{Seal, SealError, SealId};
use crate::{
    aad::{Purpose, WrapPlace},
    crypto_error::CryptoError,
    entropy::Entropy,
    key::{Key, RootKey, SealKey},
    wrap,
};

const MAGIC: &[u8; 4] = b"TRS1";
const FORMAT_VERSION: u16 = 1;

/// The content of a seal file.
#[derive(Clone, Default)]
pub(crate) struct SealFile(Vec<storage::SealEntry>);

impl SealFile {
    /// Reads a file.
    pub(crate) fn decode(file: &[u8]) -> Result<Self, CryptoError> {
        let message = file.strip_prefix(MAGIC).ok_or(CryptoError)?;
        let message = message.strip_prefix(&FORMAT_VERSION.to_be_bytes()).ok_or(CryptoError)?;
        let entries = storage::SealFile::decode(message)?.entries;
        // The last seal is never removed; a file without one has lost its end.
        if entries.is_empty() { Err(CryptoError) } else { Ok(Self(entries)) }
    }

    /// The bytes of the file.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let message = storage::SealFile { entries: self.0.clone() }.encode_to_vec();
        [&MAGIC[..], &FORMAT_VERSION.to_be_bytes(), &message].concat()
    }

    /// The seals whose id is none of those `is_named`, with their providers.
    pub(crate) fn others(
        &self,
        is_named: impl Fn(&str) -> bool,
    ) -> impl Iterator<Item = (&str, &'static str)> {
        let entries = self.0.iter().filter(move |entry| !is_named(&entry.id));
        entries.map(|entry| (entry.id.as_str(), provider_name(entry.provider.as_ref())))
    }

    /// Whether a seal holds the root key.
    pub(crate) fn holds(&self, id: &SealId) -> bool {
        self.entries(id).next().is_some()
    }

    /// Whether no seal holds it.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The file without a seal.
    pub(crate) fn without(&self, id: &SealId) -> Self {
        let others = self.0.iter().filter(|entry| entry.id != id.as_str());
        Self(others.cloned().collect())
    }

    /// The entries of a seal: one, or two while the root key is being replaced.
    pub(crate) fn entries(&self, id: &SealId) -> impl Iterator<Item = &storage::SealEntry> {
        self.0.iter().filter(move |entry| entry.id == id.as_str())
    }

    /// The ids of the seals that hold the root key, each once.
    pub(crate) fn ids(&self) -> Vec<&str> {
        let mut ids: Vec<_> = self.0.iter().map(|entry| entry.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// This file's entries and another's.
    pub(crate) fn and(&self, other: &Self) -> Self {
        Self(self.0.iter().chain(&other.0).cloned().collect())
    }

    /// Adds a seal key's entry.
    pub(crate) fn add(&mut self, entry: storage::SealEntry) {
        self.0.push(entry);
    }
}

/// A seal key with what its seal keeps: made before the root key is at hand.
pub(crate) struct MadeKey {
    key: SealKey,
    provider: Provider,
}

impl MadeKey {
    /// Lets a seal make a key.
    pub(crate) fn by(
        seal: &dyn Seal,
        id: &SealId,
        entropy: &dyn Entropy,
    ) -> Result<Self, SealError> {
        let (key, provider) = seal.make(id, entropy)?;
        Ok(Self { key: SealKey::from_secret(key), provider })
    }

    /// The root key under it, as an entry.
    pub(crate) fn wrap(
        self,
        id: &SealId,
        root: &RootKey,
        entropy: &dyn Entropy,
    ) -> Result<storage::SealEntry, SealError> {
        let wrapped = wrap::wrap(&self.key, &aad(id)?, root.expose_secret(), entropy);
        Ok(storage::SealEntry {
            id: id.as_str().to_owned(),
            wrapped: wrapped.map_err(|_| SealError::Internal)?,
            provider: Some(self.provider),
        })
    }
}

/// The root key of an entry.
pub(crate) fn open_entry(
    seal: &dyn Seal,
    id: &SealId,
    entry: &storage::SealEntry,
) -> Result<RootKey, SealError> {
    let provider = entry.provider.as_ref().ok_or(SealError::Refused)?;
    let key: Secret<32> = seal.key(id, provider)?;
    Ok(wrap::unwrap_key(&SealKey::from_secret(key), &aad(id)?, &entry.wrapped)?)
}

fn provider_name(provider: Option<&Provider>) -> &'static str {
    match provider {
        Some(Provider::Passphrase(_)) => "passphrase",
        Some(Provider::Credential(_)) => "credential",
        Some(Provider::Pkcs11(_)) => "pkcs11",
        Some(Provider::Transit(_)) => "transit",
        None => "unknown",
    }
}

/// The seal's id is bound, so that an entry cannot be given another name.
fn aad(id: &SealId) -> Result<Vec<u8>, CryptoError> {
    let no_tenant = TenantId::from_bytes([0; 16]);
    WrapPlace::new(Purpose::Root, no_tenant).key_id(id.as_str().as_bytes()).encode()
}
