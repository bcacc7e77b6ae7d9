//! Surrogates as they are named in calls: by an id of ours, or by what they look like.
//!
//! Whatever is named is the tenant's: a text of ours has its checksum, and one that looks like a
//! value is deciphered under the tenant's own key, which takes the customer token. It relies on the
//! text to tell nothing more.

use tresor_proto::{Content, DataClass, InfoType, Surrogate, SurrogateFormat, TenantId, storage};

use super::{
    SurrogateQuery,
    preserved_forms::PreservedForms,
    rows::{Facts, SurrogateRows, row_key},
};
use crate::{crypto_error::CryptoError, error::VaultError, unlocked::ClassKeys};

/// A surrogate by its name.
#[derive(Debug)]
pub(crate) enum Named {
    /// One of ours, with a row.
    Ours(Surrogate),
    /// One that looks like its value, with all there is of it.
    Preserved(Preserved),
}

/// What a format-preserving surrogate stands for.
#[derive(Debug)]
pub(crate) struct Preserved {
    pub(crate) value: Content,
    pub(crate) info_type: InfoType,
    pub(crate) format: SurrogateFormat,
}

/// What the row of a surrogate says of it.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) facts: Facts,
    pub(crate) row: storage::Surrogate,
}

impl Named {
    /// The class of its value.
    pub(crate) fn class(&self) -> DataClass {
        match self {
            Self::Ours(surrogate) => surrogate.class(),
            Self::Preserved(preserved) => preserved.info_type.class(),
        }
    }

    /// One of ours.
    pub(crate) fn ours(&self) -> Option<&Surrogate> {
        match self {
            Self::Ours(surrogate) => Some(surrogate),
            Self::Preserved(_) => None,
        }
    }
}

impl Read {
    /// Reads the row of a surrogate.
    ///
    /// # Errors
    /// `not_found` when there is none, `integrity`.
    pub(crate) fn of(
        surrogate: &Surrogate,
        rows: SurrogateRows<'_>,
        row: Option<&[u8]>,
    ) -> Result<Self, VaultError> {
        let row = row.ok_or(VaultError::NotFound)?;
        let row: storage::Surrogate = rows.decode(&row_key(&surrogate.id()), row)?;
        let facts = Facts::try_from(&row).map_err(|CryptoError| VaultError::Integrity)?;
        // The checksum of another type's name may fit by chance.
        if !surrogate.is_of(facts.info_type) {
            return Err(VaultError::NotFound);
        }
        Ok(Self { facts, row })
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
        &self,
        tenant: TenantId,
        keys: Option<&ClassKeys>,
        forms: &mut PreservedForms,
    ) -> Result<Named, VaultError> {
        let Some(form) = self.form else {
            return Ok(Named::Ours(Surrogate::parse(tenant, &self.text)?));
        };
        let keys = keys.ok_or(VaultError::WrongKey)?;
        Ok(Named::Preserved(forms.of_text(keys, &self.text, form)?))
    }
}
