//! Sealed groups: the fields of one class of one record under one message key (one derivation a
//! group, not a field).
//!
//! Each field is bound to tenant, collection, record, name, content type, class and epoch, and to
//! its ordinal in the group; nothing of a group can be moved, swapped or reordered.

use tresor_proto::{
    CollectionName, Content, ContentType, DataClass, FieldName, InfoType, RecordId, TenantId,
    storage,
};

use crate::{
    aead::{MessageKey, SALT_BYTES, TAG_BYTES},
    crypto_error::CryptoError,
    key::{DataKey, Key},
    padding,
    tlv::Tlv,
};

const INFO: &[u8] = b"tresor/v1/group";
const AAD_PREFIX: &[u8] = b"TRS1-AAD";

/// The place of a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecordPlace<'a> {
    pub(crate) tenant: TenantId,
    pub(crate) collection: &'a CollectionName,
    pub(crate) record: &'a RecordId,
}

/// The place of a group within its record, with what its key hangs on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GroupPlace<'a> {
    pub(crate) record: RecordPlace<'a>,
    pub(crate) class: DataClass,
    pub(crate) epoch: u32,
    pub(crate) erasure_bucket: u32,
}

/// A field to seal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FieldToSeal<'a> {
    pub(crate) position: u32,
    pub(crate) name: &'a FieldName,
    pub(crate) info_type: Option<InfoType>,
    pub(crate) content: &'a Content,
}

/// A group whose key fits: its fields can be opened.
pub(crate) struct OpenGroup<'a> {
    key: MessageKey,
    place: GroupPlace<'a>,
}

impl GroupPlace<'_> {
    fn message_key(&self, data_key: &DataKey, salt: &[u8]) -> Result<MessageKey, CryptoError> {
        let place = Tlv::new()
            .with(1, &self.record.tenant.to_bytes())
            .with(2, self.record.collection.as_str().as_bytes())
            .with(3, self.record.record.as_str().as_bytes())
            .with(4, &[self.class.code()])
            .with(5, &self.epoch.to_be_bytes())
            .with(6, &self.erasure_bucket.to_be_bytes())
            .encode()?;
        MessageKey::derive(data_key.expose_secret(), &[INFO, salt, &place])
    }

    fn aad(&self, name: &str, content_type: ContentType) -> Result<Vec<u8>, CryptoError> {
        Tlv::behind(AAD_PREFIX)
            .with(1, &self.record.tenant.to_bytes())
            .with(2, self.record.collection.as_str().as_bytes())
            .with(3, self.record.record.as_str().as_bytes())
            .with(4, name.as_bytes())
            .with(5, &[content_type.code()])
            .with(6, &[self.class.code()])
            .with(7, &self.epoch.to_be_bytes())
            .encode()
    }
}

/// Seals the fields of one class under a fresh salt.
pub(crate) fn seal(
    data_key: &DataKey,
    place: &GroupPlace<'_>,
    salt: [u8; SALT_BYTES],
    fields: &[FieldToSeal<'_>],
) -> Result<storage::SealedGroup, CryptoError> {
    let key = place.message_key(data_key, &salt)?;
    let sealed = (0u32..).zip(fields).map(|(ordinal, field)| {
        let content_type = field.content.content_type();
        let aad = place.aad(field.name.as_str(), content_type)?;
        let mut ciphertext = padding::to_frame(field.content.as_bytes())?;
        key.seal(ordinal, &aad, &mut ciphertext)?;
        Ok(storage::SealedField {
            position: field.position,
            name: field.name.as_str().to_owned(),
            content_type: storage::ContentType::from(content_type) as i32,
            info_type: field.info_type.map_or_else(String::new, |t| t.as_str().to_owned()),
            ciphertext,
            ..storage::SealedField::default()
        })
    });
    Ok(storage::SealedGroup {
        data_class: u32::from(place.class.code()),
        epoch: place.epoch,
        fields: sealed.collect::<Result<_, CryptoError>>()?,
        salt: salt.to_vec(),
        commitment: key.commitment().to_vec(),
    })
}

/// Bytes that the value of a stored field has at most, told by its padding without opening it.
pub(crate) fn length_bytes_max(field: &storage::SealedField) -> Result<u32, CryptoError> {
    let frame_bytes = field.ciphertext.len().checked_sub(TAG_BYTES).ok_or(CryptoError)?;
    padding::value_bytes_max(frame_bytes)
}

/// Derives the key of a stored group and compares its commitment.
pub(crate) fn open<'a>(
    data_key: &DataKey,
    place: GroupPlace<'a>,
    group: &storage::SealedGroup,
) -> Result<OpenGroup<'a>, CryptoError> {
    if group.salt.len() != SALT_BYTES {
        return Err(CryptoError);
    }
    let key = place.message_key(data_key, &group.salt)?;
    key.check(&group.commitment)?;
    Ok(OpenGroup { key, place })
}

impl OpenGroup<'_> {
    /// Opens the field at `ordinal` of the group.
    pub(crate) fn content(
        &self,
        ordinal: u32,
        field: &storage::SealedField,
    ) -> Result<Content, CryptoError> {
        let content_type = ContentType::from_code(field.content_type).ok_or(CryptoError)?;
        let aad = self.place.aad(&field.name, content_type)?;
        let value = self.key.open_framed(ordinal, &aad, field.ciphertext.clone())?;
        Content::new(content_type, value).map_err(|_| CryptoError)
    }
}

#[cfg(test)]
mod tests;
