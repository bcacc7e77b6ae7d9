use std::sync::Arc;

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
fn a_column_that_is_never_personal_is_proposed_clear() {
    let report = observe(&[["", "1"], ["", "2"]]);
    let policy = report.proposed_policy();
    assert_eq!(policy.fields().len(), 1, "a column without values stays undeclared");
    assert_eq!(policy.fields()[0].name.as_str(), "x");
    assert_eq!(policy.fields()[0].action, Action::Clear);
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
