//! What of a value its blind index is made of: two spellings of one value are to have one entry.
//!
//! NFKC and case folding (Unicode 16, both stable for what is assigned), spaces trimmed and
//! collapsed, then the rule of the info type. It promises that the same bytes come out for ever:
//! version and rule are part of what an index is derived from, so that a changed rule makes another
//! index instead of one that misses.

use core::net::IpAddr;

use caseless::Caseless as _;
use tresor_proto::{Content, ContentType, InfoType};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use super::date;

/// The version of these rules.
const VERSION: u8 = 1;

/// What is done to a value besides folding it. The numbers are frozen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum NormalRule {
    /// Nothing.
    Text = 1,
    /// Letters and digits only, upper case.
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
                | T::FreeText,
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
fn json_text(literal: &str) -> Option<Zeroizing<String>> {
    match literal {
        "null" | "{}" | "[]" => None,
        literal if literal.starts_with('"') => {
            serde_json::from_str(literal).ok().map(Zeroizing::new)
        }
        literal => Some(Zeroizing::new(literal.to_owned())),
    }
}

/// Unicode's compatibility caseless form (§3.13 D147), composed, with single spaces.
fn fold(text: &str) -> Zeroizing<String> {
    let folded = text.nfd().default_case_fold().nfkd().default_case_fold().nfkc();
    let folded = Zeroizing::new(folded.collect::<String>());
    Zeroizing::new(collapse(folded.split_whitespace()))
}

/// The words that there are, a space between them.
fn collapse<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for word in words.filter(|word| !word.is_empty()) {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

fn compact(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

/// A number with a country code has a plus (E.164) and not the zero that stands in brackets behind
/// it; a national one stays as it is dialled. A text with anything else, such as letters that stand
/// for digits, is none: what is dropped would make two numbers one.
fn phone(text: &str) -> Option<String> {
    let text = text.strip_prefix("tel:").unwrap_or(text).trim_start();
    let dialled = text.strip_prefix('+').unwrap_or(text);
    if !dialled.chars().all(|c| c.is_ascii_digit() || is_phone_separator(c)) {
        return None;
    }
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let has_plus = text.starts_with('+');
    if !has_plus && !digits(dialled).starts_with("00") {
        return Some(digits(dialled)).filter(|number| !number.is_empty());
    }
    let number = digits(&dialled.replacen("(0)", "", 1));
    let exit_code = if has_plus { "" } else { "00" };
    let number = number.strip_prefix(exit_code).unwrap_or(&number);
    (!number.is_empty()).then(|| format!("+{number}"))
}

/// What stands between the digits of a telephone number, hyphens and dashes among it.
fn is_phone_separator(c: char) -> bool {
    matches!(c, ' ' | '.' | '-' | '/' | '(' | ')' | '\u{2010}'..='\u{2015}')
}
