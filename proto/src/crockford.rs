//! Crockford's base 32, lower case: digits that may be dictated, without I, L, O, U.
//!
//! A number of a fixed count of digits has one form: what is read is lower case, and never more
//! than 128 bits. It relies on nothing.

use zeroize::Zeroizing;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The digit of the lowest five bits.
pub(crate) fn digit(number: u128) -> char {
    char::from(ALPHABET[(number & 31) as usize])
}

/// A number in so many digits, big-endian, zero-padded; wiped, since it may be a secret.
pub(crate) fn to_base32(number: u128, digits: usize) -> Zeroizing<String> {
    Zeroizing::new((0..digits).rev().map(|at| digit(number >> (5 * at))).collect())
}

/// Reads digits as a big-endian number; `None` when a digit is foreign or the number overflows.
pub(crate) fn from_base32(digits: &str) -> Option<u128> {
    digits.bytes().try_fold(0u128, |number, digit| {
        let value = ALPHABET.iter().position(|&d| d == digit)?;
        number.checked_mul(32)?.checked_add(u128::try_from(value).ok()?)
    })
}
