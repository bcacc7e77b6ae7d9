//! Texts made to hurt: whatever is in them and however long they are, what is found lies on the borders
//! of characters, and nothing of it is left in the redacted copy.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../../tests/fuzz/random.rs"]
#[allow(dead_code, reason = "shared; each test uses a part")]
mod random;

use std::sync::Arc;

use random::{Random, cases};
use tresor_proto::{Action, FieldName, InfoType, Policy, limits::VALUE_BYTES_MAX};
use tresor_screening::{Screener, TextFinding, Value, Verdict, redact};

/// Pieces of notes: what rules look for, what hides it, and what is in between.
const PIECES: &[&str] = &[
    "Frau",
    "Herr",
    "dhr.",
    "Mme",
    "Dr.",
    "Müller",
    "Anna",
    "van",
    "der",
    "J.",
    "Sehr geehrte",
    "Dear",
    "Grüße",
    "Kind regards",
    "Mieter",
    "geboren am",
    "12.03.1985",
    "*",
    "Hauptstraße",
    "12a",
    "rue de",
    "High Street",
    "30911",
    "Burg",
    "8987 PA",
    "SW1A 1AA",
    "+49",
    "0431",
    "556677",
    "(0)",
    "/",
    "-",
    "DE89370400440532013000",
    "DE89 3704 0044 0532 0130 00",
    "4111 1111 1111 1111",
    "anna@example.org",
    "@",
    "www.example.org",
    "https://",
    "192.168.2.17",
    "::1",
    "Steuer-ID",
    "86095742719",
    "MA-S-779",
    ",",
    ".",
    ":",
    "\n",
    "!",
    " ",
    " ",
    " ",
    "\u{200b}",
    "\u{202e}",
    "\u{ad}",
    "\u{0}",
    "\u{7}",
    "\u{a0}",
    "\u{308}",
    "\u{301}",
    "ａ",
    "１",
    "а",
    "Ο",
    "é",
    "ß",
    "東京",
    "👩‍👩‍👧",
    "—",
    "’",
    "a",
    "Z",
    "0",
    "9",
    "x-y",
];

struct Screened {
    verdict: Verdict,
    findings: Vec<TextFinding>,
}

fn screen(name: &str, text: &str) -> Screened {
    let policy = Policy::default();
    let names: Arc<[FieldName]> = [FieldName::parse(name).unwrap()].into();
    let mut screener = Screener::new(&policy);
    let values = [Value::Text(text)];
    let screened = screener.screen(&names, &values);
    Screened { verdict: screened.verdicts[0], findings: screened.findings.to_vec() }
}

/// Checks what every search promises.
fn assert_sound(text: &str) -> usize {
    let Screened { verdict, findings } = screen("bemerkung", text);
    let shown: String = text.chars().take(400).collect();
    assert!(text.trim().is_empty() || verdict.action == Action::Seal, "{shown:?}");
    let mut done = 0;
    for finding in &findings {
        assert!(done <= finding.start && finding.start < finding.end, "{shown:?} {finding:?}");
        assert!(text.get(finding.start..finding.end).is_some(), "{shown:?} {finding:?}");
        assert!((0.0..=1.0).contains(&finding.confidence));
        done = finding.end;
    }
    assert!(done <= text.len());
    assert_gone(text, &findings);
    findings.len()
}

/// No number that was found is left, not even where it is stuck to something.
fn assert_gone(text: &str, findings: &[TextFinding]) {
    let copy = redact(text, findings);
    // What is looked for again is bounded.
    for finding in findings.iter().take(4) {
        let value = &text[finding.start..finding.end];
        let has_digits = value.bytes().filter(u8::is_ascii_digit).count() >= 6;
        let is_left = has_digits && copy.contains(value);
        let shown: String = text.chars().take(400).collect();
        assert!(!is_left, "{shown:?} {finding:?}");
    }
}

#[test]
fn any_pieces_of_notes_in_any_order_are_searched_soundly() {
    let mut random = Random::of_this_run();
    let mut found = 0;
    for _ in 0..cases(3_000, 300_000) {
        let count = 1 + random.below(24);
        let pieces: Vec<&str> = (0..count).map(|_| *random.pick(PIECES)).collect();
        let separator = if random.below(3) == 0 { "" } else { " " };
        found += assert_sound(&pieces.join(separator));
    }
    assert!(found > 1_000, "{found}");
}

#[test]
fn any_bytes_that_are_text_are_searched_soundly() {
    let mut random = Random::of_this_run();
    let sample =
        "Frau Müller, Hauptstraße 12, 30911 Burg, Tel. +49 431 556677, DE89370400440532013000";
    for _ in 0..cases(3_000, 300_000) {
        let bytes = random.mutated(sample.as_bytes());
        assert_sound(&String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn values_of_the_greatest_length_are_searched_soundly() {
    for piece in PIECES {
        for separator in ["", " ", "\u{200b}"] {
            let unit = format!("{piece}{separator}");
            assert_sound(&unit.repeat(VALUE_BYTES_MAX / unit.len()));
        }
    }
}

/// Puts a sign between every two of a value's characters.
fn spread(value: &str, sign: &str) -> String {
    let characters: Vec<String> = value.chars().map(String::from).collect();
    characters.join(sign)
}

/// The value in full-width letters and digits.
fn wide(value: &str) -> String {
    let widen = |c: char| match c {
        '!'..='~' => char::from_u32(u32::from(c) + 0xFEE0).unwrap(),
        _ => c,
    };
    value.chars().map(widen).collect()
}

#[test]
fn hidden_values_are_found_and_gone() {
    let values = [
        ("DE89370400440532013000", InfoType::IbanCode),
        ("4111 1111 1111 1111", InfoType::CreditCardNumber),
        ("+49 431 556677", InfoType::PhoneNumber),
        ("anna.kern@example.org", InfoType::EmailAddress),
        ("192.168.2.17", InfoType::IpAddress),
    ];
    for (value, info_type) in values {
        let marks =
            ["\u{200b}", "\u{ad}", "\u{2060}", "\u{202e}", "\u{1}", "\u{feff}", "\u{e0041}"];
        let hidden = marks.map(|mark| spread(value, mark)).into_iter().chain([wide(value)]);
        for hidden in hidden {
            let note = format!("bitte notieren {hidden} danke");
            for name in ["bemerkung", "f1", "status"] {
                let Screened { verdict, findings } = screen(name, &note);
                assert_eq!(verdict.action, Action::Seal, "{name} {note:?}");
                let [finding] = findings[..] else { panic!("{name} {note:?} {findings:?}") };
                assert_eq!(finding.info_type, info_type, "{note:?}");
                let copy = redact(&note, &findings);
                assert_eq!(copy, format!("bitte notieren [{}] danke", info_type.as_str()));
            }
        }
    }
}
