//! Format-preserving surrogates: FF1 over the free characters of a value, in a format of its own.
//!
//! It promises that encoding is a bijection within a format and a template (what is kept, in its
//! place), so that no two values share a surrogate; that a card's surrogate never passes Luhn; and
//! that no domain has fewer than 10^6 values (SP 800-38G, revision 1). It relies on the crate `fpe`
//! for FF1 and on the identifier key of the value's class.

use tresor_proto::{Failure, InfoType, SurrogateFormat, passes_luhn};

use self::{
    cipher::{FormatCipher, Tweak},
    shape::Shape,
    walk::walk,
};
use crate::{crypto_error::CryptoError, error::VaultError, key::IdentifierKey};

mod alphabet;
mod cipher;
mod shape;
mod walk;

/// Why a text has no surrogate of a format, or is none; never what the text was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FormatError {
    #[error("longer than {} bytes", shape::TEXT_BYTES_MAX)]
    TooLong,
    #[error("a character that is neither of the format's alphabet nor a separator")]
    ForeignCharacter,
    #[error("fewer than {0} characters would be hidden: the domain has fewer than 10^6 values")]
    TooFew(usize),
    #[error("a card number has 12 to 19 digits")]
    CardLength,
    #[error("a card number has to pass Luhn")]
    CardCheckDigit,
    #[error("no calling code in use follows + or 00")]
    CallingCode,
    #[error("no surrogate of this format")]
    NoSurrogate,
    /// A fault of ours.
    #[error("internal error")]
    Internal,
}

impl FormatError {
    /// As what the caller is told of `field`: `invalid_request` with the reason.
    pub(crate) fn at(self, field: &str) -> VaultError {
        match self {
            Self::Internal => VaultError::Internal,
            Self::TooLong
            | Self::ForeignCharacter
            | Self::TooFew(_)
            | Self::CardLength
            | Self::CardCheckDigit
            | Self::CallingCode
            | Self::NoSurrogate => Failure::invalid(field, self.to_string()).into(),
        }
    }
}

impl From<CryptoError> for FormatError {
    fn from(CryptoError: CryptoError) -> Self {
        Self::Internal
    }
}

/// The keys of one format under one identifier key: made once for all values of a call.
pub(crate) struct FormatKeys {
    info_type: InfoType,
    format: SurrogateFormat,
    cipher: FormatCipher,
}

impl FormatKeys {
    /// The keys of an info type's values in a format.
    pub(crate) fn new(
        key: &IdentifierKey,
        info_type: InfoType,
        format: SurrogateFormat,
    ) -> Result<Self, CryptoError> {
        Ok(Self { info_type, format, cipher: FormatCipher::new(key, info_type, format)? })
    }

    /// The surrogate of a text.
    ///
    /// # Errors
    /// The reason why it has none in this format.
    pub(crate) fn encode(&self, text: &str) -> Result<String, FormatError> {
        let shape = Shape::read(self.format, text)?;
        let mut numerals = shape.numerals();
        if self.format == SurrogateFormat::Card {
            if !passes_luhn(&shape.digits(&numerals)) {
                return Err(FormatError::CardCheckDigit);
            }
            spoil(&mut numerals);
        }
        let tweak = Tweak::new(self.info_type, self.format, &shape)?;
        let belongs = |numerals: &Vec<u16>| belongs(self.format, &shape, numerals);
        let numerals = walk(numerals, |numerals| self.cipher.encrypt(&tweak, numerals), belongs)?;
        Ok(shape.fill(&numerals))
    }

    /// The text of a surrogate. One that [`FormatKeys::encode`] never gave is refused when that
    /// shows, and decodes to another text of its format when it does not.
    ///
    /// # Errors
    /// The reason why it is no surrogate.
    pub(crate) fn decode(&self, surrogate: &str) -> Result<String, FormatError> {
        let shape = Shape::read(self.format, surrogate)?;
        let numerals = shape.numerals();
        let belongs = |numerals: &Vec<u16>| belongs(self.format, &shape, numerals);
        if !belongs(&numerals) {
            return Err(FormatError::NoSurrogate);
        }
        let tweak = Tweak::new(self.info_type, self.format, &shape)?;
        let decrypt = |numerals: &Vec<u16>| self.cipher.decrypt(&tweak, numerals);
        let mut numerals = walk(numerals, decrypt, belongs)?;
        if self.format == SurrogateFormat::Card {
            restore(&mut numerals);
            if !passes_luhn(&shape.digits(&numerals)) {
                return Err(FormatError::NoSurrogate);
            }
        }
        Ok(shape.fill(&numerals))
    }
}

/// Whether numerals may stand in a surrogate: a card number that no one can charge, a telephone
/// number that is read in the same parts.
fn belongs(format: SurrogateFormat, shape: &Shape<'_>, numerals: &[u16]) -> bool {
    match format {
        SurrogateFormat::Card => !passes_luhn(&shape.digits(numerals)),
        SurrogateFormat::Phone => numerals.first() != Some(&0),
        SurrogateFormat::Digits
        | SurrogateFormat::Alphanumeric
        | SurrogateFormat::UpperAlphanumeric => true,
    }
}

/// Takes a number that passes Luhn to one that does not, each to another: one digit more always
/// breaks the sum, since doubling and casting out nines permutes the digits.
fn spoil(numerals: &mut [u16]) {
    if let Some(first) = numerals.first_mut() {
        *first = (*first + 1) % 10;
    }
}

/// Undoes [`spoil`].
fn restore(numerals: &mut [u16]) {
    if let Some(first) = numerals.first_mut() {
        *first = (*first + 9) % 10;
    }
}

/// The surrogate of one text.
#[cfg(test)]
fn encode(
    key: &IdentifierKey,
    info_type: InfoType,
    format: SurrogateFormat,
    text: &str,
) -> Result<String, FormatError> {
    FormatKeys::new(key, info_type, format)?.encode(text)
}

#[cfg(test)]
mod golden;
#[cfg(test)]
mod tests;
