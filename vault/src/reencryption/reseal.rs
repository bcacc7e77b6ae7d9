//! Seals the groups of a row that hang on older epochs under the newest: pure work, run on a key
//! thread.
//!
//! Nothing else of the row changes, neither its revision nor its times. It relies on the floors of
//! the epochs and on the row's digest as preconditions, so that no other write is lost.

use std::{collections::BTreeMap, sync::Arc};

use prost::Message as _;
use tresor_proto::{
    CollectionName, Content, DataClass, FieldName, InfoType, RecordId, TenantId, storage,
};

use crate::{
    aead::SALT_BYTES,
    crypto_error::CryptoError,
    entropy::Entropy,
    epoch_floor::Floors,
    keyring::LoadedKeyring,
    row::RowPlace,
    sealed_group::{self, FieldToSeal, GroupPlace, RecordPlace},
    store::{Change, Keyspace, Precondition, RowDigest, StoreKey, Write},
    stored_field::info_type,
    surrogate::{
        rows::{self, Facts},
        sealed_value::{self, ValuePlace},
    },
    unlocked::ClassKeys,
};

/// What is needed to seal rows anew.
pub(crate) struct Resealer {
    pub(crate) tenant: TenantId,
    pub(crate) keyring: Arc<LoadedKeyring>,
    pub(crate) classes: BTreeMap<DataClass, Arc<ClassKeys>>,
    pub(crate) floors: Floors,
    pub(crate) entropy: Arc<dyn Entropy>,
}

/// What is to be done to a row.
#[derive(Debug)]
pub(crate) enum Resealed {
    /// It is as it is to be.
    Nothing,
    /// The change that seals this many groups anew, or sets its entries right.
    Groups(usize, Change),
    /// The row does not authenticate or open.
    Damaged,
}

/// Where a row belongs, out of its key.
pub(super) struct Place {
    pub(super) collection: CollectionName,
    pub(super) record: RecordId,
}

/// A field out of its group.
struct OpenField {
    position: u32,
    name: FieldName,
    info_type: Option<InfoType>,
    content: Content,
}

impl Resealer {
    /// What is to be done to a row.
    pub(crate) fn reseal(&self, key: &StoreKey, row: &[u8]) -> Resealed {
        self.try_reseal(key, row).unwrap_or(Resealed::Damaged)
    }

    fn try_reseal(&self, key: &StoreKey, row: &[u8]) -> Result<Resealed, CryptoError> {
        match key.keyspace == Keyspace::Surrogates {
            true => self.reseal_surrogate(key, row),
            false => self.reseal_record(key, row),
        }
    }

    fn reseal_surrogate(&self, key: &StoreKey, row: &[u8]) -> Result<Resealed, CryptoError> {
        let row_place = RowPlace { tenant: self.tenant, key };
        let message = self.keyring.rows.decode(row_place, row)?;
        let mut message = storage::Surrogate::decode(message)?;
        let (id, group) = (rows::id_of(key)?, message.group.as_ref().ok_or(CryptoError)?);
        let (class, epoch) = (Facts::try_from(&message)?.class, group.epoch);
        let Some(keys) = self.classes.get(&class) else { return Ok(Resealed::Nothing) };
        let (newest, data_key) = keys.newest()?;
        if epoch >= newest || newest < self.floors.epoch(class) {
            return Ok(Resealed::Nothing);
        }
        let place = ValuePlace { tenant: self.tenant, id: &id, class, epoch };
        let content = sealed_value::open(keys.epoch(epoch)?, place, &message)?;
        let (place, salt) = (ValuePlace { epoch: newest, ..place }, self.salt()?);
        let sealed = sealed_value::seal(data_key, place, &salt, (&message, &content))?;
        self.keyring.seals.count(class, newest);
        message.group = Some(sealed);
        let unchanged = Precondition::Unchanged(key.clone(), RowDigest::of(row));
        let preconditions = vec![unchanged, self.floors.precondition(class)];
        let sealed = self.keyring.rows.encode(row_place, &message.encode_to_vec())?;
        let writes = vec![Write::Put(key.clone(), sealed)];
        Ok(Resealed::Groups(1, Change { preconditions, writes }))
    }

    fn reseal_record(&self, key: &StoreKey, row: &[u8]) -> Result<Resealed, CryptoError> {
        let row_place = RowPlace { tenant: self.tenant, key };
        let message = self.keyring.rows.decode(row_place, row)?;
        let mut message = storage::Record::decode(message)?;
        let place = Place::of(&key.key)?;
        let erasure_bucket = message.erasure_bucket;
        let mut preconditions = vec![Precondition::Unchanged(key.clone(), RowDigest::of(row))];
        for group in &mut message.groups {
            let class = DataClass::from_code(group.data_class).ok_or(CryptoError)?;
            let Some(keys) = self.classes.get(&class) else { continue };
            let newest = keys.newest()?.0;
            // Keys of a moment ago may be older than what writes may use by now.
            if group.epoch < newest && newest >= self.floors.epoch(class) {
                *group = self.reseal_group(&place, (class, keys), group, erasure_bucket)?;
                preconditions.push(self.floors.precondition(class));
            }
        }
        let groups = preconditions.len() - 1;
        if groups == 0 {
            return Ok(Resealed::Nothing);
        }
        let sealed = self.keyring.rows.encode(row_place, &message.encode_to_vec())?;
        let writes = vec![Write::Put(key.clone(), sealed)];
        Ok(Resealed::Groups(groups, Change { preconditions, writes }))
    }

    fn reseal_group(
        &self,
        place: &Place,
        (class, keys): (DataClass, &ClassKeys),
        group: &storage::SealedGroup,
        erasure_bucket: u32,
    ) -> Result<storage::SealedGroup, CryptoError> {
        let Place { collection, record } = place;
        let record = RecordPlace { tenant: self.tenant, collection, record };
        let old = GroupPlace { record, class, epoch: group.epoch, erasure_bucket };
        let open = sealed_group::open(keys.epoch(group.epoch)?, old, group)?;
        let fields = (0u32..).zip(&group.fields).map(|(ordinal, field)| {
            Ok(OpenField {
                position: field.position,
                name: FieldName::parse(&field.name).map_err(|_| CryptoError)?,
                info_type: info_type(&field.info_type, class)?,
                content: open.content(ordinal, field)?,
            })
        });
        let fields: Vec<_> = fields.collect::<Result<_, CryptoError>>()?;
        let to_seal: Vec<_> = fields.iter().map(OpenField::to_seal).collect();
        let salt = self.salt()?;
        let (epoch, data_key) = keys.newest()?;
        let place = GroupPlace { epoch, ..old };
        let mut sealed = sealed_group::seal(data_key, &place, salt, &to_seal)?;
        for (field, old) in sealed.fields.iter_mut().zip(&group.fields) {
            field.surrogate.clone_from(&old.surrogate);
            field.surrogate_format = old.surrogate_format;
        }
        self.keyring.seals.count(class, epoch);
        Ok(sealed)
    }

    fn salt(&self) -> Result<[u8; SALT_BYTES], CryptoError> {
        let mut salt = [0; SALT_BYTES];
        self.entropy.fill(&mut salt)?;
        Ok(salt)
    }
}

impl Place {
    pub(super) fn of(key: &[u8]) -> Result<Self, CryptoError> {
        let text = core::str::from_utf8(key).map_err(|_| CryptoError)?;
        let (collection, record) = text.split_once('\0').ok_or(CryptoError)?;
        Ok(Self {
            collection: CollectionName::parse(collection).map_err(|_| CryptoError)?,
            record: RecordId::parse(record).map_err(|_| CryptoError)?,
        })
    }
}

impl OpenField {
    fn to_seal(&self) -> FieldToSeal<'_> {
        let Self { position, name, info_type, content } = self;
        FieldToSeal { position: *position, name, info_type: *info_type, content }
    }
}
