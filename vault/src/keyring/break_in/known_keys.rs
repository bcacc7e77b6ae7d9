//! Every key that disk, passphrase and a customer token open together, by name, for tests that look
//! where keys must not be: in the memory of a process, in files.

use tresor_proto::{DataClass, Secret, TenantId};

use super::Theft;
use crate::{
    aad::{Purpose, WrapPlace},
    crypto_error::CryptoError,
    customer_token_entry::{self, CustomerTokenEntry},
    kdf,
    key::{ClassKey, Key},
    keyring::TenantKeyring,
    slot::SlotHolder,
    wrap,
};

/// A key by name.
#[derive(Debug)]
pub struct KnownKey {
    /// What it is.
    pub name: String,
    /// Whether it takes a customer token to get it; else it is the server's own.
    pub is_customers: bool,
    /// Its bytes.
    pub key: Secret<32>,
}

impl Theft<'_> {
    /// All keys of a tenant, and those of the server.
    ///
    /// # Errors
    /// [`CryptoError`] when disk and passphrase do not open the tenant's keyring.
    pub fn known_keys(&self, tenant: TenantId) -> Result<Vec<KnownKey>, CryptoError> {
        let (haul, keyring) = self.take(tenant)?;
        let mut keys = Vec::new();
        let first_cipher_key = haul.keys.len() - keyring.cipher_keys.len();
        for (at, key) in haul.keys.iter().enumerate() {
            let name = match at {
                // All zeros, a guess of the thief's.
                0 => continue,
                1 => "root key",
                2 => "pepper",
                3 => "file key",
                _ if at < first_cipher_key => "metadata key of the registry",
                _ => "cipher key",
            };
            add(&mut keys, name.to_owned(), false, key.expose_secret())?;
        }
        for message in &keyring.metadata_keys {
            let cipher_key = keyring.cipher_key(message.cipher_key_version)?;
            let place = WrapPlace::new(Purpose::MetadataKey, tenant).version(message.version);
            let key = wrap::unwrap(cipher_key, &place.encode()?, &message.wrapped)?;
            add(&mut keys, "metadata key".to_owned(), false, &key)?;
        }
        add_row_keys(&mut keys)?;
        let shown = self.customer_token.map(|customer_token| customer_token.id());
        let holder = keyring.customer_tokens.iter().find(|entry| Some(entry.bounds.id) == shown);
        if let Some(entry) = holder {
            self.customers_keys(&keyring, entry, &mut keys)?;
        }
        Ok(keys)
    }

    fn customers_keys(
        &self,
        keyring: &TenantKeyring,
        entry: &CustomerTokenEntry,
        keys: &mut Vec<KnownKey>,
    ) -> Result<(), CryptoError> {
        let customer_token = self.customer_token.ok_or(CryptoError)?;
        let auth_key = customer_token_entry::auth_key(keyring.tenant, customer_token)?;
        let wrap_key = customer_token_entry::wrap_key(keyring.tenant, customer_token)?;
        let request_key = customer_token_entry::request_key(&auth_key)?;
        add(keys, "authentication key".to_owned(), true, auth_key.expose_secret())?;
        add(keys, "wrapping key".to_owned(), true, wrap_key.expose_secret())?;
        add(keys, "request key".to_owned(), true, request_key.expose_secret())?;
        for slot in &entry.slots {
            let holder = SlotHolder { tenant: keyring.tenant, bounds: &entry.bounds };
            let cipher_key = keyring.cipher_key(slot.cipher_key_version)?;
            let class_key = slot.unlock(holder, &wrap_key, cipher_key)?;
            let name = format!("class key of {}", slot.class.as_str());
            add(keys, name, true, class_key.expose_secret())?;
            keys_of_class(keyring, slot.class, &class_key, keys)?;
        }
        Ok(())
    }
}

/// What is wrapped under a class key.
fn keys_of_class(
    keyring: &TenantKeyring,
    class: DataClass,
    class_key: &ClassKey,
    keys: &mut Vec<KnownKey>,
) -> Result<(), CryptoError> {
    for data_key in keyring.data_keys(class).filter(|key| !key.is_destroyed()) {
        let opened = data_key.unwrap(keyring.tenant, class_key)?;
        let name = format!("data key of {}, epoch {}", class.as_str(), data_key.epoch);
        add(keys, name, true, opened.expose_secret())?;
    }
    for (_, key) in keyring.unwrap_identifier_keys(class, class_key)? {
        add(keys, format!("identifier key of {}", class.as_str()), true, key.expose_secret())?;
    }
    Ok(())
}

/// What rows are authenticated under, made of the metadata keys.
fn add_row_keys(keys: &mut Vec<KnownKey>) -> Result<(), CryptoError> {
    let metadata_keys = keys.iter().filter(|known| known.name.starts_with("metadata key"));
    let derive =
        |known: &KnownKey| kdf::expand::<32>(known.key.expose_secret(), &[b"tresor/v1/row"]);
    let derived: Vec<_> = metadata_keys.map(derive).collect::<Result<_, _>>()?;
    derived.iter().try_for_each(|key| add(keys, "row key".to_owned(), false, &key[..]))
}

fn add(
    keys: &mut Vec<KnownKey>,
    name: String,
    is_customers: bool,
    bytes: &[u8],
) -> Result<(), CryptoError> {
    let key = Secret::from_slice(bytes).ok_or(CryptoError)?;
    keys.push(KnownKey { name, is_customers, key });
    Ok(())
}
