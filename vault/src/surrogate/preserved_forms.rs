//! The keys of format-preserving surrogates: one set for each info type, format and key version,
//! made when it is first needed in a call.
//!
//! To make them costs more than to use them, and a call asks for the same ones again and again. They
//! rely on the identifier key of the class, and go with the call.

use std::collections::{HashMap, hash_map::Entry};

use tresor_proto::{Content, ContentType, Failure, InfoType, SurrogateFormat};

use super::{FormatPreserved, IssuedSurrogate, format_preserving::FormatKeys, named::Preserved};
use crate::{
    crypto_error::CryptoError, error::VaultError, key::IdentifierKey, unlocked::ClassKeys,
};

/// The forms of one call.
#[derive(Default)]
pub(crate) struct PreservedForms(HashMap<FormOf, FormatKeys>);

/// What a surrogate is a function of, beside the value: info type, format, version of the key.
type FormOf = (InfoType, SurrogateFormat, u32);

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
    ) -> Result<IssuedSurrogate, VaultError> {
        let text = Some(value).filter(|value| value.content_type() == ContentType::Text);
        let text = text.and_then(Content::as_text);
        let text = text.ok_or_else(|| Failure::invalid("value", "only a text has a format"))?;
        let (version, key) = newest_identifier(keys)?;
        let form = self.form(key, (info_type, format, version))?;
        let text = form.encode(text).map_err(|error| error.at("value"))?;
        Ok(IssuedSurrogate { text, is_replayed: false, key_version: Some(version) })
    }

    /// The surrogate that a text is.
    ///
    /// # Errors
    /// `invalid_request` when it is none of the format; `not_found` when there is no key of that
    /// version, or none any more.
    pub(crate) fn of_text(
        &mut self,
        keys: &ClassKeys,
        text: &str,
        FormatPreserved { info_type, format, key_version }: FormatPreserved,
    ) -> Result<Preserved, VaultError> {
        let version = key_version.unwrap_or(newest_identifier(keys)?.0);
        let key = keys.identifier(version).map_err(|CryptoError| VaultError::NotFound)?;
        let form = self.form(key, (info_type, format, version))?;
        let value = form.decode(text).map_err(|error| error.at("surrogate"))?;
        Ok(Preserved { value: Content::text(&value)?, info_type, format })
    }

    fn form(&mut self, key: &IdentifierKey, of: FormOf) -> Result<&FormatKeys, CryptoError> {
        let (info_type, format, _) = of;
        Ok(match self.0.entry(of) {
            Entry::Occupied(made) => made.into_mut(),
            Entry::Vacant(vacant) => vacant.insert(FormatKeys::new(key, info_type, format)?),
        })
    }
}

/// The format that a row names by its number, if it names one.
pub(crate) fn format_of(code: u32) -> Result<Option<SurrogateFormat>, CryptoError> {
    match code {
        0 => Ok(None),
        code => SurrogateFormat::from_code(code).map(Some).ok_or(CryptoError),
    }
}

fn newest_identifier(keys: &ClassKeys) -> Result<(u32, &IdentifierKey), VaultError> {
    keys.newest_identifier().map_err(|CryptoError| VaultError::Integrity)
}
