mod info_types;

use proptest::prelude::*;

use tresor_proto::{
    DataClass, FieldName, InfoType, Mask, Reveal, SearchIndex, SurrogateForm, SurrogateFormat,
    SurrogateKind,
};

use super::*;

const EXAMPLE: &str = "
fields:
  Vorname:      { info_type: PERSON_NAME }
  Straße und Hausnr.: { info_type: STREET_ADDRESS, class: identity, action: reject }
  Zählerstand:  { action: clear }
  'yes':
undeclared: { personal: reject, unknown_text: drop, not_personal: clear }
declared_clear_but_personal: flag
";

fn places(yaml: &str) -> Vec<(u64, u64, String)> {
    let error = parse(yaml).unwrap_err();
    let place = |mistake: &Mistake| (mistake.line, mistake.column, mistake.path.clone());
    error.mistakes().iter().map(place).collect()
}

#[test]
fn a_document_is_read_whole() {
    let policy = parse(EXAMPLE).unwrap();
    let fields = policy.fields();
    assert_eq!(fields.len(), 4);
    assert_eq!(fields[0].info_type, Some(InfoType::PersonName));
    assert_eq!(fields[0].action, Action::Seal);
    assert_eq!(fields[1].class(), DataClass::Identity);
    assert_eq!(fields[1].action, Action::Reject);
    assert_eq!(fields[2].action, Action::Clear);
    assert_eq!(fields[3].name.as_str(), "yes");
    assert_eq!(policy.undeclared.unknown_text, Action::Drop);
    assert_eq!(policy.declared_clear_but_personal, Action::Clear);
}

#[test]
fn an_empty_document_is_the_default_policy() {
    for yaml in ["", "# nothing\n", "{}", "fields:\n"] {
        assert_eq!(parse(yaml).unwrap(), Policy::default(), "{yaml:?}");
    }
}

#[test]
fn every_mistake_is_reported_with_its_place() {
    let yaml = "fields:\n  a: { info_type: NAME, colour: red }\n  b: clear\nundeclared:\n  personal: clear\nunknown: 1\n";
    let expected = [
        (2, 19, "fields.a.info_type"),
        (2, 25, "fields.a.colour"),
        (3, 6, "fields.b"),
        (5, 13, "undeclared.personal"),
        (6, 1, "unknown"),
    ];
    let expected = expected.map(|(line, column, path)| (line, column, path.to_owned()));
    assert_eq!(places(yaml), expected);
}

#[test]
fn surrogates_indexes_and_masks_are_read() {
    let yaml = "fields:
  a: { info_type: IBAN_CODE, tokenize: deterministic, searchable: exact }
  b: { tokenize: { format: digits, kind: format-preserving }, info_type: METER_ID }
  c: { info_type: PHONE_NUMBER, tokenize: format-preserving, mask: { keep_first: 2, keep_last: 4 } }
  d: { info_type: GENDER, searchable: { bits: 64, forced: true } }
  e: { info_type: CITY, action: tokenize }
  f: { info_type: CITY, tokenize: { reveal: masked, kind: deterministic } }
  g: { info_type: GENDER, tokenize: { forced: true, kind: deterministic } }
";
    let policy = parse(yaml).unwrap();
    let fields = policy.fields();
    let forms: Vec<_> = fields.iter().map(|field| field.surrogate).collect();
    let form = |kind, reveal| Some(SurrogateForm { kind, reveal, ..SurrogateForm::default() });
    let preserving = SurrogateKind::FormatPreserving;
    let expected = [
        form(SurrogateKind::Deterministic, Reveal::Plain),
        form(preserving(SurrogateFormat::Digits), Reveal::Plain),
        form(preserving(SurrogateFormat::Phone), Reveal::Plain),
        None,
        form(SurrogateKind::Random, Reveal::Plain),
        form(SurrogateKind::Deterministic, Reveal::Masked),
        Some(SurrogateForm {
            kind: SurrogateKind::Deterministic,
            is_forced: true,
            ..SurrogateForm::default()
        }),
    ];
    assert_eq!(forms, expected);
    assert_eq!(fields[0].search, Some(SearchIndex::default()));
    assert_eq!(fields[2].mask, Mask::new(2, 4).ok());
    assert_eq!(fields[3].search, SearchIndex::new(64, true).ok());
    assert_eq!(parse(&write(&policy)).unwrap(), policy);
}

#[test]
fn what_does_not_go_together_is_told_at_the_key_at_fault() {
    for (marked, key) in [
        ("¦a: { tokenize: random }", "info_type"),
        ("a: { info_type: IBAN_CODE, ¦class: other, tokenize: random }", "class"),
        ("a: { info_type: IBAN_CODE, ¦action: seal, tokenize: random }", "action"),
        ("a: { action: clear, ¦searchable: exact }", "searchable"),
        ("a: { info_type: GENDER, ¦searchable: exact }", "searchable"),
        ("a: { ¦searchable: exact }", "searchable"),
        ("a: { action: drop, ¦mask: { keep_last: 4 } }", "mask"),
        ("a: { info_type: METER_ID, tokenize: ¦format-preserving }", "tokenize"),
        ("a: { info_type: CITY, tokenize: ¦{ kind: random, format: digits } }", "tokenize"),
        ("a: { info_type: CITY, tokenize: ¦always }", "tokenize"),
        ("a: { info_type: CITY, tokenize: { kind: ¦1 } }", "tokenize.kind"),
        ("a: { info_type: CITY, tokenize: { format: ¦hex } }", "tokenize.format"),
        ("a: { info_type: CITY, tokenize: { reveal: ¦all } }", "tokenize.reveal"),
        ("a: { info_type: CITY, tokenize: { forced: ¦1 } }", "tokenize.forced"),
        ("a: { info_type: GENDER, ¦tokenize: deterministic }", "tokenize"),
        ("a: { info_type: AGE, ¦tokenize: { kind: deterministic, forced: false } }", "tokenize"),
        ("a: { info_type: CITY, tokenize: { ¦colour: red } }", "tokenize.colour"),
        ("a: { searchable: ¦fuzzy }", "searchable"),
        ("a: { searchable: { bits: ¦12 } }", "searchable.bits"),
        ("a: { searchable: { bits: ¦-8 } }", "searchable.bits"),
        ("a: { searchable: { bits: ¦65544 } }", "searchable.bits"),
        ("a: { searchable: { forced: ¦1 } }", "searchable.forced"),
        ("a: { searchable: { ¦exact: true } }", "searchable.exact"),
        ("a: { mask: ¦4 }", "mask"),
        ("a: { info_type: CITY, ¦redacted_copy: b }", "redacted_copy"),
        ("a: { info_type: FREE_TEXT, redacted_copy: ¦7 }", "redacted_copy"),
        ("a: { mask: { keep_last: ¦9 } }", "mask.keep_last"),
        ("a: { mask: { ¦keep_middle: 1 } }", "mask.keep_middle"),
    ] {
        let line = format!("  {marked}");
        let column = line.find('¦').unwrap() as u64 + 1;
        let found = places(&format!("fields:\n{}\n", line.replace('¦', "")));
        assert_eq!(found, [(2, column, format!("fields.a.{key}"))], "{marked}");
    }
}

#[test]
fn a_policy_may_take_declared_fields_only() {
    let of = |personal, unknown_text, not_personal| UndeclaredPolicy {
        personal,
        unknown_text,
        not_personal,
    };
    let (drop, reject) = (Action::Drop, Action::Reject);
    for (yaml, expected) in [
        ("only_declared: true", of(drop, drop, drop)),
        ("only_declared: true\nundeclared: { personal: reject }", of(reject, drop, drop)),
        ("undeclared: { not_personal: reject }\nonly_declared: true", of(drop, drop, reject)),
        ("only_declared: false", UndeclaredPolicy::default()),
    ] {
        let policy = parse(yaml).unwrap();
        assert_eq!(policy.undeclared, expected, "{yaml}");
        assert_eq!(parse(&write(&policy)).unwrap(), policy);
    }
    let yaml = "only_declared: true\nundeclared: { personal: seal, not_personal: clear, x: drop }";
    let keys = ["personal", "not_personal", "x"].map(|key| format!("undeclared.{key}"));
    assert_eq!(places(yaml).into_iter().map(|(.., path)| path).collect::<Vec<_>>(), keys);
    assert_eq!(places("only_declared: yes, please"), [(1, 16, "only_declared".to_owned())]);
}

#[test]
fn a_free_text_may_have_a_redacted_copy() {
    let policy = parse("fields:\n  note: { info_type: FREE_TEXT, redacted_copy: short }").unwrap();
    let names: Vec<_> = policy.fields().iter().map(|field| field.name.as_str()).collect();
    assert_eq!((names, policy.fields()[1].action), (vec!["note", "short"], Action::Clear));
    assert_eq!(parse(&write(&policy)).unwrap(), policy);
    let otherwise = "fields:\n  short:\n  note: { info_type: FREE_TEXT, redacted_copy: short }";
    assert_eq!(places(otherwise), [(0, 0, "fields.note.redacted_copy".to_owned())]);
}

#[test]
fn field_names_may_look_like_anything() {
    let policy = parse("fields:\n  1: { action: clear }\n  true:\n  1.5:\n").unwrap();
    let names: Vec<&str> = policy.fields().iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["1", "true", "1.5"]);
}

#[test]
fn mistakes_read_as_sentences() {
    let error = parse("undeclared: { personal: clear }").unwrap_err();
    let expected = "line 1, column 25: undeclared.personal: must be one of seal, drop, reject";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_field_declared_twice_is_refused() {
    assert_eq!(places("fields:\n  a:\n  a:\n")[0].0, 3);
}

#[test]
fn text_that_is_not_yaml_is_refused_with_its_line() {
    let error = parse("fields:\n  a: [\n").unwrap_err();
    assert!(error.mistakes()[0].line > 0);
    assert!(error.to_string().starts_with("line "), "{error}");
    assert!(parse("just text").is_err());
}

#[test]
fn what_is_not_yaml_is_told_in_a_sentence_that_repeats_nothing() {
    for (yaml, line, sentence) in [
        ("fields:\n  a: [ \"Erika Muster\n", 2, "this is not YAML: "),
        ("fields:\n  a: b: Erika\n", 2, "this is not YAML: "),
        ("fields:\n  Erika:\n  Erika:\n", 3, "a key stands twice"),
        ("fields: *Erika\n", 1, "an alias names an anchor"),
        ("fields:\n---\nErika:\n", 3, "a second document begins"),
    ] {
        let error = parse(yaml).unwrap_err();
        let [mistake] = error.mistakes() else { panic!("one mistake: {error}") };
        assert_eq!((mistake.line, mistake.column > 0), (line, true), "{error}");
        assert!(mistake.description.starts_with(sentence), "{yaml:?}: {error}");
        assert!(!error.to_string().contains("Erika"), "{error}");
    }
}

fn any_field() -> impl Strategy<Value = (String, FieldPolicy)> {
    let info_type = proptest::option::of(proptest::sample::select(InfoType::ALL));
    let class = proptest::option::of(proptest::sample::select(DataClass::ALL.to_vec()));
    let action = proptest::sample::select(Action::ALL.to_vec());
    ("\\PC{1,20}", info_type, class, action, any_settings()).prop_filter_map(
        "a field's name",
        |(name, info_type, data_class, action, (surrogate, search, mask))| {
            let name = FieldName::parse(&name).ok()?;
            let declared = FieldPolicy::new(name, action);
            let field = FieldPolicy { info_type, data_class, surrogate, search, mask, ..declared };
            field.check().ok()?;
            Some((field.name.as_str().to_owned(), field))
        },
    )
}

/// What may be said of a field beside its action.
fn any_settings()
-> impl Strategy<Value = (Option<SurrogateForm>, Option<SearchIndex>, Option<Mask>)> {
    let mut kinds: Vec<_> =
        SurrogateFormat::ALL.into_iter().map(SurrogateKind::FormatPreserving).collect();
    kinds.extend([SurrogateKind::Random, SurrogateKind::Deterministic]);
    let kind = proptest::sample::select(kinds);
    let reveal = proptest::sample::select(vec![Reveal::Redacted, Reveal::Masked, Reveal::Plain]);
    let form = (kind, reveal, any::<bool>()).prop_map(|(kind, reveal, is_forced)| SurrogateForm {
        kind,
        reveal,
        is_forced,
    });
    let search = (1u16..=32, any::<bool>());
    let search = search.prop_map(|(bytes, forced)| SearchIndex::new(bytes * 8, forced).unwrap());
    let mask = (0u8..=8, 0u8..=8).prop_map(|(first, last)| Mask::new(first, last).unwrap());
    let maybe = |chance| proptest::option::weighted(chance, Just(()));
    (maybe(0.3), maybe(0.3), maybe(0.3), form, search, mask).prop_map(
        |(has_form, has_search, has_mask, form, search, mask)| {
            (has_form.map(|()| form), has_search.map(|()| search), has_mask.map(|()| mask))
        },
    )
}

proptest! {
    #[test]
    fn a_written_policy_reads_as_the_same(
        fields in proptest::collection::btree_map(any::<u8>(), any_field(), 0..8),
        flagged in proptest::sample::select(vec![Action::Seal, Action::Reject, Action::Clear]),
    ) {
        let fields: std::collections::BTreeMap<String, FieldPolicy> = fields.into_values().collect();
        let fields = fields.into_values().collect();
        let policy = Policy::new(fields, UndeclaredPolicy::default(), flagged).unwrap();
        let yaml = write(&policy);
        prop_assert_eq!(parse(&yaml).map_err(|e| e.to_string()), Ok(policy), "{}", yaml);
    }

    #[test]
    fn no_text_makes_the_reader_panic(yaml in "\\PC{0,200}") {
        let _ = parse(&yaml);
    }
}
