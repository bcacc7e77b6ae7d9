//! Meters and points of delivery: MeLo, MaLo, EAN-18, DIN 43863-5.
//!
//! It promises the forms of the German and Dutch energy markets, with their check digits where they
//! have one. It relies on hints for bare digits.

use super::{
    check_digits::{gs1, weighted},
    compact::Compact,
};
use crate::Rule;

/// A metering location: `DE`, eleven digits (network operator, postcode), twenty signs.
pub(crate) fn melo(text: &str) -> Option<Rule> {
    let compact = Compact::of(text, b" ")?;
    let bytes = compact.as_bytes();
    let is_valid = bytes.len() == 33
        && bytes.starts_with(b"DE")
        && bytes.get(2..13)?.iter().all(u8::is_ascii_digit);
    is_valid.then_some(Rule::Named("meter: metering location, DE and 31 signs"))
}

/// A market location: eleven digits, the last one checks.
fn malo(digits: &[u8]) -> Option<Rule> {
    let weights = [1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1];
    let sum = weighted(digits, &weights)?;
    let is_valid = digits.len() == 11 && digits.first() != Some(&b'0') && sum % 10 == 0;
    is_valid.then_some(Rule::Named("meter: market location, check digit ok"))
}

/// A point of delivery of the Netherlands or Belgium: 18 digits, GS1.
fn ean18(digits: &[u8]) -> Option<Rule> {
    let has_prefix = digits.starts_with(b"87") || digits.starts_with(b"54");
    let is_valid = digits.len() == 18 && has_prefix;
    if is_valid && gs1(digits) {
        return Some(Rule::Named("meter: EAN-18, GS1 check digit ok"));
    }
    is_valid.then_some(Rule::Named("meter: EAN-18 form"))
}

/// The same with its check digit, when the value is nothing but its digits.
pub(crate) fn checked_ean18(text: &str) -> Option<Rule> {
    let digits = text.as_bytes();
    gs1(digits).then(|| ean18(digits)).flatten()
}

/// A meter number of DIN 43863-5: medium, maker, block, serial: `1EMH0056366902`.
fn din43863(bytes: &[u8]) -> Option<Rule> {
    let is_valid = bytes.len() == 14
        && bytes.first()?.is_ascii_alphanumeric()
        && bytes.get(1..4)?.iter().all(u8::is_ascii_uppercase)
        && bytes.get(4..6)?.iter().all(u8::is_ascii_hexdigit)
        && bytes.get(6..)?.iter().all(u8::is_ascii_digit);
    is_valid.then_some(Rule::Named("meter: DIN 43863-5 form"))
}

/// A meter number of the Dutch grid operators: a letter and sixteen digits.
fn dutch_meter(bytes: &[u8]) -> Option<Rule> {
    let (first, digits) = bytes.split_first()?;
    let is_valid =
        matches!(first, b'E' | b'G') && digits.len() == 16 && digits.iter().all(u8::is_ascii_digit);
    is_valid.then_some(Rule::Named("meter: letter and 16 digits"))
}

/// A meter or point of delivery whose form nothing else has.
pub(crate) fn distinct_meter(text: &str) -> Option<Rule> {
    let compact = Compact::of(text, b" ")?;
    let bytes = compact.as_bytes();
    let starts_with_digit = bytes.first()?.is_ascii_digit();
    dutch_meter(bytes).or_else(|| starts_with_digit.then(|| din43863(bytes)).flatten())
}

/// A meter or point of delivery of any form.
pub(crate) fn meter_id(text: &str) -> Option<Rule> {
    if let Some(rule) = melo(text) {
        return Some(rule);
    }
    let compact = Compact::of(text, b" -./")?;
    let bytes = compact.as_bytes();
    malo(bytes)
        .or_else(|| ean18(bytes))
        .or_else(|| din43863(bytes))
        .or_else(|| dutch_meter(bytes))
        .or_else(|| serial(bytes))
}

/// A maker's own serial number.
fn serial(bytes: &[u8]) -> Option<Rule> {
    let digits = bytes.iter().filter(|b| b.is_ascii_digit()).count();
    let is_valid = (5..=20).contains(&bytes.len()) && digits >= 4;
    is_valid.then_some(Rule::Named("meter: serial number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> String {
        meter_id(text).map_or_else(String::new, |rule| rule.to_string())
    }

    #[test]
    fn each_form_is_told_apart() {
        assert!(rule("DE8813993091190952PAFHSG2A5UNZQWW").contains("metering location"));
        assert!(rule("41373559241").contains("market location"));
        assert!(!rule("41373559242").contains("market location"));
        assert!(rule("871687110000000005").contains("EAN-18"));
        assert!(rule("1EMH0056366902").contains("DIN 43863-5"));
        assert!(rule("E0021069919304408").contains("16 digits"));
        assert!(rule("48213377").contains("serial"));
        for text in ["", "Keller", "DE88", "12", "Zähler 7"] {
            assert_eq!(rule(text), "", "{text}");
        }
    }

    #[test]
    fn a_point_of_delivery_has_a_check_digit() {
        assert!(checked_ean18("871687110000000005").is_some());
        for text in ["871687110000000006", "4006381333931", "", "121687110000000005"] {
            assert!(checked_ean18(text).is_none(), "{text}");
        }
    }

    #[test]
    fn bare_digits_are_not_distinct() {
        assert!(distinct_meter("1EMH0056366902").is_some());
        assert!(distinct_meter("E0021069919304408").is_some());
        assert!(distinct_meter("871687110000000005").is_none());
        assert!(distinct_meter("41373559241").is_none());
    }
}
