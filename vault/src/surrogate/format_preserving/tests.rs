use std::collections::HashSet;

use proptest::{
    prelude::*,
    test_runner::{RngAlgorithm, TestRng},
};
use tresor_proto::ErrorCode;

use super::*;
use crate::key::Key as _;

/// How many surrogates are looked at; as many as the issue asks for in the long run.
fn surrogates() -> usize {
    if std::env::var_os("TRESOR_TEST_LONG").is_some() { 1_000_000 } else { 10_000 }
}

fn key() -> IdentifierKey {
    IdentifierKey::from_slice(&[0x2B; 32]).unwrap()
}

const INFO_TYPE: InfoType = InfoType::CreditCardNumber;

fn forth(format: SurrogateFormat, text: &str) -> Result<String, FormatError> {
    encode(&key(), INFO_TYPE, format, text)
}

fn back(format: SurrogateFormat, surrogate: &str) -> Result<String, FormatError> {
    FormatKeys::new(&key(), INFO_TYPE, format)?.decode(surrogate)
}

fn digits(text: &str) -> Vec<u8> {
    text.bytes().filter(u8::is_ascii_digit).collect()
}

/// The digits with the check digit that makes them pass Luhn.
fn with_check_digit(digits: &str) -> String {
    let all = (0..10).map(|check| format!("{digits}{check}"));
    all.into_iter().find(|card| passes_luhn(card.as_bytes())).unwrap()
}

/// The shape of a text: a class for each character.
fn shape(text: &str) -> Vec<char> {
    let class = |c: char| if c.is_ascii_alphanumeric() { 'x' } else { c };
    text.chars().map(class).collect()
}

/// A number of a million values, written in each format, so that no two are the same.
fn text(format: SurrogateFormat, number: usize) -> String {
    match format {
        SurrogateFormat::Card => {
            let (bank, middle) = (number / 100_000, number % 100_000);
            let card = with_check_digit(&format!("4111{bank:02}{middle:05}2345"));
            format!("{} {} {} {}", &card[..4], &card[4..8], &card[8..12], &card[12..])
        }
        SurrogateFormat::Phone => format!("+49 (0) {}/{:06}", number % 9 + 1, number / 9),
        SurrogateFormat::Digits => format!("{number:06}"),
        SurrogateFormat::Alphanumeric => format!("Zz-{number:06}"),
        SurrogateFormat::UpperAlphanumeric => format!("DE.{number:06}"),
    }
}

#[test]
fn surrogates_have_their_shape_lead_back_and_never_collide() {
    let each = surrogates() / SurrogateFormat::ALL.len();
    std::thread::scope(|scope| {
        for format in SurrogateFormat::ALL {
            scope.spawn(move || look_at_surrogates(format, each));
        }
    });
}

fn look_at_surrogates(format: SurrogateFormat, count: usize) {
    let mut seen = HashSet::with_capacity(count);
    for at in 0..count {
        // Steps of a number without a divisor of the million in common.
        let text = text(format, at * 387_431 % 1_000_000);
        let surrogate = forth(format, &text).unwrap();
        assert_eq!(back(format, &surrogate).unwrap(), text);
        assert_eq!(shape(&surrogate), shape(&text));
        if format == SurrogateFormat::Card {
            assert!(!passes_luhn(&digits(&surrogate)), "{surrogate}");
            assert_eq!(surrogate[..7], text[..7]);
            assert_eq!(surrogate[15..], text[15..]);
        }
        if format == SurrogateFormat::Phone {
            assert_eq!(surrogate[..8], text[..8]);
            assert_ne!(surrogate.as_bytes()[8], b'0');
        }
        assert!(seen.insert(surrogate), "{text}");
    }
}

/// All 10^5 cards of one issuer and end that pass Luhn; 2,000 of them in the short run.
#[test]
fn all_cards_of_an_issuer_have_surrogates_of_their_own() {
    let all = if surrogates() < 1_000_000 { 2_000 } else { 100_000 };
    let mut seen = HashSet::new();
    for middle in 0..all {
        let cards = (0..10).map(|digit| format!("411111{middle:05}{digit}2345"));
        let card = cards.into_iter().find(|card| passes_luhn(card.as_bytes())).unwrap();
        let surrogate = forth(SurrogateFormat::Card, &card).unwrap();
        assert!(surrogate.starts_with("411111") && surrogate.ends_with("2345"));
        assert!(!passes_luhn(surrogate.as_bytes()));
        assert_eq!(back(SurrogateFormat::Card, &surrogate).unwrap(), card);
        assert!(seen.insert(surrogate));
    }
    assert_eq!(seen.len(), all);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn cards_of_all_lengths_and_notations_lead_back(body in "[0-9]{11,18}", signs in "[ ./()-]{0,3}") {
        let card = with_check_digit(&body);
        let card = format!("{}{signs}{}", &card[..5], &card[5..]);
        let surrogate = forth(SurrogateFormat::Card, &card).unwrap();
        prop_assert!(!passes_luhn(&digits(&surrogate)));
        prop_assert_eq!(shape(&surrogate), shape(&card));
        let kept = if digits(&card).len() >= 16 { 6 } else { 0 };
        prop_assert_eq!(&digits(&surrogate)[..kept], &digits(&card)[..kept]);
        prop_assert_eq!(&surrogate[surrogate.len() - 4..], &card[card.len() - 4..]);
        prop_assert_eq!(back(SurrogateFormat::Card, &surrogate).unwrap(), card);
    }

    #[test]
    fn telephone_numbers_lead_back(
        number in "(\\+|00)?(49|1|352|) ?(\\(0\\))?0{0,2}[1-9][0-9/ .()-]{5,40}",
    ) {
        if let Ok(surrogate) = forth(SurrogateFormat::Phone, &number) {
            prop_assert_eq!(shape(&surrogate), shape(&number));
            prop_assert_eq!(back(SurrogateFormat::Phone, &surrogate).unwrap(), number);
        }
    }

    #[test]
    fn all_other_texts_lead_back_or_are_refused(text in "[0-9A-Za-z ./()-]{0,130}|[0-9 ]{4,20}|.{0,9}") {
        for format in SurrogateFormat::ALL {
            if let Ok(surrogate) = forth(format, &text) {
                prop_assert_eq!(shape(&surrogate), shape(&text));
                prop_assert_eq!(&back(format, &surrogate).unwrap(), &text);
            }
            let _ = back(format, &text);
        }
    }

    #[test]
    fn key_info_type_format_and_what_is_kept_make_another_surrogate(number in "[1-9][0-9]{11}") {
        use SurrogateFormat::{Alphanumeric, Digits};
        let surrogate = forth(Digits, &number).unwrap();
        let other_key = IdentifierKey::from_slice(&[0x2C; 32]).unwrap();
        let other = encode(&other_key, INFO_TYPE, Digits, &number).unwrap();
        prop_assert_ne!(&other, &surrogate);
        let other = encode(&key(), InfoType::MeterId, Digits, &number).unwrap();
        prop_assert_ne!(&other, &surrogate);
        let other = forth(Digits, &format!("-{number}")).unwrap();
        prop_assert_ne!(&other[1..], &surrogate);
        prop_assert_ne!(&forth(Alphanumeric, &number).unwrap(), &surrogate);
        let abroad = |code: &str| forth(SurrogateFormat::Phone, &format!("+{code}{number}")).unwrap();
        prop_assert_ne!(&abroad("49")[3..], &abroad("31")[3..]);
    }
}

#[test]
fn a_value_without_a_surrogate_is_refused_with_the_reason() {
    let refused = |format, text, reason: &str| {
        let VaultError::Refused(failure) = forth(format, text).unwrap_err().at("value") else {
            panic!("{text} is no fault of ours");
        };
        assert_eq!(failure.code(), ErrorCode::InvalidRequest);
        assert!(failure.violations()[0].description.contains(reason), "{failure:?}");
        assert!(!format!("{failure:?}").contains(text));
    };
    refused(SurrogateFormat::Card, "4111111111111112", "pass Luhn");
    refused(SurrogateFormat::Card, "41111111111", "12 to 19");
    refused(SurrogateFormat::Phone, "+49 30 123", "10^6");
    refused(SurrogateFormat::Phone, "+890 30 1234567", "calling code");
    refused(SurrogateFormat::Digits, "1234x", "alphabet");
    refused(SurrogateFormat::Digits, "12345", "fewer than 6");
    refused(SurrogateFormat::UpperAlphanumeric, "AB1", "fewer than 4");
    refused(SurrogateFormat::Alphanumeric, &"a".repeat(129), "128 bytes");
}

/// Of the numbers that do not pass Luhn one in nine is a card's surrogate.
#[test]
fn what_is_no_cards_surrogate_is_mostly_refused() {
    let surrogate = forth(SurrogateFormat::Card, "4111111111111111").unwrap();
    let mut random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut read = 0;
    for _ in 0..900 {
        let number = format!("411111{:06}1111", random.next_u32() % 1_000_000);
        let is_read = match back(SurrogateFormat::Card, &number) {
            Ok(card) => passes_luhn(card.as_bytes()),
            Err(error) => error != FormatError::NoSurrogate,
        };
        assert!(!is_read || !passes_luhn(number.as_bytes()));
        read += usize::from(is_read);
    }
    assert!((40..180).contains(&read), "{read}");
    assert_eq!(back(SurrogateFormat::Card, "4111111111111111"), Err(FormatError::NoSurrogate));
    assert_eq!(back(SurrogateFormat::Phone, "+49 (0)").unwrap_err(), FormatError::TooFew(7));
    assert_eq!(back(SurrogateFormat::Card, &surrogate).unwrap(), "4111111111111111");
}
