//! A dictionary against what is made of values so that they can be found again: entries of blind
//! indexes and look-ups of deterministic surrogates. Names are few, so that a digest anybody could
//! make would be undone in a second.

use std::collections::HashSet;

use tresor_proto::{CollectionName, Content, FieldName, InfoType, Reveal, TenantId};

use super::Theft;
use crate::{
    blind_index::{BlindIndex, NormalRule},
    crypto_error::CryptoError,
    key::{IdentifierKey, Key as _},
    store::StoreRow,
    surrogate::{
        look_up::{LookUp, Scope},
        rows,
    },
};

/// Bits of an entry.
const BITS: u16 = 128;
/// Bytes of an entry.
const ENTRY_BYTES: usize = 16;
/// Bytes of the id that an entry begins with.
const INDEX_ID_BYTES: usize = 8;

/// What the thief looks guesses up in.
#[derive(Clone, Copy, Debug)]
pub struct DictionaryTarget<'a> {
    /// Whose.
    pub tenant: TenantId,
    /// The collection.
    pub collection: &'a CollectionName,
    /// The field, whose index has entries of 128 bits.
    pub field: &'a FieldName,
    /// What its values are.
    pub info_type: InfoType,
    /// The rows of all indexes.
    pub index_rows: &'a [StoreRow],
    /// The rows of all surrogates.
    pub surrogate_rows: &'a [StoreRow],
}

/// What the thief got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DictionaryLoot {
    /// Keys he tried.
    pub keys: usize,
    /// Digests he made.
    pub attempts: usize,
    /// Guesses that have an entry.
    pub entries_matched: usize,
    /// Guesses that have a surrogate.
    pub look_ups_matched: usize,
}

/// What is looked up in.
struct Stolen {
    entries: HashSet<[u8; ENTRY_BYTES]>,
    look_ups: HashSet<[u8; 32]>,
}

impl Theft<'_> {
    /// Tries every guess under every key that disk, passphrase and, if there is one, the customer
    /// token open, as if it were the identifier key.
    ///
    /// # Errors
    /// [`CryptoError`] when the thief does not even get as far as the tenant's keyring.
    pub fn dictionary(
        &self,
        target: DictionaryTarget<'_>,
        guesses: &[String],
    ) -> Result<DictionaryLoot, CryptoError> {
        let stolen = Stolen::of(target);
        let rule = NormalRule::of(Some(target.info_type));
        let index = BlindIndex {
            collection: target.collection.clone(),
            field: target.field.clone(),
            class: target.info_type.class(),
            bits: BITS,
            rule,
        };
        let guess = |guess: &String| {
            let content = Content::text(guess).map_err(|_| CryptoError)?;
            let normal = rule.normalise(&content).ok_or(CryptoError)?;
            Ok((content, normal))
        };
        let guesses = guesses.iter().map(guess).collect::<Result<Vec<_>, CryptoError>>()?;
        let mut loot = DictionaryLoot::default();
        for known in self.known_keys(target.tenant)? {
            loot.keys += 1;
            let key = IdentifierKey::from_slice(known.key.expose_secret())?;
            let keyed = index.keyed((1, &key))?;
            let (info_type, reveal) = (target.info_type, Reveal::Plain);
            let look_up = LookUp::new(&key, Scope { info_type, reveal })?;
            for (content, normal) in &guesses {
                let entry = keyed.entry_of(normal);
                let entry = entry.as_bytes().get(INDEX_ID_BYTES..).unwrap_or_default();
                loot.attempts += 2;
                loot.entries_matched += usize::from(stolen.has_entry(entry));
                let found = stolen.look_ups.contains(&look_up.digest(content));
                loot.look_ups_matched += usize::from(found);
            }
        }
        Ok(loot)
    }
}

impl Stolen {
    fn of(target: DictionaryTarget<'_>) -> Self {
        let entry = |row: &StoreRow| row.key.get(INDEX_ID_BYTES..)?.first_chunk().copied();
        let look_up = |row: &StoreRow| rows::look_up_digest(&row.key);
        Self {
            entries: target.index_rows.iter().filter_map(entry).collect(),
            look_ups: target.surrogate_rows.iter().filter_map(look_up).collect(),
        }
    }

    fn has_entry(&self, digest: &[u8]) -> bool {
        digest.first_chunk().is_some_and(|entry| self.entries.contains(entry))
    }
}
