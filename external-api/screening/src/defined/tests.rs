use tresor_proto::{CustomInfoType, DataClass, Pattern};

use super::*;
use crate::text::Folding;

fn definition(
    name: &str,
    words: &[&str],
    pattern: Option<&str>,
    checksum: Option<Checksum>,
) -> InfoTypeDefinition {
    let info_type = CustomInfoType::new(name, DataClass::Other).unwrap();
    InfoTypeDefinition {
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        pattern: pattern.map(|pattern| Pattern::new(pattern).unwrap()),
        checksum,
        ..InfoTypeDefinition::new(info_type)
    }
}

fn defined(definitions: Vec<InfoTypeDefinition>) -> Defined {
    Defined::of(&InfoTypes::new(definitions).unwrap())
}

fn named(words: &[&str], name: &str, is_technical: bool) -> bool {
    let defined = defined(vec![definition("NUMBER", words, None, None)]);
    defined.named(&FieldName::parse(name).unwrap(), is_technical).is_some()
}

#[test]
fn a_field_is_named_by_whole_words_however_they_are_written() {
    let words = ["Kundennummer", "customer no", "Zähler-Code"];
    for name in [
        "kundennummer",
        "KUNDENNUMMER",
        "kundenNummer",
        "/kunde/0/kunden_nummer",
        "customerNo",
        "alte customer-no",
        "zaehlercode",
        "ZAHLER_CODE",
        "zählercode2",
    ] {
        assert!(named(&words, name, false), "{name}");
    }
    for name in
        ["nummer", "stammkundennummern", "customer", "note", "customer_north", "/customer/no"]
    {
        assert!(!named(&words, name, false), "{name}");
    }
    assert!(!named(&words, "kundennummer_status", true), "a status of it");
    assert!(named(&words, "status_kundennummer", true));
}

#[test]
fn the_longest_phrase_names_a_field() {
    let defined = defined(vec![
        definition("SHORT", &["nummer"], None, None),
        definition("LONG", &["kunden nummer"], None, None),
    ]);
    let named = defined.named(&FieldName::parse("kunden_nummer").unwrap(), false).unwrap();
    assert_eq!(named.as_str(), "LONG");
}

fn certainty_of(pattern: &str, checksum: Option<Checksum>, value: &str) -> Option<Certainty> {
    let defined = defined(vec![definition("NUMBER", &[], Some(pattern), checksum)]);
    defined.finding(Folding::default().see(value)).map(|finding| finding.certainty)
}

#[test]
fn a_value_alone_is_of_a_type_when_its_form_or_its_checksum_is_distinct() {
    use Certainty::{Likely, Sure};
    let luhn = Some(Checksum::Luhn);
    for (pattern, checksum, value, expected) in [
        ("K-[0-9]{6}", None, "K-123456", Some(Likely)),
        ("K-[0-9]{6}", None, " K-123456 ", Some(Likely)),
        ("K-[0-9]{6}", None, "Ｋ-１２３４５６", Some(Likely)),
        ("K-[0-9]{6}", None, "K-1234567", None),
        ("K-[0-9]{6}", luhn, "K-123455", Some(Sure)),
        ("K-[0-9]{6}", luhn, "K-123456", None),
        ("[0-9]{6}", None, "123456", None),
        ("[0-9]{6}", luhn, "123455", None),
        ("[0-9]{28}", Some(Checksum::Mod97), "3214282912345698765432161182", Some(Sure)),
    ] {
        assert_eq!(
            certainty_of(pattern, checksum, value),
            expected,
            "{pattern} {checksum:?} {value}"
        );
    }
}

#[test]
fn who_is_sure_goes_before_who_came_first() {
    let defined = defined(vec![
        definition("LIKELY", &[], Some("K-[0-9]{6}"), None),
        definition("SURE", &[], Some("[A-Z]-[0-9]{6}"), Some(Checksum::Luhn)),
    ]);
    let found = |value| defined.finding(Folding::default().see(value)).unwrap().info_type;
    assert_eq!(found("K-123455").as_str(), "SURE");
    assert_eq!(found("K-123456").as_str(), "LIKELY");
}
