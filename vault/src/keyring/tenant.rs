//! A tenant's keyring: cipher keys, customer tokens with their slots, and wrapped keys.
//!
//! Nothing in it opens data without a customer token: data and identifier keys are wrapped under
//! class keys, and class keys exist only in slots.

use prost::Message as _;
use tresor_proto::{DataClass, TenantId, storage};
use zeroize::{Zeroize as _, Zeroizing};

use super::seal_counts::Seals;
use crate::{
    aad::{Purpose, WrapPlace},
    crypto_error::CryptoError,
    customer_token_entry::CustomerTokenEntry,
    entropy::Entropy,
    key::{CipherKey, ClassKey, DataKey, IdentifierKey, Key, MetadataKey},
    row::RowKeys,
    wrap,
};

use super::data_rotation::RotationMark;

/// The open keyring of a tenant.
#[derive(Debug)]
pub(crate) struct TenantKeyring {
    pub(crate) tenant: TenantId,
    pub(crate) cipher_keys: Vec<CipherKeyVersion>,
    pub(crate) customer_tokens: Vec<CustomerTokenEntry>,
    pub(crate) data_keys: Vec<WrappedDataKey>,
    pub(crate) identifier_keys: Vec<storage::IdentifierKey>,
    pub(crate) metadata_keys: Vec<storage::MetadataKey>,
    pub(crate) rotation_marks: Vec<RotationMark>,
    pub(crate) retired_cipher_keys: Vec<storage::RetiredKey>,
}

/// A version of the cipher key.
#[derive(Debug)]
pub(crate) struct CipherKeyVersion {
    pub(crate) version: u32,
    pub(crate) state: storage::KeyState,
    pub(crate) created_ms: u64,
    pub(crate) key: CipherKey,
}

/// A data key under its class key.
#[derive(Debug)]
pub(crate) struct WrappedDataKey {
    pub(crate) class: DataClass,
    pub(crate) epoch: u32,
    pub(super) message: storage::DataKey,
}

/// Which key of which class, when it is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyBirth {
    pub(crate) class: DataClass,
    pub(crate) version: u32,
    pub(crate) created_ms: u64,
}

impl TenantKeyring {
    /// A keyring without keys.
    pub(crate) fn new(tenant: TenantId) -> Self {
        Self {
            tenant,
            cipher_keys: Vec::new(),
            customer_tokens: Vec::new(),
            data_keys: Vec::new(),
            identifier_keys: Vec::new(),
            metadata_keys: Vec::new(),
            rotation_marks: Vec::new(),
            retired_cipher_keys: Vec::new(),
        }
    }

    /// The newest cipher key, which locks.
    pub(crate) fn newest_cipher_key(&self) -> Result<&CipherKeyVersion, CryptoError> {
        self.cipher_keys.last().ok_or(CryptoError)
    }

    /// A cipher key by version.
    pub(crate) fn cipher_key(&self, version: u32) -> Result<&CipherKey, CryptoError> {
        let found = self.cipher_keys.iter().find(|entry| entry.version == version);
        found.map(|entry| &entry.key).ok_or(CryptoError)
    }

    /// The data keys of a class, in the order of their epochs.
    pub(crate) fn data_keys(&self, class: DataClass) -> impl Iterator<Item = &WrappedDataKey> {
        self.data_keys.iter().filter(move |key| key.class == class)
    }

    /// The version of the identifier key of a class that new entries and surrogates are made under; 0
    /// before there is one.
    pub(crate) fn newest_identifier_version(&self, class: DataClass) -> u32 {
        let code = u32::from(class.code());
        let of_class = self.identifier_keys.iter().filter(|key| key.data_class == code);
        of_class.map(|key| key.version).max().unwrap_or_default()
    }

    /// Unwraps the identifier keys of a class under its class key, in the order of their versions.
    pub(crate) fn unwrap_identifier_keys(
        &self,
        class: DataClass,
        class_key: &ClassKey,
    ) -> Result<Vec<(u32, IdentifierKey)>, CryptoError> {
        let code = u32::from(class.code());
        let kept = self.identifier_keys.iter().filter(|key| key.data_class == code);
        let unwrap = |key: &storage::IdentifierKey| {
            let aad = class_key_aad(Purpose::IdentifierKey, self.tenant, class, key.version)?;
            Ok((key.version, wrap::unwrap_key(class_key, &aad, &key.wrapped)?))
        };
        kept.filter(|key| !key.wrapped.is_empty()).map(unwrap).collect()
    }

    /// Adds to the data keys what was sealed under them.
    pub(super) fn add_seals(&mut self, seals: &Seals) {
        for key in &mut self.data_keys {
            let sealed = seals.get(&(key.class, key.epoch)).copied().unwrap_or(0);
            key.message.seal_count = key.message.seal_count.saturating_add(sealed);
        }
    }

    /// Unwraps the metadata keys under their cipher keys.
    pub(crate) fn row_keys(&self) -> Result<RowKeys, CryptoError> {
        let unwrap = |entry: &storage::MetadataKey| {
            let cipher_key = self.cipher_key(entry.cipher_key_version)?;
            let aad = metadata_key_aad(self.tenant, entry.version)?;
            let key = wrap::unwrap_key::<MetadataKey>(cipher_key, &aad, &entry.wrapped)?;
            Ok((entry.version, key))
        };
        let keys: Vec<_> =
            self.metadata_keys.iter().map(unwrap).collect::<Result<_, CryptoError>>()?;
        RowKeys::new(&keys)
    }

    /// Makes the metadata key `version` under the newest cipher key.
    pub(crate) fn add_metadata_key(
        &mut self,
        version: u32,
        entropy: &dyn Entropy,
    ) -> Result<(), CryptoError> {
        let key = MetadataKey::generate(entropy)?;
        let aad = metadata_key_aad(self.tenant, version)?;
        let cipher_key = self.newest_cipher_key()?;
        let message = storage::MetadataKey {
            version,
            state: storage::KeyState::Active as i32,
            cipher_key_version: cipher_key.version,
            wrapped: wrap::wrap(&cipher_key.key, &aad, key.expose_secret(), entropy)?,
        };
        self.metadata_keys.push(message);
        Ok(())
    }

    /// Wraps the metadata keys under another cipher key.
    pub(super) fn rewrap_metadata_keys(
        &mut self,
        (version, cipher_key): (u32, &CipherKey),
        entropy: &dyn Entropy,
    ) -> Result<(), CryptoError> {
        let Self { tenant, cipher_keys, metadata_keys, .. } = self;
        for entry in metadata_keys {
            let old = cipher_keys.iter().find(|key| key.version == entry.cipher_key_version);
            let aad = metadata_key_aad(*tenant, entry.version)?;
            let old = &old.ok_or(CryptoError)?.key;
            let key = wrap::unwrap_key::<MetadataKey>(old, &aad, &entry.wrapped)?;
            entry.wrapped = wrap::wrap(cipher_key, &aad, key.expose_secret(), entropy)?;
            entry.cipher_key_version = version;
        }
        Ok(())
    }

    /// Makes a data key of a class under its class key; `version` is its epoch.
    pub(super) fn add_data_key(
        &mut self,
        KeyBirth { class, version, created_ms }: KeyBirth,
        class_key: &ClassKey,
        entropy: &dyn Entropy,
    ) -> Result<(), CryptoError> {
        let data_key = DataKey::generate(entropy)?;
        let aad = class_key_aad(Purpose::DataKey, self.tenant, class, version)?;
        let message = storage::DataKey {
            data_class: u32::from(class.code()),
            epoch: version,
            state: storage::KeyState::Active as i32,
            created_ms,
            seal_count: 0,
            wrapped: wrap::wrap(class_key, &aad, data_key.expose_secret(), entropy)?,
            ..storage::DataKey::default()
        };
        self.data_keys.push(WrappedDataKey { class, epoch: version, message });
        Ok(())
    }

    /// Makes a data key and an identifier key of a class under its class key.
    pub(crate) fn add_class_keys(
        &mut self,
        birth: KeyBirth,
        class_key: &ClassKey,
        entropy: &dyn Entropy,
    ) -> Result<(), CryptoError> {
        self.add_data_key(birth, class_key, entropy)?;
        self.add_identifier_key(birth, class_key, entropy)
    }

    /// Makes an identifier key of a class under its class key.
    pub(super) fn add_identifier_key(
        &mut self,
        KeyBirth { class, version, created_ms }: KeyBirth,
        class_key: &ClassKey,
        entropy: &dyn Entropy,
    ) -> Result<(), CryptoError> {
        let (data_class, state) = (u32::from(class.code()), storage::KeyState::Active as i32);
        let identifier_key = IdentifierKey::generate(entropy)?;
        let aad = class_key_aad(Purpose::IdentifierKey, self.tenant, class, version)?;
        let wrapped = wrap::wrap(class_key, &aad, identifier_key.expose_secret(), entropy)?;
        let message = storage::IdentifierKey {
            data_class,
            version,
            state,
            created_ms,
            wrapped,
            destroyed_ms: 0,
        };
        self.identifier_keys.push(message);
        Ok(())
    }

    /// The body of its file.
    pub(crate) fn to_body(&self) -> Zeroizing<Vec<u8>> {
        let cipher_key = |entry: &CipherKeyVersion| storage::CipherKey {
            version: entry.version,
            state: entry.state as i32,
            created_ms: entry.created_ms,
            key: entry.key.expose_secret().to_vec(),
        };
        let mut message = storage::TenantKeyring {
            cipher_keys: self.cipher_keys.iter().map(cipher_key).collect(),
            customer_tokens: self.customer_tokens.iter().map(Into::into).collect(),
            data_keys: self.data_keys.iter().map(|key| key.message.clone()).collect(),
            identifier_keys: self.identifier_keys.clone(),
            metadata_keys: self.metadata_keys.clone(),
            rotation_marks: self.rotation_marks.iter().map(Into::into).collect(),
            retired_cipher_keys: self.retired_cipher_keys.clone(),
        };
        let body = Zeroizing::new(message.encode_to_vec());
        wipe(&mut message);
        body
    }

    /// Reads the body of its file.
    pub(crate) fn from_body(tenant: TenantId, body: &[u8]) -> Result<Self, CryptoError> {
        let mut message = storage::TenantKeyring::decode(body)?;
        let cipher_keys: Result<Vec<_>, _> =
            message.cipher_keys.iter().map(CipherKeyVersion::try_from).collect();
        wipe(&mut message);
        let customer_tokens = message.customer_tokens.into_iter().map(CustomerTokenEntry::try_from);
        let data_keys = message.data_keys.into_iter().map(WrappedDataKey::try_from);
        let marks = message.rotation_marks.into_iter().map(RotationMark::try_from);
        Ok(Self {
            tenant,
            cipher_keys: cipher_keys?,
            customer_tokens: customer_tokens.collect::<Result<_, _>>()?,
            data_keys: data_keys.collect::<Result<_, _>>()?,
            identifier_keys: message.identifier_keys,
            metadata_keys: message.metadata_keys,
            rotation_marks: marks.collect::<Result<_, _>>()?,
            retired_cipher_keys: message.retired_cipher_keys,
        })
    }
}

impl CipherKeyVersion {
    /// The first version of a tenant's cipher key.
    pub(crate) fn first(key: CipherKey, created_ms: u64) -> Self {
        Self { version: 1, state: storage::KeyState::Active, created_ms, key }
    }
}

impl WrappedDataKey {
    /// What is known of it without opening it.
    pub(crate) fn message(&self) -> &storage::DataKey {
        &self.message
    }

    /// Unwraps it under its class key.
    pub(crate) fn unwrap(
        &self,
        tenant: TenantId,
        class_key: &ClassKey,
    ) -> Result<DataKey, CryptoError> {
        let aad = class_key_aad(Purpose::DataKey, tenant, self.class, self.epoch)?;
        wrap::unwrap_key(class_key, &aad, &self.message.wrapped)
    }
}

impl TryFrom<storage::DataKey> for WrappedDataKey {
    type Error = CryptoError;

    fn try_from(message: storage::DataKey) -> Result<Self, CryptoError> {
        known_state(message.state)?;
        let class = DataClass::from_code(message.data_class).ok_or(CryptoError)?;
        Ok(Self { class, epoch: message.epoch, message })
    }
}

impl TryFrom<&storage::CipherKey> for CipherKeyVersion {
    type Error = CryptoError;

    fn try_from(message: &storage::CipherKey) -> Result<Self, CryptoError> {
        Ok(Self {
            version: message.version,
            state: known_state(message.state)?,
            created_ms: message.created_ms,
            key: CipherKey::from_slice(&message.key)?,
        })
    }
}

fn known_state(state: i32) -> Result<storage::KeyState, CryptoError> {
    match storage::KeyState::try_from(state) {
        Ok(storage::KeyState::Unspecified) | Err(_) => Err(CryptoError),
        Ok(state) => Ok(state),
    }
}

fn class_key_aad(
    purpose: Purpose,
    tenant: TenantId,
    class: DataClass,
    version: u32,
) -> Result<Vec<u8>, CryptoError> {
    WrapPlace::new(purpose, tenant).class(class).version(version).encode()
}

fn metadata_key_aad(tenant: TenantId, version: u32) -> Result<Vec<u8>, CryptoError> {
    WrapPlace::new(Purpose::MetadataKey, tenant).version(version).encode()
}

fn wipe(message: &mut storage::TenantKeyring) {
    message.cipher_keys.iter_mut().for_each(|key| key.key.zeroize());
}
