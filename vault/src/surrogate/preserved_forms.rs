//! The keys of format-preserving surrogates: one set for each info type, format and key version,
//! made when it is first needed in a call.
//!
//! To make them costs more than to use them, and a call asks for the same ones again and again. They
//! rely on the identifier key of the class, and go with the call.

use std::collections::{HashMap, hash_map::Entry};

use ring::hmac;
use tresor_proto::{Content, ContentType, Failure, InfoType, SurrogateFormat};

use super::{
    FormatPreserved,
    format_preserving::FormatKeys,
    named::{Preserved, integrity},
    rows::preserved_key,
};
use crate::{
    crypto_error::CryptoError,
    error::VaultError,
    kdf,
    key::{IdentifierKey, Key as _},
    tlv::Tlv,
    unlocked::ClassKeys,
};

const PRESERVED: &[u8] = b"tresor/v1/format-preserved";

/// The forms of one call.
#[derive(Default)]
pub(crate) struct PreservedForms(HashMap<FormOf, PreservedForm>);

/// What a surrogate is a function of, beside the value: info type, format, version of the key.
pub(super) type FormOf = (InfoType, SurrogateFormat, u32);

/// Makes and reads the surrogates of one form.
pub(super) struct PreservedForm {
    of: FormOf,
    texts: FormatKeys,
    rows: hmac::Key,
}

impl PreservedForms {
    /// The surrogate of a value under the newest key.
    ///
    /// # Errors
    /// `invalid_request` with the reason when the value does not fit the format.
    pub(crate) fn of_value(
        &mut self,
        keys: &ClassKeys,
        (info_type, format): (InfoType, SurrogateFormat),
        value: &Content,
    ) -> Result<Preserved, VaultError> {
        let text = Some(value).filter(|value| value.content_type() == ContentType::Text);
        let text = text.and_then(Content::as_text);
        let text = text.ok_or_else(|| Failure::invalid("value", "only a text has a format"))?;
        let (key_version, key) = keys.newest_identifier().map_err(integrity)?;
        let form = self.form(key, (info_type, format, key_version))?;
        let encoded = form.texts.encode(text).map_err(|error| error.at("value"))?;
        Ok(form.preserved(encoded, Content::text(text)?))
    }

    /// The surrogate that a text is.
    ///
    /// # Errors
    /// `invalid_request` when it is none of the format; `not_found` when there is no key of that
    /// version, or none any more.
    pub(crate) fn of_text(
        &mut self,
        keys: &ClassKeys,
        text: String,
        FormatPreserved { info_type, format, key_version }: FormatPreserved,
    ) -> Result<Preserved, VaultError> {
        let newest = keys.newest_identifier().map_err(integrity)?.0;
        let version = key_version.unwrap_or(newest);
        let key = keys.identifier(version).map_err(|CryptoError| VaultError::NotFound)?;
        let form = self.form(key, (info_type, format, version))?;
        let value = form.texts.decode(&text).map_err(|error| error.at("surrogate"))?;
        Ok(form.preserved(text, Content::text(&value)?))
    }

    fn form(&mut self, key: &IdentifierKey, of: FormOf) -> Result<&PreservedForm, CryptoError> {
        Ok(match self.0.entry(of) {
            Entry::Occupied(made) => made.into_mut(),
            Entry::Vacant(vacant) => vacant.insert(PreservedForm::new(key, of)?),
        })
    }
}

impl PreservedForm {
    /// The form under an identifier key.
    pub(super) fn new(key: &IdentifierKey, of: FormOf) -> Result<Self, CryptoError> {
        let (info_type, format, _) = of;
        let purpose =
            Tlv::new().with(1, info_type.as_str().as_bytes()).with(2, &[format.code()]).encode()?;
        let rows = kdf::expand::<32>(key.expose_secret(), &[PRESERVED, &purpose])?;
        let rows = hmac::Key::new(hmac::HMAC_SHA256, &rows[..]);
        Ok(Self { of, texts: FormatKeys::new(key, info_type, format)?, rows })
    }

    /// A surrogate with its value, and where its bounds are.
    pub(super) fn preserved(&self, text: String, value: Content) -> Preserved {
        let key = preserved_key(&kdf::mac(&self.rows, &[text.as_bytes()]));
        let (info_type, format, key_version) = self.of;
        Preserved { text, value, info_type, format, key_version, key }
    }
}
