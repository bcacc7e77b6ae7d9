//! A text in its parts: what is kept, in its place, and what is hidden.
//!
//! It promises that a text whose hidden characters are replaced, by such as may stand there, is
//! read in the same parts again: reading depends on what is kept alone. It relies on the table of
//! calling codes.

use tresor_proto::{SurrogateFormat, calling_code};

use super::{FormatError, alphabet::Alphabet};

/// Bytes of the longest text: more than any number has, and few enough for an arithmetic whose
/// work grows with their square.
pub(super) const TEXT_BYTES_MAX: usize = 128;
/// Stand between the characters, and stay.
const SEPARATORS: &[u8] = b" -./()";
/// Stands for what is hidden in a template; no character of any text that is taken.
const HIDDEN: char = '_';
/// Digits of card numbers, ISO/IEC 7812-1.
const CARD_DIGITS: core::ops::RangeInclusive<usize> = 12..=19;
/// Digits from which on a card number keeps those of its issuer, too.
const CARD_WITH_ISSUER: usize = 16;

/// A text of a format: its alphabet's characters between separators.
pub(super) struct Shape<'a> {
    text: &'a str,
    alphabet: Alphabet,
    /// Bytes of the text that are hidden.
    hidden: Vec<usize>,
}

impl<'a> Shape<'a> {
    /// Reads a text.
    pub(super) fn read(format: SurrogateFormat, text: &'a str) -> Result<Self, FormatError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(FormatError::TooLong);
        }
        let alphabet = Alphabet::of(format);
        let is_phone = format == SurrogateFormat::Phone;
        let mut hidden = Vec::with_capacity(text.len());
        for (at, byte) in text.bytes().enumerate() {
            let is_sign = SEPARATORS.contains(&byte) || is_phone && at == 0 && byte == b'+';
            match alphabet.numeral(byte) {
                Some(_) => hidden.push(at),
                None if is_sign => {}
                None => return Err(FormatError::ForeignCharacter),
            }
        }
        let mut shape = Self { text, alphabet, hidden };
        match format {
            SurrogateFormat::Card => shape.keep_issuer_and_end()?,
            SurrogateFormat::Phone => shape.keep_calling_code()?,
            SurrogateFormat::Digits
            | SurrogateFormat::Alphanumeric
            | SurrogateFormat::UpperAlphanumeric => {}
        }
        match alphabet.characters_min() {
            least if shape.hidden.len() < least => Err(FormatError::TooFew(least)),
            _ => Ok(shape),
        }
    }

    fn keep_issuer_and_end(&mut self) -> Result<(), FormatError> {
        if !CARD_DIGITS.contains(&self.hidden.len()) {
            return Err(FormatError::CardLength);
        }
        let issuer = if self.hidden.len() >= CARD_WITH_ISSUER { 6 } else { 0 };
        self.hidden.drain(..issuer);
        self.hidden.truncate(self.hidden.len() - 4);
        Ok(())
    }

    /// Keeps `+` or `00` with the calling code, and the zeros before the number itself.
    fn keep_calling_code(&mut self) -> Result<(), FormatError> {
        let digits: String = self.text.bytes().filter(u8::is_ascii_digit).map(char::from).collect();
        let is_abroad = self.text.starts_with('+');
        let abroad = if is_abroad { Some(digits.as_str()) } else { digits.strip_prefix("00") };
        let number = match abroad {
            Some(number) => {
                let code = calling_code(number).ok_or(FormatError::CallingCode)?;
                number.get(code.len()..).unwrap_or_default()
            }
            None => digits.as_str(),
        };
        let kept = digits.len() - number.trim_start_matches('0').len();
        self.hidden.drain(..kept);
        Ok(())
    }

    /// The hidden characters.
    pub(super) fn numerals(&self) -> Vec<u16> {
        let bytes = self.text.as_bytes();
        let hidden = self.hidden.iter().filter_map(|&at| bytes.get(at));
        hidden.filter_map(|&byte| self.alphabet.numeral(byte)).collect()
    }

    /// What is kept, in its place.
    pub(super) fn template(&self) -> String {
        self.with(core::iter::repeat(HIDDEN))
    }

    /// The text with other characters hidden in it.
    pub(super) fn fill(&self, numerals: &[u16]) -> String {
        self.with(numerals.iter().map(|&numeral| Alphabet::character(numeral)))
    }

    /// All digits of it with others hidden, kept ones and all.
    pub(super) fn digits(&self, numerals: &[u16]) -> Vec<u8> {
        self.fill(numerals).bytes().filter(u8::is_ascii_digit).collect()
    }

    fn with(&self, mut characters: impl Iterator<Item = char>) -> String {
        let mut hidden = self.hidden.iter().peekable();
        let place = |(at, kept): (usize, char)| match hidden.next_if_eq(&&at) {
            Some(_) => characters.next().unwrap_or(kept),
            None => kept,
        };
        self.text.char_indices().map(place).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(format: SurrogateFormat, text: &str) -> Result<String, FormatError> {
        let shape = Shape::read(format, text)?;
        assert_eq!(shape.fill(&shape.numerals()), text);
        Ok(shape.template())
    }

    #[test]
    fn cards_keep_issuer_and_end() {
        let of = |text| template(SurrogateFormat::Card, text);
        assert_eq!(of("4111 1111 1111 1111").unwrap(), "4111 11__ ____ 1111");
        assert_eq!(of("4111111111111111110").unwrap(), "411111_________1110");
        assert_eq!(of("3782-822463-10005").unwrap(), "____-______-_0005");
        assert_eq!(of("123456789012").unwrap(), "________9012");
        for text in ["12345678901", "12345678901234567890", ""] {
            assert_eq!(of(text), Err(FormatError::CardLength));
        }
        assert_eq!(of("4111 1111 1111 111x"), Err(FormatError::ForeignCharacter));
    }

    #[test]
    fn telephone_numbers_keep_calling_code_and_leading_zeros() {
        let of = |text| template(SurrogateFormat::Phone, text);
        for (text, kept) in [
            ("+49 (0) 8360 161055", "+49 (0) ____ ______"),
            ("+49 8360/161055", "+49 ____/______"),
            ("0049.8360.161055", "0049.____.______"),
            ("00 352 1234567", "00 352 _______"),
            ("+12025550123", "+1__________"),
            ("(030) 123 456", "(0__) ___ ___"),
            ("6455681", "_______"),
            ("0 0491 23456-7", "0 049_ _____-_"),
        ] {
            assert_eq!(of(text).unwrap(), kept);
        }
        for text in ["+89 123456789", "+0 123456789", "00012345678", "+", "00 28 12345678"] {
            let refused = of(text).unwrap_err();
            assert_eq!(refused, FormatError::CallingCode, "{text}");
        }
        for text in ["+49 30 123", "+352 123456", "0 645568"] {
            assert_eq!(of(text), Err(FormatError::TooFew(7)), "9 × 10^5 are too few");
        }
        assert_eq!(of("0000000000"), Err(FormatError::CallingCode));
        assert_eq!(of("49+30 123456"), Err(FormatError::ForeignCharacter));
    }

    #[test]
    fn what_is_too_short_too_long_or_foreign_is_refused() {
        use SurrogateFormat::{Alphanumeric, Digits, UpperAlphanumeric};
        assert_eq!(template(Digits, "12-34.56/ ()").unwrap(), "__-__.__/ ()");
        assert_eq!(template(Alphanumeric, "Az-09").unwrap(), "__-__");
        assert_eq!(template(UpperAlphanumeric, "DE 01").unwrap(), "__ __");
        assert_eq!(template(Digits, "12345"), Err(FormatError::TooFew(6)));
        assert_eq!(template(Alphanumeric, "abc"), Err(FormatError::TooFew(4)));
        assert_eq!(template(UpperAlphanumeric, "ABC"), Err(FormatError::TooFew(4)));
        assert_eq!(template(UpperAlphanumeric, "ABCd"), Err(FormatError::ForeignCharacter));
        assert_eq!(template(Digits, "+123456"), Err(FormatError::ForeignCharacter));
        assert_eq!(template(Digits, "123_456"), Err(FormatError::ForeignCharacter));
        assert_eq!(template(Digits, "١٢٣٤٥٦"), Err(FormatError::ForeignCharacter));
        assert!(template(Digits, &"1".repeat(128)).is_ok());
        assert_eq!(template(Digits, &"1".repeat(129)), Err(FormatError::TooLong));
    }
}
