//! Masks: as much of a value as its reader may see without opening it to the full.
//!
//! A mask keeps what helps to tell records apart (initials, a domain, the last digits) and hides
//! the rest behind a fixed number of dots, so that it tells nothing of the length.

use tresor_proto::{Content, InfoType};

const DOTS: &str = "•••";

/// The mask of a value; a value without a text or of an unknown type is dots only.
pub(crate) fn mask(info_type: Option<InfoType>, content: &Content) -> Content {
    let shown = content.as_text().map_or_else(|| DOTS.to_owned(), |text| of_text(info_type, text));
    Content::text(&shown).unwrap_or_else(|_| dots())
}

#[allow(clippy::expect_used, reason = "three dots are below every limit")]
fn dots() -> Content {
    Content::text(DOTS).expect("three dots")
}

#[allow(clippy::wildcard_enum_match_arm, reason = "a type without a mask of its own shows dots")]
fn of_text(info_type: Option<InfoType>, text: &str) -> String {
    match info_type {
        Some(InfoType::PersonName | InfoType::FirstName | InfoType::LastName) => initials(text),
        Some(InfoType::EmailAddress) => email(text),
        Some(InfoType::IbanCode) => ends(text, 2, 4),
        Some(
            InfoType::CreditCardNumber
            | InfoType::PhoneNumber
            | InfoType::BankAccount
            | InfoType::MeterId
            | InfoType::VehicleIdentificationNumber,
        ) => ends(text, 0, 4),
        Some(InfoType::Postcode) => ends(text, 2, 0),
        _ => DOTS.to_owned(),
    }
}

/// `Anna-Lena Maier` → `A. M.`
fn initials(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty());
    let initial = |word: &str| word.chars().next().map(|letter| format!("{letter}."));
    let initials: Vec<_> = words.take(4).filter_map(initial).collect();
    if initials.is_empty() { DOTS.to_owned() } else { initials.join(" ") }
}

/// `anna@example.org` → `a•••@example.org`
fn email(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((local, domain)) if !local.is_empty() && !domain.is_empty() => {
            let first = local.chars().next().map(String::from).unwrap_or_default();
            format!("{first}{DOTS}@{domain}")
        }
        _ => DOTS.to_owned(),
    }
}

/// The first and last letters and digits; none of them when too little would be hidden.
fn ends(text: &str, first: usize, last: usize) -> String {
    let kept: Vec<char> = text.chars().filter(|c| c.is_alphanumeric()).collect();
    if kept.len() < (first + last) * 2 {
        return DOTS.to_owned();
    }
    let head: String = kept.iter().take(first).collect();
    let tail: String = kept.iter().skip(kept.len() - last).collect();
    format!("{head}{DOTS}{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(info_type: InfoType, text: &str) -> String {
        let content = Content::text(text).unwrap();
        mask(Some(info_type), &content).as_text().unwrap().to_owned()
    }

    #[test]
    fn each_type_has_its_mask() {
        assert_eq!(masked(InfoType::PersonName, "Maier, Anna-Lena"), "M. A.");
        assert_eq!(masked(InfoType::EmailAddress, "anna@example.org"), "a•••@example.org");
        assert_eq!(masked(InfoType::IbanCode, "DE65 8844 7294 0557 6169 87"), "DE•••6987");
        assert_eq!(masked(InfoType::PhoneNumber, "+49 8360 161055"), "•••1055");
        assert_eq!(masked(InfoType::Postcode, "30911"), "30•••");
        assert_eq!(masked(InfoType::FreeText, "Mieter verzogen"), "•••");
    }

    #[test]
    fn short_values_are_hidden_whole() {
        assert_eq!(masked(InfoType::PhoneNumber, "1234567"), "•••");
        assert_eq!(masked(InfoType::EmailAddress, "@example.org"), "•••");
        assert_eq!(masked(InfoType::PersonName, " , "), "•••");
    }
}
