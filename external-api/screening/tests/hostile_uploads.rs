//! Whatever is uploaded, reading ends: in rows that are whole, or refused one by one, or in a refusal of
//! the upload; the same in one piece or in many; never in a panic.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../../tests/fuzz/random.rs"]
#[allow(dead_code, reason = "shared; each test uses a part")]
mod random;

use std::{collections::HashSet, io::Read, ops::ControlFlow};

use random::{Random, cases};
use tresor_screening::reader::{Charset, Format, Row, read};

const CSV: &[u8] = b"\xEF\xBB\xBFname;ort;\"geboren am\"\r\nAnna;Burg;1959-10-04\r\n\"Maier; \"\"A\"\"\";\"a\nb\";\r\n;;\r\n\
                     Kurz;Ulm\r\nLang;Ulm;1;2\r\nJ\xC3\xB6rg;K\xC3\xB6ln;x\r\n";
const JSON: &[u8] =
    br#"[{"name":"Anna","alter":1.10,"adresse":{"ort":"Burg","tel":["1",2,null]},"leer":{}},
 {"/a":true,"b~c":-0,"d":"\ud83d\ude00\u0000"},{"x":1e400,"x2":[[[]]]}]"#;
const NDJSON: &[u8] = b"{\"name\":\"Anna\",\"n\":1}\n\n{\"name\":\"J\xC3\xB6rg\",\"n\":[1,{\"a\":2}]}\r\n{}\nnull\n{\"a\":1}";

/// Gives its bytes in pieces of random length.
struct Pieces<'a> {
    rest: &'a [u8],
    random: &'a mut Random,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = (1 + self.random.below(7)).min(buffer.len()).min(self.rest.len());
        let (piece, rest) = self.rest.split_at(length);
        buffer[..length].copy_from_slice(piece);
        self.rest = rest;
        Ok(length)
    }
}

/// What came out, in a form to compare.
fn outcome(format: Format, input: impl Read) -> (Vec<String>, bool) {
    let mut rows = Vec::new();
    let mut number = 0;
    let ended = read(format, input, &mut |row: Row| {
        number += 1;
        assert_eq!(row.number, number);
        assert!(row.line >= 1);
        let text = match &row.result {
            Err(refusal) => format!("{}: {refusal:?}", row.line),
            Ok(record) => {
                assert_eq!(record.names.len(), record.values.len());
                let names: HashSet<_> = record.names.iter().map(|name| name.as_str()).collect();
                assert_eq!(names.len(), record.names.len(), "each name once");
                let values: Vec<_> = record.values.iter().map(|value| value.as_bytes()).collect();
                format!("{}: {names:?} {values:?}", row.line, names = record.names)
            }
        };
        rows.push(text);
        ControlFlow::Continue(())
    });
    (rows, ended.is_ok())
}

fn attack(format: Format, sample: &[u8], count: usize) {
    let mut random = Random::of_this_run();
    let (mut whole, mut with_rows) = (0, 0);
    for _ in 0..count {
        let bytes = random.mutated(sample);
        let in_one = outcome(format, &bytes[..]);
        let in_pieces = outcome(format, Pieces { rest: &bytes, random: &mut random });
        assert_eq!(in_one, in_pieces, "{}", bytes.escape_ascii());
        whole += usize::from(in_one.1);
        with_rows += usize::from(!in_one.0.is_empty());
    }
    assert!(whole > count / 100 && with_rows > count / 10, "{whole} and {with_rows} of {count}");
}

#[test]
fn any_csv_is_read_to_its_end_or_refused() {
    // Fewer: each reader sets a megabyte aside.
    attack(Format::Csv(Charset::Utf8), CSV, cases(300, 10_000));
    attack(Format::Csv(Charset::Latin1), CSV, cases(300, 10_000));
}

#[test]
fn any_json_is_read_to_its_end_or_refused() {
    attack(Format::Json, JSON, cases(5_000, 1_000_000));
}

#[test]
fn any_ndjson_is_read_to_its_end_or_refused() {
    attack(Format::NdJson, NDJSON, cases(5_000, 1_000_000));
}

#[test]
fn a_byte_order_mark_is_taken_off_the_front_of_the_upload_only() {
    let csv = "\u{feff}name;ort\n\u{feff}Anna;Burg\n".as_bytes();
    let whole = outcome(Format::Csv(Charset::Utf8), csv);
    assert!(whole.0[0].contains("[239, 187, 191, 65, 110, 110, 97]"), "{whole:?}");
    // In two pieces, parted everywhere: also right behind the second mark.
    for at in 0..csv.len() {
        let (one, two) = csv.split_at(at);
        assert_eq!(outcome(Format::Csv(Charset::Utf8), one.chain(two)), whole, "at {at}");
    }
}
