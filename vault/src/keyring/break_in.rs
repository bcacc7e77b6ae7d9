//! What a thief gets who has the whole data directory and the passphrase, for demonstrations and
//! tests: he opens what those open, then tries every key he found on every lock that is left.
//!
//! An attempt reveals counts only. Given the customer token too, the same program opens everything, which
//! shows that its attempts are real.

mod dictionary;
mod known_keys;

use std::path::Path;

pub use dictionary::{DictionaryLoot, DictionaryTarget};
pub use known_keys::KnownKey;
use prost::Message as _;
use tresor_proto::{CollectionName, CustomerToken, DataClass, RecordId, Secret, TenantId, storage};

use super::{SystemKeyring, TenantKeyring, file_format, files, files::KeyringFiles};
use crate::{
    aad::Purpose,
    crypto_error::CryptoError,
    customer_token_entry::{self, CustomerTokenEntry},
    key::{ClassKey, DataKey, Key, TokenWrapKey},
    row::RowPlace,
    seal::Passphrase,
    sealed_group::{self, GroupPlace, RecordPlace},
    slot::{Slot, SlotHolder},
    store::{Keyspace, StoreKey},
};

/// What a thief took.
#[derive(Clone, Copy, Debug)]
pub struct Theft<'a> {
    /// The data directory.
    pub data_dir: &'a Path,
    /// The passphrase of the seal.
    pub passphrase: &'a Passphrase,
    /// A customer token, which no theft from the server yields.
    pub customer_token: Option<&'a CustomerToken>,
}

/// A row out of a tenant's database.
#[derive(Clone, Copy, Debug)]
pub struct StolenRow<'a> {
    /// Whose.
    pub tenant: TenantId,
    /// In which collection.
    pub collection: &'a CollectionName,
    /// Of which record.
    pub record: &'a RecordId,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// What the thief got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loot {
    /// Cipher keys of the tenant, in the clear.
    pub cipher_keys: usize,
    /// Slots of the tenant.
    pub slots: usize,
    /// Slots whose outer lock the cipher key opened.
    pub outer_locks_opened: usize,
    /// Attempts on inner locks, data keys and sealed groups.
    pub attempts: usize,
    /// Slots opened.
    pub slots_opened: usize,
    /// Data keys opened.
    pub data_keys_opened: usize,
    /// Groups of the row.
    pub groups: usize,
    /// Groups of the row opened.
    pub groups_opened: usize,
}

/// What the thief carries: every 32 bytes he may try as a key, and the count of what they opened.
#[derive(Default)]
struct Haul {
    keys: Vec<Secret<32>>,
    loot: Loot,
}

impl Theft<'_> {
    /// Tries everything.
    ///
    /// # Errors
    /// [`CryptoError`] when the thief does not even get as far as the tenant's keyring.
    pub fn attempt(&self, row: StolenRow<'_>) -> Result<Loot, CryptoError> {
        let (mut haul, keyring) = self.take(row.tenant)?;
        haul.loot.cipher_keys = keyring.cipher_keys.len();
        for token in &keyring.customer_tokens {
            for slot in &token.slots {
                self.attempt_slot(&keyring, token, slot, &mut haul)?;
            }
        }
        haul.attempt_data_keys(&keyring)?;
        haul.attempt_groups(&keyring, row)?;
        Ok(haul.loot)
    }

    /// Opens the system keyring and the tenant's with the passphrase; all keys in them are known.
    fn take(&self, tenant: TenantId) -> Result<(Haul, TenantKeyring), CryptoError> {
        let places = KeyringFiles::new(self.data_dir).map_err(|_| CryptoError)?;
        let read = |path: &Path| files::read(path).ok().flatten().ok_or(CryptoError);
        let root = self.passphrase.to_seals().root(&read(&places.seal())?).ok_or(CryptoError)?;
        let nobody = TenantId::from_bytes([0; 16]);
        let file = read(&places.system_keyring())?;
        let (sequence, body) = file_format::decode(Purpose::SystemBody, nobody, &root, &file)?;
        let system = SystemKeyring::from_body(sequence, &body)?;
        let (file_key, _) = system.tenant(tenant).ok_or(CryptoError)?;
        let file = read(&places.tenant_keyring(tenant))?;
        let (_, body) = file_format::decode(Purpose::TenantBody, tenant, file_key, &file)?;
        let keyring = TenantKeyring::from_body(tenant, &body)?;
        let mut haul = Haul::default();
        haul.add(&[0; 32])?;
        haul.add(root.expose_secret())?;
        haul.add(system.pepper.expose_secret())?;
        haul.add(file_key.expose_secret())?;
        for (_, key) in &system.metadata_keys {
            haul.add(key.expose_secret())?;
        }
        for cipher_key in &keyring.cipher_keys {
            haul.add(cipher_key.key.expose_secret())?;
        }
        Ok((haul, keyring))
    }

    /// Takes off the outer lock, then tries every key, and every key as if it were the customer
    /// token's secret, on the inner one.
    fn attempt_slot(
        &self,
        keyring: &TenantKeyring,
        token: &CustomerTokenEntry,
        slot: &Slot,
        haul: &mut Haul,
    ) -> Result<(), CryptoError> {
        let holder = SlotHolder { tenant: keyring.tenant, bounds: &token.bounds };
        let cipher_key = keyring.cipher_key(slot.cipher_key_version)?;
        haul.loot.slots += 1;
        let inner = slot.open_outer(holder, cipher_key);
        haul.loot.outer_locks_opened += usize::from(inner.is_ok());
        let mut opened = None;
        for wrap_key in self.wrap_keys(keyring.tenant, token, &haul.keys)? {
            haul.loot.attempts += 1;
            opened = slot.unlock(holder, &wrap_key, cipher_key).ok().or(opened);
        }
        if let Some(class_key) = opened {
            haul.loot.slots_opened += 1;
            haul.add(class_key.expose_secret())?;
        }
        // What lies behind the outer lock might have been a key itself.
        let parts = inner.iter().flat_map(|inner| inner.chunks_exact(32));
        parts.into_iter().try_for_each(|part| haul.add(part))
    }

    fn wrap_keys(
        &self,
        tenant: TenantId,
        token: &CustomerTokenEntry,
        keys: &[Secret<32>],
    ) -> Result<Vec<TokenWrapKey>, CryptoError> {
        let mut wrap_keys = Vec::new();
        for key in keys {
            let bytes = key.expose_secret();
            wrap_keys.push(TokenWrapKey::from_slice(bytes)?);
            let secret = Secret::from_slice(bytes).ok_or(CryptoError)?;
            let guess = CustomerToken::new(token.bounds.kind, token.bounds.id, secret);
            wrap_keys.push(customer_token_entry::wrap_key(tenant, &guess)?);
        }
        if let Some(customer_token) = self.customer_token {
            wrap_keys.push(customer_token_entry::wrap_key(tenant, customer_token)?);
        }
        Ok(wrap_keys)
    }
}

impl Haul {
    fn add(&mut self, bytes: &[u8]) -> Result<(), CryptoError> {
        self.keys.push(Secret::from_slice(bytes).ok_or(CryptoError)?);
        Ok(())
    }

    /// Tries every key as the class key of every data key.
    fn attempt_data_keys(&mut self, keyring: &TenantKeyring) -> Result<(), CryptoError> {
        let mut opened = Vec::new();
        for data_key in &keyring.data_keys {
            for key in &self.keys {
                self.loot.attempts += 1;
                let class_key = ClassKey::from_slice(key.expose_secret())?;
                opened.extend(data_key.unwrap(keyring.tenant, &class_key));
            }
        }
        self.loot.data_keys_opened = opened.len();
        opened.iter().try_for_each(|key| self.add(key.expose_secret()))
    }

    /// Tries every key as the data key of every group of a row.
    fn attempt_groups(
        &mut self,
        keyring: &TenantKeyring,
        row: StolenRow<'_>,
    ) -> Result<(), CryptoError> {
        let StolenRow { tenant, collection, record, .. } = row;
        for group in &row_message(keyring, row)?.groups {
            self.loot.groups += 1;
            let place = GroupPlace {
                record: RecordPlace { tenant, collection, record },
                class: DataClass::from_code(group.data_class).ok_or(CryptoError)?,
                epoch: group.epoch,
                erasure_bucket: 0,
            };
            for key in &self.keys {
                self.loot.attempts += 1;
                let data_key = DataKey::from_slice(key.expose_secret())?;
                let opened = sealed_group::open(&data_key, place, group);
                self.loot.groups_opened += usize::from(opened.is_ok());
            }
        }
        Ok(())
    }
}

/// The row's message: the metadata key, which checks it, is wrapped under the cipher key alone.
fn row_message(
    keyring: &TenantKeyring,
    row: StolenRow<'_>,
) -> Result<storage::Record, CryptoError> {
    let name = [row.collection.as_str().as_bytes(), &[0], row.record.as_str().as_bytes()].concat();
    let key = StoreKey::new(Keyspace::Records, name);
    let place = RowPlace { tenant: row.tenant, key: &key };
    let rows = keyring.row_keys()?;
    Ok(storage::Record::decode(rows.decode(place, row.bytes)?)?)
}
