use prost_types::Timestamp;

use super::*;

fn text(value: &str) -> Option<vault::Value> {
    Some(vault::Value { content: Some(vault::value::Content::Text(value.to_owned())) })
}

fn wire_field(name: &str) -> vault::Field {
    vault::Field { name: name.to_owned(), value: text("x"), ..vault::Field::default() }
}

fn input(fields: Vec<vault::Field>) -> vault::RecordInput {
    vault::RecordInput { fields, ..vault::RecordInput::default() }
}

fn refused(input: vault::RecordInput) -> Failure {
    let batch = Batch::from_wire(vec![input], &mut ItemKeys::default()).unwrap();
    batch.records.into_iter().next().unwrap().err().unwrap()
}

fn treated(change: impl FnOnce(&mut vault::Field)) -> Result<Treatment, ErrorCode> {
    let mut wire = wire_field("name");
    change(&mut wire);
    let field = field(wire).map_err(|failure| failure.code())?;
    Ok(field.treatment)
}

#[test]
fn a_field_without_an_action_is_sealed() {
    let sealed = Treatment::Seal { info_type: None, class: DataClass::Other };
    assert_eq!(treated(|_| ()), Ok(sealed));
}

#[test]
fn the_class_is_the_info_types_unless_given() {
    let info_type = Some(InfoType::IbanCode);
    let by_type = treated(|field| field.info_type = "IBAN_CODE".to_owned());
    let class = DataClass::Financial;
    assert_eq!(by_type, Ok(Treatment::Seal { info_type, class }));
    let given = treated(|field| {
        field.info_type = "IBAN_CODE".to_owned();
        field.data_class = i32::from(DataClass::Other.code());
    });
    let class = DataClass::Other;
    assert_eq!(given, Ok(Treatment::Seal { info_type, class }));
}

#[test]
fn a_clear_field_is_clear_only_when_it_says_so() {
    let clear = treated(|field| field.action = vault::Action::Clear as i32);
    assert_eq!(clear, Ok(Treatment::Clear));
}

#[test]
fn a_tokenized_field_has_an_info_type() {
    let tokenized = |info_type: &str| {
        treated(|field| {
            field.action = vault::Action::Tokenize as i32;
            field.info_type = info_type.to_owned();
        })
    };
    let form = SurrogateForm::default();
    let info_type = InfoType::IbanCode;
    assert_eq!(tokenized("IBAN_CODE"), Ok(Treatment::Tokenize { info_type, form, mask: None }));
    assert_eq!(tokenized(""), Err(ErrorCode::InvalidRequest));
}

#[test]
fn what_is_unknown_or_not_for_fields_is_invalid() {
    let invalid = Err(ErrorCode::InvalidRequest);
    assert_eq!(treated(|field| field.info_type = "shoe".to_owned()), invalid);
    assert_eq!(treated(|field| field.data_class = 99), invalid);
    for action in [-1, 99] {
        assert_eq!(treated(|field| field.action = action), invalid);
    }
    for action in [vault::Action::Drop, vault::Action::Reject] {
        assert_eq!(treated(|field| field.action = action as i32), invalid);
    }
    assert_eq!(treated(|field| field.value = None), invalid);
    assert_eq!(treated(|field| field.name = "a\0b".to_owned()), invalid);
}

#[test]
fn a_mistake_stays_with_its_item_and_names_its_place() {
    let good = input(vec![wire_field("a")]);
    let bad = input(vec![wire_field("a"), wire_field("")]);
    let batch = Batch::from_wire(vec![good.clone(), bad, good], &mut ItemKeys::default()).unwrap();
    let is_ok = batch.records.iter().map(Result::is_ok).collect::<Vec<_>>();
    assert_eq!(is_ok, [true, false, true]);
    let failure = batch.records[1].as_ref().err().unwrap();
    assert_eq!(failure.violations()[0].field, "fields[1]");
}

#[test]
fn a_failure_never_repeats_a_value() {
    let mut field = wire_field("name");
    field.value = Some(vault::Value {
        content: Some(vault::value::Content::Json("Erika Mustermann".to_owned())),
    });
    assert!(!format!("{:?}", refused(input(vec![field]))).contains("Erika"));
}

#[test]
fn a_batch_has_1_to_1000_items() {
    let code = |items: usize| {
        let records = vec![input(vec![wire_field("a")]); items];
        Batch::from_wire(records, &mut ItemKeys::default()).err().map(|failure| failure.code())
    };
    assert_eq!(code(0), Some(ErrorCode::InvalidRequest));
    assert_eq!(code(1_000), None);
    assert_eq!(code(1_001), Some(ErrorCode::TooLarge));
}

#[test]
fn a_reference_over_its_limit_fails_its_item_and_is_not_echoed() {
    let with_reference = |bytes: usize| vault::RecordInput {
        reference: "r".repeat(bytes),
        ..input(vec![wire_field("a")])
    };
    let records = vec![with_reference(128), with_reference(129)];
    let batch = Batch::from_wire(records, &mut ItemKeys::default()).unwrap();
    assert_eq!(batch.references, ["r".repeat(128), String::new()]);
    assert!(batch.records[0].is_ok());
    let failure = batch.records[1].as_ref().err().unwrap();
    assert_eq!(failure.code(), ErrorCode::TooLarge);
}

#[test]
fn ids_subjects_and_times_out_of_their_limits_are_refused() {
    let fields = || vec![wire_field("a")];
    let id = "a/b".to_owned();
    let with_id = vault::RecordInput { id, ..input(fields()) };
    assert_eq!(refused(with_id).code(), ErrorCode::InvalidRequest);
    let subject = "s".repeat(257);
    let with_subject = vault::RecordInput { subject, ..input(fields()) };
    assert_eq!(refused(with_subject).code(), ErrorCode::TooLarge);
    let expires = Some(Timestamp { seconds: -1, nanos: 0 });
    let with_expiry = vault::RecordInput { expires, ..input(fields()) };
    assert_eq!(refused(with_expiry).code(), ErrorCode::InvalidRequest);
}

#[test]
fn a_record_over_256_fields_is_too_large() {
    let fields = (0..257).map(|at| wire_field(&at.to_string())).collect();
    assert_eq!(refused(input(fields)).code(), ErrorCode::TooLarge);
}

#[test]
fn answers_come_back_in_the_order_of_the_ids() {
    let texts = ["a", "b b", "c"].map(str::to_owned).to_vec();
    let ids = Ids::from_wire(texts).unwrap();
    assert_eq!(ids.valid().len(), 2);
    let answers = ids.in_order(vec![Ok(1), Err(VaultError::NotFound)]);
    let answers = answers.map(|(id, answer)| (id, answer.map_err(|failure| failure.code())));
    let expected = [
        ("a".to_owned(), Ok(1)),
        ("b b".to_owned(), Err(ErrorCode::InvalidRequest)),
        ("c".to_owned(), Err(ErrorCode::NotFound)),
    ];
    assert_eq!(answers.collect::<Vec<_>>(), expected);
}

#[test]
fn ids_are_split_without_losing_one() {
    let texts = (0..5).map(|at| at.to_string()).collect();
    let mut ids = Ids::from_wire(texts).unwrap();
    let first = ids.split_first(2).into_texts().collect::<Vec<_>>();
    assert_eq!(first, ["0", "1"]);
    let rest = ids.split_first(9).into_texts().collect::<Vec<_>>();
    assert_eq!(rest, ["2", "3", "4"]);
    assert!(ids.is_empty());
}

#[test]
fn a_view_is_masked_unless_asked_otherwise() {
    assert_eq!(view("c", 0, &[]).unwrap().reveal, Reveal::Masked);
    let plain = view("c", vault::Reveal::Plain as i32, &[]).unwrap();
    assert_eq!(plain.reveal, Reveal::Plain);
    assert!(view("c", 17, &[]).is_err());
    assert!(view("C", 0, &[]).is_err());
}

#[test]
fn policy_version_zero_means_not_screened() {
    let wire = |policy_version| {
        let collection = "c".to_owned();
        let wire = vault::Destination { collection, policy_version, masks: false };
        destination(Some(wire)).unwrap().policy_version
    };
    assert_eq!(wire(0), None);
    assert_eq!(wire(7), Some(7));
    assert!(destination(None).is_err());
}
