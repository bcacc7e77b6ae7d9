//! The gate before the search of a text that nobody calls a note: whether looking is worth it.
//!
//! It promises to let through all prose that holds a digit, an at sign or a capital behind its first
//! letter, since everything the rules find has one of them, and whatever hides signs. It relies on the
//! rest being looked at as a value.

use super::Seen;
use crate::harmless::is_prose;

/// Bytes of the shortest text in which there is anything.
const TEXT_BYTES_MIN: usize = 6;

/// Whether something may be found in a text.
pub(crate) fn may_hold_findings(seen: Seen<'_>) -> bool {
    let text = seen.written();
    let is_sign = |b: u8| b.is_ascii_digit() || b.is_ascii_uppercase() || b == b'@' || b >= 128;
    text.len() >= TEXT_BYTES_MIN
        && text.bytes().skip(1).any(is_sign)
        && (is_prose(text) || seen.undisguised().is_some())
}
