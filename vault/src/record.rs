//! Records on their way in and out of the vault.
//!
//! A [`NewRecord`] has passed every limit that does not depend on a policy or a key; a
//! [`RevealedRecord`] shows no more than its reader asked for and may see.

use std::{collections::HashSet, sync::Arc};

use tresor_proto::{
    CollectionName, Content, DataClass, ErrorCode, Failure, FieldName, IdempotencyKey, InfoType,
    Mask, RecordId, Reveal, SurrogateForm, SurrogateOptions,
    limits::{RECORD_BYTES_MAX, RECORD_FIELDS_MAX, SUBJECT_BYTES_MAX},
};

use crate::surrogate::IssuedSurrogate;

/// A record to store.
pub struct NewRecord {
    id: Option<RecordId>,
    subject: Option<Subject>,
    expires_ms: Option<u64>,
    item_key: Option<ItemKey>,
    fields: Vec<NewField>,
}

/// Names one item of a write, so that it is recognised when it is repeated.
#[derive(Clone, Debug)]
pub struct ItemKey {
    /// The caller's name for the write.
    pub idempotency_key: Arc<IdempotencyKey>,
    /// The number of the item under it.
    pub ordinal: u64,
}

/// A field to store.
pub struct NewField {
    /// Its name.
    pub name: FieldName,
    /// Its value.
    pub content: Content,
    /// Sealed or clear.
    pub treatment: Treatment,
}

/// How a field is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// Readable, protected against change only.
    Clear,
    /// Sealed with its class.
    Seal {
        /// Its info type, when known.
        info_type: Option<InfoType>,
        /// Its class.
        class: DataClass,
    },
    /// Sealed with the class of its info type, and given a surrogate.
    Tokenize {
        /// Its info type.
        info_type: InfoType,
        /// Which surrogate.
        form: SurrogateForm,
        /// What the surrogate shows in place of the mask of its info type.
        mask: Option<Mask>,
    },
}

/// A value with the surrogate it is to have.
#[derive(Clone, Copy)]
pub(crate) struct Tokenized<'a> {
    pub(crate) info_type: InfoType,
    pub(crate) form: SurrogateForm,
    pub(crate) mask: Option<Mask>,
    pub(crate) content: &'a Content,
}

impl Tokenized<'_> {
    /// What its surrogate is for, with an end.
    pub(crate) fn options(&self, expires_ms: Option<u64>) -> Result<SurrogateOptions, Failure> {
        let options = SurrogateOptions::new(self.info_type, self.form, expires_ms, None)?;
        Ok(options.with_mask(self.mask))
    }

    /// As what its surrogate is written down: text, and number of the format. The text is not where it
    /// is a function of the value.
    pub(crate) fn written<'s>(&self, text: &'s str) -> (&'s str, u32) {
        self.form.kind.format().map_or((text, 0), |format| ("", format.code().into()))
    }
}

/// Whom a record is about, as the caller names the person: personal data, kept only as a digest.
pub struct Subject(String);

/// A stored record, as acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    /// Its id.
    pub id: RecordId,
    /// Its revision, counted from 1.
    pub revision: u64,
    /// Whether an earlier request with the same idempotency key stored it.
    pub is_replayed: bool,
    /// Whether it has been replaced or deleted since, as far as that is known; then neither its
    /// surrogates nor its masks are told.
    pub is_superseded: bool,
    /// The surrogates of its tokenized fields, in their order.
    pub surrogates: Vec<FieldSurrogate>,
    /// The masks of its sealed fields, in their order; only when the destination asks for masks.
    pub masks: Vec<FieldMask>,
}

/// The surrogate of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldSurrogate {
    /// The field's name.
    pub field: FieldName,
    /// The surrogate's text.
    pub surrogate: String,
    /// The version of the key that made it; only of format-preserving ones.
    pub key_version: Option<u32>,
}

/// The mask of a field.
#[derive(Clone, PartialEq, Eq)]
pub struct FieldMask {
    /// The field's name.
    pub field: FieldName,
    /// Its info type, when known.
    pub info_type: Option<InfoType>,
    /// Its class.
    pub class: DataClass,
    /// As much of the value as anybody may see who may see masks.
    pub mask: String,
}

/// What to read, and how much of it to show.
#[derive(Clone, Debug)]
pub struct View {
    /// The collection.
    pub collection: CollectionName,
    /// How much of sealed fields is shown.
    pub reveal: Reveal,
    /// Only these fields; all when empty.
    pub fields: Vec<FieldName>,
}

/// A record as shown to its reader.
#[derive(Debug)]
pub struct RevealedRecord {
    /// Its id.
    pub id: RecordId,
    /// Its revision, counted from 1.
    pub revision: u64,
    /// When it was first stored, milliseconds since the epoch.
    pub created_ms: u64,
    /// When it was last changed, milliseconds since the epoch.
    pub updated_ms: u64,
    /// When it expires, milliseconds since the epoch.
    pub expires_ms: Option<u64>,
    /// Its fields, in the order they came in.
    pub fields: Vec<RevealedField>,
}

/// A field as shown to its reader.
#[derive(Debug)]
pub struct RevealedField {
    /// Its name.
    pub name: FieldName,
    /// How it was stored.
    pub treatment: Treatment,
    /// The surrogate that stands in for it.
    pub surrogate: Option<String>,
    /// The version of the key that made the surrogate; only of format-preserving ones.
    pub key_version: Option<u32>,
    /// What is shown of it.
    pub shown: Shown,
    /// Bytes it has at most, as far as its padding tells. Only when redacted.
    pub length_bytes_max: Option<u32>,
}

/// What is shown of a field.
#[derive(Debug)]
pub enum Shown {
    /// It was stored readable.
    Clear(Content),
    /// The value.
    Plain(Content),
    /// Its mask: the field's own, or that of its info type.
    Masked(Content),
    /// Nothing, as asked.
    Redacted,
    /// Nothing: the customer token does not cover the class.
    Withheld,
}

/// One page of a listing.
#[derive(Debug)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins: after this key; `None` on the last page.
    pub next: Option<String>,
}

impl StoredRecord {
    /// The same of a record that has been replaced or deleted since.
    pub(crate) fn superseded(self) -> Self {
        Self { is_superseded: true, surrogates: Vec::new(), masks: Vec::new(), ..self }
    }
}

impl FieldSurrogate {
    /// The surrogate that was issued for a field.
    pub(crate) fn of(field: FieldName, issued: IssuedSurrogate) -> Self {
        Self { field, surrogate: issued.text, key_version: issued.key_version }
    }
}

impl core::fmt::Debug for FieldMask {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("FieldMask")
    }
}

impl NewField {
    /// Its info type, when it is to be sealed and that is known.
    pub(crate) fn info_type(&self) -> Option<InfoType> {
        match self.treatment {
            Treatment::Clear => None,
            Treatment::Seal { info_type, .. } => info_type,
            Treatment::Tokenize { info_type, .. } => Some(info_type),
        }
    }

    /// What is needed to give it a surrogate, when it is to have one.
    pub(crate) fn tokenized(&self) -> Option<Tokenized<'_>> {
        match self.treatment {
            Treatment::Clear | Treatment::Seal { .. } => None,
            Treatment::Tokenize { info_type, form, mask } => {
                Some(Tokenized { info_type, form, mask, content: &self.content })
            }
        }
    }

    /// Its class, when it is to be sealed.
    pub(crate) fn class(&self) -> Option<DataClass> {
        match self.treatment {
            Treatment::Clear => None,
            Treatment::Seal { class, .. } => Some(class),
            Treatment::Tokenize { info_type, .. } => Some(info_type.class()),
        }
    }
}

impl NewRecord {
    /// Puts a record together.
    ///
    /// # Errors
    /// `invalid_request` when it has no fields or a field twice, `too_large` when it has more
    /// than 256 fields or 256 KiB of names and values.
    pub fn new(id: Option<RecordId>, fields: Vec<NewField>) -> Result<Self, Failure> {
        if fields.is_empty() {
            return Err(Failure::invalid("fields", "a record has at least one field"));
        }
        if fields.len() > RECORD_FIELDS_MAX {
            return Err(Failure::new(ErrorCode::TooLarge, "a record has over 256 fields"));
        }
        let bytes = |field: &NewField| field.name.as_str().len() + field.content.as_bytes().len();
        if fields.iter().map(bytes).sum::<usize>() > RECORD_BYTES_MAX {
            return Err(Failure::new(ErrorCode::TooLarge, "a record is over 262144 bytes"));
        }
        let mut names = HashSet::with_capacity(fields.len());
        if !fields.iter().all(|field| names.insert(field.name.as_str())) {
            return Err(Failure::invalid("fields", "a record has a field twice"));
        }
        Ok(Self { id, subject: None, expires_ms: None, item_key: None, fields })
    }

    /// Names whom the record is about.
    #[must_use]
    pub fn with_subject(mut self, subject: Option<Subject>) -> Self {
        self.subject = subject;
        self
    }

    /// Says when it expires, milliseconds since the epoch.
    #[must_use]
    pub fn with_expiry(mut self, expires_ms: Option<u64>) -> Self {
        self.expires_ms = expires_ms;
        self
    }

    /// Names it, so that it is recognised when it is repeated.
    #[must_use]
    pub fn with_item_key(mut self, item_key: Option<ItemKey>) -> Self {
        self.item_key = item_key;
        self
    }

    pub(crate) fn id(&self) -> Option<&RecordId> {
        self.id.as_ref()
    }

    pub(crate) fn subject(&self) -> Option<&Subject> {
        self.subject.as_ref()
    }

    pub(crate) fn expires_ms(&self) -> Option<u64> {
        self.expires_ms
    }

    pub(crate) fn item_key(&self) -> Option<&ItemKey> {
        self.item_key.as_ref()
    }

    pub(crate) fn fields(&self) -> &[NewField] {
        &self.fields
    }

    pub(crate) fn fields_mut(&mut self) -> &mut [NewField] {
        &mut self.fields
    }
}

impl Subject {
    /// Takes a subject.
    ///
    /// # Errors
    /// `too_large` above 256 bytes.
    pub fn new(text: String) -> Result<Self, Failure> {
        if text.len() > SUBJECT_BYTES_MAX {
            return Err(Failure::new(ErrorCode::TooLarge, "a subject is over 256 bytes"));
        }
        Ok(Self(text))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

impl core::fmt::Debug for Subject {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Subject")
    }
}
