//! Vehicle identification numbers and licence plates of Germany, the Netherlands, France and the UK.
//!
//! It promises ISO 3779 and the grammars of the plates; districts are not looked up. It relies on
//! hints for everything that is not written exactly as on a plate.

use super::compact::Compact;
use crate::Rule;

/// World manufacturer identifiers seen on European roads, ISO 3780.
const MANUFACTURERS: &[&[u8]] = &[
    b"WVW", b"WV1", b"WV2", b"WVG", b"WAU", b"WUA", b"WBA", b"WBS", b"WBY", b"WBX", b"WDB", b"WDC",
    b"WDD", b"WDF", b"W1K", b"W1N", b"W1V", b"WMW", b"WME", b"WP0", b"WP1", b"WMA", b"W0L", b"W0V",
    b"WF0", b"VF1", b"VF3", b"VF6", b"VF7", b"VR1", b"VR3", b"VR7", b"VSS", b"VSK", b"VNK", b"VWV",
    b"TMB", b"TMA", b"TRU", b"TSM", b"UU1", b"UU6", b"ZFA", b"ZAR", b"ZFF", b"ZHW", b"ZLA", b"YV1",
    b"YV4", b"YS3", b"XTA", b"XL9", b"SAL", b"SAJ", b"SCF", b"SHH", b"SJN", b"SB1", b"KMH", b"KNA",
    b"KNE", b"U5Y", b"NLH", b"NMT", b"JHM", b"JMZ", b"JN1", b"JSA", b"JTD", b"JTE", b"JTH", b"JMB",
    b"5YJ", b"LRW", b"XP7", b"7SA", b"1FA", b"1G1", b"LGX", b"LSJ",
];

/// Weights of the check digit, 49 CFR 565.15.
const VIN_WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];

/// A vehicle identification number: 17 signs without I, O and Q. Europe needs no check digit.
pub(crate) fn vin(text: &str) -> Option<Rule> {
    let compact = Compact::of(text, b" -")?;
    let bytes = compact.as_bytes();
    if bytes.len() != 17 || bytes.iter().any(|b| matches!(b, b'I' | b'O' | b'Q')) {
        return None;
    }
    if has_check_digit(bytes) {
        return Some(Rule::Named("vin: ISO 3779 form, check digit ok"));
    }
    Some(Rule::Named("vin: ISO 3779 form"))
}

/// A vehicle identification number of a known manufacturer.
pub(crate) fn known_vin(text: &str) -> Option<Rule> {
    let is_known = MANUFACTURERS.iter().any(|m| text.as_bytes().starts_with(m));
    let has_digit = text.bytes().any(|b| b.is_ascii_digit());
    vin(text).filter(|_| is_known && has_digit)?;
    Some(Rule::Named("vin: ISO 3779 form, known manufacturer"))
}

fn has_check_digit(bytes: &[u8]) -> bool {
    let value = |byte: u8| match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        b'A'..=b'H' => u32::from(byte - b'A') + 1,
        b'J'..=b'R' => u32::from(byte - b'J') + 1,
        _ => u32::from(byte.saturating_sub(b'S')) + 2,
    };
    let sum: u32 = bytes.iter().zip(VIN_WEIGHTS).map(|(b, w)| value(*b) * w).sum();
    let expected = match sum % 11 {
        10 => b'X',
        remainder => u8::try_from(remainder).map_or(b'0', |r| b'0' + r),
    };
    bytes.get(8) == Some(&expected)
}

/// A licence plate, however its groups are joined.
pub(crate) fn plate(text: &str) -> Option<Rule> {
    german_plate(text, false)
        .or_else(|| dutch_plate(text))
        .or_else(|| french_plate(text))
        .or_else(|| british_plate(text))
}

/// A licence plate written as on the vehicle, as hardly anything else is: `MA-S-779`, `B-XW 7006`,
/// `AB12 CDE`.
pub(crate) fn distinct_plate(text: &str) -> Option<Rule> {
    let (mut dashes, mut spaces) = (0, 0);
    for byte in text.bytes() {
        dashes += u8::from(byte == b'-');
        spaces += u8::from(byte == b' ');
    }
    match (dashes, spaces) {
        (2, 0) => {
            german_plate(text, true).or_else(|| dutch_plate(text)).or_else(|| french_plate(text))
        }
        (1, 1) if text.find('-') < text.find(' ') => german_plate(text, true),
        (0, 1) if text.find(' ') == Some(4) => {
            british_plate(text).filter(|_| has_british_age(text))
        }
        _ => None,
    }
}

/// A German plate with spaces only: `BRA KE 4768`.
pub(crate) fn spaced_plate(text: &str) -> Option<Rule> {
    let is_spaced = text.bytes().filter(|b| *b == b' ').count() == 2 && !text.contains('-');
    is_spaced.then(|| german_plate(text, true)).flatten()
}

/// Letters and the half-year of a British plate: 02 to 49 and 51 to 99, no I, Q or Z before it.
fn has_british_age(text: &str) -> bool {
    let [first, second, age @ ..] = text.as_bytes() else {
        return false;
    };
    let is_letter = |b: &u8| b.is_ascii_uppercase() && !matches!(b, b'I' | b'Q' | b'Z');
    let has_age = !matches!(age.get(..2), None | Some(b"00" | b"01" | b"50"));
    is_letter(first) && is_letter(second) && has_age && !text.contains(['I', 'Q'])
}

/// District, one or two letters, one to four digits, perhaps `E` or `H`: `PLÖ-ZI 59`.
fn german_plate(text: &str, needs_dashes: bool) -> Option<Rule> {
    let mut groups = text.split(['-', ' ', ':']).filter(|group| !group.is_empty());
    let district = groups.next()?;
    let (letters, number) = match (groups.next()?, groups.next()) {
        (letters, Some(number)) => (letters, number),
        (joined, None) if !needs_dashes => {
            joined.split_at_checked(joined.find(|c: char| c.is_ascii_digit())?)?
        }
        (_, None) => return None,
    };
    let is_capital = |c: char| c.is_ascii_uppercase() || matches!(c, 'Ä' | 'Ö' | 'Ü');
    let is_district =
        district.len() <= 6 && district.chars().count() <= 3 && district.chars().all(is_capital);
    let is_letters =
        (1..=2).contains(&letters.len()) && letters.bytes().all(|b| b.is_ascii_uppercase());
    let is_valid = is_district && is_letters && is_plate_number(number) && groups.next().is_none();
    is_valid.then_some(Rule::Named("licence plate: German form"))
}

fn is_plate_number(text: &str) -> bool {
    let digits = text.strip_suffix(['E', 'H']).unwrap_or(text);
    let has_length = (1..=4).contains(&digits.len()) && !digits.starts_with('0');
    has_length && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Six signs in three groups of letters or digits, not all alike: `SR-169-P`.
fn dutch_plate(text: &str) -> Option<Rule> {
    let mut sizes = [0_usize; 3];
    let (mut letters, mut digits) = (0, 0);
    for (index, group) in text.split('-').enumerate() {
        *sizes.get_mut(index)? = group.len();
        match () {
            () if group.bytes().all(|b| b.is_ascii_uppercase()) => letters += 1,
            () if group.bytes().all(|b| b.is_ascii_digit()) => digits += 1,
            () => return None,
        }
    }
    let has_sizes = matches!(sizes, [2, 2, 2] | [2, 3, 1] | [1, 3, 2] | [3, 2, 1] | [1, 2, 3]);
    let is_valid = has_sizes && letters >= 1 && digits >= 1;
    is_valid.then_some(Rule::Named("licence plate: Dutch sidecode"))
}

/// `AA-123-AA`.
fn french_plate(text: &str) -> Option<Rule> {
    let compact = Compact::of(text, b"- ")?;
    let bytes = compact.as_bytes();
    let is_letter = |b: &u8| b.is_ascii_uppercase() && !matches!(b, b'I' | b'O' | b'U');
    let is_valid = bytes.len() == 7
        && bytes.get(..2)?.iter().all(is_letter)
        && bytes.get(2..5)?.iter().all(u8::is_ascii_digit)
        && bytes.get(5..)?.iter().all(is_letter);
    is_valid.then_some(Rule::Named("licence plate: French form"))
}

/// `AB12 CDE`, since 2001.
fn british_plate(text: &str) -> Option<Rule> {
    let compact = Compact::of(text, b" ")?;
    let bytes = compact.as_bytes();
    let is_valid = bytes.len() == 7
        && bytes.get(..2)?.iter().all(u8::is_ascii_uppercase)
        && bytes.get(2..4)?.iter().all(u8::is_ascii_digit)
        && bytes.get(4..)?.iter().all(u8::is_ascii_uppercase);
    is_valid.then_some(Rule::Named("licence plate: British form"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vehicle_numbers_have_seventeen_signs() {
        for text in ["1M8GDM9AXKP042788", "WVWB0064328H4982T", "WVWNGTLD69LFXWLYM"] {
            assert!(vin(text).is_some(), "{text}");
        }
        let rule = vin("1M8GDM9AXKP042788").map(|rule| rule.to_string());
        assert_eq!(rule.as_deref(), Some("vin: ISO 3779 form, check digit ok"));
        for text in ["1M8GDM9AXKP04278", "1M8GDM9AXKPO42788", "1M8GDM9AXKP0427888", ""] {
            assert!(vin(text).is_none(), "{text}");
        }
        assert!(known_vin("WVWB0064328H4982T").is_some());
        assert!(known_vin("QQQB0064328H4982T").is_none());
        assert!(known_vin("ABCDEFGH123456789").is_none());
    }

    #[test]
    fn plates_of_four_countries_are_recognised() {
        for text in [
            "MA-S-779",
            "PLÖ-ZI-59",
            "B-AB 1234",
            "HH AB 12E",
            "M-X 1H",
            "B-AB1234",
            "SR-169-P",
            "V-045-OZ",
            "30-NC-OU",
            "AB-123-CD",
            "AB12 CDE",
        ] {
            assert!(plate(text).is_some(), "{text}");
        }
        for text in [
            "A-03405927",
            "",
            "-",
            "A--1",
            "ABCD-E-1",
            "B-AB-0123",
            "1-2-3",
            "AA-BB-CC",
            "12-34-56",
        ] {
            assert!(plate(text).is_none(), "{text}");
        }
        assert!(distinct_plate("MA-S-779").is_some());
        assert!(distinct_plate("EMH LZQJ-XC").is_none());
        assert!(distinct_plate("B-AB1234").is_none());
        assert!(distinct_plate("B-XW 7006").is_some() && distinct_plate("VO11 UEM").is_some());
        for text in ["VI11 UEM", "VO01 UEM", "B XW 7006", "AB 12-34", "GB 1234-X", "E450 ABC"] {
            assert!(distinct_plate(text).is_none(), "{text}");
        }
        assert!(spaced_plate("BRA KE 4768").is_some() && spaced_plate("BRA KE-4768").is_none());
    }
}
