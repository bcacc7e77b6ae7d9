use std::ops::ControlFlow;

use tresor_proto::{FieldPolicy, Policy, UndeclaredPolicy};
use tresor_screening::reader::{Format, read};

use super::*;

fn name(text: &str) -> FieldName {
    FieldName::parse(text).unwrap()
}

fn declared(text: &str, action: Action) -> FieldPolicy {
    FieldPolicy::new(name(text), action)
}

fn screened(id_field: Option<&str>, text: &str) -> Screened {
    let fields = vec![
        declared("tariff", Action::Clear),
        declared("number", Action::Clear),
        declared("secret", Action::Seal),
        declared("surplus", Action::Drop),
        declared("forbidden", Action::Reject),
    ];
    let policy = Policy::new(fields, UndeclaredPolicy::default(), Action::Seal).unwrap();
    let policy = Arc::new(VersionedPolicy { version: 3, policy });
    let mut rows = Vec::new();
    let result = read(Format::NdJson, text.as_bytes(), &mut |row| {
        rows.push(row);
        ControlFlow::Continue(())
    });
    result.unwrap();
    Screening::new(policy, id_field.map(name), true).screen_all(&rows, None)
}

fn refused(id_field: Option<&str>, text: &str) -> Failure {
    let screened = screened(id_field, text);
    assert!(screened.records.is_empty());
    screened.fates[0].outcome.as_ref().err().unwrap().clone()
}

#[test]
fn fields_are_forwarded_with_their_action() {
    let screened = screened(None, r#"{"tariff":"T1","secret":"x","surplus":"y"}"#);
    let fields = &screened.records[0].fields;
    let told: Vec<_> = fields.iter().map(|f| (f.name.as_str(), f.action())).collect();
    let expected = [("tariff", vault::Action::Clear), ("secret", vault::Action::Seal)];
    assert_eq!(told, expected);
    let counts = screened.fates[0].outcome.as_ref().ok().unwrap();
    assert_eq!((counts.sealed, counts.clear, counts.dropped), (1, 1, 1));
    assert_eq!(screened.fates[0].verdicts.as_ref().unwrap().len(), 3);
}

#[test]
fn a_rejected_field_rejects_its_record_by_name() {
    let text = "{\"forbidden\":\"x\"}\n{\"tariff\":\"T1\"}";
    let screened = screened(None, text);
    assert_eq!(screened.records.len(), 1);
    let failure = screened.fates[0].outcome.as_ref().err().unwrap();
    assert_eq!(failure.code(), ErrorCode::RejectedByPolicy);
    assert_eq!(failure.violations()[0].field, "forbidden");
    assert!(!format!("{failure:?}").contains("\"x\""));
    assert!(screened.fates[1].outcome.is_ok());
}

#[test]
fn the_id_field_becomes_the_id_and_stays_a_field() {
    let screened = screened(Some("number"), r#"{"number":"A-17","tariff":"T1"}"#);
    assert_eq!(screened.records[0].id, "A-17");
    assert_eq!(screened.records[0].fields.len(), 2);
}

#[test]
fn a_protected_value_is_no_id() {
    let failure = refused(Some("secret"), r#"{"secret":"A-17"}"#);
    assert_eq!(failure.code(), ErrorCode::RejectedByPolicy);
    assert_eq!(failure.violations()[0].field, "secret");
}

#[test]
fn a_personal_value_is_no_id() {
    let failure = refused(Some("email"), r#"{"email":"erna.muster~example.org"}"#);
    assert_eq!(failure.code(), ErrorCode::RejectedByPolicy);
    let failure = refused(Some("x"), r#"{"x":"DE75512108001245126199"}"#);
    assert_eq!(failure.code(), ErrorCode::RejectedByPolicy);
}

#[test]
fn a_sealed_value_is_no_id() {
    for name in ["Mustermann.Erika", "Mustermann1985", "E.Muster-7"] {
        let text = format!(r#"{{"kennung":"{name}"}}"#);
        let sealed = screened(None, &text);
        assert_eq!(sealed.records[0].fields[0].action(), vault::Action::Seal);
        let failure = refused(Some("kennung"), &text);
        assert_eq!(failure.code(), ErrorCode::RejectedByPolicy);
        assert_eq!(failure.violations()[0].field, "kennung");
        assert!(!format!("{failure:?}").contains("Muster"));
    }
    let code = screened(Some("kennung"), r#"{"kennung":"ORD-17"}"#);
    assert_eq!(code.records[0].id, "ORD-17");
}

#[test]
fn numbers_of_orders_and_uuids_are_ids() {
    let order = screened(Some("auftrag"), r#"{"auftrag":"A-03405927"}"#);
    assert_eq!(order.records[0].id, "A-03405927");
    let uuid = r#"{"uuid":"1f3c42b2-e2cb-4b93-9981-45593a9afa39"}"#;
    assert!(!screened(Some("uuid"), uuid).records[0].id.is_empty());
}

#[test]
fn a_malformed_or_missing_id_refuses_the_record() {
    let failure = refused(Some("number"), r#"{"number":"A 17"}"#);
    assert_eq!(failure.code(), ErrorCode::InvalidRequest);
    assert!(!format!("{failure:?}").contains("A 17"));
    let failure = refused(Some("number"), r#"{"tariff":"T1"}"#);
    assert_eq!(failure.violations()[0].field, "number");
}

#[test]
fn a_row_that_was_not_read_keeps_its_place() {
    let screened = screened(None, "{\"tariff\":\"T1\"}\n{\n{\"tariff\":\"T2\"}");
    assert_eq!(screened.records.len(), 2);
    let places: Vec<_> = screened.fates.iter().map(|f| (f.row, f.outcome.is_ok())).collect();
    assert_eq!(places, [(1, true), (2, false), (3, true)]);
}
