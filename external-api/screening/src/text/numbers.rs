//! Decides what a value with a form is: which of the ends that are possible is the one, and whether
//! the validators agree.
//!
//! It promises the surest reading: a checksum before a form, a word before it that says what it is
//! before a guess. It relies on the automaton for the ends and on the validators for everything else.

mod cued;
mod phone;

use core::ops::RangeInclusive;

use tresor_proto::InfoType;

use super::{
    Candidate, Rank,
    prose::Prose,
    shapes::Ends,
    words::{Form as Writing, Gap},
};
use crate::{Evidence, Rule, lexicon::Kind, validators};
use cued::Told;

/// The forms, in the order of the patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Form {
    Email,
    Url,
    Groups,
    Ipv4,
    Iban,
    Coordinates,
    Card,
    Phone,
    Plate,
    Code,
}

/// How many forms there are.
pub(super) const FORMS: usize = Form::Code as usize + 1;

/// A place where a value may begin.
pub(super) struct Place<'a> {
    pub(super) prose: &'a Prose<'a>,
    /// The word it begins with.
    pub(super) index: usize,
    /// The byte it begins with: perhaps a sign before that word.
    pub(super) start: usize,
    pub(super) ends: &'a Ends,
}

/// A rule that reads a place; the first that finds something decides.
type Reading = fn(&Place<'_>) -> Option<Candidate>;

const READINGS: [Reading; 10] = [
    email,
    url,
    iban,
    network,
    code,
    government,
    cued::number,
    coordinates,
    phone::number,
    card_or_plate,
];

/// What the value at a place is.
pub(super) fn decide(place: &Place<'_>) -> Option<Candidate> {
    READINGS.into_iter().find_map(|reading| reading(place))
}

impl<'a> Place<'a> {
    fn slice(&self, length: usize) -> &'a str {
        self.prose.slice(self.start, self.start + length)
    }

    /// The texts of a form and a length that end where a word does, the longest first.
    fn texts(&self, form: Form, bytes: RangeInclusive<u32>) -> impl Iterator<Item = &'a str> {
        let texts = self.ends.lengths(form, bytes).map(|length| self.slice(length));
        texts.filter(|text| !text.is_empty() && self.is_border(self.start + text.len()))
    }

    /// Whether a value may end here: no letter or digit follows, nor a decimal.
    fn is_border(&self, end: usize) -> bool {
        let rest = self.prose.text().get(end..).unwrap_or_default();
        let mut chars = rest.chars();
        match (chars.next(), chars.next()) {
            (Some('.' | ':'), Some(digit)) => !digit.is_ascii_digit(),
            (Some(c), _) => !c.is_alphanumeric(),
            (None, _) => true,
        }
    }

    fn candidate(&self, text: &str, info_type: InfoType, rank: Rank, rule: Rule) -> Candidate {
        let (start, end) = (self.start, self.start + text.len());
        Candidate { start, end, info_type, rank, evidence: Evidence::Value { rule } }
    }

    /// The first text of a form of which a rule holds.
    fn first(
        &self,
        form: Form,
        (info_type, rank): (InfoType, Rank),
        rule: fn(&str) -> Option<Rule>,
    ) -> Option<Candidate> {
        let held =
            |text: &'a str| rule(text).map(|rule| self.candidate(text, info_type, rank, rule));
        self.texts(form, bytes(info_type)).find_map(held)
    }

    /// What the words before the value say it is.
    fn told(&self) -> Told {
        cued::told(self.prose, self.index)
    }
}

/// Bytes of the shortest and the longest writing of a type.
fn bytes(info_type: InfoType) -> RangeInclusive<u32> {
    match () {
        () if info_type == InfoType::CreditCardNumber => 13..=23,
        () if info_type == InfoType::GermanySocialSecurity => 12..=15,
        () if info_type == InfoType::UkNationalInsuranceNumber => 9..=13,
        () if info_type == InfoType::FranceNir => 15..=21,
        () if info_type == InfoType::IbanCode => 15..=42,
        () if info_type == InfoType::LicensePlateNumber => 5..=11,
        () if info_type == InfoType::MacAddress => 17..=17,
        () if info_type == InfoType::IpAddress => 2..=45,
        () => 2..=63,
    }
}

fn email(place: &Place<'_>) -> Option<Candidate> {
    let text = place.slice(place.ends.longest(Form::Email)?);
    let written_out = Rule::Named("email: its sign written out");
    let is_plain = !text.contains(['(', '[']);
    let rule = if is_plain { validators::email(text)? } else { written_out };
    Some(place.candidate(text, InfoType::EmailAddress, Rank::Sure, rule))
}

fn url(place: &Place<'_>) -> Option<Candidate> {
    let text = place.slice(place.ends.longest(Form::Url)?);
    // The end of a sentence or of a bracket is not of the address.
    let text = text.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '\'', '>']);
    let rule = validators::url(text).unwrap_or(Rule::Named("url: begins with www"));
    Some(place.candidate(text, InfoType::Url, Rank::Sure, rule))
}

fn iban(place: &Place<'_>) -> Option<Candidate> {
    place.first(Form::Iban, (InfoType::IbanCode, Rank::Sure), validators::iban)
}

fn network(place: &Place<'_>) -> Option<Candidate> {
    let mac = place.first(Form::Groups, (InfoType::MacAddress, Rank::Sure), validators::mac);
    let ip = || place.first(Form::Groups, (InfoType::IpAddress, Rank::Sure), validators::ip);
    let ipv4 = || place.first(Form::Ipv4, (InfoType::IpAddress, Rank::Form), validators::ip);
    // Four numbers after `Firmware` are its version.
    let ipv4 = || ipv4().filter(|_| place.told() != Told::Technical(Kind::Version));
    mac.or_else(ip).or_else(ipv4)
}

/// A code that is one word: what it is shows in its length.
fn code(place: &Place<'_>) -> Option<Candidate> {
    let word = place.prose.word(place.index)?;
    if word.start != place.start || word.form != Writing::Mixed {
        return None;
    }
    let text = place.prose.str(place.index);
    let meter = |rule| place.candidate(text, InfoType::MeterId, Rank::Form, rule);
    match text.len() {
        33 => validators::melo(text).map(meter),
        14 => validators::distinct_meter(text).map(meter),
        17 => validators::distinct_meter(text).map(meter).or_else(|| {
            let rule = validators::known_vin(text)?;
            let info_type = InfoType::VehicleIdentificationNumber;
            Some(place.candidate(text, info_type, Rank::Form, rule))
        }),
        _ => None,
    }
}

/// Numbers of persons whose form says enough together with their check digit.
fn government(place: &Place<'_>) -> Option<Candidate> {
    let pension = InfoType::GermanySocialSecurity;
    let british = InfoType::UkNationalInsuranceNumber;
    place.first(Form::Code, (pension, Rank::Form), validators::social_security).or_else(|| {
        place.first(Form::Code, (british, Rank::Form), |text| {
            // Without its last letter it is any code.
            validators::nino(text).filter(|_| text.ends_with(|c: char| c.is_ascii_uppercase()))
        })
    })
}

fn coordinates(place: &Place<'_>) -> Option<Candidate> {
    let info_type = InfoType::LocationCoordinates;
    place.first(Form::Coordinates, (info_type, Rank::Form), validators::coordinates)
}

fn card_or_plate(place: &Place<'_>) -> Option<Candidate> {
    let card = InfoType::CreditCardNumber;
    let french = || {
        place.first(Form::Code, (InfoType::FranceNir, Rank::Form), |text| {
            validators::nir(text).filter(|_| text.contains(' '))
        })
    };
    let plate =
        || place.first(Form::Plate, (InfoType::LicensePlateNumber, Rank::Form), written_plate);
    let found = place.first(Form::Card, (card, Rank::Sure), validators::grouped_card);
    found.or_else(french).or_else(plate).filter(|_| !matches!(place.told(), Told::Technical(_)))
}

/// A licence plate as people write it: `M-AB 1234`, `AB12 CDE`; shorter ones are too much like
/// `USB-C 3`.
fn written_plate(text: &str) -> Option<Rule> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let has_dash_or_space = text.contains(['-', ' ']);
    validators::distinct_plate(text)
        .filter(|_| !text.contains(' '))
        .or_else(|| validators::plate(text).filter(|_| digits >= 2 && has_dash_or_space))
}

/// Whether words up to here may belong to one statement.
fn is_one_statement(gap: Gap) -> bool {
    !gap.has(Gap::LINE.and(Gap::STOP))
}
