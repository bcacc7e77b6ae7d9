/// Whether digits end in their check digit by Luhn's rule, ISO/IEC 7812-1 annex B; `false` for
/// none, and for bytes that are no digits.
#[must_use]
pub fn passes_luhn(digits: &[u8]) -> bool {
    let mut sum = 0;
    for (index, byte) in digits.iter().rev().enumerate() {
        if !byte.is_ascii_digit() {
            return false;
        }
        let value = u32::from(byte - b'0') << (index % 2);
        sum += value / 10 + value % 10;
    }
    !digits.is_empty() && sum % 10 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_number_passes_and_its_neighbours_fail() {
        assert!(passes_luhn(b"79927398713"));
        for last in b'0'..=b'9' {
            assert_eq!(passes_luhn(&[b"7992739871", &[last][..]].concat()), last == b'3');
        }
    }

    #[test]
    fn nothing_and_foreign_bytes_fail() {
        for bytes in [&b""[..], b"x", b"1x", b"\xff\xff"] {
            assert!(!passes_luhn(bytes));
        }
    }
}
