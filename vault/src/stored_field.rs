//! A field of a stored record, wherever in its row it lies.
//!
//! It relies on the row having been verified.

use tresor_proto::{Content, ContentType, DataClass, InfoType, storage};

use crate::{
    crypto_error::CryptoError,
    sealed_group::{self, GroupPlace, RecordPlace},
    unlocked::ClassKeys,
};

/// A field of a row.
#[derive(Clone, Copy)]
pub(crate) enum StoredField<'r> {
    /// Readable.
    Clear(&'r storage::ClearField),
    /// In a group, at an ordinal.
    Sealed(&'r storage::SealedGroup, u32, &'r storage::SealedField),
}

impl<'r> StoredField<'r> {
    /// The field of a name.
    pub(crate) fn find(row: &'r storage::Record, name: &str) -> Option<Self> {
        if let Some(field) = row.clear_fields.iter().find(|field| field.name == name) {
            return Some(Self::Clear(field));
        }
        let mut sealed = row.groups.iter().flat_map(|group| {
            (0u32..).zip(&group.fields).map(move |(ordinal, field)| (group, ordinal, field))
        });
        let (group, ordinal, field) = sealed.find(|(.., field)| field.name == name)?;
        Some(Self::Sealed(group, ordinal, field))
    }

    /// The class it is sealed with; `None` for a readable one.
    pub(crate) fn class(self) -> Result<Option<DataClass>, CryptoError> {
        match self {
            Self::Clear(_) => Ok(None),
            Self::Sealed(group, ..) => {
                DataClass::from_code(group.data_class).map(Some).ok_or(CryptoError)
            }
        }
    }

    /// Its value; `None` when it is sealed and the keys of its class are not there.
    pub(crate) fn content(
        self,
        record: RecordPlace<'_>,
        erasure_bucket: u32,
        keys: Option<&ClassKeys>,
    ) -> Result<Option<Content>, CryptoError> {
        match self {
            Self::Clear(field) => {
                let content_type = ContentType::from_code(field.content_type).ok_or(CryptoError)?;
                let content = Content::new(content_type, field.value.clone());
                content.map(Some).map_err(|_| CryptoError)
            }
            Self::Sealed(group, ordinal, field) => {
                let (Some(class), Some(keys)) = (self.class()?, keys) else { return Ok(None) };
                let place = GroupPlace { record, class, epoch: group.epoch, erasure_bucket };
                let opened = sealed_group::open(keys.epoch(group.epoch)?, place, group)?;
                opened.content(ordinal, field).map(Some)
            }
        }
    }
}

/// The info type that a row names, if it names one: a custom one, which the policy may not define any
/// more, as one of the class that its value is sealed in.
pub(crate) fn info_type(text: &str, class: DataClass) -> Result<Option<InfoType>, CryptoError> {
    match text {
        "" => Ok(None),
        text => InfoType::named(text, class).map(Some).ok_or(CryptoError),
    }
}
