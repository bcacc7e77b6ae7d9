//! The row of a record: its fields by class, each class sealed in a group of its own. Pure work, run on
//! a key thread.
//!
//! It promises a fresh salt for each group, and that nothing of a sealed field is readable but name,
//! place and types. It relies on the policy having been held against the record.

use std::collections::BTreeMap;

use tresor_proto::{DataClass, RecordId, storage};

use super::{
    batch::{Item, State},
    round::Previous,
    sealer::{Sealer, Supplies},
};
use crate::{
    aead::SALT_BYTES,
    blind_index::IndexEntry,
    crypto_error::CryptoError,
    entropy::Entropy,
    error::VaultError,
    record::{NewField, NewRecord, Treatment},
    sealed_group::{self, FieldToSeal, GroupPlace, RecordPlace},
    unlocked::Unlocked,
};

/// The fields of one record by class; a sealed group each.
type Classes<'a> = BTreeMap<DataClass, Vec<FieldToSeal<'a>>>;

impl Sealer {
    /// The row's message.
    pub(super) fn message(
        &self,
        id: &RecordId,
        record: &NewRecord,
        previous: Option<&Previous>,
        supplies: &mut Supplies<'_>,
    ) -> Result<storage::Record, VaultError> {
        let (clear_fields, classes) = split(record.fields());
        let unlocked = self.unlock(classes.keys().copied())?;
        let groups = self.seal_groups(id, &classes, &unlocked, &mut supplies.salts)?;
        let fields = record.fields().iter().map(|field| (&field.name, &field.content));
        let entries = supplies.indexer.entries(fields, |index| unlocked.class(index.class))?;
        Ok(storage::Record {
            revision: previous.map_or(1, |previous| previous.revision.saturating_add(1)),
            policy_version: self.policy_version,
            created_ms: previous.map_or(self.now_ms, |previous| previous.created_ms),
            updated_ms: self.now_ms,
            expires_ms: record.expires_ms().unwrap_or(0),
            subject: self.subject(record).map_err(|CryptoError| VaultError::Internal)?,
            erasure_bucket: 0,
            clear_fields,
            groups,
            index_entries: entries.into_iter().map(IndexEntry::into_bytes).collect(),
        })
    }

    fn seal_groups(
        &self,
        id: &RecordId,
        classes: &Classes<'_>,
        unlocked: &Unlocked,
        salts: &mut Salts,
    ) -> Result<Vec<storage::SealedGroup>, VaultError> {
        let record = RecordPlace { tenant: self.tenant, collection: &self.collection, record: id };
        let mut groups = Vec::with_capacity(classes.len());
        for (class, fields) in classes {
            let keys = unlocked.class(*class).ok_or(VaultError::WrongKey)?;
            let (epoch, data_key) = keys.newest().map_err(|CryptoError| VaultError::Integrity)?;
            let place = GroupPlace { record, class: *class, epoch, erasure_bucket: 0 };
            let sealed = sealed_group::seal(data_key, &place, salts.take()?, fields);
            groups.push(sealed.map_err(|CryptoError| VaultError::Internal)?);
            self.holder.keyring().seals.count(*class, epoch);
        }
        Ok(groups)
    }

    fn subject(&self, record: &NewRecord) -> Result<Vec<u8>, CryptoError> {
        let rows = &self.holder.keyring().rows;
        let digest = |bytes: &[u8]| rows.subject_digest(self.tenant, bytes);
        record.subject().map_or(Ok(Vec::new()), |subject| Ok(digest(subject.as_bytes())?.to_vec()))
    }
}

/// The clear fields, and the others by class, each with its position in the record.
fn split(fields: &[NewField]) -> (Vec<storage::ClearField>, Classes<'_>) {
    let mut clear = Vec::new();
    let mut classes = Classes::new();
    for (position, field) in (0u32..).zip(fields) {
        let NewField { name, content, treatment } = field;
        match treatment {
            Treatment::Clear => clear.push(storage::ClearField {
                position,
                name: name.as_str().to_owned(),
                content_type: storage::ContentType::from(content.content_type()) as i32,
                value: content.as_bytes().to_vec(),
            }),
            Treatment::Seal { info_type, class } => {
                let field = FieldToSeal { position, name, info_type: *info_type, content };
                classes.entry(*class).or_default().push(field);
            }
            Treatment::Tokenize { info_type, .. } => {
                let field = FieldToSeal { position, name, info_type: Some(*info_type), content };
                classes.entry(info_type.class()).or_default().push(field);
            }
        }
    }
    (clear, classes)
}

fn class_count(item: &Item) -> usize {
    let State::Pending(record) = &item.state else {
        return 0;
    };
    let classes = record.fields().iter().filter_map(NewField::class);
    let seen = classes.fold(0u16, |seen, class| seen | 1 << class.code());
    usize::try_from(seen.count_ones()).unwrap_or(usize::MAX)
}

/// Fresh salts, drawn at once: a call to the system costs several times the cipher.
pub(super) struct Salts {
    bytes: Vec<u8>,
    used: usize,
}

impl Salts {
    /// Those that a part's groups take.
    pub(super) fn draw<'i>(
        entropy: &dyn Entropy,
        items: impl Iterator<Item = &'i Item>,
    ) -> Result<Self, VaultError> {
        let count: usize = items.map(class_count).sum();
        let mut bytes = vec![0; count * SALT_BYTES];
        entropy.fill(&mut bytes).map_err(|CryptoError| VaultError::Internal)?;
        Ok(Self { bytes, used: 0 })
    }

    fn take(&mut self) -> Result<[u8; SALT_BYTES], VaultError> {
        let rest = self.bytes.get(self.used..).unwrap_or_default();
        let salt = *rest.first_chunk().ok_or(VaultError::Internal)?;
        self.used += SALT_BYTES;
        Ok(salt)
    }
}
