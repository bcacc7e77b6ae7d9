//! FF1-AES-256 (SP 800-38G) under a key and a tweak of its own for every format and template.

use aes::Aes256;
use fpe::ff1::{FF1, FlexibleNumeralString};
use tresor_proto::{InfoType, SurrogateFormat};

use super::{FormatError, shape::Shape};
use crate::{
    crypto_error::CryptoError,
    kdf,
    key::{IdentifierKey, Key as _},
    tlv::Tlv,
};

/// A permutation of the numerals of one template.
pub(super) struct FormatCipher {
    ff1: FF1<Aes256>,
    tweak: Vec<u8>,
}

impl FormatCipher {
    /// The permutation of a text's shape.
    pub(super) fn new(
        key: &IdentifierKey,
        info_type: InfoType,
        format: SurrogateFormat,
        shape: &Shape<'_>,
    ) -> Result<Self, FormatError> {
        let code = info_type.code().as_bytes();
        let purpose = Tlv::new().with(1, code).with(2, &[format.code()]).encode()?;
        let key = kdf::expand::<32>(key.expose_secret(), &[b"tresor/v1/ff1", &purpose])?;
        let template = shape.template();
        let tweak = Tlv::new().with(1, code).with(2, template.as_bytes());
        Ok(Self {
            ff1: FF1::new(&key[..], shape.radix()).map_err(|_| CryptoError)?,
            tweak: tweak.with(3, &[format.code()]).encode()?,
        })
    }

    /// One step forward.
    pub(super) fn encrypt(&self, numerals: &[u16]) -> Result<Vec<u16>, FormatError> {
        let numerals = FlexibleNumeralString::from(numerals.to_vec());
        let out = self.ff1.encrypt(&self.tweak, &numerals);
        Ok(out.map_err(|_| CryptoError)?.into())
    }

    /// One step back.
    pub(super) fn decrypt(&self, numerals: &[u16]) -> Result<Vec<u16>, FormatError> {
        let numerals = FlexibleNumeralString::from(numerals.to_vec());
        let out = self.ff1.decrypt(&self.tweak, &numerals);
        Ok(out.map_err(|_| CryptoError)?.into())
    }
}

#[cfg(test)]
mod tests;
