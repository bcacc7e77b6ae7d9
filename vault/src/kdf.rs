//! HKDF-SHA-256 (RFC 5869) and HMAC-SHA-256 (RFC 2104), over `ring`.

use ring::{hkdf, hmac};
use zeroize::Zeroizing;

use crate::crypto_error::CryptoError;

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF-Expand with a uniform key as PRK; RFC 5869 §3.3 lets extract be skipped then.
pub(crate) fn expand<const N: usize>(
    prk: &[u8; 32],
    info: &[&[u8]],
) -> Result<Zeroizing<[u8; N]>, CryptoError> {
    fill(&hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, prk), info)
}

/// HKDF with extract, for keying material that is bound to a context by its salt.
pub(crate) fn extract_and_expand<const N: usize>(
    salt: &[u8],
    keying_material: &[u8],
    info: &[&[u8]],
) -> Result<Zeroizing<[u8; N]>, CryptoError> {
    fill(&hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(keying_material), info)
}

fn fill<const N: usize>(
    prk: &hkdf::Prk,
    info: &[&[u8]],
) -> Result<Zeroizing<[u8; N]>, CryptoError> {
    let mut out = Zeroizing::new([0; N]);
    prk.expand(info, Length(N))?.fill(&mut out[..])?;
    Ok(out)
}

/// HMAC-SHA-256 of the concatenation of `parts`, whose boundaries the caller has made unambiguous.
pub(crate) fn hmac_sha256(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    mac(&hmac::Key::new(hmac::HMAC_SHA256, key), parts)
}

/// The same under a key that was made ready before.
pub(crate) fn mac(key: &hmac::Key, parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(key);
    parts.iter().for_each(|part| context.update(part));
    let mut mac = [0; 32];
    mac.copy_from_slice(context.sign().as_ref());
    mac
}

#[cfg(test)]
mod wycheproof;

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5869, appendix A.1.
    #[test]
    fn hkdf_agrees_with_the_rfc() {
        let salt: Vec<u8> = (0..=0x0c).collect();
        let info: Vec<u8> = (0xf0..=0xf9).collect();
        let okm = extract_and_expand::<42>(&salt, &[0x0b; 22], &[&info]).unwrap();
        assert_eq!(
            hex::encode(&okm[..]),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        );
    }

    /// RFC 4231, test case 1 has a 20-byte key; case 2's shape with a 32-byte key, made by Python.
    #[test]
    fn hmac_agrees_with_another_implementation() {
        let mac = hmac_sha256(&[0x0b; 32], &[b"Hi ", b"There"]);
        assert_eq!(
            hex::encode(mac),
            "198a607eb44bfbc69903a0f1cf2bbdc5ba0aa3f3d9ae3c1c7a3b1696a0b68cf7"
        );
    }
}
