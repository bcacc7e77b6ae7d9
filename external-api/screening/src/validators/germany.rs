//! Numbers given by German authorities and insurers.
//!
//! It promises their check digits; they need a hint, since a check digit alone lets every tenth
//! number pass. It relies on the check digit algorithms.

use super::{
    check_digits::{digit, icao, letter, mod11_10},
    compact::Compact,
};
use crate::Rule;

/// A tax identification number (§ 139b AO): eleven digits, one of which repeats, ISO 7064.
pub(crate) fn tax_id(text: &str) -> Option<Rule> {
    let compact = Compact::digits(text, b" /")?;
    let digits = compact.as_bytes();
    if digits.len() != 11 {
        // The older tax number has ten to thirteen digits and a check that differs by state.
        let is_tax_number = matches!(digits.len(), 10 | 12 | 13);
        return is_tax_number.then_some(Rule::Named("tax number: 10 to 13 digits"));
    }
    let is_valid = digits.first() != Some(&b'0') && repeats(digits.get(..10)?) && mod11_10(digits);
    is_valid.then_some(Rule::Named("tax id: ISO 7064 mod 11,10 ok"))
}

/// Exactly one digit appears twice or three times, all others at most once.
fn repeats(digits: &[u8]) -> bool {
    let mut counts = [0_u8; 10];
    for byte in digits {
        let Some(count) = digit(*byte).and_then(|value| counts.get_mut(value as usize)) else {
            return false;
        };
        *count += 1;
    }
    let repeated = counts.iter().filter(|count| **count > 1).count();
    repeated == 1 && counts.iter().all(|count| *count <= 3)
}

/// A pension insurance number (§ 147 SGB VI): area, date of birth, letter, serial, check digit.
pub(crate) fn social_security(text: &str) -> Option<Rule> {
    let compact = Compact::of(text, b" ")?;
    let bytes = compact.as_bytes();
    if bytes.len() != 12 {
        return None;
    }
    let initial = letter(*bytes.get(8)?)? + 1;
    let values = bytes.get(..8)?.iter().map(|b| digit(*b));
    let values = values.chain([Some(initial / 10), Some(initial % 10)]);
    let values = values.chain(bytes.get(9..11)?.iter().map(|b| digit(*b)));
    let weights = [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1];
    let is_checked = cross_sum(values, weights)? % 10 == digit(*bytes.get(11)?)?;
    let is_valid = is_checked && is_day_of_birth(bytes.get(2..6)?);
    is_valid.then_some(Rule::Named("social security: date of birth, check digit ok"))
}

/// Day and month of a pension insurance number; 50 on the day tells numbers of one day apart.
fn is_day_of_birth(digits: &[u8]) -> bool {
    let [a, b, c, d] = digits else {
        return false;
    };
    let number = |tens: &u8, ones: &u8| Some(digit(*tens)? * 10 + digit(*ones)?);
    let is_day = number(a, b).is_some_and(|day| matches!(day, 1..=31 | 51..=81));
    is_day && number(c, d).is_some_and(|month| (1..=12).contains(&month))
}

/// A health insurance number (§ 290 SGB V): a letter, eight digits, a check digit.
pub(crate) fn health_insurance(text: &str) -> Option<Rule> {
    let compact = Compact::of(text, b" ")?;
    let bytes = compact.as_bytes();
    if bytes.len() != 10 {
        return None;
    }
    let initial = letter(*bytes.first()?)? + 1;
    let values = [Some(initial / 10), Some(initial % 10)].into_iter();
    let values = values.chain(bytes.get(1..9)?.iter().map(|b| digit(*b)));
    let weights = [1, 2, 1, 2, 1, 2, 1, 2, 1, 2];
    let is_valid = cross_sum(values, weights)? % 10 == digit(*bytes.get(9)?)?;
    is_valid.then_some(Rule::Named("health insurance: check digit ok"))
}

/// Sum of the digits of all products.
fn cross_sum<const N: usize>(
    values: impl Iterator<Item = Option<u32>>,
    weights: [u32; N],
) -> Option<u32> {
    let products = values.zip(weights).map(|(value, weight)| Some(value? * weight));
    products.map(|p| p.map(|p| p / 10 + p % 10)).sum()
}

/// An identity card or passport: nine signs of the reduced alphabet, perhaps with a check digit.
pub(crate) fn identity_document(text: &str) -> Option<Rule> {
    let compact = Compact::of(text, b" ")?;
    let bytes = compact.as_bytes();
    let number = bytes.get(..9)?;
    let is_sign = |b: &u8| b.is_ascii_digit() || b"CFGHJKLMNPRTVWXYZ".contains(b);
    if !number.iter().all(is_sign) || !number.iter().any(u8::is_ascii_digit) {
        return None;
    }
    match bytes.len() {
        9 => Some(Rule::Named("identity document: nine signs")),
        10.. if icao(bytes.get(..10)?) => Some(Rule::Named("identity document: check digit ok")),
        _ => None,
    }
}

/// A driving licence (§ 38 FeV): office, serial, check sign, issue: eleven signs.
pub(crate) fn driver_licence(text: &str) -> Option<Rule> {
    let compact = Compact::of(text, b" ")?;
    let bytes = compact.as_bytes();
    let number = bytes.get(..9)?;
    let has_form = bytes.len() == 11 && bytes.get(1..3)?.iter().all(u8::is_ascii_digit);
    let expected = licence_check(number)?;
    let is_valid = has_form && *bytes.get(9)? == expected;
    is_valid.then_some(Rule::Named("driving licence: check sign ok"))
}

/// The check sign of nine signs: weights 9 to 1, letters counting from 10, mod 11, X for ten.
fn licence_check(number: &[u8]) -> Option<u8> {
    let values = number.iter().map(|b| digit(*b).or(letter(*b).map(|value| value + 10)));
    let products = values.zip((1..=9).rev()).map(|(value, weight)| Some(value? * weight));
    let sum: Option<u32> = products.sum();
    match sum? % 11 {
        10 => Some(b'X'),
        rest => u8::try_from(rest).ok().map(|rest| b'0' + rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_good_numbers_pass() {
        for text in ["86095742719", "47036892816", "65929970489", "86 095 742 719"] {
            assert!(tax_id(text).is_some(), "{text}");
        }
        for text in ["65170839J003", "15070649C103", "65 170839 J 003"] {
            assert!(social_security(text).is_some(), "{text}");
        }
        assert!(health_insurance("A123456780").is_some());
        for text in ["T220001293", "L01X00T471", "C01X00T478", "L01X00T47"] {
            assert!(identity_document(text).is_some(), "{text}");
        }
        assert!(driver_licence("B072RRE2I55").is_some());
    }

    #[test]
    fn known_bad_numbers_fail() {
        for text in ["86095742718", "06095742719", "11111111111", "12345678901", "", "8609574271x"]
        {
            assert!(tax_id(text).is_none(), "{text}");
        }
        for text in ["65170839J004", "651708390003", "65170839J00", ""] {
            assert!(social_security(text).is_none(), "{text}");
        }
        for text in ["A123456781", "1123456780", "A12345678", ""] {
            assert!(health_insurance(text).is_none(), "{text}");
        }
        for text in ["T220001294", "A22000129", "CCCCCCCCC", "T2200012", ""] {
            assert!(identity_document(text).is_none(), "{text}");
        }
        assert!(driver_licence("BXX2RRE2I55").is_none());
        assert!(driver_licence("B072RRE2I45").is_none());
        assert!(social_security("65990839J003").is_none());
    }
}
