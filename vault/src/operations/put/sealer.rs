//! Seals records into rows: pure work, run on a key thread.

use std::{collections::BTreeMap, sync::Arc};

use prost::Message as _;
use tresor_proto::{CollectionName, DataClass, RecordId, TenantId, storage};

use super::batch::{Batch, Item, State};
use crate::{
    access::TokenHolder,
    aead::SALT_BYTES,
    crypto_error::CryptoError,
    entropy::Entropy,
    error::VaultError,
    operations::record_key,
    record::{NewField, NewRecord, Treatment},
    row::RowPlace,
    sealed_group::{self, FieldToSeal, GroupPlace, RecordPlace},
    store::{Change, Precondition, StoreKey, Write},
    unlocked::{Unlocked, UnlockedCache},
};

/// What is needed to seal records of one put.
pub(super) struct Sealer {
    pub(super) tenant: TenantId,
    pub(super) collection: CollectionName,
    pub(super) policy_version: u64,
    pub(super) holder: Arc<TokenHolder>,
    pub(super) cache: Arc<UnlockedCache>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) now_ms: u64,
}

/// The fields of one record by class; a sealed group each.
type Classes<'a> = BTreeMap<DataClass, Vec<FieldToSeal<'a>>>;

impl Sealer {
    /// Seals the pending items of a batch over the rows that are there now. An item that cannot
    /// be sealed is settled; the changes are those of the others, in order.
    pub(super) fn seal_pending(
        &self,
        batch: &mut Batch,
        rows: &[Option<Vec<u8>>],
    ) -> Result<Vec<Change>, VaultError> {
        let salts_needed = batch.pending_mut().map(|item| class_count(item)).sum();
        let mut salts = Salts::draw(self.entropy.as_ref(), salts_needed)?;
        let mut changes = Vec::with_capacity(rows.len());
        for (item, row) in batch.pending_mut().zip(rows) {
            let State::Pending(record) = &item.state else {
                continue;
            };
            match self.seal(&item.id, record, row.as_deref(), &mut salts) {
                Ok((change, revision)) => {
                    changes.push(change);
                    item.state = stored(&mut item.state, revision);
                }
                Err(error) => item.state = State::Settled(Err(error)),
            }
        }
        Ok(changes)
    }

    fn seal(
        &self,
        id: &RecordId,
        record: &NewRecord,
        previous: Option<&[u8]>,
        salts: &mut Salts,
    ) -> Result<(Change, u64), VaultError> {
        let key = record_key(&self.collection, id);
        let (created_ms, revision) = match previous {
            None => (self.now_ms, 1),
            Some(row) => {
                let previous = self.verified(&key, row)?;
                (previous.created_ms, previous.revision.saturating_add(1))
            }
        };
        let (clear_fields, classes) = split(record.fields());
        let unlocked = self.unlock(classes.keys().copied())?;
        let groups = self.seal_groups(id, &classes, &unlocked, salts)?;
        let message = storage::Record {
            revision,
            policy_version: self.policy_version,
            created_ms,
            updated_ms: self.now_ms,
            expires_ms: record.expires_ms().unwrap_or(0),
            subject: self.subject(record).map_err(|CryptoError| VaultError::Internal)?,
            erasure_bucket: 0,
            clear_fields,
            groups,
            index_entries: Vec::new(),
        };
        Ok((self.change(key, previous, &message)?, revision))
    }

    fn change(
        &self,
        key: StoreKey,
        previous: Option<&[u8]>,
        message: &storage::Record,
    ) -> Result<Change, VaultError> {
        let place = RowPlace { tenant: self.tenant, key: &key };
        let row = self.holder.keyring().rows.encode(place, &message.encode_to_vec());
        let row = row.map_err(|CryptoError| VaultError::Internal)?;
        let precondition = match previous {
            None => Precondition::Absent(key.clone()),
            Some(previous) => Precondition::Unchanged(key.clone(), previous.to_vec()),
        };
        Ok(Change { preconditions: vec![precondition], writes: vec![Write::Put(key, row)] })
    }

    fn verified(&self, key: &StoreKey, row: &[u8]) -> Result<storage::Record, VaultError> {
        let place = RowPlace { tenant: self.tenant, key };
        let message = self.holder.keyring().rows.decode(place, row);
        let message = message.map_err(|CryptoError| VaultError::Integrity)?;
        storage::Record::decode(message).map_err(|_| VaultError::Integrity)
    }

    fn unlock(&self, classes: impl IntoIterator<Item = DataClass>) -> Result<Unlocked, VaultError> {
        let holder = self.holder.holder().ok_or(VaultError::Internal)?;
        let unlocked = self.cache.unlock(holder, classes, self.now_ms);
        unlocked.map_err(|CryptoError| VaultError::Integrity)
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
        }
    }
    (clear, classes)
}

fn class_count(item: &Item) -> usize {
    let State::Pending(record) = &item.state else {
        return 0;
    };
    let mut seen = 0u16;
    for field in record.fields() {
        if let Treatment::Seal { class, .. } = field.treatment {
            seen |= 1 << class.code();
        }
    }
    usize::try_from(seen.count_ones()).unwrap_or(usize::MAX)
}

fn stored(state: &mut State, revision: u64) -> State {
    match core::mem::replace(state, State::Settled(Err(VaultError::Internal))) {
        State::Pending(record) => State::Stored(record, revision),
        state @ (State::Stored(..) | State::Settled(_)) => state,
    }
}

/// Fresh salts, drawn at once: a call to the system costs several times the cipher.
struct Salts {
    bytes: Vec<u8>,
    used: usize,
}

impl Salts {
    fn draw(entropy: &dyn Entropy, count: usize) -> Result<Self, VaultError> {
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
