//! Numbers after a word that says what they are: `Steuer-ID: 86 095 742 719`.
//!
//! It promises that the word before a number is to a note what a field's name is to a record: its rule
//! has to hold, too. It relies on the lexicon of field names.

use tresor_proto::InfoType;

use super::{Form, Place, is_one_statement};
use crate::{
    Evidence,
    lexicon::{self, Kind, Sense},
    text::{Candidate, Rank, cues::Fold, prose::Prose, words::Form as Writing},
    validators::{Check, check},
};

/// How many words before a number are looked at, and how many make one expression.
const WORDS_MAX: usize = 3;

/// What the words before a number say it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Nothing,
    /// Of a type; the word that says it.
    Type(InfoType, &'static str),
    /// Nothing personal: an order, a version, a reading.
    Technical(Kind),
}

/// What the words before the word `index` say.
pub(super) fn told(prose: &Prose<'_>, index: usize) -> Told {
    let mut is_on_line = true;
    for distance in 1..=WORDS_MAX {
        let Some((last, next)) = index.checked_sub(distance).zip(prose.word(index + 1 - distance))
        else {
            return Told::Nothing;
        };
        if !is_one_statement(next.gap) {
            return Told::Nothing;
        }
        is_on_line &= !next.begins_line;
        match sense(prose, last) {
            Some((Sense::Type(info_type), word)) => return Told::Type(info_type, word),
            // The line before may end with anything.
            Some((Sense::Technical(_), _)) if !is_on_line => return Told::Nothing,
            Some((Sense::Technical(kind), _)) => return Told::Technical(kind),
            // `Nr.`, `lautet`, `is`: what was meant stands further to the front.
            Some((Sense::Number | Sense::Filler | Sense::Question | Sense::Name, _)) => {}
            None if prose.form(last) == Some(Writing::Small) => {}
            Some(_) | None => return Told::Nothing,
        }
    }
    Told::Nothing
}

/// The sense of the longest expression that ends with a word.
fn sense(prose: &Prose<'_>, last: usize) -> Option<(Sense, &'static str)> {
    let firsts = (last.saturating_sub(WORDS_MAX - 1)..=last).rev();
    let mut found = None;
    for first in firsts {
        let mut fold = Fold::default();
        (first..=last).try_for_each(|index| fold.append(prose.str(index)))?;
        if let Some(entry) = lexicon::lookup(fold.as_str()) {
            found = Some((entry.sense, entry.word));
        }
    }
    found.or_else(|| part(prose.str(last)))
}

/// The sense of the last part of a word with hyphens.
fn part(word: &str) -> Option<(Sense, &'static str)> {
    let (_, last) = word.rsplit_once('-')?;
    let entry = lexicon::lookup(Fold::of(last)?.as_str())?;
    Some((entry.sense, entry.word))
}

/// A number of the type that the words before it say.
pub(super) fn number(place: &Place<'_>) -> Option<Candidate> {
    let Told::Type(info_type, word) = place.told() else {
        return None;
    };
    if !is_numeric(info_type) {
        return None;
    }
    let held = |text: &str| match check(info_type, text) {
        Check::Holds(rule) => {
            let evidence = Evidence::WordBefore { word, rule };
            Some((text.len(), evidence))
        }
        Check::Fails | Check::Silent => None,
    };
    // A serial number goes on as long as one likes, so it ends with its word.
    let is_one_word = info_type == InfoType::MeterId;
    let whole = place.prose.str(place.index);
    let (length, evidence) = if is_one_word {
        held(whole).filter(|_| whole.len() > 5)?
    } else {
        place.texts(Form::Code, 4..=40).chain(place.texts(Form::Phone, 4..=32)).find_map(held)?
    };
    let (start, end) = (place.start, place.start + length);
    Some(Candidate { start, end, info_type, rank: Rank::Form, evidence })
}

/// Whether a type's values are numbers or codes that a word makes sure.
fn is_numeric(info_type: InfoType) -> bool {
    use InfoType as T;
    matches!(
        info_type,
        T::PhoneNumber
            | T::Postcode
            | T::SwiftCode
            | T::CreditCardNumber
            | T::BankAccount
            | T::GermanyTaxpayerIdentificationNumber
            | T::GermanySocialSecurity
            | T::GermanyHealthInsurance
            | T::GermanyIdentityCardNumber
            | T::GermanyPassport
            | T::GermanyDriversLicenseNumber
            | T::NetherlandsBsnNumber
            | T::FranceNir
            | T::UkNationalInsuranceNumber
            | T::UkNationalHealthServiceNumber
            | T::Passport
            | T::MeterId
            | T::LicensePlateNumber
            | T::VehicleIdentificationNumber
    )
}
