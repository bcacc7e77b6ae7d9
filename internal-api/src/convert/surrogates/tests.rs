use tresor_proto::{DataClass, Reveal, SurrogateKind, vault::value::Content as Wire};

use super::*;

fn item(value: &str) -> vault::TokenizeItem {
    let value = Some(vault::Value { content: Some(Wire::Text(value.to_owned())) });
    vault::TokenizeItem { value, ..vault::TokenizeItem::default() }
}

fn common(wire: vault::SurrogateOptions) -> CommonOptions {
    CommonOptions::from_wire(Some(wire))
}

fn of_type(name: &str) -> vault::SurrogateOptions {
    vault::SurrogateOptions { info_type: name.to_owned(), ..vault::SurrogateOptions::default() }
}

fn parsed(
    items: Vec<vault::TokenizeItem>,
    common: &CommonOptions,
) -> Vec<Result<NewSurrogate, Failure>> {
    Values::from_wire(items, common, &mut ItemKeys::default()).unwrap().values
}

fn refused(item: vault::TokenizeItem, common: &CommonOptions) -> (ErrorCode, String) {
    let failure = parsed(vec![item], common).pop().unwrap().unwrap_err();
    let field = failure.violations().first().map(|violation| violation.field.clone());
    (failure.code(), field.unwrap_or_default())
}

#[test]
fn an_item_goes_by_its_own_options_or_by_those_of_all() {
    let all = vault::SurrogateOptions { uses_max: 3, ..of_type("IBAN_CODE") };
    let own = vault::SurrogateOptions { kind: 2, reveal: 2, ..of_type("CITY") };
    let second = vault::TokenizeItem { options: Some(own), ..item("b") };
    let values = parsed(vec![item("a"), second], &common(all));
    let [first, second] = [0, 1].map(|at| values[at].as_ref().unwrap().options);
    assert_eq!((first.info_type(), first.uses_max()), (InfoType::IbanCode, Some(3)));
    assert_eq!(first.form(), SurrogateForm::default());
    let form = SurrogateForm {
        kind: SurrogateKind::Deterministic,
        reveal: Reveal::Masked,
        ..SurrogateForm::default()
    };
    assert_eq!((second.form(), second.uses_max()), (form, None));
}

#[test]
fn mistakes_stay_with_their_item() {
    let fine = common(of_type("CITY"));
    let invalid = |field: &str| (ErrorCode::InvalidRequest, field.to_owned());
    let with = |options| vault::TokenizeItem { options: Some(options), ..item("x") };
    assert_eq!(refused(item("x"), &CommonOptions::from_wire(None)), invalid("options"));
    assert_eq!(refused(item("x"), &common(of_type(""))), invalid("info_type"));
    assert_eq!(refused(with(of_type("shoe")), &fine), invalid("info_type"));
    let unknown = vault::SurrogateOptions { kind: 9, ..of_type("CITY") };
    assert_eq!(refused(with(unknown), &fine), invalid("kind"));
    let ending = vault::SurrogateOptions { kind: 2, uses_max: 1, ..of_type("CITY") };
    assert_eq!(refused(with(ending), &fine), invalid("uses_max"));
    let telling = vault::SurrogateOptions { kind: 2, ..of_type("GENDER") };
    assert_eq!(refused(with(telling.clone()), &fine), invalid("kind"));
    let forced = vault::SurrogateOptions { forced: true, ..telling };
    assert!(parsed(vec![with(forced)], &fine)[0].is_ok());
    let no_format = vault::SurrogateOptions { kind: 3, ..of_type("CITY") };
    assert_eq!(refused(with(no_format), &fine), invalid("format"));
    let preserving = vault::SurrogateOptions { kind: 3, format: 3, ..of_type("SHOE") };
    assert_eq!(refused(with(preserving), &fine), invalid("kind"));
    let empty = vault::TokenizeItem { value: None, ..item("") };
    assert_eq!(refused(empty, &fine).0, ErrorCode::InvalidRequest);
    let long = vault::TokenizeItem { reference: "r".repeat(129), ..item("x") };
    assert_eq!(refused(long, &fine).0, ErrorCode::TooLarge);
    assert_eq!(refused(item(&"x".repeat(65_537)), &fine).0, ErrorCode::TooLarge);
}

#[test]
fn a_batch_is_refused_for_its_size_alone() {
    let of = |count| {
        let batch = Values::from_wire(
            vec![item("x"); count],
            &common(of_type("CITY")),
            &mut ItemKeys::default(),
        );
        batch.map(|batch| batch.values.len()).map_err(|failure| failure.code())
    };
    assert_eq!(of(1_000), Ok(1_000));
    assert_eq!((of(0), of(1_001)), (Err(ErrorCode::InvalidRequest), Err(ErrorCode::TooLarge)));
}

#[test]
fn items_are_numbered_under_the_idempotency_key() {
    let mut keys = ItemKeys::from_wire("k").unwrap();
    let ninth = vault::TokenizeItem { ordinal: 9, ..item("b") };
    let batch = vec![item("a"), ninth, item("c")];
    let values = Values::from_wire(batch, &common(of_type("CITY")), &mut keys).unwrap().values;
    let ordinal = |value: &Result<NewSurrogate, Failure>| {
        value.as_ref().unwrap().item_key.as_ref().unwrap().ordinal
    };
    assert_eq!(values.iter().map(ordinal).collect::<Vec<_>>(), [1, 9, 3]);
}

fn asked(item: vault::SurrogateItem, common: &CommonForm) -> Result<SurrogateQuery, Failure> {
    Names::from_wire(vec![item], common).unwrap().queries.pop().unwrap()
}

fn named(text: &str) -> vault::SurrogateItem {
    vault::SurrogateItem { surrogate: text.to_owned(), ..vault::SurrogateItem::default() }
}

#[test]
fn only_a_format_preserving_surrogate_is_told_what_it_was_made_for() {
    let digits = CommonForm::from_wire("METER_ID", 3, 0).unwrap();
    assert_eq!(asked(named("srg_city_x"), &digits).unwrap().form, None);
    assert_eq!(asked(named("0815"), &CommonForm::default()).unwrap().form, None);
    let form = FormatPreserved {
        info_type: InfoType::MeterId,
        format: SurrogateFormat::Digits,
        key_version: None,
    };
    assert_eq!(asked(named("0815"), &digits).unwrap().form, Some(form));
    let own = vault::SurrogateItem {
        info_type: "PHONE_NUMBER".to_owned(),
        format: 2,
        key_version: 7,
        ..named("+49 30 1")
    };
    let form = FormatPreserved {
        info_type: InfoType::PhoneNumber,
        format: SurrogateFormat::Phone,
        key_version: Some(7),
    };
    assert_eq!(asked(own.clone(), &digits).unwrap().form, Some(form));
    let older = CommonForm::from_wire("METER_ID", 3, 2).unwrap();
    let version = |item| asked(item, &older).unwrap().form.unwrap().key_version;
    assert_eq!((version(named("0815")), version(own)), (Some(2), Some(7)));
}

#[test]
fn a_form_that_cannot_be_is_refused_with_its_item() {
    assert!(CommonForm::from_wire("shoe", 0, 0).is_err());
    // Of a type that a policy defines there are none that look like their values.
    let custom = CommonForm::from_wire("SHOE", 3, 0).unwrap();
    assert!(asked(named("0815"), &custom).is_err());
    let without_format = CommonForm::from_wire("METER_ID", 0, 0).unwrap();
    assert!(asked(named("0815"), &without_format).is_err());
    assert!(asked(named(&"1".repeat(65_537)), &CommonForm::default()).is_err());
}

#[test]
fn a_length_is_told_of_what_is_redacted_only() {
    let revealed = |shown| {
        let class = DataClass::Location;
        let value = RevealedValue { shown, info_type: InfoType::City, class, length_bytes_max: 32 };
        match detokenize_result("r".to_owned(), Ok(value)).outcome.unwrap() {
            vault::detokenize_result::Outcome::Revealed(value) => value,
            vault::detokenize_result::Outcome::Status(_) => panic!("it is revealed"),
        }
    };
    let redacted = revealed(Shown::Redacted);
    assert_eq!((redacted.length_bytes_max, redacted.value), (32, None));
    let plain = revealed(Shown::Plain(Content::text("Burg").unwrap()));
    assert_eq!((plain.length_bytes_max, plain.state), (0, vault::FieldState::Plain as i32));
    assert_eq!((plain.info_type.as_str(), plain.data_class), ("CITY", 3));
}
