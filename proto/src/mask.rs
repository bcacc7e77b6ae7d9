//! Masks: as much of a value as its reader may see without opening it to the full.
//!
//! A mask keeps what helps to tell records apart (initials, a domain, the last digits) and hides
//! the rest behind a fixed number of dots, so that it tells nothing of the length. What a mask does
//! not understand is hidden whole. It relies on the info type, or on the mask that a policy gives
//! the field.

use std::net::IpAddr;

use crate::{Content, ContentType, DataClass, InfoType, Mask};

/// What stands in the place of what is hidden.
pub const MASK_DOTS: &str = "•••";
const DOTS: &str = MASK_DOTS;

/// The mask of a value: the field's own, or that of its info type. A value without a text or of
/// an unknown type is dots only.
#[must_use]
pub fn mask(info_type: Option<InfoType>, own: Option<Mask>, content: &Content) -> Content {
    let shown = content.as_text().and_then(|text| mask_text(info_type, own, text));
    let mask = shown.map(|shown| Content::new(ContentType::Text, shown.into_bytes()));
    mask.and_then(Result::ok).unwrap_or_else(dots)
}

/// The mask of a text; `None` for dots only.
#[must_use]
pub fn mask_text(info_type: Option<InfoType>, own: Option<Mask>, text: &str) -> Option<String> {
    let shown = match own {
        Some(mask) => ends(text, mask.keep_first().into(), mask.keep_last().into()),
        None => of_type(info_type?, text),
    };
    // A name that is initials already is not shown whole.
    shown.filter(|shown| shown != text)
}

/// A mask that shows of a value of an info type no more than either of two: one of them where it does,
/// else what both show at the ends, or nothing.
#[must_use]
pub fn narrower_mask(
    info_type: InfoType,
    [one, other]: [Option<Mask>; 2],
    content: &Content,
) -> Option<Mask> {
    let ends = |own: Option<Mask>| {
        let text = content.as_text().unwrap_or_default();
        let shows_ends = own.is_some() || shows_ends(info_type, text);
        let shown = shows_ends.then(|| mask(Some(info_type), own, content))?;
        ends_shown(shown.as_text()?, text)
    };
    let (ends_of_one, ends_of_other) = (ends(one), ends(other));
    let both = ends_of_one.zip(ends_of_other);
    let both = both.map(|(one, other)| (one.0.min(other.0), one.1.min(other.1)));
    if one == other || (both.is_some() && both == ends_of_one) {
        return one;
    }
    if both.is_some() && both == ends_of_other {
        return other;
    }
    let kept = |count| u8::try_from(count).unwrap_or(u8::MAX);
    let mask = both.and_then(|(first, last)| Mask::new(kept(first), kept(last)).ok());
    Some(mask.unwrap_or(Mask::NOTHING))
}

/// Whether the mask of an info type shows the beginning and the end of a text, if it shows anything:
/// what is shown of another one's middle may read like its beginning, as of `52.13, 13.4` the `52, 13`.
fn shows_ends(info_type: InfoType, text: &str) -> bool {
    use InfoType as T;
    let is_name = matches!(info_type, T::PersonName | T::FirstName | T::LastName);
    let is_of_parts = matches!(info_type, T::DateOfBirth | T::LocationCoordinates | T::IpAddress);
    !is_of_parts && (!is_name || words(text).count() <= 1)
}

/// How many letters and digits a mask of a text shows at its beginning and at its end; `None` when it
/// shows others.
fn ends_shown(shown: &str, text: &str) -> Option<(usize, usize)> {
    fn kept(part: &str) -> impl DoubleEndedIterator<Item = char> {
        part.chars().filter(|c| c.is_alphanumeric())
    }
    let (first, last) = shown.split_once(DOTS).unwrap_or((shown, ""));
    let (first_count, last_count) = (kept(first).count(), kept(last).count());
    let is_first = kept(text).take(first_count).eq(kept(first));
    let is_last = kept(text).rev().take(last_count).eq(kept(last).rev());
    (is_first && is_last).then_some((first_count, last_count))
}

#[allow(clippy::expect_used, reason = "three dots are below every limit")]
fn dots() -> Content {
    Content::text(DOTS).expect("three dots")
}

/// What is shown of a value of an info type; `None` for dots only.
///
/// Types of few values have no mask: any part of them would be the value.
fn of_type(info_type: InfoType, text: &str) -> Option<String> {
    use InfoType as T;
    match info_type {
        T::PersonName | T::FirstName | T::LastName => initials(text),
        T::DateOfBirth => year(text),
        T::EmailAddress => email(text),
        // No more than the mask of a name: many a name is typed where a street or a town belongs.
        T::StreetAddress | T::Street | T::City | T::Username => ends(text, 1, 0),
        T::Postcode => number(text, 2, 0),
        T::LocationCoordinates => whole_degrees(text),
        T::IbanCode => number(text, 2, 4),
        T::SwiftCode => bank(text),
        T::CreditCardNumber
        | T::PhoneNumber
        | T::BankAccount
        | T::MeterId
        | T::VehicleIdentificationNumber
        | T::DeviceId
        | T::CookieId => number(text, 0, 4),
        T::GermanyTaxpayerIdentificationNumber
        | T::GermanySocialSecurity
        | T::GermanyIdentityCardNumber
        | T::GermanyPassport
        | T::GermanyDriversLicenseNumber
        | T::NetherlandsBsnNumber
        | T::FranceNir
        | T::UkNationalInsuranceNumber
        | T::Passport
        | T::GermanyHealthInsurance
        | T::UkNationalHealthServiceNumber => number(text, 0, 2),
        T::IpAddress => network(text),
        T::MacAddress => maker(text),
        T::LicensePlateNumber => district(text),
        T::Title
        | T::Gender
        | T::Age
        | T::Nationality
        | T::Url
        | T::HouseNumber
        | T::MedicalTerm
        | T::FreeText => None,
        T::Custom(custom) => of_class(custom.class(), text),
    }
}

/// What is shown of a value of a custom info type, unless its definition says so: of numbers as much as
/// of those that states give, of what may be a name, a place or a text nothing.
fn of_class(class: DataClass, text: &str) -> Option<String> {
    match class {
        DataClass::Identity | DataClass::Contact | DataClass::Location | DataClass::FreeText => {
            None
        }
        DataClass::Financial
        | DataClass::GovernmentId
        | DataClass::Health
        | DataClass::OnlineId
        | DataClass::Device
        | DataClass::Other => number(text, 0, 2),
    }
}

/// `Anna-Lena Maier` → `A. M.`
fn initials(text: &str) -> Option<String> {
    let initial = |word: &str| word.chars().next().map(|letter| format!("{letter}."));
    let initials: Vec<_> = words(text).take(4).filter_map(initial).collect();
    (!initials.is_empty()).then(|| initials.join(" "))
}

/// The words of a name.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty())
}

/// `1959-10-04` → `1959•••`
fn year(text: &str) -> Option<String> {
    let numbers = text.split(|c: char| !c.is_ascii_digit());
    let mut years = numbers.filter(|number| number.len() == 4);
    let year = years.next().filter(|_| years.next().is_none() && text.len() > 4)?;
    Some(format!("{year}{DOTS}"))
}

/// `anna@example.org` → `a•••@example.org`
fn email(text: &str) -> Option<String> {
    let (local, domain) = text.trim().rsplit_once('@')?;
    // Behind an address there may be anything: `anna@example.org, Erika Muster`.
    let is_domain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let first = local.chars().next()?;
    let is_address = !domain.is_empty() && domain.chars().all(is_domain);
    is_address.then(|| format!("{first}{DOTS}@{domain}"))
}

/// `52.52, 13.405` → `52, 13 •••`, about a hundred kilometres.
fn whole_degrees(text: &str) -> Option<String> {
    let (latitude, longitude) = text.split_once(',')?;
    let whole = |degrees: &str| -> Option<i16> {
        let (whole, part) = degrees.trim().split_once('.')?;
        let is_number = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| whole.parse().ok())?
    };
    Some(format!("{}, {} {DOTS}", whole(latitude)?, whole(longitude)?))
}

/// `192.0.2.7` → `192.0.•••`; of an IPv6 address the first 48 bits.
fn network(text: &str) -> Option<String> {
    Some(match text.trim().parse().ok()? {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            format!("{first}.{second}.{DOTS}")
        }
        IpAddr::V6(address) => {
            let [first, second, third, ..] = address.segments();
            format!("{first:x}:{second:x}:{third:x}:{DOTS}")
        }
    })
}

/// `HB-AB 123` → `HB•••`
fn district(text: &str) -> Option<String> {
    let (district, rest) = text.split_once(['-', ' ', '·'])?;
    let is_district = (1..=3).contains(&district.chars().count())
        && district.chars().all(char::is_uppercase)
        && rest.chars().any(|c| c.is_ascii_digit());
    is_district.then(|| format!("{district}{DOTS}"))
}

/// `NOLADE21BRB` → `NOLA•••`
fn bank(text: &str) -> Option<String> {
    let is_code = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    let is_bic = matches!(text.len(), 8 | 11) && text.chars().all(is_code);
    is_bic.then(|| ends(text, 4, 0))?
}

/// `00:1A:2B:3C:4D:5E` → `001A2B•••`
fn maker(text: &str) -> Option<String> {
    let is_address = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '-' | '.');
    text.chars().all(is_address).then(|| ends(text, 6, 0))?
}

/// The ends of a number: of a text that is digits for a quarter, which a name is not, nor a name with
/// the number of a house.
fn number(text: &str, first: usize, last: usize) -> Option<String> {
    let count = |is: fn(char) -> bool| text.chars().filter(|&c| is(c)).count();
    let is_number = count(char::is_numeric) * 4 >= count(char::is_alphanumeric);
    is_number.then(|| ends(text, first, last))?
}

/// The first and last letters and digits; none of them when less than half would be hidden.
fn ends(text: &str, first: usize, last: usize) -> Option<String> {
    let kept = || text.chars().filter(|c| c.is_alphanumeric());
    let count = kept().count();
    if count < (first + last) * 2 {
        return None;
    }
    let mut shown = String::with_capacity(text.len() + DOTS.len());
    shown.extend(kept().take(first));
    shown.push_str(DOTS);
    shown.extend(kept().skip(count - last));
    Some(shown)
}

#[cfg(test)]
mod tests;
