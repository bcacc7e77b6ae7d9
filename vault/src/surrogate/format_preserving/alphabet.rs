//! The characters that are hidden, as numerals of a radix.

use tresor_proto::SurrogateFormat;

/// Domains have at least so many values: those of FF1 (SP 800-38G, revision 1, §5.2), and those that
/// a format really has.
const DOMAIN_MIN: u32 = 1_000_000;
/// `0-9A-Za-z`; the shorter alphabets begin it.
const CHARACTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The first characters of [`CHARACTERS`], as many as the radix.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alphabet {
    radix: u8,
    /// How many of them may come first.
    first: u8,
}

impl Alphabet {
    /// The alphabet of a format.
    pub(super) fn of(format: SurrogateFormat) -> Self {
        let (radix, first) = match format {
            SurrogateFormat::Card | SurrogateFormat::Digits => (10, 10),
            // A zero before the number is kept.
            SurrogateFormat::Phone => (10, 9),
            SurrogateFormat::Alphanumeric => (62, 62),
            SurrogateFormat::UpperAlphanumeric => (36, 36),
        };
        Self { radix, first }
    }

    /// How many characters it has.
    pub(super) fn radix(self) -> u32 {
        u32::from(self.radix)
    }

    /// The fewest characters that have 10^6 values.
    pub(super) fn characters_min(self) -> usize {
        let mut domain = u32::from(self.first);
        let mut characters = 1;
        while domain < DOMAIN_MIN {
            domain *= self.radix();
            characters += 1;
        }
        characters
    }

    /// The numeral of a character; `None` for a foreign one.
    pub(super) fn numeral(self, character: u8) -> Option<u16> {
        let numeral = match character {
            b'0'..=b'9' => character - b'0',
            b'A'..=b'Z' => character - b'A' + 10,
            b'a'..=b'z' => character - b'a' + 36,
            _ => return None,
        };
        (numeral < self.radix).then(|| u16::from(numeral))
    }

    /// The character of a numeral.
    pub(super) fn character(numeral: u16) -> char {
        CHARACTERS
            .get(usize::from(numeral))
            .copied()
            .map_or(char::REPLACEMENT_CHARACTER, char::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numerals_and_characters_agree() {
        for format in SurrogateFormat::ALL {
            let alphabet = Alphabet::of(format);
            let all: Vec<_> = (0..=u8::MAX).filter(|c| alphabet.numeral(*c).is_some()).collect();
            assert_eq!(u32::try_from(all.len()).unwrap(), alphabet.radix());
            for character in all {
                let numeral = alphabet.numeral(character).unwrap();
                assert_eq!(Alphabet::character(numeral), char::from(character));
            }
        }
    }

    #[test]
    fn no_domain_has_fewer_than_a_million_values() {
        let least = SurrogateFormat::ALL.map(|format| Alphabet::of(format).characters_min());
        assert_eq!(least, [6, 7, 6, 4, 4]);
    }
}
