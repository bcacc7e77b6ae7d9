//! Values that are provably not personal, and values a technical field may have.
//!
//! It promises to say yes only to what cannot be a person's: short numbers, yes and no, readings with
//! a unit, versions, moments that are no births, UUIDs. It relies on the rules of personal values
//! having been asked before.

mod number;

use crate::{
    lexicon::Kind,
    shape::Shape,
    validators::{
        date::{Moment, has_century, moment, year_of_birth},
        postcode, uuid,
    },
    word_set::WordSet,
};
use number::Number;

/// Digits of the longest bare number that says nothing about anybody: telephone, account and
/// insurance numbers are longer.
const NUMBER_DIGITS_MAX: usize = 7;

/// Words and bytes of the longest text that is one of a few.
const ENUMERATION_WORDS_MAX: usize = 3;
const ENUMERATION_BYTES_MAX: usize = 48;

/// Bytes of the longest technical identifier: a SHA-256 digest in hexadecimal.
const IDENTIFIER_BYTES_MAX: usize = 64;

/// Digits of the longest whole reading: insurance numbers and points of delivery are longer.
const READING_DIGITS_MAX: usize = 9;

/// Bytes of the longest reading.
const READING_BYTES_MAX: usize = 40;

/// Units of readings.
const UNITS: &[&str] = &[
    "%", "°C", "°F", "K", "°", "V", "mV", "kV", "A", "mA", "Ah", "mAh", "W", "kW", "MW", "Wh",
    "kWh", "MWh", "GWh", "VA", "kVA", "var", "kvar", "kvarh", "Hz", "kHz", "MHz", "GHz", "dB",
    "dBm", "m", "mm", "cm", "km", "m²", "m2", "m³", "m3", "km/h", "l", "L", "ml", "l/h", "m³/h",
    "g", "kg", "mg", "t", "s", "ms", "µs", "min", "h", "bar", "mbar", "Pa", "hPa", "kPa", "Ω",
    "lx", "ppm", "€", "EUR", "ct", "ct/kWh", "Cent", "$", "USD", "£", "GBP", "CHF", "B", "kB",
    "KB", "MB", "GB", "TB", "MiB", "GiB", "bit/s", "kbit/s", "Mbit/s", "J", "kJ", "MJ", "N", "Nm",
    "rpm", "px", "x",
];

/// Words for yes and no.
static YES_OR_NO: WordSet = WordSet::new(&[
    "true", "false", "yes", "no", "ja", "nein", "nee", "oui", "non", "wahr", "falsch", "waar",
    "onwaar", "vrai", "faux", "on", "off", "y", "n", "j",
]);

/// What a value without a telling name is, if it cannot be personal.
pub(crate) fn harmless(shape: &Shape<'_>) -> Option<&'static str> {
    let text = shape.text();
    if is_yes_or_no(text) {
        return Some("yes or no");
    }
    // Everything else has digits.
    if shape.digits() == 0 {
        return None;
    }
    if uuid(text) {
        return Some("uuid");
    }
    if is_bare_number(text, NUMBER_DIGITS_MAX) {
        return Some("number");
    }
    if is_reading(text, NUMBER_DIGITS_MAX) {
        return Some("reading with a unit");
    }
    if let Some(moment) = moment(text) {
        return moment_kind(moment, text);
    }
    is_dotted_version(text).then_some("version")
}

/// What the value of a technical field is, if it looks as it should.
pub(crate) fn technical(kind: Kind, text: &str) -> Option<&'static str> {
    let fits = match kind {
        Kind::Enumeration | Kind::Brand => is_enumeration(text),
        Kind::Identifier => is_identifier(text),
        Kind::Uuid => uuid(text) || is_digest(text),
        Kind::Version => is_version(text),
        Kind::Time => moment(text).is_some() || is_unix_time(text),
        Kind::Reading => {
            is_short_number(text, READING_DIGITS_MAX) || is_reading(text, READING_DIGITS_MAX)
        }
        Kind::Flag => is_yes_or_no(text) || matches!(text, "0" | "1"),
    };
    let description = match kind {
        Kind::Enumeration | Kind::Brand => "short text",
        Kind::Uuid => "uuid",
        Kind::Identifier => "technical identifier",
        Kind::Version => "version",
        Kind::Time => "time",
        Kind::Reading => "reading",
        Kind::Flag => "yes or no",
    };
    fits.then_some(description)
}

/// A moment that is no birth. A year of two digits leaves that open, unless there is a time.
fn moment_kind(moment: Moment, text: &str) -> Option<&'static str> {
    if year_of_birth(moment, text).is_some() {
        return None;
    }
    match moment {
        Moment::Date { .. } => has_century(text).then_some("date outside the years of birth"),
        Moment::Timestamp { .. } => Some("timestamp"),
        Moment::Window => Some("time window"),
        Moment::Time => Some("time"),
    }
}

/// A bare number that is too long to be harmless.
pub(crate) fn is_long_number(text: &str) -> bool {
    text.len() > NUMBER_DIGITS_MAX && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_yes_or_no(text: &str) -> bool {
    YES_OR_NO.contains(text)
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

/// Seconds or milliseconds since 1970, of this century: `1700000000`.
fn is_unix_time(text: &str) -> bool {
    let is_of_century = matches!(text.as_bytes(), [b'1', ..] | [b'2', b'0', ..]);
    is_of_century && matches!(text.len(), 10 | 13) && is_digits(text)
}

/// A number and a unit: `-105 dBm`, `12,5%`.
fn is_reading(text: &str, digits_max: usize) -> bool {
    if text.len() > READING_BYTES_MAX {
        return false;
    }
    let number_end =
        text.find(|c: char| !c.is_ascii_digit() && !matches!(c, '-' | '+' | '.' | ','));
    let Some((number, unit)) = number_end.and_then(|end| text.split_at_checked(end)) else {
        return false;
    };
    // `8987 MW` is a Dutch postcode, too.
    let unit = unit.trim_start();
    let is_capital = unit.bytes().all(|b| b.is_ascii_uppercase());
    let is_postcode = || is_capital && postcode(text).is_some();
    is_short_number(number, digits_max) && is_unit(unit) && !is_postcode()
}

/// A number without a leading zero, such as codes have, of at most so many digits.
fn is_bare_number(text: &str, digits_max: usize) -> bool {
    let digits_in = |number: Number| (number.whole_digits(), number.is_code());
    Number::of(text)
        .map(digits_in)
        .is_some_and(|(digits, is_code)| digits <= digits_max && !is_code)
}

/// A number of at most so many digits, leading zeros as on a meter's display included.
fn is_short_number(text: &str, digits_max: usize) -> bool {
    Number::of(text).is_some_and(|number| number.whole_digits() <= digits_max)
}

fn is_unit(text: &str) -> bool {
    // Nearly all units are told apart by their first byte.
    let first = text.as_bytes().first();
    UNITS.iter().any(|unit| unit.as_bytes().first() == first && *unit == text)
}

/// A version of any form, which has no more digits in a row than a build's number.
fn is_version(text: &str) -> bool {
    let number = Number::of(text).map(|number| number.whole_digits());
    let is_build = number.is_none_or(|digits| digits <= READING_DIGITS_MAX);
    (is_identifier(text) && is_build) || is_dotted_version(text)
}

/// `4.2.1`, `v1.09.33`, `2.0.0-rc1`: three or four numbers and perhaps a suffix.
fn is_dotted_version(text: &str) -> bool {
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let (numbers, suffix) = text.split_once(['-', '+']).unwrap_or((text, ""));
    let is_suffix =
        suffix.len() <= 16 && suffix.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.');
    let mut parts = 0;
    for part in numbers.split('.') {
        parts += 1;
        if !(1..=4).contains(&part.len()) || !is_digits(part) || parts > 4 {
            return false;
        }
    }
    parts >= 3 && is_suffix
}

/// A few words, one of a few such texts. With many digits it is a number of something, with signs
/// of addresses or of structured data it holds something.
fn is_enumeration(text: &str) -> bool {
    let is_plain = !text.bytes().any(|b| matches!(b, b'@' | b'{' | b'<' | b'"'))
        && !["%40", "(at)", "[at]"].iter().any(|sign| text.contains(sign));
    let has_length = is_plain && text.len() <= ENUMERATION_BYTES_MAX;
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let words = || text.split_whitespace().count();
    let is_postcode = || digits > 1 && text.len() <= 8 && postcode(text).is_some();
    let is_few = has_length && digits <= NUMBER_DIGITS_MAX && words() <= ENUMERATION_WORDS_MAX;
    is_few && !is_postcode()
}

/// One word with a digit: `A-03405927`.
fn is_identifier(text: &str) -> bool {
    let is_sign = |b: u8| b.is_ascii_alphanumeric() || b"-_./:#".contains(&b);
    let has_length = text.len() <= IDENTIFIER_BYTES_MAX;
    has_length && text.bytes().all(is_sign) && text.bytes().any(|b| b.is_ascii_digit())
}

/// Hexadecimal digits of half a UUID or more.
fn is_digest(text: &str) -> bool {
    (16..=IDENTIFIER_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_hexdigit())
        && text.bytes().any(|b| b.is_ascii_alphabetic())
}

/// Prose: two or more words, one of them in lower case. Looks no further than it must.
pub(crate) fn is_prose(text: &str) -> bool {
    // What parts words is a blank, a control or no ASCII: most values have none.
    if !text.bytes().any(|b| b <= b' ' || b >= 128) {
        return false;
    }
    let (mut words, mut has_lower, mut is_in_word) = (0, false, false);
    for c in text.chars() {
        if c.is_whitespace() {
            is_in_word = false;
        } else if !is_in_word && c.is_alphanumeric() {
            is_in_word = true;
            words += usize::from(c.is_alphabetic());
            has_lower |= c.is_lowercase();
        }
        if words >= 2 && has_lower {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests;
