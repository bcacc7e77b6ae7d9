use proptest::prelude::*;
use tresor_proto::{ContentType, InfoType};

use super::*;

fn normal(info_type: InfoType, text: &str) -> String {
    let content = Content::text(text).unwrap();
    let normal = NormalRule::of(Some(info_type)).normalise(&content).unwrap();
    String::from_utf8(normal.to_vec()).unwrap()
}

fn index(bits: u16) -> BlindIndex {
    BlindIndex {
        collection: CollectionName::parse("customers").unwrap(),
        field: FieldName::parse("name").unwrap(),
        class: DataClass::Identity,
        bits,
        rule: NormalRule::of(Some(InfoType::PersonName)),
    }
}

fn keyed(index: &BlindIndex, version: u32, byte: u8) -> KeyedIndex {
    index.keyed((version, &IdentifierKey::from_slice(&[byte; 32]).unwrap())).unwrap()
}

fn entry(index: &KeyedIndex, text: &str) -> Option<String> {
    let entry = index.entry(&Content::text(text).unwrap());
    entry.map(|entry| hex::encode(entry.as_bytes()))
}

/// An info type, the normal form, and spellings of it.
type Spellings = (InfoType, &'static str, &'static [&'static str]);

const SPELLINGS: &[Spellings] = &[
    (
        InfoType::PersonName,
        "müller anna",
        &["Müller,  Anna", " MÜLLER, ANNA\t", "Mu\u{308}ller Anna"],
    ),
    (InfoType::LastName, "weiss", &["WEISS", "Weiß", "ＷＥＩＳＳ"]),
    (InfoType::EmailAddress, "anna@example.org", &["Anna@Example.ORG ", "anna @example.org"]),
    (
        InfoType::PhoneNumber,
        "+49301234567",
        &["+49 (0)30 / 1234-567", "0049 30 1234567", "tel:+49-30-1234567"],
    ),
    (
        InfoType::PhoneNumber,
        "+49301234567",
        &["+49 0 30 1234567", "00 49 (0) 30 1234567", "+49\u{2011}30\u{2013}1234567"],
    ),
    (InfoType::PhoneNumber, "+390612345", &["+39 06 12345", "0039 06-12345"]),
    (InfoType::PhoneNumber, "0301234567", &["030/1234567", "(030) 12 34 567"]),
    (InfoType::PhoneNumber, "n/a", &["N/A"]),
    (InfoType::PhoneNumber, "0800 edeka", &["0800 EDEKA"]),
    (InfoType::PhoneNumber, "+49 ٩٨٧", &["+49  ٩٨٧"]),
    (InfoType::PhoneNumber, "+0", &["000", "(000)"]),
    (InfoType::IbanCode, "de89370400440532013000", &["de89 3704 0044 0532 0130 00"]),
    (InfoType::Postcode, "1012ab", &["1012 ab", "1012-AB"]),
    (InfoType::LicensePlateNumber, "tüab123", &["TÜ-AB 123", "tü ab123"]),
    (InfoType::DateOfBirth, "1980-05-01", &["1.5.1980", "01.05.1980", "1980/5/1", "1980-05-01"]),
    (InfoType::DateOfBirth, "1980-05-31", &["31/05/1980", "05/31/1980", "31-5-1980"]),
    (InfoType::DateOfBirth, "01/05/1980", &["01/05/1980"]),
    (InfoType::IpAddress, "2001:db8::1", &["2001:0DB8:0:0:0:0:0:1"]),
    (InfoType::MacAddress, "00b0d063c226", &["00-B0-D0-63-C2-26", "00:b0:d0:63:c2:26"]),
    (InfoType::LastName, "o'neil", &["O’Neil", "O'Neil", "O`NEIL", "O´Neil", "Oʼneil", "O＇Neil"]),
    (
        InfoType::LastName,
        "meyer-schmidt",
        &["Meyer‐Schmidt", "MEYER\u{2011}SCHMIDT", "Meyer–Schmidt"],
    ),
    (
        InfoType::LastName,
        "weiland",
        &["Wei\u{ad}land", "\u{feff}Weiland\u{200b}", "Wei\u{200d}land"],
    ),
    (InfoType::LastName, "müller", &["Mu\u{200d}\u{308}ller", "M\u{fc}\u{34f}ller"]),
    (InfoType::City, "istanbul", &["İstanbul", "i\u{307}stanbul", "ISTANBUL", "istanbul"]),
    (InfoType::LastName, "işik", &["Işık", "IŞIK", "İŞİK", "I\u{307}s\u{327}i\u{307}k"]),
    (InfoType::City, "strassburg", &["Straßburg", "  STRASSBURG"]),
];

#[test]
fn spellings_of_one_value_are_one() {
    for (info_type, expected, spellings) in SPELLINGS {
        for spelling in *spellings {
            assert_eq!(normal(*info_type, spelling), *expected, "{info_type}: {spelling}");
        }
    }
}

#[test]
fn a_json_scalar_is_its_text_and_nothing_has_no_entry() {
    let index = keyed(&index(128), 1, 1);
    let json = |literal: &str| {
        let content = Content::new(ContentType::Json, literal.as_bytes().to_vec()).unwrap();
        index.entry(&content).map(|entry| hex::encode(entry.as_bytes()))
    };
    assert_eq!(json("\"Anna\\u0020M\u{fc}ller\""), entry(&index, "anna müller"));
    assert_eq!(json("1.10"), entry(&index, "1.10"));
    assert_ne!(json("1.10"), json("1.1"));
    for nothing in ["null", "{}", "[]", "\"\"", "\" \""] {
        assert_eq!(json(nothing), None, "{nothing}");
    }
    assert_eq!(entry(&index, " \u{a0} "), None);
    assert_eq!(entry(&index, ","), entry(&index, " ,"), "a comma alone is still a value");
}

#[test]
fn an_entry_hangs_on_everything_of_its_index() {
    let one = entry(&keyed(&index(128), 1, 1), "Anna").unwrap();
    let others = [
        keyed(&index(128), 1, 2),
        keyed(&index(128), 2, 1),
        keyed(&index(120), 1, 1),
        keyed(&BlindIndex { rule: NormalRule::Text, ..index(128) }, 1, 1),
        keyed(&BlindIndex { class: DataClass::Contact, ..index(128) }, 1, 1),
        keyed(&BlindIndex { field: FieldName::parse("names").unwrap(), ..index(128) }, 1, 1),
        keyed(
            &BlindIndex { collection: CollectionName::parse("customer").unwrap(), ..index(128) },
            1,
            1,
        ),
    ];
    for other in &others {
        assert_ne!(entry(other, "Anna").unwrap(), one);
    }
    assert_eq!(entry(&keyed(&index(128), 1, 1), "ANNA "), Some(one));
}

/// Made by Python's `hashlib` and `hmac`, from what docs/formats.md says.
#[test]
fn the_derivation_is_frozen() {
    let frozen = entry(&keyed(&index(64), 3, 7), "Müller, Anna").unwrap();
    assert_eq!(frozen, "54d55427c339696c64d95c2dd0a94bb2");
}

/// A table that changes needs another version, or what is indexed already is missed.
#[test]
fn the_version_stands_for_what_becomes_of_every_character() {
    assert_eq!(caseless::UNICODE_VERSION, (16, 0, 0));
    assert_eq!(unicode_normalization::UNICODE_VERSION, (18, 0, 0));
    assert_eq!(NormalRule::Text.to_bytes()[0], 1);
    let mut all = ring::digest::Context::new(&SHA256);
    // The planes with anything in them, but for private use.
    for c in ('\0'..'\u{34000}').chain('\u{e0000}'..'\u{e1000}') {
        all.update(folding::fold(&c.to_string()).as_bytes());
        all.update(b"\n");
    }
    assert_eq!(hex::encode(&all.finish().as_ref()[..8]), "8ea714653f592cea");
}

proptest! {
    #[test]
    fn what_is_normal_stays_as_it_is(text in "\\PC{0,24}") {
        for info_type in InfoType::ALL {
            let content = Content::text(&text).unwrap();
            let rule = NormalRule::of(Some(*info_type));
            let Some(once) = rule.normalise(&content) else { continue };
            let content = Content::text(core::str::from_utf8(&once).unwrap()).unwrap();
            prop_assert_eq!(rule.normalise(&content), Some(once), "{}", info_type);
        }
    }

    #[test]
    fn case_spaces_and_composition_do_not_matter(text in "[a-zA-Zäöüßéşőł]{1,8}( [a-zA-Zäöüß]{1,8}){0,2}") {
        use unicode_normalization::UnicodeNormalization as _;
        let rule = NormalRule::Text;
        let normal = |text: &str| rule.normalise(&Content::text(text).unwrap());
        prop_assert_eq!(normal(&text), normal(&text.to_uppercase()));
        prop_assert_eq!(normal(&text), normal(&text.nfd().collect::<String>()));
        prop_assert_eq!(normal(&text), normal(&format!("  {} ", text.replace(' ', " \u{2003} "))));
    }
}
