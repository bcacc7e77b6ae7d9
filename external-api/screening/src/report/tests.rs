use std::sync::Arc;

use tresor_proto::FieldPolicy;

use super::*;
use crate::{Screener, Value};

fn names(names: &[&str]) -> Arc<[FieldName]> {
    let names = names.iter().map(|name| FieldName::parse(name).unwrap());
    names.collect()
}

/// Observes records of fields `email` and `x`.
fn observe(records: &[[&str; 2]]) -> Report {
    let names = names(&["email", "x"]);
    let mut report = Report::new();
    for record in records {
        observe_one(&mut report, &names, &record.map(Value::Text));
    }
    report
}

fn observe_one(report: &mut Report, names: &Arc<[FieldName]>, values: &[Value<'_>]) {
    let policy = Policy::default();
    report.observe(names, Screener::new(&policy).screen(names, values));
}

#[test]
fn the_type_of_most_values_is_the_columns() {
    let report = observe(&[["a@b.de", "10.0.0.1"], ["", "10.0.0.2"], ["c@d.de", "12"]]);
    let columns = report.columns();
    assert_eq!(report.records(), 3);
    assert_eq!(columns[0].info_type, Some(InfoType::EmailAddress));
    assert_eq!((columns[0].values, columns[1].values), (2, 3));
    assert_eq!(columns[1].info_type, Some(InfoType::IpAddress));
    assert_eq!(columns[1].findings, BTreeMap::from([(InfoType::IpAddress, 2)]));
    assert_eq!(columns[1].evidence.to_string(), "ip: IPv4 address");
}

#[test]
fn a_column_protects_as_its_most_protected_value() {
    let report = observe(&[["", "1"], ["", "2"], ["", "Kellerwohnung"]]);
    let column = report.columns().remove(1);
    assert_eq!((column.action, column.class), (Action::Seal, Some(DataClass::Other)));
    assert_eq!(column.info_type, None);
    assert_eq!(report.proposed_policy().fields()[0].action, Action::Seal);
}

#[test]
fn a_proposal_makes_nothing_readable() {
    let report = observe(&[["", "1"], ["", "2"]]);
    assert_eq!(report.columns().remove(1).action, Action::Clear);
    assert_eq!(report.proposed_policy().fields(), []);
}

#[test]
fn a_proposal_keeps_what_a_policy_declares_clear() {
    let names = names(&["x", "y"]);
    let x = FieldPolicy::new(names[0].clone(), Action::Clear);
    let policy = Policy::new(vec![x.clone()], UndeclaredPolicy::default(), Action::Seal).unwrap();
    let mut report = Report::default();
    let values = [Value::Text("1"), Value::Text("2")];
    report.observe(&names, Screener::new(&policy).screen(&names, &values));
    assert_eq!(report.proposed_policy().fields(), [x]);
}

#[test]
fn what_is_empty_makes_no_column_less_sure() {
    let surely = observe(&[["", "a@b.de"]]).columns().remove(1);
    let column = observe(&[["", "a@b.de"], ["", ""], ["", ""]]).columns().remove(1);
    assert_eq!((column.confidence, column.evidence), (surely.confidence, surely.evidence));
}

#[test]
fn a_proposal_keeps_the_class_a_type_does_not_give() {
    let names = names(&["gehalt"]);
    let mut report = Report::new();
    observe_one(&mut report, &names, &[Value::Text("4200")]);
    let field = report.proposed_policy().fields()[0].clone();
    assert_eq!((field.info_type, field.class()), (None, DataClass::Financial));
}

#[test]
fn columns_are_told_apart_by_name_whatever_their_order() {
    let mut report = Report::new();
    for order in [["email", "x"], ["x", "email"], ["y", "email"]] {
        let names = names(&order);
        observe_one(&mut report, &names, &[Value::Text("7"), Value::Text("7")]);
    }
    let columns = report.columns();
    let seen: Vec<(&str, u64)> = columns.iter().map(|c| (c.name.as_str(), c.values)).collect();
    assert_eq!(seen, [("email", 3), ("x", 2), ("y", 1)]);
}

#[test]
fn a_column_of_names_is_told_by_those_that_are_known() {
    let known = ["Anna", "Yvyvic", "Thomas", "Joost", "Xaxaxa", "Dieter", "Zuzuz"];
    let mut report = Report::new();
    let names = names(&["f1"]);
    for name in known {
        observe_one(&mut report, &names, &[Value::Text(name)]);
    }
    let column = report.columns().remove(0);
    assert_eq!(column.info_type.map(InfoType::class), Some(DataClass::Identity));
    assert_eq!((column.source, column.class), (Source::Column, Some(DataClass::Identity)));
    assert_eq!(column.evidence.to_string(), "the column: 42 of 100 values");
}

#[test]
fn a_few_names_do_not_make_a_column() {
    let mut report = Report::new();
    let names = names(&["f1"]);
    for value in ["Schmidt", "offen", "gesperrt", "aktiv", "neu", "alt"] {
        observe_one(&mut report, &names, &[Value::Text(value)]);
    }
    let column = report.columns().remove(0);
    assert_eq!((column.info_type, column.source), (None, Source::Value));
}

#[test]
fn a_column_that_becomes_another_in_mid_file_says_so() {
    let mut report = Report::new();
    let names = names(&["f1"]);
    for row in 0..400 {
        let value = if row < 200 { "a@example.org" } else { "192.168.2.17" };
        observe_one(&mut report, &names, &[Value::Text(value)]);
    }
    let drift = report.columns().remove(0).drift.unwrap();
    assert_eq!(drift.from, Some(InfoType::EmailAddress));
    assert_eq!(drift.to, Some(InfoType::IpAddress));
}

#[test]
fn examples_are_masks_and_never_a_value() {
    let names = names(&["iban", "name", "geschlecht", "zaehlerstand"]);
    let mut report = Report::new();
    for (iban, name) in [
        ("DE65 8844 7294 0557 6169 87", "Erika Muster"),
        ("DE65884472940557616987", "Jan de Vries"),
        ("NL91ABNA0417164300", "Erika Muster"),
        ("", "Anna Maier"),
        ("", "Zoe Quast"),
    ] {
        let values = [iban, name, "weiblich", "4711"].map(Value::Text);
        observe_one(&mut report, &names, &values);
    }
    let columns = report.columns();
    assert_eq!(columns[0].examples, ["DE•••6987", "NL•••4300"]);
    assert_eq!(columns[1].examples, ["E. M.", "J. d. V.", "A. M."]);
    assert_eq!(
        (&columns[2].examples[..], &columns[3].examples[..]),
        (&["•••".to_owned()][..], &["•••".to_owned()][..])
    );
}

#[test]
fn a_mask_that_keeps_a_long_word_is_no_example() {
    let names = names(&["email"]);
    let mut report = Report::new();
    let address = format!("anna@{}org", "example.".repeat(9));
    observe_one(&mut report, &names, &[Value::Text(&address)]);
    let column = report.columns().remove(0);
    assert_eq!(column.info_type, Some(InfoType::EmailAddress));
    assert_eq!(column.examples, ["•••"]);
}

#[test]
fn values_are_counted_by_what_is_done_with_them() {
    let report = observe(&[["", "1"], ["", "2"], ["", "Kellerwohnung"]]);
    let columns = report.columns();
    let counted: Vec<_> = columns[1].actions.iter().collect();
    assert_eq!(counted, [(Action::Seal, 1), (Action::Clear, 2)]);
    assert_eq!(columns[0].actions.iter().count(), 0, "an empty value is none");
}

#[test]
fn what_is_found_inside_of_notes_is_counted_by_type() {
    let names = names(&["bemerkung"]);
    let mut report = Report::new();
    let note = "Frau Schmidt ruft an unter 0171 2345678 oder 0171 2345679.";
    observe_one(&mut report, &names, &[Value::Text(note)]);
    let document = report.document();
    assert_eq!(document.in_text.get(&InfoType::PhoneNumber), Some(&2));
    assert_eq!(document.columns[0].in_text, document.in_text);
    assert!(document.columns[0].findings.contains_key(&InfoType::FreeText));
}

#[test]
fn records_that_the_policy_refuses_are_counted() {
    let undeclared = UndeclaredPolicy { personal: Action::Reject, ..UndeclaredPolicy::default() };
    let policy = Policy::new(Vec::new(), undeclared, Action::Seal).unwrap();
    let (names, mut report) = (names(&["email"]), Report::new());
    for value in ["a@example.org", "b@example.org", ""] {
        report.observe(&names, Screener::new(&policy).screen(&names, &[Value::Text(value)]));
    }
    report.reject();
    let document = report.document();
    assert_eq!((document.records, document.rejected_by_policy, document.rejected), (3, 2, 1));
    assert_eq!(document.columns[0].actions.of(Action::Reject), 2);
}

#[test]
fn what_is_declared_clear_and_personal_is_flagged() {
    let field = FieldPolicy::new(FieldName::parse("x").unwrap(), Action::Clear);
    let policy = Policy::new(vec![field], UndeclaredPolicy::default(), Action::Clear).unwrap();
    let (names, mut report) = (names(&["x"]), Report::new());
    for value in ["DE65884472940557616987", "17"] {
        report.observe(&names, Screener::new(&policy).screen(&names, &[Value::Text(value)]));
    }
    let column = report.columns().remove(0);
    assert_eq!((column.flagged, column.actions.of(Action::Clear)), (1, 2));
}

#[test]
fn names_without_end_take_no_more_memory_and_are_told() {
    let mut report = Report::new();
    for number in 0..1_500 {
        let name = format!("f{number}");
        observe_one(&mut report, &names(&[&name]), &[Value::Text("7")]);
    }
    let document = report.document();
    assert_eq!((document.records, document.columns.len()), (1_500, 1_024));
    assert_eq!(document.unlisted_values, 476);
}

#[test]
fn a_report_is_one_json_object_for_programs() {
    let report = observe(&[["a@b.de", "10.0.0.1"]]);
    let told = serde_json::to_value(report.document()).unwrap();
    assert_eq!((&told["records"], &told["columns"][0]["name"]), (&1.into(), &"email".into()));
    let column = &told["columns"][1];
    assert_eq!(column["info_type"], "IP_ADDRESS");
    assert_eq!((&column["code"], &column["source"]), (&"value".into(), &"value".into()));
    assert_eq!(column["actions"], serde_json::json!({"seal": 1}));
    assert_eq!(column["examples"], serde_json::json!(["10.0.•••"]));
    assert_eq!(column["findings"], serde_json::json!({"IP_ADDRESS": 1}));
    assert_eq!((&column["drift"], &column["flagged"]), (&serde_json::Value::Null, &0.into()));
    assert!(told["proposed_policy"].as_str().unwrap().contains("IP_ADDRESS"));
}
