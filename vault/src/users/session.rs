//! Sessions: `base64url(TLV ‖ HMAC-SHA-256 32)`, where the TLV holds version, tenant, user,
//! certificate digest, password version and end.
//!
//! It promises that a session is one the vault has made, for the certificate it names; whether it
//! still holds is asked of the clock and of the user's row. Nothing is kept, so a restart ends none.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq as _;
use tresor_proto::{Session, TenantId, UserName};
use zeroize::Zeroizing;

use crate::{
    crypto_error::CryptoError,
    kdf,
    key::{Key as _, Pepper},
    tlv::{self, Tlv},
};

const VERSION: u8 = 1;
const MAC_BYTES: usize = 32;

/// What a session says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SessionClaims {
    pub(crate) tenant: TenantId,
    pub(crate) user: UserName,
    pub(crate) certificate_digest: [u8; 32],
    pub(crate) password_version: u64,
    pub(crate) expires_ms: u64,
}

impl SessionClaims {
    /// Makes the session.
    pub(crate) fn sign(&self, pepper: &Pepper) -> Result<Session, CryptoError> {
        let mut bytes = Zeroizing::new(self.encode()?);
        let mac = mac(&bytes, pepper)?;
        bytes.extend_from_slice(&mac);
        let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(&bytes[..]));
        Session::parse(text).ok_or(CryptoError)
    }

    /// What a session says, if this vault has made it.
    pub(crate) fn of(session: &Session, pepper: &Pepper) -> Result<Option<Self>, CryptoError> {
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(session.expose_text()) else {
            return Ok(None);
        };
        let Some((claims, shown)) = bytes.split_last_chunk::<MAC_BYTES>() else {
            return Ok(None);
        };
        let is_ours = bool::from(mac(claims, pepper)?.ct_eq(shown));
        Ok(if is_ours { Self::decode(claims) } else { None })
    }

    fn encode(&self) -> Result<Vec<u8>, CryptoError> {
        Tlv::new()
            .with(1, &[VERSION])
            .with(2, &self.tenant.to_bytes())
            .with(3, self.user.as_str().as_bytes())
            .with(4, &self.certificate_digest)
            .with(5, &self.password_version.to_be_bytes())
            .with(6, &self.expires_ms.to_be_bytes())
            .encode()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let [version, tenant, user, digest, password_version, expires] =
            tlv::decode::<6>(bytes).ok()?;
        if version != [VERSION] {
            return None;
        }
        Some(Self {
            tenant: TenantId::from_bytes(tenant.try_into().ok()?),
            user: UserName::parse(core::str::from_utf8(user).ok()?)?,
            certificate_digest: digest.try_into().ok()?,
            password_version: u64::from_be_bytes(password_version.try_into().ok()?),
            expires_ms: u64::from_be_bytes(expires.try_into().ok()?),
        })
    }
}

/// `HMAC-SHA-256(HKDF-Expand(pepper, "tresor/v1/session"), claims)`.
fn mac(claims: &[u8], pepper: &Pepper) -> Result<[u8; MAC_BYTES], CryptoError> {
    let key = kdf::expand::<32>(pepper.expose_secret(), &[b"tresor/v1/session"])?;
    Ok(kdf::hmac_sha256(&key, &[claims]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pepper(byte: u8) -> Pepper {
        Pepper::from_slice(&[byte; 32]).unwrap()
    }

    fn claims() -> SessionClaims {
        SessionClaims {
            tenant: TenantId::from_bytes([1; 16]),
            user: UserName::parse(&"u".repeat(63)).unwrap(),
            certificate_digest: [2; 32],
            password_version: 3,
            expires_ms: 4,
        }
    }

    fn read(text: &str) -> Option<SessionClaims> {
        let session = Session::parse(Zeroizing::new(text.to_owned()))?;
        SessionClaims::of(&session, &pepper(1)).unwrap()
    }

    #[test]
    fn a_session_says_what_it_was_made_of_under_the_same_pepper_only() {
        let session = claims().sign(&pepper(1)).unwrap();
        assert_eq!(SessionClaims::of(&session, &pepper(1)).unwrap(), Some(claims()));
        assert_eq!(SessionClaims::of(&session, &pepper(2)).unwrap(), None);
    }

    #[test]
    fn every_flipped_bit_and_every_other_length_is_refused() {
        let session = claims().sign(&pepper(1)).unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(session.expose_text()).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut other = bytes.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read(&URL_SAFE_NO_PAD.encode(other)), None, "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert_eq!(read(&URL_SAFE_NO_PAD.encode(&bytes[..length])), None, "{length}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(read(&URL_SAFE_NO_PAD.encode(longer)), None);
    }

    #[test]
    fn every_other_letter_in_the_text_is_refused() {
        let session = claims().sign(&pepper(1)).unwrap();
        let text = session.expose_text();
        for at in 0..text.len() {
            for letter in ["A", "_", "z", "=", " ", "\u{e4}"] {
                let other = [&text[..at], letter, &text[at + 1..]].concat();
                assert!(other == text || read(&other).is_none(), "{letter} at {at}");
            }
        }
    }

    #[test]
    fn its_form_is_frozen() {
        let bytes = claims().encode().unwrap();
        let mac = hex::encode(mac(&bytes, &pepper(1)).unwrap());
        let head = "010001010200100101010101010101010101010101010103003f7575";
        assert!(hex::encode(&bytes).starts_with(head), "{}", hex::encode(&bytes));
        // HMAC by Python, under HKDF-Expand of the pepper 0x01 × 32.
        assert_eq!(
            (bytes.len(), mac.as_str()),
            (146, "2d8ebff18947c2bcfcbfbc422f566ac2f28c13e653c302c911035115ab0f9060")
        );
    }
}
