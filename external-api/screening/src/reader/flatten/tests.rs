use super::*;

/// The names of each record, or why it is refused.
fn names(records: &[&str]) -> Vec<Result<String, RowError>> {
    let mut flattener = Flattener::default();
    let mut read = |text: &&str| {
        let record = flattener.record(text.as_bytes())?;
        assert_eq!(record.names.len(), record.values.len());
        Ok(record.names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" "))
    };
    records.iter().map(&mut read).collect()
}

#[test]
fn records_that_go_on_differently_have_names_of_their_own() {
    let records = [
        r#"{"a":1,"b":"x","c":{"d":2}}"#,
        r#"{"a":1,"b":"x","c":{"d":2}}"#,
        r#"{"a":1,"b":"x"}"#,
        r#"{"a":1,"b":"x","e":null}"#,
        r#"{"b":"x","a":1}"#,
        r#"{"b":"x","a":{},"e":1}"#,
    ];
    let expected = ["a b /c/d", "a b /c/d", "a b", "a b e", "b a", "b a e"];
    assert_eq!(names(&records), expected.map(|names| Ok(names.to_owned())));
}

#[test]
fn records_with_the_same_names_share_them() {
    let mut flattener = Flattener::default();
    let [first, second] = [r#"{"a":1,"b":2}"#, r#"{"a":3,"b":"\u00e4"}"#]
        .map(|text| flattener.record(text.as_bytes()).unwrap());
    assert!(Arc::ptr_eq(&first.names, &second.names));
    assert_eq!(second.values[1].as_text(), Some("ä"));
}

#[test]
fn a_key_that_occurs_twice_is_refused_whatever_came_before() {
    let twice = Err(RowError::DuplicateKey);
    let records = [
        r#"{"a":1,"b":2}"#,
        r#"{"a":1,"a":2}"#,
        r#"{"a":1,"b":2,"a":3}"#,
        r#"{"a":{"b":1},"a":{"c":1}}"#,
        r#"{"a":[{"b":1,"b":2}]}"#,
        r#"{"a":1,"\u0061":2}"#,
        "{\"\u{e4}\":1,\"a\u{308}\":2}",
    ];
    let refused = names(&records);
    assert!(refused[0].is_ok());
    assert!(refused[1..].iter().all(|result| *result == twice), "{refused:?}");
}
