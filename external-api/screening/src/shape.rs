//! The shape of a value: one pass over its bytes that says which rules can hold at all.
//!
//! It promises at most three candidates, so that a value costs a few comparisons, not one for each
//! rule. It relies on values of interest being short; a longer one has no shape.

use tresor_proto::InfoType;

use crate::{Rule, proper_name::proper_name, validators};

/// Bytes of the longest value that is looked at: a URL.
pub(crate) const SHAPED_BYTES_MAX: usize = 2_048;

/// Bytes of the longest value that a rule other than those of URLs and e-mail addresses knows.
const SHORT_BYTES_MAX: usize = 64;

/// Classes of bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Other,
    Digit,
    Upper,
    Lower,
    Space,
    At,
    Dot,
    Comma,
    Colon,
    Dash,
    Slash,
    Plus,
    High,
}

impl Class {
    const fn of(byte: u8) -> Self {
        match byte {
            b'0'..=b'9' => Self::Digit,
            b'A'..=b'Z' => Self::Upper,
            b'a'..=b'z' => Self::Lower,
            b' ' => Self::Space,
            b'@' => Self::At,
            b'.' => Self::Dot,
            b',' | b';' => Self::Comma,
            b':' => Self::Colon,
            b'-' => Self::Dash,
            b'/' => Self::Slash,
            b'+' => Self::Plus,
            128..=255 => Self::High,
            _ => Self::Other,
        }
    }
}

/// As many counts side by side as a register has bytes; there are fewer classes.
const LANES: usize = 16;

/// For each byte a one in the lane of its class, so that all classes are counted by one addition.
static LANES_OF: [u128; 256] = lanes();

const fn lanes() -> [u128; 256] {
    let mut lanes = [0; 256];
    let mut byte = 0_u8;
    loop {
        lanes[byte as usize] = 1 << (8 * Class::of(byte) as u32);
        if byte == 255 {
            return lanes;
        }
        byte += 1;
    }
}

/// A value, and how many bytes of each class it has; of a long one, none.
#[derive(Clone, Copy)]
pub(crate) struct Shape<'a> {
    text: &'a str,
    counts: [u16; LANES],
}

/// What a value is, without a hint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) info_type: InfoType,
    pub(crate) rule: Rule,
    pub(crate) certainty: Certainty,
}

/// How telling a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Certainty {
    /// Nothing else looks like this.
    Sure,
    /// Other things can look like this: a technical field name speaks against it.
    Likely,
}

/// A text without space around it; one comparison at each end tells that most texts have none.
pub(crate) fn trimmed(text: &str) -> &str {
    let is_plain = |byte: Option<u8>| byte.is_some_and(|b| b.is_ascii_graphic());
    let is_trimmed = is_plain(text.bytes().next()) && is_plain(text.bytes().next_back());
    if is_trimmed { text } else { text.trim() }
}

/// A rule to ask.
type Candidate = fn(&str) -> Option<Finding>;

impl<'a> Shape<'a> {
    /// The shape of a value without space around it.
    pub(crate) fn of(text: &'a str) -> Self {
        let mut counts = [0; LANES];
        let bytes = if text.len() > SHAPED_BYTES_MAX { &[] } else { text.as_bytes() };
        // No lane overflows within a chunk, and 2,048 fits into a count.
        for chunk in bytes.chunks(usize::from(u8::MAX)) {
            let lanes = chunk.iter().fold(0, |lanes, byte| lanes + LANES_OF[usize::from(*byte)]);
            for (count, lane) in counts.iter_mut().zip(lanes.to_le_bytes()) {
                *count += u16::from(lane);
            }
        }
        Self { text, counts }
    }

    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    fn count(&self, class: Class) -> u16 {
        self.counts.get(class as usize).copied().unwrap_or_default()
    }

    pub(crate) fn digits(&self) -> u16 {
        self.count(Class::Digit)
    }

    fn letters(&self) -> u16 {
        self.count(Class::Upper) + self.count(Class::Lower) + self.count(Class::High)
    }

    /// What the value is, when it is unmistakably or probably personal, names included.
    pub(crate) fn finding(&self) -> Option<Finding> {
        self.shaped().or_else(|| self.named())
    }

    /// A name of a person, a town or a street: letters, and few digits.
    pub(crate) fn named(&self) -> Option<Finding> {
        let is_name = self.letters() >= 1 && self.letters() > self.digits();
        is_name.then(|| proper_name(self.text)).flatten()
    }

    /// What the value is by its form, when it is unmistakably or probably personal.
    pub(crate) fn shaped(&self) -> Option<Finding> {
        self.candidates().into_iter().flatten().find_map(|check| check(self.text))
    }

    fn candidates(&self) -> [Option<Candidate>; 3] {
        if self.count(Class::At) > 0 {
            return [Some(email), Some(url), None];
        }
        if self.text.starts_with("www.")
            || (self.count(Class::Slash) > 1 && self.count(Class::Colon) > 0)
        {
            return [Some(url), Some(ip), Some(birth)];
        }
        if self.text.len() > SHORT_BYTES_MAX {
            return [None; 3];
        }
        if self.count(Class::Colon) > 1 || (self.letters() > 0 && self.is_dotted_mac()) {
            return [Some(mac), Some(ip), Some(birth)];
        }
        match (self.digits(), self.letters()) {
            (0, _) => [None; 3],
            (_, 0) => self.digit_candidates(),
            (_, _) => self.mixed_candidates(),
        }
    }

    fn is_dotted_mac(&self) -> bool {
        self.text.len() == 14 && self.count(Class::Dot) == 2
    }

    /// Candidates of digits and signs.
    fn digit_candidates(&self) -> [Option<Candidate>; 3] {
        if self.text.starts_with('+') {
            return [Some(phone), None, None];
        }
        let (dots, dashes) = (self.count(Class::Dot), self.count(Class::Dash));
        match () {
            () if dots == 3 => [Some(ip), None, None],
            () if dots == 2 && self.count(Class::Comma) + self.count(Class::Space) > 0 => {
                [Some(geo), Some(birth), None]
            }
            () if dashes == 5 => [Some(mac), None, None],
            () if self.text.starts_with("00") => [Some(phone), Some(birth), None],
            () if self.digits() > 12 => [Some(card), Some(nir), Some(birth)],
            () if dots == 2 || dashes >= 2 || self.count(Class::Slash) == 2 => {
                [Some(birth), Some(mac), Some(plate)]
            }
            () => [None; 3],
        }
    }

    /// Candidates of letters and digits.
    fn mixed_candidates(&self) -> [Option<Candidate>; 3] {
        let spaces = usize::from(self.count(Class::Space));
        match self.text.len() - spaces {
            // An IBAN of Russia has 33 signs, like a metering location.
            33 => [Some(melo), Some(iban), None],
            9 if self.letters() == 3 && self.count(Class::Dash) == 0 => [Some(nino), None, None],
            14 => [Some(meter), None, None],
            17 => [Some(mac), Some(vin), Some(meter_or_iban)],
            15..=34 => [Some(iban), Some(birth), None],
            7 if spaces == 1 && self.count(Class::Upper) == 5 => [Some(plate), None, None],
            5..=12 if self.count(Class::Dash) > 0 => [Some(plate), None, None],
            _ => [None; 3],
        }
    }
}

fn found(info_type: InfoType, rule: Option<Rule>, certainty: Certainty) -> Option<Finding> {
    rule.map(|rule| Finding { info_type, rule, certainty })
}

fn email(text: &str) -> Option<Finding> {
    found(InfoType::EmailAddress, validators::email(text), Certainty::Sure)
}

fn url(text: &str) -> Option<Finding> {
    found(InfoType::Url, validators::url(text), Certainty::Sure)
}

fn ip(text: &str) -> Option<Finding> {
    found(InfoType::IpAddress, validators::ip(text), Certainty::Sure)
}

fn mac(text: &str) -> Option<Finding> {
    found(InfoType::MacAddress, validators::mac(text), Certainty::Sure)
}

fn iban(text: &str) -> Option<Finding> {
    found(InfoType::IbanCode, validators::iban(text), Certainty::Sure)
}

fn melo(text: &str) -> Option<Finding> {
    found(InfoType::MeterId, validators::melo(text), Certainty::Sure)
}

fn card(text: &str) -> Option<Finding> {
    let rule = validators::grouped_card(text);
    found(InfoType::CreditCardNumber, rule, Certainty::Likely)
}

fn vin(text: &str) -> Option<Finding> {
    let rule = validators::known_vin(text);
    found(InfoType::VehicleIdentificationNumber, rule, Certainty::Likely)
}

fn meter(text: &str) -> Option<Finding> {
    let rule = validators::distinct_meter(text);
    found(InfoType::MeterId, rule, Certainty::Likely)
}

fn meter_or_iban(text: &str) -> Option<Finding> {
    meter(text).or_else(|| iban(text))
}

fn plate(text: &str) -> Option<Finding> {
    let rule = validators::distinct_plate(text);
    found(InfoType::LicensePlateNumber, rule, Certainty::Likely)
}

fn nino(text: &str) -> Option<Finding> {
    let rule = validators::distinct_nino(text);
    found(InfoType::UkNationalInsuranceNumber, rule, Certainty::Likely)
}

fn nir(text: &str) -> Option<Finding> {
    let rule = validators::grouped_nir(text);
    found(InfoType::FranceNir, rule, Certainty::Likely)
}

fn phone(text: &str) -> Option<Finding> {
    let rule = validators::international_phone(text);
    found(InfoType::PhoneNumber, rule, Certainty::Likely)
}

fn geo(text: &str) -> Option<Finding> {
    let rule = validators::coordinates(text);
    found(InfoType::LocationCoordinates, rule, Certainty::Likely)
}

fn birth(text: &str) -> Option<Finding> {
    let rule = validators::birth_candidate(text);
    found(InfoType::DateOfBirth, rule, Certainty::Likely)
}
