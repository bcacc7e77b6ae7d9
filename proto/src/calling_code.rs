/// Calling codes of two digits; every other one that begins like these has three digits.
const SHORT: &[u8] = &[
    20, 27, 30, 31, 32, 33, 34, 36, 39, 40, 41, 43, 44, 45, 46, 47, 48, 49, 51, 52, 53, 54, 55, 56,
    57, 58, 60, 61, 62, 63, 64, 65, 66, 81, 82, 84, 86, 90, 91, 92, 93, 94, 95, 98,
];

/// First two digits of calling codes with three digits.
const LONG: &[u8] =
    &[21, 22, 23, 24, 25, 26, 29, 35, 37, 38, 42, 50, 59, 67, 68, 69, 80, 85, 87, 88, 96, 97, 99];

/// The calling code that the digits of an international number begin with (E.164, without the
/// `+`); `None` when none is in use that does.
///
/// Frozen: format-preserving surrogates keep the code, and are read back by it.
#[must_use]
pub fn calling_code(number: &str) -> Option<&str> {
    let digits = match number.as_bytes() {
        [b'1' | b'7', ..] => 1,
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9', rest @ ..] => {
            let start = (tens - b'0') * 10 + (ones - b'0');
            let is_long = LONG.contains(&start) && rest.first().is_some_and(u8::is_ascii_digit);
            if SHORT.contains(&start) {
                2
            } else if is_long {
                3
            } else {
                return None;
            }
        }
        _ => return None,
    };
    number.get(..digits)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn numbers_begin_with_their_calling_code() {
        let numbers = ["4930123456", "12025550123", "352123456", "77172123456", "80012345678"];
        let codes = ["49", "1", "352", "7", "800"];
        assert_eq!(numbers.map(calling_code), codes.map(Some));
        for number in ["", "0", "4", "99", "28123", "+49", "4 9", "ä9123", "35 2"] {
            assert_eq!(calling_code(number), None, "{number}");
        }
    }

    /// Or a surrogate could be read with another code than it was made with.
    #[test]
    fn no_calling_code_begins_with_another() {
        let numbers = (0..1_000).map(|number| format!("{number:03}"));
        let codes: BTreeSet<String> =
            numbers.filter_map(|number| calling_code(&number).map(str::to_owned)).collect();
        for code in &codes {
            assert!((1..code.len()).all(|shorter| !codes.contains(&code[..shorter])), "{code}");
        }
        // 1, 7, 44 of two digits, 23 tens of three.
        assert_eq!(codes.len(), 2 + 44 + 230);
    }
}
