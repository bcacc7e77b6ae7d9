//! Info types that a policy defines.

use tresor_proto::{Action, DataClass, FieldName, InfoType, Policy};

use crate::{Evidence, Plan, Rule, Source, Value, Verdict, policy_document};

const DEFINING: &str = "
info_types:
  CUSTOMER_NUMBER: { words: [kundennummer], pattern: 'K-[0-9]{6}', class: identity }
  MEMBER: { words: [mitglied], pattern: '[0-9]{7,12}', checksum: luhn }
  TICKET: { words: [vorgang] }
  BADGE: { pattern: 'B[0-9]{5}', checksum: luhn, class: health }
";

fn policy(more: &str) -> Policy {
    policy_document::parse(&format!("{DEFINING}{more}")).unwrap()
}

fn verdict_under(policy: &Policy, name: &str, value: &str) -> Verdict {
    let names = [FieldName::parse(name).unwrap()];
    Plan::compile(policy, &names).screen(&[Value::Text(value)]).remove(0)
}

fn verdict(name: &str, value: &str) -> Verdict {
    verdict_under(&policy(""), name, value)
}

fn type_of(verdict: &Verdict) -> Option<String> {
    verdict.info_type.map(|info_type| info_type.as_str().to_owned())
}

#[test]
fn a_word_names_a_field_and_a_pattern_or_checksum_makes_it_sure() {
    let word = "a word of the policy";
    let pattern = Rule::Named("custom pattern");
    for (name, value, expected, confidence) in [
        ("kundenNummer", "K-123456", Evidence::FieldNameAndValue { word, rule: pattern }, 0.99),
        ("Kundennummer", "17", Evidence::FieldNameDespiteValue { word }, 0.75),
        ("vorgang", "17", Evidence::FieldName { word }, 0.9),
        ("kundennummer", "", Evidence::Empty, 0.9),
    ] {
        let verdict = verdict(name, value);
        assert_eq!(
            (verdict.evidence, verdict.confidence),
            (expected, confidence),
            "{name} {value}"
        );
        assert_eq!((verdict.source, verdict.action), (Source::FieldName, Action::Seal));
    }
    let verdict = verdict("mitglied", "79927398713");
    assert_eq!(type_of(&verdict).as_deref(), Some("MEMBER"));
    assert_eq!(
        verdict.evidence.to_string(),
        "field name: a word of the policy; custom pattern, custom checksum luhn ok"
    );
    assert_eq!(verdict_of_bytes("mitglied").info_type, verdict.info_type);
}

fn verdict_of_bytes(name: &str) -> Verdict {
    let names = [FieldName::parse(name).unwrap()];
    Plan::compile(&policy(""), &names).screen(&[Value::Binary(b"\xff")]).remove(0)
}

#[test]
fn a_value_alone_is_told_by_a_distinct_form_and_surely_by_its_checksum() {
    for (value, expected, confidence) in [
        ("K-123456", Some("CUSTOMER_NUMBER"), 0.7),
        ("Ｋ-１２３４５６", Some("CUSTOMER_NUMBER"), 0.7),
        ("B79923", None, 0.5),
        ("B12344", Some("BADGE"), 0.98),
    ] {
        let verdict = verdict("f1", value);
        assert_eq!(type_of(&verdict).as_deref(), expected, "{value}");
        assert_eq!((verdict.confidence, verdict.action), (confidence, Action::Seal), "{value}");
    }
    let badge = verdict("f1", "B12344");
    assert_eq!((badge.class, badge.source), (Some(DataClass::Health), Source::Value));
}

/// One in ten numbers passes Luhn: a harmless column is not taken for members.
#[test]
fn no_harmless_column_is_taken_by_a_form_that_numbers_have() {
    let is_member = |name: &str, number: u32| {
        verdict(name, &number.to_string()).info_type == InfoType::named("MEMBER", DataClass::Other)
    };
    for number in 1_000_000..1_000_500 {
        assert!(!is_member("f1", number) && !is_member("anzahl", number), "{number}");
    }
    assert!(is_member("mitglied", 1_000_009));
}

#[test]
fn a_form_does_not_speak_against_a_technical_name_or_a_surer_rule_and_a_checksum_does() {
    assert_eq!(verdict("ticket_status", "K-123456").action, Action::Clear);
    assert_eq!(type_of(&verdict("ticket_status", "B12344")).as_deref(), Some("BADGE"));
    let mail = policy("  MAIL: { pattern: '[a-z]+[0-9]@example[.]org' }\n");
    let found = verdict_under(&mail, "f1", "anna1@example.org");
    assert_eq!(found.info_type, Some(InfoType::EmailAddress));
}

#[test]
fn a_field_declared_clear_is_sealed_for_a_checksum_or_for_what_its_name_says() {
    let clear = policy("fields: { f1: { action: clear }, kundennummer: { action: clear } }\n");
    assert_eq!(verdict_under(&clear, "f1", "K-123456").action, Action::Clear);
    for (name, value) in [("f1", "B12344"), ("kundennummer", "K-123456")] {
        let verdict = verdict_under(&clear, name, value);
        assert_eq!(verdict.action, Action::Seal, "{name}");
        assert!(matches!(verdict.evidence, Evidence::DeclaredClear { .. }), "{name}");
    }
}

#[test]
fn neighbours_do_not_know_better_than_the_policy() {
    let types = "info_types: { HOUSE: { pattern: '[0-9]{3}-[a-z]' } }\n";
    let policy = policy_document::parse(types).unwrap();
    let names = ["f1", "f2", "f3", "f4"].map(|name| FieldName::parse(name).unwrap());
    let values = ["Lange Straße", "123-a", "30911", "Hannover"].map(Value::Text);
    let verdicts = Plan::compile(&policy, &names).screen(&values);
    assert_eq!(type_of(&verdicts[1]).as_deref(), Some("HOUSE"));
}
