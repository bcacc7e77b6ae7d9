//! Values of fields with a technical name.
//!
//! It promises that a technical name outweighs what only may be personal, never what nothing else
//! looks like: a number plate is none of a status. It relies on the rules of personal values and on
//! what values of each kind of field look like.

use tresor_proto::InfoType;

use super::{Detection, by_value, labelled::labelled, not_personal, unknown};
use crate::{
    Evidence, Rule, Source,
    harmless::{harmless, technical},
    lexicon::Kind,
    proper_name::{holds_full_name, is_full_name, is_initialled},
    shape::{Certainty, Finding, Shape},
    validators::{date, grouped_card, imei, national_phone, social_security, spaced_plate},
};

/// The first year in which a record of a computer was made: what happened before is a birth.
const RECORD_YEAR_MIN: u16 = 1990;

/// What a value of a technical field is.
pub(super) fn technical_field(kind: Kind, word: &'static str, shape: &Shape<'_>) -> Detection {
    let text = shape.text();
    let shaped = || shape.shaped().filter(|finding| outweighs(kind, finding, text));
    if let Some(finding) = labelled(text).or_else(shaped) {
        return by_value(finding);
    }
    let fits = technical(kind, text).or_else(|| harmless(shape));
    let Some(description) = fits else {
        return unknown(text);
    };
    match name_of_somebody(kind, shape) {
        Some(finding) if is_certain(&finding) => by_value(finding),
        // It may be a status, it may be a name: nobody knows.
        Some(_) => unknown(text),
        None if may_be_somebody(kind, text) => unknown(text),
        None => not_personal(Source::FieldName, Evidence::Technical { word, kind: description }),
    }
}

/// Whether a finding says more than the field's name.
fn outweighs(kind: Kind, finding: &Finding, text: &str) -> bool {
    use InfoType as T;
    if finding.certainty == Certainty::Sure {
        // `10.20.30.40` is a version where one is expected.
        return !(kind == Kind::Version && finding.info_type == T::IpAddress && text.contains('.'));
    }
    match (finding.info_type, kind) {
        (T::DateOfBirth, Kind::Time) => is_before_records(text),
        (T::DateOfBirth, _) => true,
        // `AB-12-34` may be an order's number.
        (T::LicensePlateNumber | T::CreditCardNumber, kind) => kind != Kind::Identifier,
        (T::VehicleIdentificationNumber | T::MeterId, kind) => kind != Kind::Uuid,
        (T::PhoneNumber, Kind::Reading) => text.len() > 10,
        (T::LocationCoordinates, Kind::Version) => false,
        (_, _) => true,
    }
}

fn is_before_records(text: &str) -> bool {
    let year = date::moment(text).and_then(|moment| date::year_of_birth(moment, text));
    year.is_some_and(|year| year < RECORD_YEAR_MIN)
}

/// A name where one of a few short texts is expected.
fn name_of_somebody(kind: Kind, shape: &Shape<'_>) -> Option<Finding> {
    let is_word = matches!(kind, Kind::Enumeration | Kind::Identifier);
    is_word.then(|| shape.named()).flatten()
}

/// Whether a name has two signs that the lists both know.
fn is_certain(finding: &Finding) -> bool {
    let is_half_known = Rule::Named("name: known first name and a capitalised word");
    is_full_name(finding) && finding.rule != is_half_known
}

/// A telephone, pension or card number, a device's, a licence plate or a name, which a code or a short
/// text may look like, too.
fn may_be_somebody(kind: Kind, text: &str) -> bool {
    let may_be = matches!(kind, Kind::Identifier | Kind::Version | Kind::Enumeration);
    may_be
        && (is_phone(text)
            || holds_full_name(text)
            || is_initialled(text)
            || imei(text).is_some()
            || grouped_card(text).is_some()
            || social_security(text).is_some()
            || spaced_plate(text).is_some())
}

/// Whether a text is a telephone number with the zero of its area, whatever parts its groups.
fn is_phone(text: &str) -> bool {
    if !text.starts_with(['0', '(']) {
        return false;
    }
    let has_others = text.bytes().any(|b| matches!(b, b'.' | b'_'));
    let with_dashes = has_others.then(|| text.replace(['.', '_'], "-"));
    national_phone(with_dashes.as_deref().unwrap_or(text)).is_some()
}
