/// A check digit that values of a custom info type end in, or a checksum over the whole of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Checksum {
    /// ISO/IEC 7812-1 annex B, over the digits.
    Luhn,
    /// The GS1 check digit, over the digits.
    Gs1,
    /// ISO 7064 mod 11,10, over the digits.
    Mod11,
    /// ISO 7064 mod 97-10, over letters and digits.
    Mod97,
    /// The same behind the first four characters, as IBANs have it.
    Iban,
    /// ICAO 9303, over letters and digits.
    Icao,
}

impl Checksum {
    /// All checksums.
    pub const ALL: [Self; 6] =
        [Self::Luhn, Self::Gs1, Self::Mod11, Self::Mod97, Self::Iban, Self::Icao];

    /// Their names, as a message lists them.
    pub const NAMES: &str = "luhn, gs1, mod11-10, mod97-10, iban, icao";

    /// Its name in policies.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Luhn => "luhn",
            Self::Gs1 => "gs1",
            Self::Mod11 => "mod11-10",
            Self::Mod97 => "mod97-10",
            Self::Iban => "iban",
            Self::Icao => "icao",
        }
    }

    /// The checksum of a name; `None` for an unknown one.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|checksum| checksum.as_str() == text)
    }

    /// Whether random values pass it one in a hundred times, and not one in ten.
    #[must_use]
    pub fn is_strong(self) -> bool {
        matches!(self, Self::Mod97 | Self::Iban)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_that_a_message_lists_are_those_there_are() {
        assert_eq!(Checksum::ALL.map(Checksum::as_str).join(", "), Checksum::NAMES);
        for checksum in Checksum::ALL {
            assert_eq!(Checksum::from_text(checksum.as_str()), Some(checksum));
        }
        assert_eq!(Checksum::from_text("LUHN"), None);
    }
}
