//! Numbers as tables write them: sign, digits in groups, fraction, exponent.
//!
//! It promises how many digits a number has before its point, however it is written: telephone
//! columns with gaps are exported as `491712345678.0`, or as `4.91712345678e11`. It relies on nothing
//! but the text; whether so many digits may be somebody's is decided elsewhere.

use super::{READING_BYTES_MAX, is_digits};

/// Digits after the point of the shortest telephone number that has one behind its area.
const LOCAL_DIGITS_MIN: usize = 4;

/// Digits of the shortest and the longest area, its zero included, and of the shortest number.
const AREA_DIGITS: core::ops::RangeInclusive<usize> = 3..=6;
const PHONE_DIGITS_MIN: usize = 8;

/// A number, in parts.
#[derive(Clone, Copy)]
pub(super) struct Number<'a> {
    /// Digits before the point, perhaps with signs between groups of three.
    whole: &'a str,
    /// Digits behind it; `None` without a point.
    fraction: Option<&'a str>,
    exponent: i32,
}

impl<'a> Number<'a> {
    pub(super) fn of(text: &'a str) -> Option<Self> {
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        if text.len() > READING_BYTES_MAX || !unsigned.bytes().any(|b| b.is_ascii_digit()) {
            return None;
        }
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent_of(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = parts(mantissa);
        let is_number = is_grouped(whole) && is_digits(fraction.unwrap_or_default());
        let has_digits = !whole.is_empty() || fraction.is_some_and(|digits| !digits.is_empty());
        (is_number && has_digits).then_some(Self { whole, fraction, exponent })
    }

    /// How many digits stand before the point once the exponent is written out. Zeros that it adds
    /// say nothing: `1e9` is no telephone number.
    pub(super) fn whole_digits(self) -> usize {
        let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
        let (whole, fraction) = (digits(self.whole), digits(self.fraction.unwrap_or_default()));
        match usize::try_from(self.exponent) {
            Ok(shift) => whole + shift.min(fraction),
            Err(_) => whole,
        }
    }

    /// Whether it is a code sooner than a number: `00526`, `0171.2345678`.
    pub(super) fn is_code(self) -> bool {
        let has_zero = self.whole.len() > 1 && self.whole.starts_with('0');
        has_zero && self.fraction.is_none_or(|fraction| self.is_phone(fraction))
    }

    /// Whether an area stands before the point. A meter shows more zeros, or fewer digits behind it.
    fn is_phone(self, fraction: &str) -> bool {
        AREA_DIGITS.contains(&self.whole.len())
            && !self.whole.starts_with("00")
            && fraction.len() >= LOCAL_DIGITS_MIN
            && self.whole.len() + fraction.len() >= PHONE_DIGITS_MIN
    }
}

/// A number of up to four digits, perhaps with a sign.
fn exponent_of(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_exponent = (1..=4).contains(&digits.len()) && is_digits(digits);
    is_exponent.then(|| text.parse().ok()).flatten()
}

/// What stands before and behind the point. A sign that comes twice parts groups.
fn parts(mantissa: &str) -> (&str, Option<&str>) {
    let Some(point) = mantissa.rfind(['.', ',']) else {
        return (mantissa, None);
    };
    let (whole, fraction) = mantissa.split_at(point);
    let sign = fraction.get(..1).unwrap_or_default();
    if whole.contains(sign) { (mantissa, None) } else { (whole, fraction.get(1..)) }
}

/// Digits, or groups of three of them.
fn is_grouped(whole: &str) -> bool {
    let mut groups = whole.split(['.', ',', '\'']);
    let first = groups.next().unwrap_or_default();
    let has_one = groups.clone().next().is_none();
    is_digits(first)
        && (has_one || first.len() <= 3)
        && groups.all(|group| group.len() == 3 && is_digits(group))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_before_the_point_are_counted_however_a_number_is_written() {
        for (text, digits) in [
            ("491712345678.0", 12),
            ("491711234567,0", 12),
            ("1.712345678e9", 10),
            ("1712345678E0", 10),
            ("1.234.567,89", 7),
            ("100.000.000", 9),
            ("-8664.5", 4),
            ("1e9", 1),
            ("1.5e-12", 1),
            (".5", 0),
            ("5.", 1),
        ] {
            assert_eq!(Number::of(text).map(Number::whole_digits), Some(digits), "{text}");
        }
        for text in
            ["", "-", ".", "e5", "--5", "1,2,3,4", "1e", "1e12345", "12.34.56", "1'23", "5 €"]
        {
            assert!(Number::of(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_code_begins_with_a_zero_unless_a_meter_shows_it() {
        for text in ["00526", "0171.2345678", "06131,12345"] {
            assert!(Number::of(text).is_some_and(Number::is_code), "{text}");
        }
        for text in ["0", "0.1234567", "0012345.678", "012345.678", "01.5", "526"] {
            assert!(!Number::of(text).is_some_and(Number::is_code), "{text}");
        }
    }
}
