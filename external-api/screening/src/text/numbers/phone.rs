//! Telephone numbers in a text.
//!
//! It promises international and national notation, as people group it, and that dates and decimals
//! are not taken for it. It relies on calling codes, on the zero of national numbers, and on separators
//! or length where nothing else speaks.

use tresor_proto::{InfoType, calling_code};

use super::{Form, Place, Told};
use crate::{
    Rule,
    text::{Candidate, Rank},
    validators::date,
};

/// Digits of a national number, its zero included; without a separator it needs more.
const NATIONAL_DIGITS: core::ops::RangeInclusive<usize> = 7..=13;
const BARE_DIGITS: core::ops::RangeInclusive<usize> = 9..=12;

/// Digits of an international number, without its prefix (E.164 §6).
const INTERNATIONAL_DIGITS: core::ops::RangeInclusive<usize> = 7..=15;

/// The telephone number at a place.
pub(super) fn number(place: &Place<'_>) -> Option<Candidate> {
    let text = place.texts(Form::Phone, 7..=32).find(|text| is_number(text))?;
    let is_bare = text.bytes().all(|b| b.is_ascii_digit());
    if is_bare && matches!(place.told(), Told::Technical(_)) {
        return None;
    }
    let rule = if text.trim_start_matches('(').starts_with('+') || text.starts_with("00") {
        "phone: international notation, calling code"
    } else {
        "phone: national notation"
    };
    Some(place.candidate(text, InfoType::PhoneNumber, Rank::Form, Rule::Named(rule)))
}

fn is_number(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let number = text.trim_start_matches('(');
    if let Some(number) = number.strip_prefix('+') {
        return INTERNATIONAL_DIGITS.contains(&digits) && calling_code(number).is_some();
    }
    // In brackets it is an area code, whatever it begins with.
    if let Some(number) = text.strip_prefix("00") {
        let has_code = calling_code(number.trim_start()).is_some();
        return INTERNATIONAL_DIGITS.contains(&(digits - 2)) && has_code && digits >= 10;
    }
    let is_bare = digits == text.len();
    let has_digits = NATIONAL_DIGITS.contains(&digits) && !is_bare;
    has_digits && !is_date(text) && has_groups(text) || is_bare && BARE_DIGITS.contains(&digits)
}

fn is_date(text: &str) -> bool {
    // Spaces may follow a date's points.
    let mut words = text.splitn(2, ' ');
    words.next().is_some_and(|first| date::moment(first).is_some())
}

/// With points it is a French number or a decimal: the former has them between pairs.
fn has_groups(text: &str) -> bool {
    !text.contains('.') || text.split('.').all(|pair| pair.len() == 2) && text.len() == 14
}
