use zeroize::Zeroizing;

use crate::{
    Secret,
    crockford::{from_base32, to_base32},
};

const PREFIX: &str = "tre_";
const DIGITS: usize = 26;
const CHECK_DIGITS: usize = 7;

/// The one-time code by which a tenant's customer enrols: 128 random bits, given to the operator
/// once, worthless without the tenant's client certificate.
///
/// Text form: `tre_<26 Crockford base32><7 of CRC-32>`, lower case; it may be dictated.
pub struct EnrolmentCode(Secret<16>);

impl EnrolmentCode {
    /// Makes a code from 16 random bytes.
    #[must_use]
    pub fn new(secret: Secret<16>) -> Self {
        Self(secret)
    }

    /// Parses the text form; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(PREFIX)?;
        if digits.len() != DIGITS + CHECK_DIGITS || !digits.is_ascii() {
            return None;
        }
        let (body, check) = digits.split_at(DIGITS);
        let number = from_base32(body)?;
        if from_base32(check)? != u128::from(crc32fast::hash(body.as_bytes())) {
            return None;
        }
        Secret::from_slice(&Zeroizing::new(number.to_be_bytes())[..]).map(Self)
    }

    /// The text form, for the one moment it is shown.
    #[must_use]
    pub fn expose_text(&self) -> Zeroizing<String> {
        let body = to_base32(u128::from_be_bytes(*self.0.expose_secret()), DIGITS);
        let check = to_base32(u128::from(crc32fast::hash(body.as_bytes())), CHECK_DIGITS);
        Zeroizing::new([PREFIX, &body, &check].concat())
    }

    /// The secret bytes.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8; 16] {
        self.0.expose_secret()
    }
}

impl core::fmt::Debug for EnrolmentCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("EnrolmentCode")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_text_form_survives_the_round_trip(secret: [u8; 16]) {
            let code = EnrolmentCode::new(Secret::from_slice(&secret).unwrap());
            let parsed = EnrolmentCode::parse(&code.expose_text()).unwrap();
            prop_assert_eq!(parsed.expose_secret(), &secret);
        }
    }

    #[test]
    fn a_typing_error_is_refused() {
        let code = EnrolmentCode::new(Secret::from_slice(&[7; 16]).unwrap());
        let typo = code.expose_text().replacen('7', "8", 1);
        assert!(typo == *code.expose_text() || EnrolmentCode::parse(&typo).is_none());
        assert!(EnrolmentCode::parse("tre_").is_none());
    }
}
