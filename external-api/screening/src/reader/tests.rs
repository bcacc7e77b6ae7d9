use proptest::prelude::*;
use serde_json::{Value, json};
use tresor_proto::limits::{RECORD_BYTES_MAX, VALUE_BYTES_MAX};

use super::*;

/// Reads everything, a few bytes at a time, so that every boundary falls everywhere.
fn read_all(format: Format, input: &[u8]) -> (Vec<Row>, Result<(), ReadError>) {
    let mut rows = Vec::new();
    let result = read(format, Trickle(input), &mut |row| {
        rows.push(row);
        ControlFlow::Continue(())
    });
    (rows, result)
}

struct Trickle<'a>(&'a [u8]);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = buffer.len().min(if self.0.len() > 4096 { 4096 } else { 3 });
        self.0.read(&mut buffer[..length])
    }
}

fn rebuilt(record: &Record) -> Value {
    unflatten(&*record.names, record.values.iter().map(Some))
}

/// Rows as `(number, line, JSON or reason)`.
fn told(format: Format, input: &[u8]) -> Vec<(u64, u64, Value)> {
    let (rows, result) = read_all(format, input);
    result.unwrap();
    let tell = |row: Row| {
        let told = match &row.result {
            Ok(record) => rebuilt(record),
            Err(error) => json!(error.to_string()),
        };
        (row.number, row.line, told)
    };
    rows.into_iter().map(tell).collect()
}

fn refused(format: Format, input: &[u8]) -> String {
    read_all(format, input).1.unwrap_err().to_string()
}

const CSV: Format = Format::Csv(Charset::Utf8);
const QUOTES: &str = "a quote is not closed, or text follows the closing quote";

#[test]
fn both_delimiters_are_found_from_the_header() {
    let expected = vec![(1, 2, json!({"a": "1,5", "b": ""}))];
    assert_eq!(told(CSV, b"a;b\n1,5;\n"), expected);
    assert_eq!(told(CSV, b"a,b\r\n\"1,5\",\r\n"), expected);
    assert_eq!(told(CSV, b"\"a;x\",b\n1,2"), vec![(1, 2, json!({"a;x": "1", "b": "2"}))]);
}

#[test]
fn a_byte_order_mark_and_empty_lines_are_skipped() {
    let expected = vec![(1, 4, json!({"a": "1", "b": "2"}))];
    assert_eq!(told(CSV, b"\xEF\xBB\xBFa;b\r\n\r\n\r\n1;2\r\n"), expected);
    let expected = vec![(1, 2, json!({"a": 1}))];
    let ndjson = b"\xEF\xBB\xBF\r\n{\"a\":1}\r\n\r\n";
    assert_eq!(told(Format::NdJson, ndjson), expected);
    let array = b"\xEF\xBB\xBF\n[{\"a\":1}]\n";
    assert_eq!(told(Format::Json, array), expected);
}

#[test]
fn quoted_line_feeds_count_as_lines() {
    let expected =
        vec![(1, 2, json!({"a": "x\ny \"z\"", "b": "1"})), (2, 4, json!({"a": "p", "b": "2"}))];
    assert_eq!(told(CSV, b"a;b\n\"x\ny \"\"z\"\"\";1\np;2\n"), expected);
}

#[test]
fn declared_latin_1_is_decoded() {
    let rows = told(Format::Csv(Charset::Latin1), b"Stra\xDFe\nM\xFCller\n");
    assert_eq!(rows, vec![(1, 2, json!({"Straße": "Müller"}))]);
}

#[test]
fn broken_csv_rows_are_refused_alone() {
    let input = b"a;b\n1\n2;\xFF\n3;4;5\n6;\0\n7;8\n";
    let expected = vec![
        (1, 2, json!("the row has 1 columns, the header 2")),
        (2, 3, json!("the row is not valid UTF-8")),
        (3, 4, json!("the row has 3 columns, the header 2")),
        (4, 5, json!("a value has a NUL character")),
        (5, 6, json!({"a": "7", "b": "8"})),
    ];
    assert_eq!(told(CSV, input), expected);
}

#[test]
fn a_stray_quote_costs_one_line() {
    let good = |number, line| (number, line, json!({"a": "1", "b": "2"}));
    let unclosed = b"a;b\n1;2\n\"x;y\n1;2\n1;2\n";
    let expected = vec![good(1, 2), (2, 3, json!(QUOTES)), good(3, 4), good(4, 5)];
    assert_eq!(told(CSV, unclosed), expected);
    let merging = b"a;b\nx;\"y\n1;2\n\"1\";2\n";
    let expected = vec![(1, 2, json!(QUOTES)), good(2, 3), good(3, 4)];
    assert_eq!(told(CSV, merging), expected);
}

#[test]
fn a_csv_row_over_the_limit_is_skipped() {
    let long = "x".repeat(2 * ROW_BYTES_MAX);
    let input = format!("a;b\n{long};1\n1;\"{long}\n{long}\"\n1;2\n");
    let rows = told(CSV, input.as_bytes());
    assert_eq!(rows[0], (1, 2, json!("the record is over 262144 bytes")));
    assert_eq!(rows[1].1, 3);
    assert_eq!(rows[2].1, 4);
    assert_eq!(rows[3], (4, 5, json!({"a": "1", "b": "2"})));
}

#[test]
fn headers_that_name_nothing_refuse_the_upload() {
    let column = |column| format!("column {column} of the header has no valid name");
    assert_eq!(refused(CSV, b"a;;c\n1;2;3\n"), column(2));
    assert_eq!(refused(CSV, b"a;b; \n"), column(3));
    let duplicate = "column 3 of the header repeats a name";
    assert_eq!(refused(CSV, "ä;b;a\u{308}\n".as_bytes()), duplicate);
    assert_eq!(refused(CSV, b""), "the upload is empty");
    assert_eq!(refused(CSV, b"\xEF\xBB\xBF\r\n"), "the upload is empty");
    let wide = vec!["x"; 300].join(";");
    let too_wide = "the header row has more than 256 columns";
    assert_eq!(refused(CSV, wide.as_bytes()), too_wide);
    let long = "x".repeat(RECORD_BYTES_MAX + 2);
    assert_eq!(refused(CSV, long.as_bytes()), "the header row is over 262144 bytes");
}

#[test]
fn a_header_in_another_dialect_is_told_what_is_read() {
    let tab = "the header row has a tab; columns are separated by ; or ,";
    assert_eq!(refused(CSV, b"a\tb\tc\n1\t2\t3\n"), tab);
    assert!(refused(CSV, b"a;Stra\xDFe\n").contains("charset=iso-8859-1"));
    assert!(refused(CSV, b"\"a\"x;b\n").contains("a quote of the header row"));
}

#[test]
fn a_missing_header_row_is_not_taken_for_one() {
    let column = |column| {
        format!(
            "column {column} of the header looks like personal data; is the header row missing?"
        )
    };
    let row = b"DE89370400440532013000;anna@example.org;Erika Muster\n1;2;3\n";
    assert_eq!(refused(CSV, row), column(1));
    assert_eq!(refused(CSV, b"Erika Muster,anna@example.org,anna@example.org\n"), column(2));
    assert_eq!(refused(Format::Csv(Charset::Latin1), b"J\xF6rg;+49 30 123456\n"), column(2));
}

#[test]
fn a_key_that_is_personal_refuses_its_record_alone_and_is_not_repeated() {
    let reason = |position| json!(format!("the name of field {position} looks like personal data"));
    let input = b"{\"a\":1,\"anna@example.org\":2}\n{\"b\":{\"c\":1,\"12.03.1985\":[]}}\n{\"b\":1}";
    let expected = vec![(1, 1, reason(2)), (2, 2, reason(2)), (3, 3, json!({"b": 1}))];
    assert_eq!(told(Format::NdJson, input), expected);
    let nul = b"{\"anna@example.org\":\"\\u0000\"}";
    assert_eq!(told(Format::NdJson, nul), vec![(1, 1, reason(1))]);
    assert_eq!(told(Format::Json, b"{\"anna@example.org\":{\"x\":1}}"), vec![(1, 1, reason(1))]);
}

#[test]
fn a_header_alone_is_no_rows() {
    assert!(told(CSV, b"a;b").is_empty());
}

#[test]
fn broken_json_lines_are_refused_alone() {
    let input = b"{\"a\":1}\n{\"a\":\n[1]\n{\"a\":\"\xFF\"}\n{}\n{\"a\":1,\"a\":2}\n{\"b\":2}";
    let expected = vec![
        (1, 1, json!({"a": 1})),
        (2, 2, json!("the row is not valid JSON")),
        (3, 3, json!("the row is not a JSON object")),
        (4, 4, json!("the row is not valid UTF-8")),
        (5, 5, json!("the record has no fields")),
        (6, 6, json!("a key occurs twice in one object")),
        (7, 7, json!({"b": 2})),
    ];
    assert_eq!(told(Format::NdJson, input), expected);
}

#[test]
fn elements_of_an_array_are_refused_alone() {
    let long = "x".repeat(ROW_BYTES_MAX);
    let input =
        format!("\n[ {{\"a\":1}},\n\n 7, [8,\n{{}}],{{\"long\":\"{long}\"}},\n{{\"b\":2}} ]\n");
    let expected = vec![
        (1, 2, json!({"a": 1})),
        (2, 4, json!("the row is not a JSON object")),
        (3, 4, json!("the row is not a JSON object")),
        (4, 5, json!("the row is over 524288 bytes")),
        (5, 6, json!({"b": 2})),
    ];
    assert_eq!(told(Format::Json, input.as_bytes()), expected);
}

#[test]
fn a_broken_array_ends_where_it_breaks() {
    let (rows, result) = read_all(Format::Json, b"[{\"a\":1},\n{\"b\" 2},{\"c\":3}]");
    assert_eq!(rows.len(), 1);
    let told = result.unwrap_err().to_string();
    assert_eq!(told, "the upload is not valid JSON at line 2");
    let (rows, result) = read_all(Format::Json, b"[{\"a\":1}");
    assert_eq!((rows.len(), result.is_err()), (1, true));
    assert!(told_err(b"{\"a\":1}{\"b\":2}").starts_with("the upload is not valid JSON"));
    assert!(told_err(b"7").starts_with("the upload is neither"));
    assert!(told_err(b" \n").starts_with("the upload is empty"));
}

fn told_err(input: &[u8]) -> String {
    let (rows, result) = read_all(Format::Json, input);
    assert!(rows.is_empty());
    result.unwrap_err().to_string()
}

#[test]
fn an_element_without_end_breaks_the_upload() {
    let endless = b"[[".chain(std::io::repeat(b'['));
    let result = read(Format::Json, endless, &mut |_| ControlFlow::Continue(()));
    let failure = tresor_proto::Failure::from(result.unwrap_err());
    assert_eq!(failure.code(), tresor_proto::ErrorCode::TooLarge);
}

#[test]
fn the_sink_ends_the_reading() {
    let inputs: [(Format, &[u8]); 3] = [
        (CSV, b"a\n1\n2\n"),
        (Format::NdJson, b"{\"a\":1}\n{\"a\":2}\n"),
        (Format::Json, b"[{\"a\":1},{\"a\":2}]"),
    ];
    for (format, input) in inputs {
        let mut rows = 0;
        let result = read(format, input, &mut |_| {
            rows += 1;
            ControlFlow::Break(())
        });
        assert_eq!((rows, result.is_ok()), (1, true));
    }
}

#[test]
fn what_stands_before_the_first_row_and_the_rows_from_any_other_read_as_the_rest() {
    let long = "x".repeat(ROW_BYTES_MAX + 1);
    let csv = format!("\u{feff}\na;b\r\n1;2\r\n\r\n3;\"4\n5\"\n6\n7;\"8\n{long};9\n10;11\r12;13");
    let lines = format!("\u{feff}{{\"a\":1}}\n\n{{}}\r\n{{\"{long}\":2}}\n7\n{{\"b\":2}}");
    let array = format!("\u{feff} [ {{\"a\":1}},\n\n 7 ,[8],{{\"{long}\":2}},\n{{\"b\":[2]}}\n]\n");
    let inputs = [(CSV, csv, 7), (Format::NdJson, lines, 5), (Format::Json, array, 5)];
    for (format, input, count) in inputs {
        let offsets: Vec<u64> =
            read_all(format, input.as_bytes()).0.iter().map(|r| r.offset).collect();
        let whole = told(format, input.as_bytes());
        assert_eq!(whole.len(), count);
        for (before, offset) in offsets.iter().enumerate() {
            let [first, offset] = [offsets[0], *offset].map(|at| usize::try_from(at).unwrap());
            let rest = [&input.as_bytes()[..first], &input.as_bytes()[offset..]].concat();
            let shift = whole[before].1 - whole[0].1;
            let rest = told(format, &rest).into_iter();
            let rest: Vec<_> = rest.map(|(n, l, v)| (n + before as u64, l + shift, v)).collect();
            assert_eq!(rest, whole[before..], "{format:?} from row {}", before + 1);
        }
    }
}

#[test]
fn nested_values_are_named_by_their_pointer() {
    let input = br#"{"name":"A","address":{"city":"B","a/b~c":null},"phones":["1",{"x":true}],
        "/x":{"":1.10},"none":{},"nothing":[]}"#;
    let (rows, _) = read_all(Format::Json, input);
    let record = rows[0].result.as_ref().unwrap();
    let fields = record.names.iter().zip(&record.values);
    let fields: Vec<_> =
        fields.map(|(name, value)| (name.as_str(), value.as_text().unwrap())).collect();
    let expected = [
        ("name", "A"),
        ("/address/city", "B"),
        ("/address/a~1b~0c", "null"),
        ("/phones/0", "1"),
        ("/phones/1/x", "true"),
        ("/~1x/", "1.10"),
        ("none", "{}"),
        ("nothing", "[]"),
    ];
    assert_eq!(fields, expected);
    assert_eq!(rebuilt(record), serde_json::from_slice::<Value>(input).unwrap());
}

#[test]
fn literals_of_numbers_are_kept() {
    for literal in ["1.10", "-0", "1e5", "1E+05", "12345678901234567890123.0"] {
        let (rows, _) = read_all(Format::NdJson, format!("{{\"n\":{literal}}}").as_bytes());
        let record = rows[0].result.as_ref().unwrap();
        assert_eq!(record.values[0].as_text(), Some(literal));
        assert_eq!(rebuilt(record).to_string(), format!("{{\"n\":{literal}}}"));
    }
}

#[test]
fn objects_that_look_like_arrays_stay_objects() {
    let text = br#"{"a":{"0":"x","1":{"3":1}},"b":[["y"]]}"#;
    let expected: Value = serde_json::from_slice(text).unwrap();
    assert_eq!(told(Format::Json, text), vec![(1, 1, expected)]);
}

#[test]
fn limits_of_a_record_hold_exactly() {
    let nested = |depth| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    assert!(told(Format::Json, nested(16).as_bytes())[0].2["a"].is_object());
    let reason = |text: String| told(Format::NdJson, text.as_bytes())[0].2.clone();
    assert_eq!(reason(nested(17)), "the record is nested deeper than 16");
    let fields = |count: usize| json!({"a": vec![1; count]}).to_string();
    assert!(reason(fields(256)).is_object());
    assert_eq!(reason(fields(257)), "the record has more than 256 fields");
    let value = |bytes| json!({"a": "x".repeat(bytes)}).to_string();
    assert!(reason(value(VALUE_BYTES_MAX)).is_object());
    assert_eq!(reason(value(VALUE_BYTES_MAX + 1)), "a value is over 65536 bytes");
    let record = |bytes| {
        let full = "x".repeat(VALUE_BYTES_MAX);
        json!({"a": full, "b": full, "c": full, "d": "x".repeat(bytes)}).to_string()
    };
    let last = RECORD_BYTES_MAX - 3 * VALUE_BYTES_MAX - 4;
    assert!(reason(record(last)).is_object());
    assert_eq!(reason(record(last + 1)), "the record is over 262144 bytes");
    assert_eq!(reason(json!({"a": "\0"}).to_string()), "a value has a NUL character");
    let name = "a field's name has 1 to 128 bytes and no control character";
    assert_eq!(reason(json!({"a\n": 1}).to_string()), name);
}

#[test]
fn contradicting_names_are_kept_as_they_are() {
    let names = ["a", "/a/b", "/~2", "/c/1", "/c/x"].map(|n| FieldName::parse(n).unwrap());
    let values: Vec<_> = (0..5).map(|n| Content::text(&n.to_string()).unwrap()).collect();
    let expected = json!({"a": "0", "/a/b": "1", "/~2": "2", "c": {"1": "3", "x": "4"}});
    assert_eq!(unflatten(&names, values.iter().map(Some)), expected);
}

#[test]
fn what_is_not_shown_is_null() {
    let names = ["a", "/b/1"].map(|n| FieldName::parse(n).unwrap());
    let expected = json!({"a": null, "b": [null, null]});
    assert_eq!(unflatten(&names, [None, None]), expected);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[^\0]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let key = "[a-c0-2/~]{0,3}";
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(key, inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn flattening_and_rebuilding_gives_the_same_json(
        members in prop::collection::hash_map("[a-c0-2/~]{0,3}", any_json(), 1..6)
    ) {
        let value = Value::Object(members.into_iter().collect());
        prop_assert_eq!(told(Format::NdJson, value.to_string().as_bytes()), vec![(1, 1, value.clone())]);
        prop_assert_eq!(told(Format::Json, value.to_string().as_bytes()), vec![(1, 1, value)]);
    }

    #[test]
    fn quoted_csv_gives_its_values_back(
        rows in prop::collection::vec(prop::collection::vec("[a\"';,\n\r é]{0,6}", 3), 1..6)
    ) {
        let quote = |row: &Vec<String>| {
            let quoted: Vec<_> = row.iter().map(|v| format!("\"{}\"", v.replace('"', "\"\""))).collect();
            quoted.join(";")
        };
        let written: Vec<_> = rows.iter().map(quote).collect();
        let (read, result) = read_all(CSV, format!("x;y;z\r\n{}", written.join("\r\n")).as_bytes());
        prop_assert!(result.is_ok());
        let read: Vec<Vec<String>> = read
            .iter()
            .map(|row| {
                let values = &row.result.as_ref().unwrap().values;
                values.iter().map(|v| v.as_text().unwrap().to_owned()).collect()
            })
            .collect();
        prop_assert_eq!(read, rows);
    }

    #[test]
    fn whatever_comes_is_refused_without_panic(input in prop::collection::vec(any::<u8>(), 0..200)) {
        for format in [CSV, Format::Csv(Charset::Latin1), Format::NdJson, Format::Json] {
            let _ = read_all(format, &input);
        }
    }
}

#[test]
fn the_head_of_a_csv_ends_where_its_first_row_begins() {
    for (text, delimiter, columns) in [
        ("\u{feff}\"a\";b,c\r\n1;2\r\n", b';', 2),
        ("a,b\n\n1,2\n", b',', 2),
        ("\n\"a;b\"\r1\r", b';', 1),
    ] {
        let head = csv_head(Trickle(text.as_bytes())).unwrap();
        let (rows, _) = read_all(CSV, text.as_bytes());
        let expected = CsvHead { delimiter, columns, bytes: rows[0].offset };
        assert_eq!(head, expected, "{text:?}");
    }
    assert!(csv_head(&b""[..]).is_err());
}

#[test]
fn a_character_set_encodes_what_it_decodes() {
    let text = "Süd • 5 €";
    assert_eq!(Charset::Utf8.encode(text).unwrap(), text.as_bytes());
    assert_eq!(Charset::Latin1.encode(text).unwrap(), &b"S\xFCd \x95 5 \x80"[..]);
    assert_eq!(Charset::Latin1.encode("Łódź"), None);
}
