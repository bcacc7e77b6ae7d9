use tresor_proto::{Content, DataClass, FieldName, RecordId};
use tresor_vault::FieldSurrogate;

use super::*;

fn revealed(field: RevealedField) -> RevealedRecord {
    RevealedRecord {
        id: RecordId::parse("r-1").unwrap(),
        revision: 3,
        created_ms: 1_000,
        updated_ms: 2_500,
        expires_ms: None,
        fields: vec![field],
    }
}

fn field(shown: Shown, treatment: Treatment) -> RevealedField {
    let length_bytes_max = matches!(shown, Shown::Redacted).then_some(28);
    RevealedField {
        name: FieldName::parse("iban").unwrap(),
        treatment,
        shown,
        surrogate: None,
        key_version: None,
        length_bytes_max,
    }
}

fn on_the_wire(shown: Shown, treatment: Treatment) -> vault::RevealedField {
    let record = record_to_wire(revealed(field(shown, treatment)));
    record.fields.into_iter().next().unwrap()
}

const SEALED: Treatment =
    Treatment::Seal { info_type: Some(InfoType::IbanCode), class: DataClass::Financial };

#[test]
fn what_is_redacted_or_withheld_has_no_value() {
    for (shown, state, length_bytes_max) in [
        (Shown::Redacted, vault::FieldState::Redacted, 28),
        (Shown::Withheld, vault::FieldState::Withheld, 0),
    ] {
        let wire = on_the_wire(shown, SEALED);
        assert_eq!(wire.state(), state);
        assert!(wire.value.is_none());
        assert_eq!(wire.info_type, "IBAN_CODE");
        assert_eq!(wire.data_class(), vault::DataClass::Financial);
        assert_eq!(wire.length_bytes_max, length_bytes_max);
    }
}

#[test]
fn what_is_shown_says_how_it_is_shown() {
    let content = || Content::text("DE**3000").unwrap();
    for (shown, treatment, state) in [
        (Shown::Masked(content()), SEALED, vault::FieldState::Masked),
        (Shown::Plain(content()), SEALED, vault::FieldState::Plain),
        (Shown::Clear(content()), Treatment::Clear, vault::FieldState::Clear),
    ] {
        let wire = on_the_wire(shown, treatment);
        assert_eq!(wire.state(), state);
        assert_eq!(wire.value.unwrap(), content().into_wire());
    }
}

#[test]
fn a_surrogate_is_told_with_the_version_of_the_key_it_hangs_on() {
    let surrogate = Some("4711".to_owned());
    for (key_version, told) in [(Some(2), 2), (None, 0)] {
        let shown = field(Shown::Withheld, SEALED);
        let shown = RevealedField { surrogate: surrogate.clone(), key_version, ..shown };
        let wire = record_to_wire(revealed(shown)).fields.remove(0);
        assert_eq!((wire.surrogate.as_str(), wire.key_version), ("4711", told));
        let given = FieldSurrogate {
            field: FieldName::parse("iban").unwrap(),
            surrogate: "4711".to_owned(),
            key_version,
        };
        let stored = StoredRecord {
            id: RecordId::parse("r-1").unwrap(),
            revision: 1,
            is_replayed: true,
            is_superseded: false,
            surrogates: vec![given],
            masks: Vec::new(),
        };
        let result = put_result(String::new(), Ok(stored));
        assert_eq!(result.surrogates[0].key_version, told);
    }
}

#[test]
fn a_clear_field_has_neither_type_nor_class() {
    let wire = on_the_wire(Shown::Clear(Content::text("1").unwrap()), Treatment::Clear);
    assert_eq!(wire.info_type, "");
    assert_eq!(wire.data_class(), vault::DataClass::Unspecified);
}

#[test]
fn an_answer_within_its_budget_is_within_a_message() {
    let mut budget = AnswerBudget::new();
    let mut answer = vault::GetResponse::default();
    loop {
        let large = Content::text(&"x".repeat(60_000)).unwrap();
        let record = revealed(field(Shown::Plain(large), SEALED));
        let result = get_result("r-1".to_owned(), Ok(record));
        if !budget.take(&result) {
            break;
        }
        answer.results.push(result);
    }
    assert!(answer.results.len() > 50);
    let rest = 1_000 - answer.results.len();
    let too_large = || does_not_fit("i".repeat(128));
    answer.results.extend(std::iter::repeat_with(too_large).take(rest));
    assert!(answer.encoded_len() <= MESSAGE_BYTES_MAX);
    assert!(!budget.take(&too_large()), "nothing fits after what did not");
}

#[test]
fn an_items_failure_travels_as_its_status() {
    use vault::put_result::Outcome;
    let result = put_result("ref-7".to_owned(), Err(VaultError::Conflict));
    assert_eq!(result.reference, "ref-7");
    let Some(Outcome::Status(status)) = result.outcome else {
        panic!("an item that failed carries a status");
    };
    let failure = Failure::from_item_status(&status);
    assert_eq!(failure.code(), ErrorCode::Conflict);
    assert!(delete_result("r-1".to_owned(), Ok(())).status.is_none());
}
