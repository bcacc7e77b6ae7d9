//! Surrogates as they are named in calls: by an id of ours, or by what they look like.
//!
//! Whatever is named is the tenant's: a text of ours has its checksum, and one that looks like a
//! value is deciphered under the tenant's own key, which takes the customer token. It relies on the
//! text to tell nothing more.

use tresor_proto::{
    Content, DataClass, InfoType, Surrogate, SurrogateFormat, SurrogateId, SurrogateKind, TenantId,
    storage, vault,
};

use super::{
    SurrogateQuery,
    preserved_forms::PreservedForms,
    rows::{Bounds, Facts, SurrogateRows, row_key},
};
use crate::{crypto_error::CryptoError, error::VaultError, store::StoreKey, unlocked::ClassKeys};

/// A surrogate by its name.
#[derive(Debug)]
pub(crate) enum Named {
    /// One of ours, with a row.
    Ours(Surrogate),
    /// One that looks like its value.
    Preserved(Box<Preserved>),
}

/// A format-preserving surrogate with its value, and where its bounds are, if it has any.
#[derive(Debug)]
pub(crate) struct Preserved {
    pub(crate) text: String,
    pub(crate) value: Content,
    pub(crate) info_type: InfoType,
    pub(crate) format: SurrogateFormat,
    pub(crate) key_version: u32,
    pub(crate) key: StoreKey,
}

/// What the row of a surrogate says of it, or what holds without one.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) facts: Facts,
    /// When it was made, where that is kept.
    pub(crate) created_ms: Option<u64>,
    /// Its row with the sealed value, when it is one of ours.
    pub(crate) sealed: Option<storage::Surrogate>,
}

impl Named {
    /// Reads its row.
    ///
    /// # Errors
    /// `not_found` when there is none or it was deleted, `integrity`.
    pub(crate) fn read(
        &self,
        rows: SurrogateRows<'_>,
        row: Option<&[u8]>,
    ) -> Result<Read, VaultError> {
        match self {
            Self::Ours(surrogate) => {
                let message = rows.decode(&self.key(), row.ok_or(VaultError::NotFound)?)?;
                read_ours(surrogate, message)
            }
            Self::Preserved(preserved) => {
                let message = row.map(|row| rows.decode(&preserved.key, row)).transpose()?;
                preserved.read(message.as_ref())
            }
        }
    }

    /// The key of its row.
    pub(crate) fn key(&self) -> StoreKey {
        match self {
            Self::Ours(surrogate) => row_key(&surrogate.id()),
            Self::Preserved(preserved) => preserved.key.clone(),
        }
    }

    /// Its id, when it is one of ours.
    pub(crate) fn id(&self) -> Option<SurrogateId> {
        match self {
            Self::Ours(surrogate) => Some(surrogate.id()),
            Self::Preserved(_) => None,
        }
    }

    /// The info type of its value.
    pub(crate) fn info_type(&self) -> InfoType {
        match self {
            Self::Ours(surrogate) => surrogate.info_type(),
            Self::Preserved(preserved) => preserved.info_type,
        }
    }

    /// The class of its value.
    pub(crate) fn class(&self) -> DataClass {
        self.info_type().class()
    }
}

impl Preserved {
    /// The row that bounds it.
    pub(crate) fn row(&self, bounds: &Bounds) -> storage::FormatPreserved {
        storage::FormatPreserved {
            created_ms: 0,
            expires_ms: bounds.expires_ms,
            uses_max: bounds.uses_max,
            reveal: vault::Reveal::from(bounds.reveal) as i32,
            deleted_ms: 0,
            info_type: self.info_type.as_str().to_owned(),
            format: vault::SurrogateFormat::from(self.format) as i32,
        }
    }

    fn read(&self, message: Option<&storage::FormatPreserved>) -> Result<Read, VaultError> {
        if message.is_some_and(|message| message.deleted_ms != 0) {
            return Err(VaultError::NotFound);
        }
        let (info_type, kind) = (self.info_type, SurrogateKind::FormatPreserving(self.format));
        let none = Facts { info_type, class: info_type.class(), kind, bounds: Bounds::NONE };
        let facts = message.map_or(Ok(none), Facts::try_from).map_err(integrity)?;
        let created_ms = message.map(|message| message.created_ms);
        Ok(Read { facts, created_ms, sealed: None })
    }
}

impl SurrogateQuery {
    /// Whether a key is needed to tell whether it names a surrogate.
    pub(crate) fn class(&self) -> Option<DataClass> {
        self.form.map(|form| form.info_type.class())
    }

    /// The surrogate it names; `keys` are those of its class, when it has one and the customer token
    /// opens it.
    ///
    /// # Errors
    /// `invalid_request` when it names none of the tenant's, `wrong_key`.
    pub(crate) fn named(
        self,
        tenant: TenantId,
        keys: Option<&ClassKeys>,
        forms: &mut PreservedForms,
    ) -> Result<Named, VaultError> {
        let Some(form) = self.form else {
            return Ok(Named::Ours(Surrogate::parse(tenant, &self.text)?));
        };
        let keys = keys.ok_or(VaultError::WrongKey)?;
        Ok(Named::Preserved(Box::new(forms.of_text(keys, self.text, form)?)))
    }
}

fn read_ours(surrogate: &Surrogate, message: storage::Surrogate) -> Result<Read, VaultError> {
    let facts = Facts::try_from(&message).map_err(integrity)?;
    // The checksum of another type's name may fit by chance.
    if facts.info_type != surrogate.info_type() {
        return Err(VaultError::NotFound);
    }
    Ok(Read { facts, created_ms: Some(message.created_ms), sealed: Some(message) })
}

pub(super) fn integrity(CryptoError: CryptoError) -> VaultError {
    VaultError::Integrity
}
