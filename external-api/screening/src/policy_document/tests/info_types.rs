use tresor_proto::{Checksum, DataClass, Mask};

use super::{super::*, places};

const DEFINING: &str = "
fields:
  Kunde:        { info_type: CUSTOMER_NUMBER, tokenize: random }
info_types:
  CUSTOMER_NUMBER: { words: [Kundennummer, customer no], pattern: 'K-[0-9]{6}', checksum: luhn, class: identity, mask: {keep_last: 2} }
  CONTRACT:     { words: Vertrag }
";

#[test]
fn info_types_are_read_whole_wherever_they_stand_and_survive_being_written() {
    let policy = parse(DEFINING).unwrap();
    let [number, contract] = policy.info_types().definitions() else { panic!("two") };
    assert_eq!(number.words, ["Kundennummer", "customer no"]);
    assert_eq!(number.pattern.as_ref().unwrap().as_str(), "K-[0-9]{6}");
    assert_eq!((number.checksum, number.mask), (Some(Checksum::Luhn), Mask::new(0, 2).ok()));
    assert_eq!(policy.fields()[0].info_type, Some(number.info_type()));
    assert_eq!(policy.fields()[0].class(), DataClass::Identity);
    assert_eq!((contract.words.len(), contract.info_type.class()), (1, DataClass::Other));
    assert_eq!(parse(&write(&policy)).unwrap(), policy, "{}", write(&policy));
}

#[test]
fn what_is_wrong_with_an_info_type_is_told_where_it_stands() {
    let at = |yaml: &str| places(yaml);
    let expected = |line, column, path: &str| vec![(line, column, path.to_owned())];
    for (definition, column, key) in [
        ("{ pattern: '(a' }", 17, ".pattern"),
        ("{ pattern: 'a*' }", 17, ".pattern"),
        ("{ pattern: '(a{1000}){1000}' }", 17, ".pattern"),
        ("{ pattern: 'Ü' }", 17, ".pattern"),
        ("{ words: [k, 1] }", 12, ".words"),
        ("{ words: { k: 1 } }", 12, ".words"),
        ("{ words: [x] }", 14, ".words"),
        ("{ words: [kunde], checksum: crc }", 31, ".checksum"),
        ("{ words: [kunde], checksum: luhn }", 31, ".checksum"),
        ("{ words: [kunde], class: all }", 28, ".class"),
        ("{ words: [kunde], colour: red }", 21, ".colour"),
        ("{ }", 3, ".words"),
    ] {
        // A field of it is not wrong as well.
        let yaml = format!("info_types:\n  K: {definition}\nfields: {{ k: {{ info_type: K }} }}\n");
        let wrong = at(&yaml);
        assert_eq!(wrong.len(), 1, "{definition}: {wrong:?}");
        assert_eq!((wrong[0].0, wrong[0].2.as_str()), (2, &*format!("info_types.K{key}")));
        assert!(wrong[0].1.abs_diff(column) <= 3, "{definition}: {wrong:?}");
    }
    for name in ["k", "IBAN_CODE", "KÜNDE", "\u{202e}K"] {
        let yaml = format!("info_types:\n  '{name}': {{ words: [kunde] }}\n");
        assert_eq!(at(&yaml), expected(2, 3, &format!("info_types.{name}")));
    }
    let undefined = "fields:\n  k: { info_type: KUNDE }\n";
    assert_eq!(at(undefined), expected(2, 19, "fields.k.info_type"));
    let twice = "info_types:\n  A: { words: [kunde] }\n  B: { words: [Kunde] }\n";
    assert_eq!(at(twice), expected(1, 1, "info_types"));
}

#[test]
fn surrogates_of_which_nothing_is_kept_are_not_made_of_them() {
    for form in ["format-preserving", "{ kind: format-preserving, format: digits }"] {
        let yaml = format!("{DEFINING}  \nundeclared: {{}}\n").replace("random", form);
        let error = parse(&yaml).unwrap_err();
        assert!(
            error.to_string().contains("ends with the definition")
                || error.to_string().contains("end with the definition"),
            "{error}"
        );
    }
}
