//! Tag-length-value, the one encoding of everything that is derived from or authenticated:
//! tag u8, length u16 big-endian, value; tags strictly ascending, each once.
//!
//! It is injective, so that no two lists of values have the same bytes. It relies on every value
//! being bounded below 64 KiB; a longer one is refused.

use crate::crypto_error::CryptoError;

/// Bytes of most lists: one that grows takes longer than what it is made for.
const ROOM_BYTES: usize = 128;

/// Builds a TLV list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tlv {
    bytes: Vec<u8>,
    last_tag: u8,
    is_broken: bool,
}

impl Tlv {
    /// An empty list, with room for most.
    pub(crate) fn new() -> Self {
        Self { bytes: Vec::with_capacity(ROOM_BYTES), ..Self::default() }
    }

    /// An empty list behind a prefix that is part of the encoding.
    pub(crate) fn behind(prefix: &[u8]) -> Self {
        let mut list = Self::new();
        list.bytes.extend_from_slice(prefix);
        list
    }

    /// Appends a value under a tag greater than all before it.
    pub(crate) fn with(mut self, tag: u8, value: &[u8]) -> Self {
        let Ok(length) = u16::try_from(value.len()) else {
            self.is_broken = true;
            return self;
        };
        self.is_broken |= tag <= self.last_tag;
        self.last_tag = tag;
        self.bytes.push(tag);
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(value);
        self
    }

    /// The encoding.
    ///
    /// # Errors
    /// When a value was too long or a tag out of order: such a list has no encoding.
    pub(crate) fn encode(self) -> Result<Vec<u8>, CryptoError> {
        if self.is_broken { Err(CryptoError) } else { Ok(self.bytes) }
    }
}

/// Decodes a list with exactly the tags `1..=N`, refusing everything else.
pub(crate) fn decode<const N: usize>(mut bytes: &[u8]) -> Result<[&[u8]; N], CryptoError> {
    let mut values = [&[][..]; N];
    for (tag, value) in (1u8..).zip(values.iter_mut()) {
        let (found, rest) = bytes.split_first().ok_or(CryptoError)?;
        let (length, rest) = rest.split_first_chunk::<2>().ok_or(CryptoError)?;
        let length = usize::from(u16::from_be_bytes(*length));
        if *found != tag {
            return Err(CryptoError);
        }
        (*value, bytes) = rest.split_at_checked(length).ok_or(CryptoError)?;
    }
    if bytes.is_empty() { Ok(values) } else { Err(CryptoError) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(a: Vec<u8>, b: Vec<u8>) {
            let bytes = Tlv::new().with(1, &a).with(2, &b).encode().unwrap();
            prop_assert_eq!(decode::<2>(&bytes).unwrap(), [&a[..], &b[..]]);
        }

        #[test]
        fn anything_accepted_is_canonical(bytes: Vec<u8>) {
            if let Ok([a, b]) = decode::<2>(&bytes) {
                prop_assert_eq!(Tlv::new().with(1, a).with(2, b).encode().unwrap(), bytes);
            }
        }
    }

    #[test]
    fn tags_out_of_order_and_long_values_have_no_encoding() {
        assert!(Tlv::new().with(2, b"").with(1, b"").encode().is_err());
        assert!(Tlv::new().with(1, b"").with(1, b"").encode().is_err());
        assert!(Tlv::new().with(1, &[0; 65_536]).encode().is_err());
    }

    #[test]
    fn the_encoding_is_frozen() {
        let bytes = Tlv::new().with(1, b"ab").with(7, b"").encode().unwrap();
        assert_eq!(hex::encode(bytes), "0100026162070000");
    }
}
