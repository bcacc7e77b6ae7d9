//! Shows a stored row: verify, open what the customer token covers, mask.

mod sought;

use std::sync::{Arc, Mutex, PoisonError};

use prost::Message as _;
pub(crate) use sought::Sought;
use tresor_proto::{
    Content, ContentType, DataClass, FieldName, InfoType, RecordId, Reveal, TenantId, storage,
};

use crate::{
    access::TokenHolder,
    crypto_error::CryptoError,
    error::VaultError,
    mask::{FieldMasks, mask},
    record::{RevealedField, RevealedRecord, Shown, Treatment, View},
    row::RowPlace,
    sealed_group::{self, GroupPlace, OpenGroup, RecordPlace},
    stored_field::info_type,
    surrogate::{
        IssuedSurrogate,
        preserved_forms::{PreservedForms, format_of},
    },
    unlocked::{ClassKeys, Unlocked, UnlockedCache},
};

/// What is needed to show rows of one view.
pub(crate) struct Reader {
    pub(crate) tenant: TenantId,
    pub(crate) view: View,
    /// Masks that the collection's newest policy gives to fields of its own.
    pub(crate) masks: FieldMasks,
    pub(crate) holder: Arc<TokenHolder>,
    pub(crate) cache: Arc<UnlockedCache>,
    pub(crate) now_ms: u64,
    /// Records that have a group under an older data key.
    pub(crate) outdated: Mutex<Vec<RecordId>>,
    /// What format-preserving surrogates are made with.
    pub(crate) forms: Mutex<PreservedForms>,
    /// What a record has to hold to be shown.
    pub(crate) sought: Arc<[Sought]>,
}

/// A field with its place in the record.
type Placed = (u32, RevealedField);

impl Reader {
    /// The record of a row.
    pub(super) fn record(&self, id: &RecordId, row: &[u8]) -> Result<RevealedRecord, VaultError> {
        let row = self.verified(id, row)?;
        if row.expires_ms != 0 && row.expires_ms <= self.now_ms {
            return Err(VaultError::Gone);
        }
        let holds = self.holds(id, &row).map_err(|CryptoError| VaultError::Integrity)?;
        if !holds {
            return Err(VaultError::NotFound);
        }
        let fields = self.fields(id, &row).map_err(|CryptoError| VaultError::Integrity)?;
        Ok(RevealedRecord {
            id: id.clone(),
            revision: row.revision,
            created_ms: row.created_ms,
            updated_ms: row.updated_ms,
            expires_ms: (row.expires_ms != 0).then_some(row.expires_ms),
            fields,
        })
    }

    fn verified(&self, id: &RecordId, row: &[u8]) -> Result<storage::Record, VaultError> {
        let key = super::record_key(&self.view.collection, id);
        let place = RowPlace { tenant: self.tenant, key: &key };
        let message = self.holder.keyring().rows.decode(place, row);
        let message = message.map_err(|CryptoError| VaultError::Integrity)?;
        storage::Record::decode(message).map_err(|_| VaultError::Integrity)
    }

    fn fields(
        &self,
        id: &RecordId,
        row: &storage::Record,
    ) -> Result<Vec<RevealedField>, CryptoError> {
        let mut placed: Vec<Placed> = Vec::new();
        for field in row.clear_fields.iter().filter(|field| self.is_wanted(&field.name)) {
            placed.push((field.position, clear_field(field)?));
        }
        let unlocked = self.unlock(row)?;
        let record =
            RecordPlace { tenant: self.tenant, collection: &self.view.collection, record: id };
        for group in &row.groups {
            let (class, epoch) = (class_of(group)?, group.epoch);
            let place = GroupPlace { record, class, epoch, erasure_bucket: row.erasure_bucket };
            let opened = self.open(place, group, unlocked.class(class))?;
            for (ordinal, field) in (0u32..).zip(&group.fields) {
                if self.is_wanted(&field.name) {
                    let shown = self.sealed_field(&opened, class, (ordinal, field))?;
                    placed.push((field.position, shown));
                }
            }
        }
        placed.sort_by_key(|(position, _)| *position);
        Ok(placed.into_iter().map(|(_, field)| field).collect())
    }

    /// Unlocks the classes of the groups that are to be opened.
    fn unlock(&self, row: &storage::Record) -> Result<Unlocked, CryptoError> {
        if self.view.reveal == Reveal::Redacted {
            return Ok(Unlocked::default());
        }
        let wanted = row
            .groups
            .iter()
            .filter(|group| group.fields.iter().any(|field| self.is_wanted(&field.name)));
        let classes: Vec<_> = wanted.map(class_of).collect::<Result<_, _>>()?;
        let holder = self.holder.holder().ok_or(CryptoError)?;
        self.cache.unlock(holder, classes, self.now_ms)
    }

    fn is_wanted(&self, name: &str) -> bool {
        self.view.fields.is_empty() || self.view.fields.iter().any(|field| field.as_str() == name)
    }
}

/// How the fields of one group are shown.
enum Opened<'a> {
    Redacted,
    Withheld,
    With(Box<OpenGroup<'a>>, &'a ClassKeys),
}

impl Reader {
    fn open<'a>(
        &self,
        place: GroupPlace<'a>,
        group: &storage::SealedGroup,
        keys: Option<&'a ClassKeys>,
    ) -> Result<Opened<'a>, CryptoError> {
        match (self.view.reveal, keys) {
            (Reveal::Redacted, _) => Ok(Opened::Redacted),
            (Reveal::Masked | Reveal::Plain, None) => Ok(Opened::Withheld),
            (Reveal::Masked | Reveal::Plain, Some(keys)) => {
                let opened = sealed_group::open(keys.epoch(group.epoch)?, place, group)?;
                if group.epoch < keys.newest()?.0 {
                    self.note_outdated(place.record.record);
                }
                Ok(Opened::With(Box::new(opened), keys))
            }
        }
    }

    fn note_outdated(&self, id: &RecordId) {
        let mut outdated = self.outdated.lock().unwrap_or_else(PoisonError::into_inner);
        if outdated.last() != Some(id) {
            outdated.push(id.clone());
        }
    }

    fn sealed_field(
        &self,
        opened: &Opened<'_>,
        class: DataClass,
        (ordinal, field): (u32, &storage::SealedField),
    ) -> Result<RevealedField, CryptoError> {
        let info_type = info_type(&field.info_type, class)?;
        let (shown, preserved) = match opened {
            Opened::Redacted => (Shown::Redacted, None),
            Opened::Withheld => (Shown::Withheld, None),
            Opened::With(group, keys) => {
                let content = group.content(ordinal, field)?;
                let preserved = self.preserved(keys, (info_type, field), &content)?;
                (self.shown(field, info_type, content), preserved)
            }
        };
        let is_redacted = matches!(shown, Shown::Redacted);
        let length_bytes_max =
            is_redacted.then(|| sealed_group::length_bytes_max(field)).transpose()?;
        let kept = Some(&field.surrogate).filter(|text| !text.is_empty());
        let kept = kept.map(|text| IssuedSurrogate::with_row(text.clone()));
        let (surrogate, key_version) =
            kept.or(preserved).map(|given| (given.text, given.key_version)).unzip();
        Ok(RevealedField {
            name: FieldName::parse(&field.name).map_err(|_| CryptoError)?,
            treatment: Treatment::Seal { info_type, class },
            shown,
            surrogate,
            key_version: key_version.flatten(),
            length_bytes_max,
        })
    }

    fn shown(
        &self,
        field: &storage::SealedField,
        info_type: Option<InfoType>,
        content: Content,
    ) -> Shown {
        match self.view.reveal {
            Reveal::Plain => Shown::Plain(content),
            Reveal::Masked | Reveal::Redacted => Shown::Masked(mask(
                info_type,
                self.masks.of_field(&field.name, info_type),
                &content,
            )),
        }
    }

    /// The format-preserving surrogate of a field, if it has one: made of the value, of which the row
    /// tells nothing.
    fn preserved(
        &self,
        keys: &ClassKeys,
        (info_type, field): (Option<InfoType>, &storage::SealedField),
        content: &Content,
    ) -> Result<Option<IssuedSurrogate>, CryptoError> {
        let Some(format) = format_of(field.surrogate_format)? else { return Ok(None) };
        let form = (info_type.ok_or(CryptoError)?, format);
        let mut forms = self.forms.lock().unwrap_or_else(PoisonError::into_inner);
        forms.of_value(keys, form, content).map(Some).map_err(|_| CryptoError)
    }
}

fn clear_field(field: &storage::ClearField) -> Result<RevealedField, CryptoError> {
    let content_type = ContentType::from_code(field.content_type).ok_or(CryptoError)?;
    let content = Content::new(content_type, field.value.clone()).map_err(|_| CryptoError)?;
    let name = FieldName::parse(&field.name).map_err(|_| CryptoError)?;
    let (treatment, shown) = (Treatment::Clear, Shown::Clear(content));
    let (surrogate, key_version, length_bytes_max) = (None, None, None);
    Ok(RevealedField { name, treatment, shown, surrogate, key_version, length_bytes_max })
}

fn class_of(group: &storage::SealedGroup) -> Result<DataClass, CryptoError> {
    DataClass::from_code(group.data_class).ok_or(CryptoError)
}
