use base64::Engine as _;
use proptest::prelude::*;

use super::*;

fn hits(values: &[&str], content: &[u8]) -> u64 {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("file"), content).unwrap();
    Needles::in_all_forms(values.iter().map(|value| value.as_bytes()))
        .search(directory.path())
        .unwrap()
        .hits
}

#[test]
fn every_form_is_found() {
    let value = "Straße 17";
    let utf16 = |to_bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        value.encode_utf16().flat_map(to_bytes).collect()
    };
    let forms: Vec<Vec<u8>> = vec![
        value.into(),
        hex::encode(value).into(),
        hex::encode_upper(value).into(),
        utf16(u16::to_le_bytes),
        utf16(u16::to_be_bytes),
    ];
    for form in forms {
        assert_eq!(hits(&[value], &[b"before", &form[..], b"after"].concat()), 1);
    }
    assert_eq!(hits(&[value], b"Strasse 17"), 0);
}

#[test]
fn base64_is_found_at_every_alignment() {
    let value = "M\u{fc}ller??>>";
    for before in ["", "x", "xy", "xyz"] {
        for after in ["", "x", "xy", "xyz"] {
            let text = format!("{before}{value}{after}");
            assert_eq!(hits(&[value], STANDARD_NO_PAD.encode(&text).as_bytes()), 1, "{text}");
            assert_eq!(hits(&[value], URL_SAFE_NO_PAD.encode(&text).as_bytes()), 1, "{text}");
        }
    }
}

#[test]
fn an_occurrence_across_two_chunks_is_found_once() {
    let value = "across the border";
    for before in [CHUNK_BYTES - 20, CHUNK_BYTES - 17, CHUNK_BYTES - 5, CHUNK_BYTES] {
        let mut content = vec![b'.'; before];
        content.extend_from_slice(value.as_bytes());
        content.extend_from_slice(&[b'.'; 40]);
        assert_eq!(hits(&[value], &content), 1, "after {before} bytes");
    }
}

#[test]
fn values_that_occur_in_a_text_are_marked() {
    let needles = Needles::as_they_are(["Müller", "Berlin", "Hamburg"]);
    let mut seen = [false; 3];
    needles.mark("Herr Müllermann aus Hamburg", &mut seen);
    assert_eq!(seen, [true, false, true]);
}

proptest! {
    #[test]
    fn a_search_agrees_with_looking_everywhere(
        values in proptest::collection::hash_set("[ab]{6,9}", 1..6),
        content in "[ab]{0,200}",
    ) {
        let values = values.iter().map(String::as_str).collect::<Vec<_>>();
        let everywhere = |value: &&str| {
            (0..content.len()).filter(|at| content[*at..].starts_with(value)).count() as u64
        };
        let expected = values.iter().map(everywhere).sum::<u64>();
        let needles = Needles::as_they_are(values.iter().copied());
        let mut found = 0;
        needles.scan(content.as_bytes(), 0, &mut |_, _| found += 1);
        prop_assert_eq!(found, expected);
    }
}
