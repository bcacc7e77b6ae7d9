//! FF1-AES-256 (SP 800-38G) under a key of its own for every format, and a tweak for every template.

mod short;

use aes::Aes256;
use fpe::ff1::{FF1, FlexibleNumeralString, NumeralString};
use tresor_proto::{InfoType, SurrogateFormat};

use self::short::ShortNumerals;
use super::{FormatError, alphabet::Alphabet, shape::Shape};
use crate::{
    crypto_error::CryptoError,
    kdf,
    key::{IdentifierKey, Key as _},
    tlv::Tlv,
};

/// The permutations of one format.
pub(super) struct FormatCipher {
    ff1: FF1<Aes256>,
    radix: u32,
}

/// The tweak of a template.
pub(super) struct Tweak(Vec<u8>);

/// Forward or back.
#[derive(Clone, Copy)]
enum Direction {
    Encrypt,
    Decrypt,
}

impl FormatCipher {
    /// The permutations of an info type's values in a format.
    pub(super) fn new(
        key: &IdentifierKey,
        info_type: InfoType,
        format: SurrogateFormat,
    ) -> Result<Self, CryptoError> {
        let code = info_type.code().as_str().as_bytes();
        let purpose = Tlv::new().with(1, code).with(2, &[format.code()]).encode()?;
        let key = kdf::expand::<32>(key.expose_secret(), &[b"tresor/v1/ff1", &purpose])?;
        let radix = Alphabet::of(format).radix();
        Ok(Self { ff1: FF1::new(&key[..], radix).map_err(|_| CryptoError)?, radix })
    }

    /// One step forward.
    pub(super) fn encrypt(&self, tweak: &Tweak, numerals: &[u16]) -> Result<Vec<u16>, FormatError> {
        self.step(Direction::Encrypt, tweak, numerals)
    }

    /// One step back.
    pub(super) fn decrypt(&self, tweak: &Tweak, numerals: &[u16]) -> Result<Vec<u16>, FormatError> {
        self.step(Direction::Decrypt, tweak, numerals)
    }

    fn step(
        &self,
        direction: Direction,
        tweak: &Tweak,
        numerals: &[u16],
    ) -> Result<Vec<u16>, FormatError> {
        match ShortNumerals::new(numerals, self.radix) {
            Some(short) => self.permute(direction, tweak, &short),
            None => {
                let long = FlexibleNumeralString::from(numerals.to_vec());
                self.permute(direction, tweak, &long)
            }
        }
    }

    fn permute<N>(
        &self,
        direction: Direction,
        Tweak(tweak): &Tweak,
        numerals: &N,
    ) -> Result<Vec<u16>, FormatError>
    where
        N: NumeralString + Into<Vec<u16>>,
    {
        let out = match direction {
            Direction::Encrypt => self.ff1.encrypt(tweak, numerals),
            Direction::Decrypt => self.ff1.decrypt(tweak, numerals),
        };
        Ok(out.map_err(|_| CryptoError)?.into())
    }
}

impl Tweak {
    /// The tweak of a text's template.
    pub(super) fn new(
        info_type: InfoType,
        format: SurrogateFormat,
        shape: &Shape<'_>,
    ) -> Result<Self, CryptoError> {
        let (code, template) = (info_type.code().as_str().as_bytes(), shape.template());
        let tweak = Tlv::new().with(1, code).with(2, template.as_bytes());
        tweak.with(3, &[format.code()]).encode().map(Self)
    }
}

#[cfg(test)]
mod tests;
