//! The value of a surrogate, sealed under a message key of its own.
//!
//! It is a group of one field (`sealed_group`) at a place of another kind: bound to tenant, id, class
//! and epoch by its key, and to everything that bounds the surrogate by its AAD, so that who can
//! make MACs and has no customer token cannot widen them either.

use tresor_proto::{Content, ContentType, DataClass, SurrogateId, TenantId, storage};

use crate::{
    aead::{MessageKey, SALT_BYTES},
    crypto_error::CryptoError,
    key::{DataKey, Key as _},
    padding, sealed_group,
    tlv::Tlv,
};

const INFO: &[u8] = b"tresor/v1/surrogate-group";
const AAD_PREFIX: &[u8] = b"TRS1-AAD";

/// Where a surrogate's value belongs, with what its key hangs on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ValuePlace<'a> {
    pub(crate) tenant: TenantId,
    pub(crate) id: &'a SurrogateId,
    pub(crate) class: DataClass,
    pub(crate) epoch: u32,
}

impl ValuePlace<'_> {
    fn message_key(&self, data_key: &DataKey, salt: &[u8]) -> Result<MessageKey, CryptoError> {
        let place = Tlv::new()
            .with(1, &self.tenant.to_bytes())
            .with(2, self.id.as_bytes())
            .with(3, &[self.class.code()])
            .with(4, &self.epoch.to_be_bytes())
            .encode()?;
        MessageKey::derive(data_key.expose_secret(), &[INFO, salt, &place])
    }
}

/// Seals a value under a fresh salt, bound to everything else its row says.
pub(crate) fn seal(
    data_key: &DataKey,
    place: ValuePlace<'_>,
    salt: &[u8; SALT_BYTES],
    (row, content): (&storage::Surrogate, &Content),
) -> Result<storage::SealedGroup, CryptoError> {
    let key = place.message_key(data_key, salt)?;
    let content_type = content.content_type();
    let mut ciphertext = padding::to_frame(content.as_bytes())?;
    key.seal(0, &aad(row, content_type)?, &mut ciphertext)?;
    let field = storage::SealedField {
        content_type: storage::ContentType::from(content_type) as i32,
        ciphertext,
        ..storage::SealedField::default()
    };
    Ok(storage::SealedGroup {
        data_class: u32::from(place.class.code()),
        epoch: place.epoch,
        fields: vec![field],
        salt: salt.to_vec(),
        commitment: key.commitment().to_vec(),
    })
}

/// Opens the value of a row.
pub(crate) fn open(
    data_key: &DataKey,
    place: ValuePlace<'_>,
    row: &storage::Surrogate,
) -> Result<Content, CryptoError> {
    let group = row.group.as_ref().ok_or(CryptoError)?;
    let [field] = group.fields.as_slice() else { return Err(CryptoError) };
    if group.salt.len() != SALT_BYTES {
        return Err(CryptoError);
    }
    let key = place.message_key(data_key, &group.salt)?;
    key.check(&group.commitment)?;
    let content_type = ContentType::from_code(field.content_type).ok_or(CryptoError)?;
    let value = key.open_framed(0, &aad(row, content_type)?, field.ciphertext.clone())?;
    Content::new(content_type, value).map_err(|_| CryptoError)
}

/// Bytes that the value of a row has at most, told without opening it.
pub(crate) fn length_bytes_max(row: &storage::Surrogate) -> Result<u32, CryptoError> {
    let group = row.group.as_ref().ok_or(CryptoError)?;
    let [field] = group.fields.as_slice() else { return Err(CryptoError) };
    sealed_group::length_bytes_max(field)
}

fn aad(row: &storage::Surrogate, content_type: ContentType) -> Result<Vec<u8>, CryptoError> {
    Tlv::behind(AAD_PREFIX)
        .with(1, &[content_type.code()])
        .with(2, row.info_type.as_bytes())
        .with(3, &row.kind.to_be_bytes())
        .with(4, &row.reveal.to_be_bytes())
        .with(5, &row.created_ms.to_be_bytes())
        .with(6, &row.expires_ms.to_be_bytes())
        .with(7, &row.uses_max.to_be_bytes())
        .with(8, &row.mask)
        .with(9, &[u8::from(row.is_held)])
        .encode()
}
