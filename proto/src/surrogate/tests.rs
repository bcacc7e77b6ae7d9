use proptest::{
    prelude::*,
    test_runner::{RngAlgorithm, TestRng},
};

use super::*;
use crate::ErrorCode;

const TENANT: TenantId = TenantId::from_bytes([0x11; 16]);

/// Surrogates of a fixed seed, so that how many mistakes pass is the same in every run.
fn surrogates(count: usize) -> impl Iterator<Item = Surrogate> {
    let mut random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    (0..count).map(move |at| {
        let mut id = [0; 16];
        random.fill_bytes(&mut id);
        let info_type = InfoType::ALL[at % InfoType::ALL.len()];
        Surrogate::new(TENANT, info_type, SurrogateId::from_bytes(id))
    })
}

/// How many of the texts that are not `text` are accepted, and how many there are.
fn accepted(text: &str, typos: impl Iterator<Item = String>) -> (usize, usize) {
    typos.filter(|typo| typo != text).fold((0, 0), |(accepted, all), typo| {
        (accepted + usize::from(Surrogate::parse(TENANT, &typo).is_ok()), all + 1)
    })
}

fn substitutions(text: &str) -> impl Iterator<Item = String> {
    let places = (0..text.len()).flat_map(|at| (b' '..=b'~').map(move |byte| (at, byte)));
    places.map(move |(at, byte)| {
        let mut typo = text.to_owned();
        typo.replace_range(at..=at, char::from(byte).encode_utf8(&mut [0; 4]));
        typo
    })
}

/// Any two characters exchanged, not neighbours only.
fn transpositions(text: &str) -> impl Iterator<Item = String> {
    let pairs = (1..text.len()).flat_map(|second| (0..second).map(move |first| (first, second)));
    pairs.map(move |(first, second)| {
        let mut typo: Vec<char> = text.chars().collect();
        typo.swap(first, second);
        typo.into_iter().collect()
    })
}

proptest! {
    #[test]
    fn the_text_form_survives_the_round_trip(
        tenant: [u8; 16],
        id: [u8; 16],
        at in 0..InfoType::ALL.len(),
    ) {
        let tenant = TenantId::from_bytes(tenant);
        let info_type = InfoType::ALL[at];
        let surrogate = Surrogate::new(tenant, info_type, SurrogateId::from_bytes(id));
        let parsed = Surrogate::parse(tenant, &surrogate.to_string()).unwrap();
        prop_assert_eq!(parsed, surrogate);
        prop_assert!(parsed.is_of(info_type) && parsed.class() == info_type.class());
        prop_assert_eq!(*parsed.id().as_bytes(), id);
    }

    #[test]
    fn what_is_accepted_is_canonical(text in "srg_(name|card|NAME)_[0-8a-iI]{26}_[0-9a-z]{4}") {
        if let Ok(surrogate) = Surrogate::parse(TENANT, &text) {
            prop_assert_eq!(surrogate.to_string(), text);
        }
    }

    #[test]
    fn no_text_breaks_the_parser(text: String) {
        prop_assert!(Surrogate::parse(TENANT, &text).is_err());
        let prefixed = format!("srg_{text}");
        prop_assert!(Surrogate::parse(TENANT, &prefixed).is_err());
    }
}

/// 210 surrogates have about 150,000 typos that only the checksum tells, of which 0.15 are
/// expected to pass; three would have a chance of 1 in 2,000.
#[test]
fn a_typo_passes_at_the_rate_of_twenty_bits() {
    for surrogate in surrogates(210) {
        assert!(surrogate.to_string().len() <= TEXT_BYTES_MAX);
        assert_eq!(Surrogate::parse(TENANT, &surrogate.to_string()).unwrap(), surrogate);
    }
    let texts = surrogates(210).map(|surrogate| surrogate.to_string());
    let (passed, all) = texts.fold((0, 0), |(passed, all), text| {
        let (substituted, substitutions) = accepted(&text, substitutions(&text));
        let (transposed, transpositions) = accepted(&text, transpositions(&text));
        (passed + substituted + transposed, all + substitutions + transpositions)
    });
    assert!(passed < 3 && all > 900_000, "{passed} of {all}");
}

/// 2,000 surrogates at 31 other tenants are 62,000, of which 0.06 are expected to pass.
#[test]
fn another_tenants_surrogate_is_refused_in_the_words_of_a_mistyped_one() {
    let mistyped = Surrogate::parse(TENANT, "srg_name_1_0").unwrap_err();
    let mut passed = 0;
    for surrogate in surrogates(2_000) {
        let text = surrogate.to_string();
        for other in 0..31 {
            match Surrogate::parse(TenantId::from_bytes([other + 0x20; 16]), &text) {
                Ok(_) => passed += 1,
                Err(failure) => assert_eq!(failure, mistyped),
            }
        }
    }
    assert!(passed < 3, "{passed}");
    assert_eq!(mistyped.code(), ErrorCode::InvalidRequest);
}

#[test]
fn other_forms_are_refused() {
    let text = surrogates(1).map(|surrogate| surrogate.to_string()).next().unwrap();
    // The same id with a bit 128 that no id has.
    let mut beyond = text.clone();
    let first = beyond.remove(9).to_digit(8).unwrap();
    beyond.insert(9, crate::crockford::digit(u128::from(first) + 8));
    let others = [
        text.to_uppercase(),
        text.replace("srg", "Srg"),
        format!(" {text}"),
        format!("{text}\n"),
        format!("{text}0"),
        text.replacen('_', "", 1),
        text.replace('_', "-"),
        text.replace("_name_", "_unknown_"),
        text.replace("_name_", "_name__"),
        "srg_name_".repeat(1_000),
        beyond,
    ];
    for other in others.iter().map(String::as_str).chain(["", "srg", "srg_", "srg___", "ä"]) {
        assert!(Surrogate::parse(TENANT, other).is_err(), "{other}");
    }
}

/// Golden vector: the text form is frozen. Its checksum is from Python's `hashlib`.
#[test]
fn the_text_form_is_frozen() {
    let id = SurrogateId::from_bytes([0xA5; 16]);
    let text = Surrogate::new(TENANT, InfoType::CreditCardNumber, id).to_string();
    assert_eq!(text, "srg_card_55mpjtb9d5mpjtb9d5mpjtb9d5_1c8e");
    // Of a custom info type it tells the class and not the name.
    for name in ["CUSTOMER_NUMBER", "MEMBER"] {
        let custom = InfoType::named(name, DataClass::Other).unwrap();
        let text = Surrogate::new(TENANT, custom, id).to_string();
        assert_eq!(text, "srg_x10_55mpjtb9d5mpjtb9d5mpjtb9d5_5x61");
    }
}
