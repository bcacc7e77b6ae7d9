//! Coordinates, postcodes, house numbers, and ages: small numbers that need a place to mean anything.
//!
//! It promises ranges and forms only; whether a postcode is in use is not looked up. It relies on
//! hints, except for pairs of precise coordinates.

use crate::Rule;

/// Digits after the point of a coordinate that means a house, not a country.
const PRECISE_FRACTION_DIGITS: usize = 3;

/// Latitude and longitude: `51.982263,7.512949`.
pub(crate) fn coordinates(text: &str) -> Option<Rule> {
    let text = text.strip_prefix("geo:").unwrap_or(text);
    let text = text.trim_start_matches('(').trim_end_matches(')');
    let (latitude, longitude) =
        text.split_once(',').or_else(|| text.split_once(';')).or_else(|| text.split_once(' '))?;
    let is_valid = is_degrees(latitude.trim(), 90) && is_degrees(longitude.trim(), 180);
    is_valid.then_some(Rule::Named("coordinates: latitude and longitude in range"))
}

/// A single coordinate, or a pair.
pub(crate) fn coordinate(text: &str) -> Option<Rule> {
    if let Some(rule) = coordinates(text) {
        return Some(rule);
    }
    is_degrees(text, 180).then_some(Rule::Named("coordinates: degrees in range"))
}

/// Degrees with a precise fraction.
fn is_degrees(text: &str, degrees_max: u32) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let Some((whole, fraction)) = text.split_once('.') else {
        return false;
    };
    let is_number = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let is_precise = (PRECISE_FRACTION_DIGITS..=15).contains(&fraction.len());
    let is_whole = (1..=3).contains(&whole.len()) && is_number(whole);
    is_whole
        && is_precise
        && is_number(fraction)
        && whole.parse().is_ok_and(|d: u32| d <= degrees_max)
}

/// A postcode of Germany, France, the Netherlands, Belgium, Austria, Switzerland or the UK.
pub(crate) fn postcode(text: &str) -> Option<Rule> {
    let text = text.trim_start_matches("D-").trim_start_matches("NL-");
    let bytes = text.as_bytes();
    if bytes.iter().all(u8::is_ascii_digit) && matches!(bytes.len(), 4 | 5) {
        return Some(Rule::Named("postcode: four or five digits"));
    }
    let is_dutch = matches!(bytes.len(), 6 | 7) && is_dutch_postcode(bytes);
    if is_dutch {
        return Some(Rule::Named("postcode: Dutch form"));
    }
    is_british_postcode(text).then_some(Rule::Named("postcode: British form"))
}

fn is_dutch_postcode(bytes: &[u8]) -> bool {
    let Some((digits, rest)) = bytes.split_at_checked(4) else {
        return false;
    };
    let letters = rest.strip_prefix(b" ").unwrap_or(rest);
    let has_digits = digits.iter().all(u8::is_ascii_digit) && digits.first() != Some(&b'0');
    has_digits && letters.len() == 2 && letters.iter().all(u8::is_ascii_alphabetic)
}

/// `SW1A 1AA`: area, district, sector, unit.
fn is_british_postcode(text: &str) -> bool {
    let Some((outward, inward)) = text.split_once(' ') else {
        return false;
    };
    let [sector, first, second] = inward.as_bytes() else {
        return false;
    };
    let is_inward =
        sector.is_ascii_digit() && first.is_ascii_alphabetic() && second.is_ascii_alphabetic();
    let is_outward = (2..=4).contains(&outward.len())
        && outward.bytes().all(|b| b.is_ascii_alphanumeric())
        && outward.starts_with(|c: char| c.is_ascii_alphabetic())
        && outward.bytes().any(|b| b.is_ascii_digit());
    is_inward && is_outward
}

/// A house number: it begins with a digit and is short.
pub(crate) fn house_number(text: &str) -> Option<Rule> {
    let is_valid = text.len() <= 12 && text.starts_with(|c: char| c.is_ascii_digit());
    is_valid.then_some(Rule::Named("house number: begins with a digit"))
}

/// An age in years.
pub(crate) fn age(text: &str) -> Option<Rule> {
    let is_valid = text.len() <= 3 && text.parse().is_ok_and(|years: u8| years <= 130);
    is_valid.then_some(Rule::Named("age: 0 to 130"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_precise_and_in_range() {
        for text in [
            "51.982263,7.512949",
            "51.982263, -7.512949",
            "-33.8688 151.2093",
            "geo:51.982263,7.512949",
        ] {
            assert!(coordinates(text).is_some(), "{text}");
        }
        for text in [
            "91.000,7.512949",
            "51.98,7.51",
            "8664.5",
            "1.234,567",
            "51.982263",
            "",
            ",",
            "99.123456,200.123456",
        ] {
            assert!(coordinates(text).is_none(), "{text}");
        }
        assert!(coordinate("7.512949").is_some());
    }

    #[test]
    fn postcodes_of_several_countries_are_recognised() {
        for text in ["30911", "8987 PA", "1208CW", "SW1A 1AA", "M1 1AE", "1010"] {
            assert!(postcode(text).is_some(), "{text}");
        }
        for text in ["309111", "0987 PA", "", "Jena", "SW1A1AAA", "A A 1AA"] {
            assert!(postcode(text).is_none(), "{text}");
        }
    }
}
