//! What of a value its blind index is made of: two spellings of one value are to have one entry.
//!
//! Folded text (`folding`), then the rule of the info type. It promises that the same bytes come
//! out for ever: version and rule are part of what an index is derived from, so that a changed rule
//! or table makes another index instead of one that misses.

use core::net::IpAddr;

use tresor_proto::{Content, ContentType, InfoType};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use super::{
    date,
    folding::{collapse, fold},
};

/// The version of these rules and of the tables that folding looks into.
const VERSION: u8 = 1;

/// What is done to a value besides folding it. The numbers are frozen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum NormalRule {
    /// Nothing.
    Text = 1,
    /// No spaces and no punctuation of ASCII's.
    Compact = 2,
    /// Digits only, with a plus before a country code.
    Phone = 3,
    /// No spaces.
    Unspaced = 4,
    /// No commas.
    Name = 5,
    /// `year-month-day` where the order is beyond doubt.
    Date = 6,
    /// The shortest form of an address.
    Address = 7,
}

impl NormalRule {
    /// The rule of an info type.
    pub(crate) fn of(info_type: Option<InfoType>) -> Self {
        use InfoType as T;
        match info_type {
            Some(T::PersonName | T::FirstName | T::LastName) => Self::Name,
            Some(T::DateOfBirth) => Self::Date,
            Some(T::PhoneNumber) => Self::Phone,
            Some(T::EmailAddress) => Self::Unspaced,
            Some(T::IpAddress) => Self::Address,
            Some(
                T::Postcode
                | T::IbanCode
                | T::SwiftCode
                | T::CreditCardNumber
                | T::BankAccount
                | T::GermanyTaxpayerIdentificationNumber
                | T::GermanySocialSecurity
                | T::GermanyIdentityCardNumber
                | T::GermanyPassport
                | T::GermanyDriversLicenseNumber
                | T::NetherlandsBsnNumber
                | T::FranceNir
                | T::UkNationalInsuranceNumber
                | T::Passport
                | T::GermanyHealthInsurance
                | T::UkNationalHealthServiceNumber
                | T::MacAddress
                | T::MeterId
                | T::LicensePlateNumber
                | T::VehicleIdentificationNumber,
            ) => Self::Compact,
            Some(
                T::Title
                | T::Gender
                | T::Age
                | T::Nationality
                | T::Url
                | T::StreetAddress
                | T::Street
                | T::HouseNumber
                | T::City
                | T::LocationCoordinates
                | T::MedicalTerm
                | T::Username
                | T::DeviceId
                | T::CookieId
                | T::FreeText
                | T::Custom(_),
            )
            | None => Self::Text,
        }
    }

    /// What stands for it in a derivation.
    pub(crate) fn to_bytes(self) -> [u8; 2] {
        [VERSION, self as u8]
    }

    /// What of a value is indexed and compared; `None` for what holds nothing.
    pub(crate) fn normalise(self, content: &Content) -> Option<Zeroizing<Vec<u8>>> {
        let text = match content.content_type() {
            ContentType::Binary => {
                let bytes = Zeroizing::new(content.as_bytes().to_vec());
                return Some(bytes).filter(|bytes| !bytes.is_empty());
            }
            ContentType::Text => Zeroizing::new(content.as_text()?.to_owned()),
            ContentType::Json => json_text(content.as_text()?)?,
        };
        let folded = fold(&text);
        // A value that has nothing of what its type consists of is still found by what it is.
        let normal = self.apply(&folded).unwrap_or(folded);
        Some(Zeroizing::new(normal.as_bytes().to_vec())).filter(|normal| !normal.is_empty())
    }

    /// Applies the rule to folded text; `None` when it does not fit.
    fn apply(self, text: &str) -> Option<Zeroizing<String>> {
        let ruled = match self {
            Self::Text => None,
            Self::Compact => Some(compact(text)),
            Self::Phone => phone(text),
            Self::Unspaced => Some(text.chars().filter(|c| *c != ' ').collect()),
            Self::Name => Some(collapse(text.split([' ', ',']))),
            Self::Date => date::iso(text),
            Self::Address => text.parse::<IpAddr>().ok().map(|ip| ip.to_canonical().to_string()),
        };
        // What a rule has left out may have kept letters apart that compose.
        ruled.filter(|ruled| !ruled.is_empty()).map(|ruled| Zeroizing::new(ruled.nfc().collect()))
    }
}

/// The text of a JSON scalar; none of `null` and empty containers.
pub(crate) fn json_text(literal: &str) -> Option<Zeroizing<String>> {
    match literal {
        "null" | "{}" | "[]" => None,
        literal if literal.starts_with('"') => {
            serde_json::from_str(literal).ok().map(Zeroizing::new)
        }
        literal => Some(Zeroizing::new(literal.to_owned())),
    }
}

fn compact(text: &str) -> String {
    text.chars().filter(|c| *c != ' ' && !c.is_ascii_punctuation()).collect()
}

/// A number with a country code has a plus (E.164) and not the zero that stands alone or in
/// brackets behind it; a national one stays as it is dialled. A text with anything else, such as
/// letters that stand for digits, is none: what is dropped would make two numbers one.
fn phone(text: &str) -> Option<String> {
    let text = text.strip_prefix("tel:").unwrap_or(text).trim_start();
    let (dialled, has_plus) = text.strip_prefix('+').map_or((text, false), |text| (text, true));
    if !dialled.chars().all(|c| c.is_ascii_digit() || is_phone_separator(c)) {
        return None;
    }
    let abroad = if has_plus { Some(dialled) } else { after_exit_code(dialled) };
    let mut groups = abroad.unwrap_or(dialled).split(is_phone_separator).filter(|g| !g.is_empty());
    let first = groups.next()?;
    if abroad.is_none() {
        return Some(groups.fold(first.to_owned(), |number, group| number + group));
    }
    let mut groups = groups.peekable();
    let _trunk_prefix = groups.next_if_eq(&"0");
    Some(groups.fold(format!("+{first}"), |number, group| number + group))
}

/// What follows the two zeros that are dialled before a country code.
fn after_exit_code(dialled: &str) -> Option<&str> {
    let mut digits = dialled.char_indices().filter(|(_, c)| c.is_ascii_digit());
    let (Some((_, '0')), Some((second, '0'))) = (digits.next(), digits.next()) else { return None };
    dialled.get(second + 1..)
}

/// What stands between the digits of a telephone number.
fn is_phone_separator(c: char) -> bool {
    matches!(c, ' ' | '.' | '-' | '/' | '(' | ')')
}
