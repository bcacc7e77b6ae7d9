use super::*;
use prost::Message as _;

use crate::{Checksum, CustomInfoType, InfoTypeDefinition, Pattern, vault};

fn declared(name: &str, action: Action) -> FieldPolicy {
    let name = FieldName::parse(name).unwrap();
    FieldPolicy { info_type: Some(InfoType::IbanCode), ..FieldPolicy::new(name, action) }
}

#[test]
fn a_declaration_covers_what_lies_below_unless_it_makes_readable() {
    let field = |name, action| FieldPolicy::new(FieldName::parse(name).unwrap(), action);
    let fields = [("a", Action::Seal), ("/a/b", Action::Clear), ("/a/c", Action::Reject)];
    let fields = fields.into_iter().chain([("d", Action::Clear)]);
    let fields = fields.map(|(name, action)| field(name, action)).collect();
    let policy = Policy::new(fields, UndeclaredPolicy::default(), Action::Seal).unwrap();
    let action = |name: &str| {
        let name = FieldName::parse(name).unwrap();
        policy.covering(&name).map(|field| field.action)
    };
    assert_eq!(action("/a/0"), Some(Action::Seal));
    assert_eq!(action("/a/b"), Some(Action::Clear));
    assert_eq!(action("/a/b/0"), Some(Action::Seal));
    assert_eq!(action("/a/c/x/0"), Some(Action::Reject));
    assert_eq!((action("/d/0"), action("ab"), action("a/0")), (None, None, None));
}

#[test]
fn a_policy_survives_the_wire() {
    let fields = vec![declared("a", Action::Seal), declared("b", Action::Clear)];
    let policy = Policy::new(fields, UndeclaredPolicy::default(), Action::Reject).unwrap();
    assert_eq!(Policy::try_from(vault::Policy::from(&policy)).unwrap(), policy);
    assert_eq!(Policy::try_from(vault::Policy::default()).unwrap(), Policy::default());
}

#[test]
fn what_is_wrong_with_a_field_is_told_with_its_path() {
    let field = FieldPolicy::new(FieldName::parse("a.b").unwrap(), Action::Tokenize);
    let refused = Policy::new(vec![field], UndeclaredPolicy::default(), Action::Seal);
    let failure = refused.unwrap_err();
    assert_eq!(failure.violations()[0].field, "fields.a.b.info_type");
}

#[test]
fn a_field_that_is_tokenized_gives_random_surrogates_unless_the_policy_says_otherwise() {
    let fields = vec![declared("a", Action::Tokenize)];
    let policy = Policy::new(fields, UndeclaredPolicy::default(), Action::Seal).unwrap();
    assert_eq!(policy.fields()[0].surrogate, Some(SurrogateForm::default()));
    assert_eq!(Policy::try_from(vault::Policy::from(&policy)).unwrap(), policy);
}

fn note(name: &str, copy: &str) -> FieldPolicy {
    FieldPolicy {
        info_type: Some(InfoType::FreeText),
        redacted_copy: Some(FieldName::parse(copy).unwrap()),
        ..FieldPolicy::new(FieldName::parse(name).unwrap(), Action::Seal)
    }
}

fn policy(fields: Vec<FieldPolicy>) -> Result<Policy, Failure> {
    Policy::new(fields, UndeclaredPolicy::default(), Action::Seal)
}

#[test]
fn a_redacted_copy_is_declared_clear_by_itself() {
    let made = policy(vec![note("note", "copy")]).unwrap();
    let copy = made.field(&FieldName::parse("copy").unwrap()).unwrap();
    assert_eq!((copy.action, copy.info_type), (Action::Clear, None));
    assert_eq!(Policy::try_from(vault::Policy::from(&made)).unwrap(), made);
    let declared = vec![note("note", "copy"), copy.clone()];
    assert_eq!(policy(declared).unwrap(), made);
}

#[test]
fn a_redacted_copy_that_is_declared_otherwise_is_refused() {
    let wrong = |fields| policy(fields).unwrap_err().violations()[0].field.clone();
    for (other, of) in [
        (declared("copy", Action::Clear), "note"),
        (FieldPolicy::new(FieldName::parse("copy").unwrap(), Action::Seal), "note"),
        (note("other", "copy"), "other"),
    ] {
        let expected = format!("fields.{of}.redacted_copy");
        assert_eq!(wrong(vec![note("note", "copy"), other]), expected);
    }
    assert_eq!(wrong(vec![note("note", "note")]), "fields.note.redacted_copy");
}

#[test]
fn a_field_declared_twice_is_refused() {
    let fields = vec![declared("a", Action::Seal), declared("a", Action::Clear)];
    assert!(Policy::new(fields, UndeclaredPolicy::default(), Action::Seal).is_err());
}

#[test]
fn a_field_is_of_an_info_type_of_the_taxonomy_or_of_the_policy() {
    let custom = CustomInfoType::new("CUSTOMER_NUMBER", DataClass::Identity).unwrap();
    let words = vec!["kundennummer".to_owned()];
    let defined = InfoTypeDefinition { words, ..InfoTypeDefinition::new(custom) };
    let field = |info_type| FieldPolicy { info_type, ..declared("a", Action::Seal) };
    let policy = |types: &[InfoTypeDefinition], info_type| {
        let types = InfoTypes::new(types.to_vec()).unwrap();
        let undeclared = UndeclaredPolicy::default();
        Policy::defining(types, vec![field(info_type)], undeclared, Action::Seal)
    };
    let info_type = Some(InfoType::Custom(custom));
    let made = policy(core::slice::from_ref(&defined), info_type).unwrap();
    assert_eq!(made.fields()[0].class(), DataClass::Identity);
    assert_eq!(Policy::try_from(vault::Policy::from(&made)).unwrap(), made);
    for types in [
        &[][..],
        &[InfoTypeDefinition {
            info_type: CustomInfoType::new("CUSTOMER_NUMBER", DataClass::Other).unwrap(),
            ..defined
        }],
    ] {
        let failure = policy(types, info_type).unwrap_err();
        assert_eq!(failure.violations()[0].field, "fields.a.info_type");
    }
}

#[test]
fn unknown_text_never_stays_clear() {
    let undeclared =
        UndeclaredPolicy { unknown_text: Action::Clear, ..UndeclaredPolicy::default() };
    assert!(Policy::new(Vec::new(), undeclared, Action::Seal).is_err());
}

/// Golden vector of what the registry keeps of a definition: the fields of the message put together by
/// hand. Policies that define nothing are what they were before there were definitions.
#[test]
fn the_form_of_a_definition_is_frozen() {
    let custom = CustomInfoType::new("CUSTOMER_NUMBER", DataClass::Identity).unwrap();
    let definition = InfoTypeDefinition {
        words: vec!["kundennummer".to_owned(), "customer no".to_owned()],
        pattern: Some(Pattern::new("K-[0-9]{6}").unwrap()),
        checksum: Some(Checksum::Luhn),
        mask: Mask::new(0, 2).ok(),
        ..InfoTypeDefinition::new(custom)
    };
    let encoded = |definitions| {
        let types = InfoTypes::new(definitions).unwrap();
        let policy =
            Policy::defining(types, Vec::new(), UndeclaredPolicy::default(), Action::Seal).unwrap();
        vault::Policy::from(&policy).encode_to_vec()
    };
    let (before, with) = (encoded(Vec::new()), encoded(vec![definition]));
    let added = with.strip_prefix(&before[..]).unwrap();
    assert_eq!(
        added.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
        "22440a0f435553544f4d45525f4e554d42455210011a0c6b756e64656e6e756d6d65721a0b637573746f6d6572\
         206e6f220a4b2d5b302d395d7b367d2a046c75686e32021002"
    );
}
