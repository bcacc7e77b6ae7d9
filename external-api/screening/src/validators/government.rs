//! Numbers given by the Netherlands, France and the United Kingdom, and passports in general.
//!
//! It promises their check digits; none of them is sure without a hint (the eleven test lets 9 % of
//! random digits pass). It relies on the check digit algorithms.

use super::{
    check_digits::{digit, icao, mod97, weighted},
    compact::Compact,
};
use crate::Rule;

/// A Dutch citizen service number: eight or nine digits, eleven test.
pub(crate) fn bsn(text: &str) -> Option<Rule> {
    let compact = Compact::digits(text, b" .-")?;
    let digits = compact.as_bytes();
    let (check, body) = digits.split_last()?;
    let weights: &[u32] = match digits.len() {
        9 => &[9, 8, 7, 6, 5, 4, 3, 2],
        8 => &[8, 7, 6, 5, 4, 3, 2],
        _ => return None,
    };
    let sum = weighted(body, weights)?;
    let is_valid = sum > 0 && sum % 11 == digit(*check)?;
    is_valid.then_some(Rule::Named("bsn: eleven test ok"))
}

/// A French social security number: 13 signs and a key mod 97.
pub(crate) fn nir(text: &str) -> Option<Rule> {
    let compact = Compact::of(text, b" .-")?;
    let mut bytes: [u8; 15] = compact.as_bytes().try_into().ok()?;
    let sex = *bytes.first()?;
    // Corsica: the department is 2A or 2B, which count as 19 and 18.
    if let Some(department @ [b'2', b'A' | b'B']) = bytes.get_mut(5..7) {
        let letter = department.get(1).copied();
        department.copy_from_slice(if letter == Some(b'A') { b"19" } else { b"18" });
    }
    if !bytes.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let (number, key) = bytes.split_at_checked(13)?;
    let key = mod97(key.iter())?;
    let is_valid = matches!(sex, b'1'..=b'4' | b'7' | b'8')
        && is_month_of_nir(number.get(3..5)?)
        && mod97(number.iter())? + key == 97;
    is_valid.then_some(Rule::Named("nir: key ok"))
}

/// A month, or what stands for one that is not known (INSEE: 20 to 42, 50 and above).
fn is_month_of_nir(digits: &[u8]) -> bool {
    let month = digits.iter().fold(0, |month, b| month * 10 + u32::from(b.saturating_sub(b'0')));
    matches!(month, 1..=12 | 20..=42 | 50..=99)
}

/// A British National Insurance number.
pub(crate) fn nino(text: &str) -> Option<Rule> {
    let compact = Compact::of(text, b" ")?;
    let bytes = compact.as_bytes();
    let prefix = bytes.get(..2)?;
    let refused: [&[u8]; 7] = [b"BG", b"GB", b"NK", b"KN", b"TN", b"NT", b"ZZ"];
    let is_letter =
        |b: &u8| b.is_ascii_uppercase() && !matches!(b, b'D' | b'F' | b'I' | b'Q' | b'U' | b'V');
    let has_prefix =
        prefix.iter().all(is_letter) && prefix.last() != Some(&b'O') && !refused.contains(&prefix);
    let has_digits = bytes.get(2..8)?.iter().all(u8::is_ascii_digit);
    let is_valid = has_prefix && has_digits && matches!(bytes.get(8..), Some([] | [b'A'..=b'D']));
    is_valid.then_some(Rule::Named("nino: prefix, six digits, suffix"))
}

/// The same, written as it is: capitals, with its last letter.
pub(crate) fn distinct_nino(text: &str) -> Option<Rule> {
    let is_written =
        text.bytes().all(|b| b == b' ' || b.is_ascii_digit() || b.is_ascii_uppercase());
    let has_suffix = text.ends_with(|c: char| c.is_ascii_uppercase());
    (is_written && has_suffix).then(|| nino(text)).flatten()
}

/// A French number written in groups: sex, year, month, department; a bare one is too often chance.
pub(crate) fn grouped_nir(text: &str) -> Option<Rule> {
    let groups = text.split(' ').map(str::len);
    let is_grouped = groups.clone().take(3).eq([1, 2, 2]) && groups.count() >= 6;
    is_grouped.then(|| nir(text)).flatten()
}

/// A British National Health Service number: ten digits, mod 11.
pub(crate) fn nhs(text: &str) -> Option<Rule> {
    let compact = Compact::digits(text, b" -")?;
    let digits = compact.as_bytes();
    let sum = weighted(digits, &[10, 9, 8, 7, 6, 5, 4, 3, 2])?;
    let expected = (11 - sum % 11) % 11;
    let is_valid = digits.len() == 10 && sum > 0 && digit(*digits.last()?)? == expected;
    is_valid.then_some(Rule::Named("nhs number: mod 11 ok"))
}

/// A passport of any country: six to ten signs with digits; ICAO check digit when there is one.
pub(crate) fn passport(text: &str) -> Option<Rule> {
    let compact = Compact::of(text, b" ")?;
    let bytes = compact.as_bytes();
    if bytes.len() == 10 && icao(bytes) {
        return Some(Rule::Named("passport: ICAO check digit ok"));
    }
    let digits = bytes.iter().filter(|b| b.is_ascii_digit()).count();
    let is_valid = (6..=10).contains(&bytes.len()) && digits >= 2;
    is_valid.then_some(Rule::Named("passport: six to ten signs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_good_numbers_pass() {
        for text in ["111222333", "123456782", "1234.56.782"] {
            assert!(bsn(text).is_some(), "{text}");
        }
        for text in ["255081416802538", "2 55 08 14 168 025 38"] {
            assert!(nir(text).is_some(), "{text}");
        }
        assert!(nino("AB123456C").is_some());
        assert!(nino("AB 12 34 56 C").is_some());
        assert!(nhs("943 476 5919").is_some());
        assert!(passport("C01X00T478").is_some());
    }

    #[test]
    fn known_bad_numbers_fail() {
        for text in ["111222334", "000000000", "12345678", "", "a"] {
            assert!(bsn(text).is_none(), "{text}");
        }
        for text in ["255081416802539", "955081416802538", "25508141680253", ""] {
            assert!(nir(text).is_none(), "{text}");
        }
        for text in ["GB123456C", "AO123456C", "AB123456E", "AB12345C", "QQ123456C"] {
            assert!(nino(text).is_none(), "{text}");
        }
        for text in ["9434765918", "943476591", "0000000000", ""] {
            assert!(nhs(text).is_none(), "{text}");
        }
    }

    #[test]
    fn only_distinct_forms_need_no_hint() {
        assert!(distinct_nino("AB123456C").is_some());
        assert!(distinct_nino("AB 12 34 56 C").is_some());
        for text in ["ab123456c", "AB123456", "CE8315401", "GB123456C"] {
            assert!(distinct_nino(text).is_none(), "{text}");
        }
        assert!(grouped_nir("2 55 08 14 168 025 38").is_some());
        assert!(grouped_nir("255081416802538").is_none());
        // Month 13, with the key that goes with it.
        let number = 2_551_314_168_025_u64;
        assert!(nir(&format!("{number}{:02}", 97 - number % 97)).is_none());
    }

    #[test]
    fn corsican_numbers_count_their_department() {
        // 1 55 03 2A 004 001: 1550319004001 mod 97 = 56, key 41.
        let number = 1_550_319_004_001_u64;
        let key = 97 - number % 97;
        assert!(nir(&format!("155032A004001{key:02}")).is_some());
        assert!(nir(&format!("155032B004001{key:02}")).is_none());
    }
}
