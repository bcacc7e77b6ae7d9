use zeroize::Zeroizing;

use crate::{Secret, vault};

const ID_BYTES: usize = 12;
const SECRET_BYTES: usize = 32;
const ID_DIGITS: usize = 17;
const SECRET_DIGITS: usize = 43;
const CRC_DIGITS: usize = 6;
/// `trs` + kind + `_` + id + `_` + secret + crc.
const TEXT_BYTES: usize = 4 + 1 + ID_DIGITS + 1 + SECRET_DIGITS + CRC_DIGITS;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The customer's key: 256 random bits with an id, shown once, never stored by the vault.
///
/// Text form: `trs<kind>_<id: 17 base62>_<secret: 43 base62><crc: 6 base62>`; digits `0-9A-Za-z`,
/// big-endian, zero-padded, only the canonical form accepted; the crc is CRC-32 (IEEE) of
/// everything before it, so that typing errors and leaks are found offline.
pub struct CustomerToken {
    kind: CustomerTokenKind,
    id: CustomerTokenId,
    secret: Secret<SECRET_BYTES>,
}

/// The id of a customer token, 12 bytes; not a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CustomerTokenId([u8; ID_BYTES]);

/// What a customer token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CustomerTokenKind {
    /// Reads and writes.
    ReadWrite,
    /// Writes only.
    WriteOnly,
    /// A grant to a third party.
    Grant,
    /// Manages tokens.
    Admin,
    /// Kept offline; can only issue a new token.
    Recovery,
}

impl CustomerToken {
    /// Puts a token together.
    #[must_use]
    pub fn new(kind: CustomerTokenKind, id: CustomerTokenId, secret: Secret<32>) -> Self {
        Self { kind, id, secret }
    }

    /// Parses the canonical text form; `None` for anything else, without saying what is wrong.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() != TEXT_BYTES || !text.is_ascii() {
            return None;
        }
        let (body, crc) = text.split_at(TEXT_BYTES - CRC_DIGITS);
        if from_base62(crc)? != crc32fast::hash(body.as_bytes()).to_be_bytes() {
            return None;
        }
        let (prefix, rest) = body.split_at(4);
        let kind = prefix.strip_prefix("trs").and_then(|k| k.bytes().next())?;
        let (id, secret) = rest.strip_prefix('_')?.split_once('_')?;
        if id.len() != ID_DIGITS || secret.len() != SECRET_DIGITS {
            return None;
        }
        Some(Self {
            kind: CustomerTokenKind::from_letter(kind)?,
            id: CustomerTokenId(from_base62(id)?),
            secret: Secret::try_fill(|bytes| read_base62(secret, bytes).ok_or(())).ok()?,
        })
    }

    /// The text form, for the one moment it is shown.
    #[must_use]
    pub fn expose_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(TEXT_BYTES));
        text.push_str("trs");
        text.push(char::from(self.kind.letter()));
        text.push('_');
        push_base62(&mut text, &self.id.0, ID_DIGITS);
        text.push('_');
        push_base62(&mut text, self.secret.expose_secret(), SECRET_DIGITS);
        let crc = crc32fast::hash(text.as_bytes());
        push_base62(&mut text, &crc.to_be_bytes(), CRC_DIGITS);
        text
    }

    /// What it is for.
    #[must_use]
    pub fn kind(&self) -> CustomerTokenKind {
        self.kind
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> CustomerTokenId {
        self.id
    }

    /// The secret bytes.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8; SECRET_BYTES] {
        self.secret.expose_secret()
    }
}

impl core::fmt::Debug for CustomerToken {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("CustomerToken")
    }
}

impl CustomerTokenId {
    /// An id from its 12 bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; ID_BYTES]) -> Self {
        Self(bytes)
    }

    /// Parses the text form; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == ID_DIGITS).then(|| from_base62(text))?.map(Self)
    }

    /// Its 12 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; ID_BYTES] {
        &self.0
    }
}

impl core::fmt::Display for CustomerTokenId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut text = String::with_capacity(ID_DIGITS);
        push_base62(&mut text, &self.0, ID_DIGITS);
        f.write_str(&text)
    }
}

impl CustomerTokenKind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 5] =
        [Self::ReadWrite, Self::WriteOnly, Self::Grant, Self::Admin, Self::Recovery];

    /// Its name, `snake_case`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadWrite => "read_write",
            Self::WriteOnly => "write_only",
            Self::Grant => "grant",
            Self::Admin => "admin",
            Self::Recovery => "recovery",
        }
    }

    /// The kind of a name; `None` for an unknown one.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Reads the wire's enumeration; `None` when not given.
    #[must_use]
    pub fn from_wire(kind: vault::CustomerTokenKind) -> Option<Self> {
        match kind {
            vault::CustomerTokenKind::Unspecified => None,
            vault::CustomerTokenKind::ReadWrite => Some(Self::ReadWrite),
            vault::CustomerTokenKind::WriteOnly => Some(Self::WriteOnly),
            vault::CustomerTokenKind::Grant => Some(Self::Grant),
            vault::CustomerTokenKind::Admin => Some(Self::Admin),
            vault::CustomerTokenKind::Recovery => Some(Self::Recovery),
        }
    }

    /// Its letter in the text form.
    #[must_use]
    pub fn letter(self) -> u8 {
        match self {
            Self::ReadWrite => b'r',
            Self::WriteOnly => b'w',
            Self::Grant => b'g',
            Self::Admin => b'a',
            Self::Recovery => b'x',
        }
    }

    /// The kind of a letter; `None` for an unknown one.
    #[must_use]
    pub fn from_letter(letter: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.letter() == letter)
    }
}

impl From<CustomerTokenKind> for vault::CustomerTokenKind {
    fn from(kind: CustomerTokenKind) -> Self {
        match kind {
            CustomerTokenKind::ReadWrite => Self::ReadWrite,
            CustomerTokenKind::WriteOnly => Self::WriteOnly,
            CustomerTokenKind::Grant => Self::Grant,
            CustomerTokenKind::Admin => Self::Admin,
            CustomerTokenKind::Recovery => Self::Recovery,
        }
    }
}

/// Appends `bytes` as a big-endian number in `digits` base-62 digits.
fn push_base62(text: &mut String, bytes: &[u8], digits: usize) {
    let mut number = Zeroizing::new(bytes.to_vec());
    let mut reversed = Zeroizing::new(Vec::with_capacity(digits));
    for _ in 0..digits {
        let mut remainder = 0u16;
        for byte in number.iter_mut() {
            let value = remainder << 8 | u16::from(*byte);
            *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
            remainder = value % 62;
        }
        reversed.push(ALPHABET[usize::from(remainder)]);
    }
    text.extend(reversed.iter().rev().copied().map(char::from));
}

/// Reads a big-endian base-62 number of `N` bytes that are no secret.
fn from_base62<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let mut number = [0; N];
    read_base62(digits, &mut number)?;
    Some(number)
}

/// Reads a big-endian base-62 number in the place where it is to be, so that no copy of a secret
/// is left elsewhere; `None` when a digit is foreign or it overflows.
fn read_base62(digits: &str, number: &mut [u8]) -> Option<()> {
    number.fill(0);
    for digit in digits.bytes() {
        let mut carry = u16::try_from(ALPHABET.iter().position(|&d| d == digit)?).ok()?;
        for byte in number.iter_mut().rev() {
            let value = u16::from(*byte) * 62 + carry;
            [_, *byte] = value.to_be_bytes();
            carry = value >> 8;
        }
        if carry != 0 {
            return None;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token(id: [u8; 12], secret: [u8; 32]) -> CustomerToken {
        let secret = Secret::from_slice(&secret).unwrap();
        CustomerToken::new(CustomerTokenKind::ReadWrite, CustomerTokenId(id), secret)
    }

    proptest! {
        #[test]
        fn the_text_form_survives_the_round_trip(id: [u8; 12], secret: [u8; 32]) {
            let text = token(id, secret).expose_text();
            let parsed = CustomerToken::parse(&text).unwrap();
            prop_assert_eq!(parsed.id(), CustomerTokenId(id));
            prop_assert_eq!(parsed.expose_secret(), &secret);
            prop_assert_eq!(parsed.kind(), CustomerTokenKind::ReadWrite);
        }

        #[test]
        fn any_other_character_is_refused(at in 0..TEXT_BYTES, letter in "[ -~]") {
            let text = token([7; 12], [9; 32]).expose_text();
            let mut typo = text.to_string();
            typo.replace_range(at..=at, &letter);
            prop_assert!(typo == *text || CustomerToken::parse(&typo).is_none());
        }
    }

    #[test]
    fn an_id_is_read_in_its_one_form() {
        let id = CustomerTokenId([0xA5; 12]);
        assert_eq!(CustomerTokenId::parse(&id.to_string()), Some(id));
        for text in ["", "14fhprYCYlTyUewF", "014fhprYCYlTyUewFx", "14fhprYCYlTyUewF:"] {
            assert_eq!(CustomerTokenId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn kinds_have_one_name_everywhere() {
        for kind in CustomerTokenKind::ALL {
            let wire = vault::CustomerTokenKind::from(kind);
            let name = format!("CUSTOMER_TOKEN_KIND_{}", kind.as_str().to_uppercase());
            assert_eq!(wire.as_str_name(), name);
            assert_eq!(CustomerTokenKind::from_wire(wire), Some(kind));
            assert_eq!(CustomerTokenKind::from_text(kind.as_str()), Some(kind));
        }
    }

    #[test]
    fn a_number_beyond_its_bytes_is_refused() {
        assert!(from_base62::<12>(&"z".repeat(17)).is_none());
        assert!(from_base62::<4>("zzzzzz").is_none());
    }

    #[test]
    fn debug_shows_the_name_only() {
        assert_eq!(format!("{:?}", token([7; 12], [9; 32])), "CustomerToken");
    }

    /// Golden vector: the text form is frozen.
    #[test]
    fn the_text_form_is_frozen() {
        let text = token([0xA5; 12], [0x3C; 32]).expose_text();
        assert_eq!(
            text.as_str(),
            "trsr_14fhprYCYlTyUewFx_EHaKB2qyjGii2QpQPwpQat5bqPfpaJ2HRtLYCZ2jm4i4ORhGB"
        );
    }
}
