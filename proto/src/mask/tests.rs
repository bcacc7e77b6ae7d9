use proptest::prelude::*;

use super::*;
use crate::DataClass;

fn shown(info_type: InfoType, own: Option<Mask>, text: &str) -> String {
    let content = Content::text(text).unwrap();
    mask(Some(info_type), own, &content).as_text().unwrap().to_owned()
}

fn masked(info_type: InfoType, text: &str) -> String {
    shown(info_type, None, text)
}

#[test]
fn a_custom_type_has_the_mask_of_its_class() {
    let custom = |class| InfoType::named("CUSTOMER_NUMBER", class).unwrap();
    for (class, text, expected) in [
        (DataClass::Other, "K-123456", "•••56"),
        (DataClass::Health, "K-123456", "•••56"),
        (DataClass::Other, "K-1", "•••"),
        (DataClass::Identity, "K-123456", "•••"),
        (DataClass::Other, "Anna Maier", "•••"),
        (DataClass::FreeText, "Anna Maier", "•••"),
    ] {
        assert_eq!(masked(custom(class), text), expected, "{class:?}");
    }
    assert_eq!(shown(custom(DataClass::Identity), Mask::new(1, 2).ok(), "K-123456"), "K•••56");
}

#[test]
fn each_type_has_its_mask() {
    for (info_type, text, expected) in [
        (InfoType::PersonName, "Maier, Anna-Lena", "M. A."),
        (InfoType::EmailAddress, "anna@example.org", "a•••@example.org"),
        (InfoType::DateOfBirth, "1959-10-04", "1959•••"),
        (InfoType::DateOfBirth, "04.10.1959", "1959•••"),
        (InfoType::IbanCode, "DE65 8844 7294 0557 6169 87", "DE•••6987"),
        (InfoType::SwiftCode, "NOLADE21BRB", "NOLA•••"),
        (InfoType::CreditCardNumber, "4111 1111 1111 1234", "•••1234"),
        (InfoType::PhoneNumber, "+49 8360 161055", "•••1055"),
        (InfoType::Postcode, "30911", "30•••"),
        (InfoType::City, "Burg", "B•••"),
        (InfoType::Street, "Lange Straße", "L•••"),
        (InfoType::StreetAddress, "Lange Str. 12a", "L•••"),
        (InfoType::StreetAddress, "12 Main Street", "1•••"),
        (InfoType::LocationCoordinates, "52.5200, -13.4050", "52, -13 •••"),
        (InfoType::Passport, "C01X00T47", "•••47"),
        (InfoType::IpAddress, "192.0.2.7", "192.0.•••"),
        (InfoType::IpAddress, "2001:db8:1:2::7", "2001:db8:1:•••"),
        (InfoType::MacAddress, "00:1A:2B:3C:4D:5E", "001A2B•••"),
        (InfoType::Username, "anna.maier", "a•••"),
        (InfoType::LicensePlateNumber, "HB-AB 123", "HB•••"),
        (InfoType::VehicleIdentificationNumber, "WVWZZZ1JZ3W386752", "•••6752"),
        (InfoType::MeterId, "1EMH0012345678", "•••5678"),
        (InfoType::FreeText, "Mieter verzogen", "•••"),
        (InfoType::Gender, "weiblich", "•••"),
    ] {
        assert_eq!(masked(info_type, text), expected, "{info_type}");
    }
}

#[test]
fn what_a_mask_does_not_understand_is_hidden_whole() {
    for (info_type, text) in [
        (InfoType::PhoneNumber, "1234567"),
        (InfoType::EmailAddress, "@example.org"),
        (InfoType::EmailAddress, "anna@"),
        (InfoType::EmailAddress, "anna@example.org, Erika Muster"),
        (InfoType::PersonName, " , "),
        (InfoType::PersonName, "A. M."),
        (InfoType::DateOfBirth, "1959"),
        (InfoType::DateOfBirth, "04.10.59"),
        (InfoType::DateOfBirth, "1959 1960"),
        (InfoType::LocationCoordinates, "52, 13"),
        (InfoType::LocationCoordinates, "Anna, 13.1"),
        (InfoType::LocationCoordinates, "52.Anna, 13.1"),
        (InfoType::IpAddress, "192.0.2"),
        (InfoType::LicensePlateNumber, "BAB123"),
        (InfoType::LicensePlateNumber, "Anna-Lena 1"),
        (InfoType::City, "B"),
        (InfoType::SwiftCode, "Erika Muster"),
        (InfoType::MacAddress, "Erika Muster"),
        (InfoType::LicensePlateNumber, "Ida-Maier 1"),
    ] {
        assert_eq!(masked(info_type, text), "•••", "{info_type}");
    }
    let bytes = Content::new(ContentType::Binary, vec![0xFF; 9]).unwrap();
    assert_eq!(mask(Some(InfoType::MeterId), None, &bytes).as_text(), Some("•••"));
    let text = Content::text("12345678").unwrap();
    assert_eq!(mask(None, None, &text).as_text(), Some("•••"));
}

/// What a name may be typed for.
const NAMES: [&str; 6] = [
    "Erika Muster",
    "Erika Muster 5",
    "Erika-Muster 12a",
    "ERIKA MUSTER",
    "Ida Maier",
    "Uwe Lang 5",
];

#[test]
fn a_name_typed_for_something_else_shows_its_initials_and_no_more() {
    for name in NAMES {
        for &info_type in InfoType::ALL {
            let shown = masked(info_type, name);
            let letters = shown.split(|c: char| !c.is_alphabetic());
            let longest = letters.map(|part| part.chars().count()).max();
            assert!(longest <= Some(1), "{info_type}: {shown} of {name}");
        }
    }
}

#[test]
fn a_fields_own_mask_goes_before_that_of_its_type() {
    let own = |first, last| Some(Mask::new(first, last).unwrap());
    assert_eq!(shown(InfoType::IbanCode, own(4, 2), "DE65 8844 7294 0557"), "DE65•••57");
    assert_eq!(shown(InfoType::EmailAddress, own(0, 0), "anna@example.org"), "•••");
    assert_eq!(shown(InfoType::Gender, own(1, 0), "weiblich"), "w•••");
    assert_eq!(shown(InfoType::MeterId, own(8, 8), "1EMH00123456789"), "•••");
}

/// Whether a text is another one with letters and digits left out.
fn is_left_of(part: &str, whole: &str) -> bool {
    let mut rest = whole.chars();
    part.chars().filter(|c| c.is_alphanumeric()).all(|letter| rest.any(|c| c == letter))
}

#[test]
fn of_two_masks_what_both_show_is_shown() {
    let own = |first, last| Some(Mask::new(first, last).unwrap());
    for (info_type, text, [one, other], expected) in [
        (InfoType::LastName, "Mustermann", [own(1, 2), own(1, 2)], "M•••nn"),
        (InfoType::LastName, "Mustermann", [own(3, 1), own(1, 3)], "M•••n"),
        (InfoType::LastName, "Mustermann", [own(8, 8), own(2, 2)], "•••"),
        (InfoType::LastName, "Mustermann", [own(1, 2), None], "M."),
        // Initials of several words are no end of a name.
        (InfoType::PersonName, "Anna Maier", [own(1, 2), None], "•••"),
        (InfoType::PersonName, "Anna Maier", [own(0, 0), None], "•••"),
        (InfoType::EmailAddress, "anna@example.org", [own(3, 0), None], "a•••"),
        (InfoType::EmailAddress, "anna@example.org", [own(0, 2), None], "•••rg"),
        (InfoType::IbanCode, "DE65 8844 7294 0557", [own(1, 5), None], "D•••0557"),
        (InfoType::DateOfBirth, "04.10.1959", [own(2, 0), None], "•••"),
        // Nor are a year, whole degrees or a network, also where they read like one.
        (InfoType::PersonName, "AM Maier", [own(2, 0), None], "•••"),
        (InfoType::DateOfBirth, "20.02.2002", [own(4, 0), None], "•••"),
        (InfoType::LocationCoordinates, "52.13, 13.405", [own(4, 0), None], "•••"),
        (InfoType::LocationCoordinates, "52.13, 13.405", [own(4, 0), own(2, 1)], "52•••"),
        (InfoType::IpAddress, "192.0.2.7", [own(1, 0), None], "•••"),
        (InfoType::Gender, "weiblich", [own(1, 0), None], "•••"),
    ] {
        let content = Content::text(text).unwrap();
        for masks in [[one, other], [other, one]] {
            let narrower = narrower_mask(info_type, masks, &content);
            assert_eq!(shown(info_type, narrower, text), expected, "{info_type} {masks:?}");
        }
    }
    let bytes = Content::new(ContentType::Binary, vec![0xFF; 9]).unwrap();
    let narrower = narrower_mask(InfoType::MeterId, [None, own(2, 2)], &bytes);
    assert_eq!(mask(Some(InfoType::MeterId), narrower, &bytes).as_text(), Some("•••"));
}

proptest! {
    #[test]
    fn the_narrower_of_two_masks_shows_nothing_that_one_of_them_hides(
        text in ".{0,24}|[0-9A-Za-z.,:@ -]{1,24}|[aA1 ]{1,24}",
        (one, other) in ((0u8..=8, 0u8..=8), proptest::option::of((0u8..=8, 0u8..=8))),
    ) {
        let own = |(first, last)| Mask::new(first, last).unwrap();
        let masks = [Some(own(one)), other.map(own)];
        let content = Content::text(&text).unwrap();
        for &info_type in InfoType::ALL {
            let narrower = narrower_mask(info_type, masks, &content);
            let less = shown(info_type, narrower, &text);
            for mask in masks {
                let more = shown(info_type, mask, &text);
                prop_assert!(is_left_of(&less, &more), "{info_type}: {less} of {more}");
            }
        }
    }

    #[test]
    fn no_mask_panics_and_none_is_the_value(text in ".{0,40}|[0-9A-Za-z.,:@ -]{0,40}") {
        for &info_type in InfoType::ALL {
            prop_assert_ne!(masked(info_type, &text), text.clone());
        }
        let own = Some(Mask::new(8, 8).unwrap());
        prop_assert_ne!(shown(InfoType::FreeText, own, &text), text);
    }
}
