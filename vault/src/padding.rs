//! Frames: a value with its length, padded to a bucket, so that sizes leak less.
//!
//! `frame = length u32 BE ‖ value ‖ zeros` up to the next of 16, 32, 48, 64, 96, 128, 192, 256,
//! 384, 512 bytes (length included), then Padmé (Nikitin et al., PETS 2019, §4).

use core::ops::Range;

use crate::crypto_error::CryptoError;

const BUCKETS: [usize; 10] = [16, 32, 48, 64, 96, 128, 192, 256, 384, 512];
const LENGTH_BYTES: usize = 4;

/// Frames a value; the vector has room for the tag that sealing appends.
pub(crate) fn to_frame(value: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let length = u32::try_from(value.len()).map_err(|_| CryptoError)?;
    let size = bucket(LENGTH_BYTES + value.len());
    let mut frame = Vec::with_capacity(size + crate::aead::TAG_BYTES);
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(value);
    frame.resize(size, 0);
    Ok(frame)
}

/// Where the value of a frame lies; refuses a wrong size or padding that is not zeros.
pub(crate) fn value_range(frame: &[u8]) -> Result<Range<usize>, CryptoError> {
    let (length, rest) = frame.split_first_chunk::<LENGTH_BYTES>().ok_or(CryptoError)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| CryptoError)?;
    let (_, zeros) = rest.split_at_checked(length).ok_or(CryptoError)?;
    let is_padded = frame.len() == bucket(LENGTH_BYTES + length) && zeros.iter().all(|b| *b == 0);
    if is_padded { Ok(LENGTH_BYTES..LENGTH_BYTES + length) } else { Err(CryptoError) }
}

/// Bytes of the longest value that is padded to the same size as one of `value_bytes`.
pub(crate) fn length_class(value_bytes: usize) -> Result<u32, CryptoError> {
    value_bytes_max(bucket(LENGTH_BYTES + value_bytes))
}

/// Bytes of the longest value in a frame of `frame_bytes`.
pub(crate) fn value_bytes_max(frame_bytes: usize) -> Result<u32, CryptoError> {
    let bytes = frame_bytes.checked_sub(LENGTH_BYTES).ok_or(CryptoError)?;
    u32::try_from(bytes).map_err(|_| CryptoError)
}

/// The size a frame of `bytes` is padded to.
pub(crate) fn bucket(bytes: usize) -> usize {
    BUCKETS.into_iter().find(|size| *size >= bytes).unwrap_or_else(|| padme(bytes))
}

/// Padmé: keeps as many leading bits of the size as the size of its exponent.
fn padme(bytes: usize) -> usize {
    let exponent = bytes.ilog2();
    let mantissa_bits = exponent.ilog2() + 1;
    let mask = (1_usize << (exponent - mantissa_bits)) - 1;
    (bytes + mask) & !mask
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_framed_comes_back(value in proptest::collection::vec(any::<u8>(), 0..3_000)) {
            let frame = to_frame(&value).unwrap();
            prop_assert_eq!(&frame[value_range(&frame).unwrap()], &value[..]);
            prop_assert_eq!(frame.len(), bucket(4 + value.len()));
            let longest = vec![1; value_bytes_max(frame.len()).unwrap() as usize];
            prop_assert!(longest.len() >= value.len());
            prop_assert_eq!(to_frame(&longest).unwrap().len(), frame.len());
        }

        #[test]
        fn padding_wastes_less_than_an_eighth_above_512(bytes in 513usize..300_000) {
            let size = bucket(bytes);
            prop_assert!(size >= bytes && (size - bytes) * 8 < bytes);
        }
    }

    #[test]
    fn sizes_fall_into_the_buckets() {
        assert_eq!([1, 16, 17, 50, 97, 512].map(bucket), [16, 16, 32, 64, 128, 512]);
        assert_eq!([513, 1_000, 65_540].map(bucket), [544, 1_024, 67_584]);
    }

    #[test]
    fn padding_that_is_not_zeros_is_refused() {
        let mut frame = to_frame(b"abc").unwrap();
        frame[15] = 1;
        assert!(value_range(&frame).is_err());
        assert!(value_range(&[0, 0]).is_err());
        assert!(value_range(&[0, 0, 0, 200, 1, 2]).is_err());
        assert!(value_range(&[0; 32]).is_err(), "a frame in too large a bucket");
    }
}
