//! Crockford's base 32, lower case: digits that may be dictated, without I, L, O, U.
//!
//! A number of a fixed count of digits has one form: what is read is lower case, and never more
//! than 128 bits. It relies on nothing.

use zeroize::Zeroizing;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// No digit's number.
const FOREIGN: u8 = u8::MAX;
/// What each digit stands for: to look for it in the alphabet takes longer than all the rest.
const VALUES: [u8; 256] = {
    let mut values = [FOREIGN; 256];
    let mut value = 0;
    while value < ALPHABET.len() {
        let [.., number] = value.to_be_bytes();
        values[ALPHABET[value] as usize] = number;
        value += 1;
    }
    values
};

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
        let value = VALUES[usize::from(digit)];
        let has_room = number.leading_zeros() >= 5;
        (value != FOREIGN && has_room).then_some(number << 5 | u128::from(value))
    })
}
