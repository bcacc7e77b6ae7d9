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

fn rows(text: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    let result = read(Format::NdJson, text.as_bytes(), &mut |row| {
        rows.push(row);
        ControlFlow::Continue(())
    });
    result.unwrap();
    rows
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
    let rows = rows(text);
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

#[test]
fn what_the_policy_only_flags_is_told_by_name_and_counted() {
    let policy = Policy::new(
        vec![declared("tariff", Action::Clear), declared("number", Action::Clear)],
        UndeclaredPolicy::default(),
        Action::Clear,
    );
    let policy = Arc::new(VersionedPolicy { version: 3, policy: policy.unwrap() });
    let rows =
        rows("{\"tariff\":\"DE89370400440532013000\",\"number\":\"17\"}\n{\"number\":\"18\"}");
    let screened = Screening::new(policy, None, true).screen_all(&rows, None);
    assert_eq!(
        (&screened.fates[0].flagged[..], screened.fates[1].flagged.len()),
        (&["tariff".to_owned()][..], 0)
    );
    let counts = screened.fates[0].outcome.as_ref().ok().unwrap();
    assert_eq!((counts.clear, counts.flagged), (2, 1));
    let verdict = &screened.fates[0].verdicts.as_ref().unwrap()[0];
    assert_eq!((verdict.code, verdict.action), ("declared_clear_but_personal", "clear"));
}

fn with_copy(text: &str) -> Screened {
    let note = FieldPolicy {
        info_type: Some(InfoType::FreeText),
        redacted_copy: Some(name("short")),
        ..declared("note", Action::Seal)
    };
    let policy = Policy::new(vec![note], UndeclaredPolicy::default(), Action::Seal).unwrap();
    let policy = Arc::new(VersionedPolicy { version: 3, policy });
    Screening::new(policy, None, false).screen_all(&rows(text), None)
}

const NOTE: &str = "Frau Schmidt bittet um R\u{fc}ckruf unter 0171 2345678.";
const SHORT: &str = "Frau [PERSON_NAME] bittet um R\u{fc}ckruf unter [PHONE_NUMBER].";

#[test]
fn a_note_is_sealed_beside_its_redacted_copy() {
    let screened = with_copy(&serde_json::json!({"note": NOTE, "menge": 7}).to_string());
    let told = screened.records[0].fields.iter().map(|field| {
        let Some(vault::value::Content::Text(text)) = field.value.clone().unwrap().content else {
            return (field.name.as_str(), field.action(), String::new());
        };
        (field.name.as_str(), field.action(), text)
    });
    let expected = [
        ("note", vault::Action::Seal, NOTE.to_owned()),
        ("menge", vault::Action::Clear, String::new()),
        ("short", vault::Action::Clear, SHORT.to_owned()),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
    let counts = screened.fates[0].outcome.as_ref().ok().unwrap();
    assert_eq!((counts.sealed, counts.clear), (1, 2));
}

#[test]
fn without_a_text_there_is_no_copy_of_it() {
    for text in [r#"{"note":""}"#, r#"{"note":null}"#, r#"{"menge":7}"#] {
        let fields = &with_copy(text).records[0].fields;
        assert!(fields.iter().all(|field| field.name != "short"), "{text}");
    }
}

#[test]
fn a_copy_that_comes_along_is_the_one_that_is_made_or_the_row_is_refused() {
    let same = with_copy(&serde_json::json!({"note": NOTE, "short": SHORT}).to_string());
    assert_eq!(same.records[0].fields.len(), 2);
    for (note, short) in [(NOTE, NOTE), ("", "Frau Schmidt")] {
        let text = serde_json::json!({"note": note, "short": short}).to_string();
        let screened = with_copy(&text);
        let failure = screened.fates[0].outcome.as_ref().err().unwrap();
        assert_eq!(failure.code(), ErrorCode::RejectedByPolicy);
        assert_eq!(failure.violations()[0].field, "short");
        assert!(!failure.to_string().contains("Schmidt"));
    }
}
