//! Check digit algorithms shared by several kinds of numbers.
//!
//! Each promises `false` for bytes that are not of its alphabet and for empty input. They rely on
//! nothing.

/// The value of an ASCII digit.
pub(super) fn digit(byte: u8) -> Option<u32> {
    byte.is_ascii_digit().then(|| u32::from(byte - b'0'))
}

/// The place of an ASCII capital in the alphabet, from 0.
pub(super) fn letter(byte: u8) -> Option<u32> {
    byte.is_ascii_uppercase().then(|| u32::from(byte - b'A'))
}

/// Sum of digits times weights; `None` when a byte is no digit. Surplus digits weigh nothing.
pub(super) fn weighted(digits: &[u8], weights: &[u32]) -> Option<u32> {
    let products = digits.iter().zip(weights).map(|(d, w)| Some(digit(*d)? * w));
    products.sum()
}

/// GS1: weights 3 and 1 from the right, the last digit is the check digit.
pub(super) fn gs1(digits: &[u8]) -> bool {
    let mut sum = 0;
    for (index, byte) in digits.iter().rev().enumerate() {
        let Some(value) = digit(*byte) else {
            return false;
        };
        sum += if index % 2 == 1 { value * 3 } else { value };
    }
    !digits.is_empty() && sum % 10 == 0
}

/// The remainder mod 97 of digits and capitals, a capital counting as 10 to 35 (ISO 7064).
pub(super) fn mod97<'a>(bytes: impl Iterator<Item = &'a u8>) -> Option<u32> {
    let mut remainder = 0;
    for byte in bytes {
        remainder = match (digit(*byte), letter(*byte)) {
            (Some(value), _) => (remainder * 10 + value) % 97,
            (None, Some(value)) => (remainder * 100 + value + 10) % 97,
            (None, None) => return None,
        };
    }
    Some(remainder)
}

/// ISO 7064 mod 11,10.
pub(super) fn mod11_10(digits: &[u8]) -> bool {
    let Some((check, body)) = digits.split_last() else {
        return false;
    };
    let mut product = 10;
    for byte in body {
        let Some(value) = digit(*byte) else {
            return false;
        };
        let sum = (value + product) % 10;
        let sum = if sum == 0 { 10 } else { sum };
        product = sum * 2 % 11;
    }
    digit(*check) == Some((11 - product) % 10)
}

/// ICAO 9303: weights 7, 3, 1; capitals count as 10 to 35; the last digit is the check digit.
pub(super) fn icao(bytes: &[u8]) -> bool {
    let Some((check, body)) = bytes.split_last() else {
        return false;
    };
    let values = body.iter().map(|b| digit(*b).or(letter(*b).map(|v| v + 10)));
    let weighted = values.zip([7, 3, 1].into_iter().cycle()).map(|(v, w)| Some(v? * w));
    let sum: Option<u32> = weighted.sum();
    sum.is_some_and(|sum| digit(*check) == Some(sum % 10)) && !body.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_numbers_pass_and_their_neighbours_fail() {
        assert!(gs1(b"4006381333931"));
        assert!(!gs1(b"4006381333932"));
        assert!(mod11_10(b"86095742719"));
        assert!(!mod11_10(b"86095742718"));
        assert!(icao(b"L898902C36"));
        assert!(!icao(b"L898902C37"));
        assert_eq!(mod97(b"3214282912345698765432161182".iter()), Some(1));
    }

    #[test]
    fn nothing_and_foreign_bytes_fail() {
        for bytes in [&b""[..], b"x", b"1x", b"\xff\xff"] {
            assert!(!gs1(bytes) && !mod11_10(bytes));
        }
        assert_eq!(mod97(b"-".iter()), None);
    }
}
