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
#[repr(u8)]
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

const CLASSES: usize = Class::High as usize + 1;

/// The class of each byte.
static CLASS_OF: [Class; 256] = classes();

const fn classes() -> [Class; 256] {
    let mut classes = [Class::Other; 256];
    let mut byte = 0_u8;
    loop {
        classes[byte as usize] = match byte {
            b'0'..=b'9' => Class::Digit,
            b'A'..=b'Z' => Class::Upper,
            b'a'..=b'z' => Class::Lower,
            b' ' => Class::Space,
            b'@' => Class::At,
            b'.' => Class::Dot,
            b',' | b';' => Class::Comma,
            b':' => Class::Colon,
            b'-' => Class::Dash,
            b'/' => Class::Slash,
            b'+' => Class::Plus,
            128..=255 => Class::High,
            _ => Class::Other,
        };
        if byte == 255 {
            return classes;
        }
        byte += 1;
    }
}

/// How many bytes of each class a value has.
pub(crate) struct Shape {
    counts: [u16; CLASSES],
    length: usize,
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

impl Shape {
    /// The shape of a value; `None` for an empty or long one.
    pub(crate) fn of(text: &str) -> Option<Self> {
        if text.is_empty() || text.len() > SHAPED_BYTES_MAX {
            return None;
        }
        let mut counts = [0_u16; CLASSES];
        for byte in text.bytes() {
            // A class is always below CLASSES, and 2,048 fits.
            if let Some(count) = counts.get_mut(CLASS_OF[usize::from(byte)] as usize) {
                *count += 1;
            }
        }
        let length = text.len();
        Some(Self { counts, length })
    }

    fn count(&self, class: Class) -> u16 {
        self.counts.get(class as usize).copied().unwrap_or_default()
    }

    fn letters(&self) -> u16 {
        self.count(Class::Upper) + self.count(Class::Lower) + self.count(Class::High)
    }

    /// What the value is, when it is unmistakably or probably personal, names included.
    pub(crate) fn finding(&self, text: &str) -> Option<Finding> {
        self.shaped(text).or_else(|| self.named(text))
    }

    /// A name of a person, a town or a street: letters, and few digits.
    pub(crate) fn named(&self, text: &str) -> Option<Finding> {
        let is_name = self.letters() >= 1 && self.letters() > self.count(Class::Digit);
        is_name.then(|| proper_name(text)).flatten()
    }

    /// What the value is by its form, when it is unmistakably or probably personal.
    pub(crate) fn shaped(&self, text: &str) -> Option<Finding> {
        let candidates = self.candidates(text);
        candidates.into_iter().flatten().find_map(|check| check(text))
    }

    fn candidates(&self, text: &str) -> [Option<Candidate>; 3] {
        if self.count(Class::At) > 0 {
            return [Some(email), Some(url), None];
        }
        if text.starts_with("www.")
            || (self.count(Class::Slash) > 1 && self.count(Class::Colon) > 0)
        {
            return [Some(url), Some(ip), None];
        }
        if self.length > SHORT_BYTES_MAX {
            return [None; 3];
        }
        if self.count(Class::Colon) > 1 || (self.letters() > 0 && self.is_dotted_mac()) {
            return [Some(mac), Some(ip), Some(birth)];
        }
        match (self.count(Class::Digit), self.letters()) {
            (0, _) => [None; 3],
            (_, 0) => self.digit_candidates(text),
            (_, _) => self.mixed_candidates(),
        }
    }

    fn is_dotted_mac(&self) -> bool {
        self.length == 14 && self.count(Class::Dot) == 2
    }

    /// Candidates of digits and signs.
    fn digit_candidates(&self, text: &str) -> [Option<Candidate>; 3] {
        if text.starts_with('+') {
            return [Some(phone), None, None];
        }
        let (dots, dashes) = (self.count(Class::Dot), self.count(Class::Dash));
        match () {
            () if dots == 3 => [Some(ip), None, None],
            () if dots == 2 && self.count(Class::Comma) + self.count(Class::Space) > 0 => {
                [Some(geo), Some(birth), None]
            }
            () if dashes == 5 => [Some(mac), None, None],
            () if text.starts_with("00") => [Some(phone), Some(birth), None],
            () if self.count(Class::Digit) > 12 => [Some(card), Some(nir), Some(birth)],
            () if dots == 2 || dashes >= 2 || self.count(Class::Slash) == 2 => {
                [Some(birth), Some(mac), Some(plate)]
            }
            () => [None; 3],
        }
    }

    /// Candidates of letters and digits.
    fn mixed_candidates(&self) -> [Option<Candidate>; 3] {
        let spaces = usize::from(self.count(Class::Space));
        match self.length - spaces {
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
