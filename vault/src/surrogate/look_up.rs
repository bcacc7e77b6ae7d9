//! What finds the surrogate of a value: digests under keys that only a customer token opens.
//!
//! Whoever has the database, and all keys of the server with it, can neither test a guess nor tell
//! which values are the same across info types or tenants. It relies on the identifier key of the
//! class, which does not change with the data keys.

use std::collections::{HashMap, hash_map::Entry};

use ring::hmac;
use tresor_proto::{Content, ContentType, InfoType, Reveal, SurrogateId, SurrogateOptions, vault};

use crate::{
    blind_index::json_text,
    crypto_error::CryptoError,
    error::VaultError,
    kdf,
    key::{IdentifierKey, Key as _},
    record::Tokenized,
    store::StoreKey,
    surrogate::rows::{Facts, SurrogateRows, look_up_key},
    tlv::Tlv,
    unlocked::ClassKeys,
};

const DETERMINISTIC: &[u8] = b"tresor/v1/deterministic";

/// The look-ups of one call, each made when it is first needed: one a version of the identifier key
/// that is kept, in their order.
#[derive(Default)]
pub(crate) struct LookUps(HashMap<Scope, Vec<LookUp>>);

/// Within what equal values have one deterministic surrogate. What it shows masked is no part of it:
/// one that every field made for itself would join nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Scope {
    pub(crate) info_type: InfoType,
    pub(crate) reveal: Reveal,
}

/// Where the deterministic surrogate of a value is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LookUpPlaces {
    /// Under the newest identifier key: where it is from now on.
    pub(crate) newest: StoreKey,
    /// Under older ones that are kept: where it may be still.
    pub(crate) older: Vec<StoreKey>,
}

impl LookUps {
    /// Where the deterministic surrogate of a value is looked up.
    pub(crate) fn places(
        &mut self,
        keys: &ClassKeys,
        scope: Scope,
        content: &Content,
    ) -> Result<LookUpPlaces, CryptoError> {
        let look_ups = match self.0.entry(scope) {
            Entry::Occupied(made) => made.into_mut(),
            Entry::Vacant(vacant) => {
                let made = keys.identifiers().map(|(_, key)| LookUp::new(key, scope));
                vacant.insert(made.collect::<Result<_, CryptoError>>()?)
            }
        };
        let place = |look_up: &LookUp| look_up_key(&look_up.digest(content));
        let mut older: Vec<_> = look_ups.iter().map(place).collect();
        let newest = older.pop().ok_or(CryptoError)?;
        Ok(LookUpPlaces { newest, older })
    }
}

impl LookUpPlaces {
    /// All, the newest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &StoreKey> {
        core::iter::once(&self.newest).chain(self.older.iter().rev())
    }

    /// The surrogate that is found, and where.
    pub(crate) fn found<'r>(
        &self,
        rows: SurrogateRows<'_>,
        row: impl Fn(&StoreKey) -> Option<&'r [u8]>,
    ) -> Result<Option<(SurrogateId, &StoreKey)>, VaultError> {
        for place in self.iter() {
            if let Some(id) = rows.found(place, row(place))? {
                return Ok(Some((id, place)));
            }
        }
        Ok(None)
    }
}

impl From<&Tokenized<'_>> for Scope {
    fn from(field: &Tokenized<'_>) -> Self {
        Self { info_type: field.info_type, reveal: field.form.reveal }
    }
}

impl From<&SurrogateOptions> for Scope {
    fn from(options: &SurrogateOptions) -> Self {
        Self { info_type: options.info_type(), reveal: options.form().reveal }
    }
}

impl From<&Facts> for Scope {
    fn from(facts: &Facts) -> Self {
        Self { info_type: facts.info_type, reveal: facts.bounds.reveal }
    }
}

/// Finds the deterministic surrogates of one scope.
pub(crate) struct LookUp(hmac::Key);

impl LookUp {
    /// The look-up of a scope under an identifier key.
    pub(crate) fn new(key: &IdentifierKey, scope: Scope) -> Result<Self, CryptoError> {
        let reveal = vault::Reveal::from(scope.reveal) as i32;
        let of = Tlv::new()
            .with(1, scope.info_type.as_str().as_bytes())
            .with(2, &reveal.to_be_bytes())
            .encode()?;
        let key = kdf::expand::<32>(key.expose_secret(), &[DETERMINISTIC, &of])?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &key[..])))
    }

    /// The digest of a value, exact to the byte; of a JSON scalar it is that of its text, so that the
    /// number in one file and the text in another have one surrogate.
    pub(crate) fn digest(&self, content: &Content) -> [u8; 32] {
        let (content_type, text) = match content.content_type() {
            ContentType::Json => (ContentType::Text, content.as_text().and_then(json_text)),
            other @ (ContentType::Text | ContentType::Binary) => (other, None),
        };
        let bytes = text.as_ref().map_or(content.as_bytes(), |text| text.as_bytes());
        kdf::mac(&self.0, &[&[content_type.code()], bytes])
    }
}
