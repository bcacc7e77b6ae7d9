//! Telephone numbers.
//!
//! It promises the shape of E.164 and of national notation. It relies on a hint, or on the `+` of the
//! international notation together with a calling code that is in use.

use tresor_proto::calling_code;

use crate::Rule;

/// Digits of the shortest and the longest number: local ones without area, E.164 §6.
const DIGITS: core::ops::RangeInclusive<usize> = 6..=15;

/// Bytes of the longest notation, extension included.
const NOTATION_BYTES_MAX: usize = 32;

/// A telephone number in any notation.
pub(crate) fn phone(text: &str) -> Option<Rule> {
    let digits = digits(text)?;
    if text.starts_with('+') || text.starts_with("00") {
        return Some(Rule::Named("phone: international notation"));
    }
    let rule = if text.starts_with(['0', '(']) {
        "phone: national notation"
    } else {
        "phone: local notation"
    };
    (digits > 0).then_some(Rule::Named(rule))
}

/// A telephone number in international notation, with a calling code that is in use.
pub(crate) fn international_phone(text: &str) -> Option<Rule> {
    let digits = digits(text)?;
    // `0049 89 …`: the same in groups; a bare number with zeros before it is a code.
    let is_grouped = || text.len() > digits;
    let zeros = || text.strip_prefix("00").filter(|rest| is_grouped() && !rest.starts_with('0'));
    let number = text.strip_prefix('+').or_else(zeros)?;
    (calling_code(number).is_some() && digits >= 8)
        .then_some(Rule::Named("phone: international notation, calling code"))
}

/// A telephone number in national notation: a zero, an area code, and mostly a sign between them.
pub(crate) fn national_phone(text: &str) -> Option<Rule> {
    let number = text.trim_start_matches('(');
    let digits = digits(text).filter(|digits| (8..=13).contains(digits))?;
    let is_grouped = text.len() > digits;
    let groups = text.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty());
    // A bare number with one zero before it is one of the usual length; two or more zeros are a code.
    let is_bare = (10..=12).contains(&digits) && !number.starts_with("00");
    // Two digits are an area in France, where all numbers have ten.
    let is_area = |group: &str| group.len() >= 3 || (group.len() == 2 && digits == 10);
    let has_area = number.starts_with('0') && groups.clone().next().is_some_and(is_area);
    let is_number = has_area && groups.count() <= 5 && (is_grouped || is_bare);
    let is_dotted = text.contains('.');
    (is_number && !is_dotted).then_some(Rule::Named("phone: national notation"))
}

/// How many digits a notation has; `None` when it is none.
fn digits(text: &str) -> Option<usize> {
    if text.len() > NOTATION_BYTES_MAX {
        return None;
    }
    let is_sign = |(index, byte): (usize, u8)| match byte {
        b'0'..=b'9' | b' ' | b'(' | b')' | b'-' | b'/' | b'.' => true,
        b'+' => index == 0,
        _ => false,
    };
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (DIGITS.contains(&digits) && text.bytes().enumerate().all(is_sign)).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notations_of_all_kinds_are_numbers() {
        for text in [
            "00753 645568",
            "+49(0)0029 78753",
            "+49 (0) 8360 161055",
            "02912808458",
            "(084)-8648876",
            "0520-599728",
            "+3141 7075364",
            "645568",
            "030/123456",
        ] {
            assert!(phone(text).is_some(), "{text}");
        }
        for text in
            ["", "12345", "+", "1234567890123456", "0171-CALL-ME", "49+123456", "Mobil 0171"]
        {
            assert!(phone(text).is_none(), "{text}");
        }
    }

    #[test]
    fn national_notation_has_an_area_code_after_a_zero() {
        for text in [
            "00753 645568",
            "02912808458",
            "(084)-8648876",
            "0520-599728",
            "030/1234567",
            "06 41911868",
        ] {
            assert!(national_phone(text).is_some(), "{text}");
        }
        for text in
            ["645568", "0000012345", "12 34 56 78", "0,12345678", "01.02.2026", "0012345678", "0"]
        {
            assert!(national_phone(text).is_none(), "{text}");
        }
    }

    #[test]
    fn only_a_plus_and_a_calling_code_need_no_hint() {
        for text in
            ["+49 30 123456", "+31491-452441", "+1 202 555 0123", "+352 123456", "0049 30 123456"]
        {
            assert!(international_phone(text).is_some(), "{text}");
        }
        for text in [
            "004930123456",
            "00753 645568x",
            "+0 30 123456",
            "+99 1",
            "+8 123456789",
            "030 123456",
            "+ä9123456789",
        ] {
            assert!(international_phone(text).is_none(), "{text}");
        }
    }
}
