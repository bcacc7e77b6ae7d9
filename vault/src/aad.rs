//! What a wrap is bound to: purpose, tenant, class, key id, version and bounds.

use tresor_proto::{DataClass, TenantId};

use crate::{crypto_error::CryptoError, tlv::Tlv};

/// Why a key is wrapped. The numbers are frozen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Purpose {
    /// The root key under a seal.
    Root = 1,
    /// The body key of the system keyring under the root key.
    SystemBody = 2,
    /// The body key of a tenant's keyring under its file key.
    TenantBody = 3,
    /// A class key under a customer token: the inner lock of a slot.
    SlotInner = 4,
    /// The inner lock under a cipher key: the outer lock of a slot.
    SlotOuter = 5,
    /// A data key under its class key.
    DataKey = 6,
    /// An identifier key under its class key.
    IdentifierKey = 7,
    /// A metadata key under a cipher key.
    MetadataKey = 8,
}

/// The place of a wrapped key. What does not apply is empty or zero.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WrapPlace<'a> {
    pub(crate) purpose: Purpose,
    pub(crate) tenant: TenantId,
    pub(crate) class: Option<DataClass>,
    pub(crate) key_id: &'a [u8],
    pub(crate) version: u32,
    pub(crate) bounds: &'a [u8],
}

impl<'a> WrapPlace<'a> {
    /// A place within a tenant.
    pub(crate) fn new(purpose: Purpose, tenant: TenantId) -> Self {
        Self { purpose, tenant, class: None, key_id: &[], version: 0, bounds: &[] }
    }

    /// Names the class.
    pub(crate) fn class(self, class: DataClass) -> Self {
        Self { class: Some(class), ..self }
    }

    /// Names the key.
    pub(crate) fn key_id(self, key_id: &'a [u8]) -> Self {
        Self { key_id, ..self }
    }

    /// Names the version.
    pub(crate) fn version(self, version: u32) -> Self {
        Self { version, ..self }
    }

    /// Names every bound.
    pub(crate) fn bounds(self, bounds: &'a [u8]) -> Self {
        Self { bounds, ..self }
    }

    /// The AAD.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, CryptoError> {
        Tlv::new()
            .with(1, &[self.purpose as u8])
            .with(2, &self.tenant.to_bytes())
            .with(3, &[self.class.map_or(0, DataClass::code)])
            .with(4, self.key_id)
            .with(5, &self.version.to_be_bytes())
            .with(6, self.bounds)
            .encode()
    }
}
