//! The gates before the search of a text that nobody calls a note: whether looking is worth it.
//!
//! They promise to let through all prose that holds a digit, an at sign or a capital behind its first
//! letter, since everything the rules find has one of them, whatever hides signs, and an address that
//! stands among other signs. They rely on the rest being looked at as a value.

use super::Seen;
use crate::{
    harmless::{harmless, is_prose},
    shape::{Shape, trimmed},
    validators,
};

/// Bytes of the shortest text in which there is anything.
const TEXT_BYTES_MIN: usize = 6;

/// Whether something may be found in a text.
pub(crate) fn may_hold_findings(seen: Seen<'_>) -> bool {
    let text = seen.written();
    text.len() >= TEXT_BYTES_MIN && (holds_address(text) || may_be_told(seen))
}

/// Whether something may be found in a text that a policy calls clear, which no reading, moment or
/// UUID is: telegrams have no small letters (`IBAN DE89 …`), and codes no blanks.
pub(crate) fn may_contradict(seen: Seen<'_>) -> bool {
    let text = seen.written();
    let has_digit = || text.bytes().any(|b| b.is_ascii_digit());
    let is_parted = || trimmed(text).contains(char::is_whitespace);
    may_hold_findings(seen)
        || text.len() >= TEXT_BYTES_MIN
            && has_digit()
            && is_parted()
            && harmless(&Shape::of(trimmed(text))).is_none()
}

/// Whether a text is told or hidden from a reader of bytes.
fn may_be_told(seen: Seen<'_>) -> bool {
    let text = seen.written();
    let is_sign = |b: u8| b.is_ascii_digit() || b.is_ascii_uppercase() || b == b'@' || b >= 128;
    text.bytes().skip(1).any(is_sign) && (is_prose(text) || seen.undisguised().is_some())
}

/// Whether a text may hold an e-mail address or a URL, and is none itself.
fn holds_address(text: &str) -> bool {
    let has_sign = text.bytes().any(|b| matches!(b, b'@' | b'/'));
    let is_address = || {
        let text = trimmed(text);
        validators::email(text).is_some() || validators::url(text).is_some()
    };
    has_sign && (text.contains('@') || text.contains("://")) && !is_address()
}
