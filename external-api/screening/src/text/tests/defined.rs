//! Values of info types that the policy defines.

use super::super::{defined::find as in_texts, *};
use crate::policy_document;

const DEFINING: &str = "
info_types:
  CUSTOMER_NUMBER: { words: [kundennummer], pattern: 'K-[0-9]{6}' }
  BADGE: { pattern: 'B[0-9]{5}', checksum: luhn }
  MEMBER: { words: [mitglied], pattern: '[0-9]{7,12}', checksum: luhn }
  LONG: { pattern: 'X[0-9]{64}' }
";

fn defined(types: &str) -> Defined {
    Defined::of(policy_document::parse(types).unwrap().info_types())
}

fn redacted_by(defined: &Defined, text: &str) -> String {
    let (mut workspace, mut findings) = (Workspace::default(), Vec::new());
    find(Folding::default().see(text), 0, defined, &mut workspace, &mut findings);
    redact(text, &findings)
}

#[test]
fn values_that_stand_apart_are_found_by_their_form() {
    let defined = defined(DEFINING);
    for (text, expected) in [
        ("Bitte K-123456 anrufen.", "Bitte [CUSTOMER_NUMBER] anrufen."),
        ("(K-123456), K-654321!", "([CUSTOMER_NUMBER]), [CUSTOMER_NUMBER]!"),
        ("Ausweis B12344 und B12345", "Ausweis [BADGE] und B12345"),
        ("ßK-123456 K-1234567 K-123456ß K-123456é", "ßK-123456 K-1234567 K-123456ß K-123456é"),
        ("Kunden-Nr-K-123456, Nr.K-123456", "Kunden-Nr-[CUSTOMER_NUMBER], Nr.[CUSTOMER_NUMBER]"),
        ("am K\u{2011}12\u{200b}3456 da", "am [CUSTOMER_NUMBER] da"),
    ] {
        assert_eq!(redacted_by(&defined, text), expected);
    }
    // A form that numbers have, and what is too long, are not looked for.
    let number = "da ist die 1000009 dabei";
    assert_eq!(redacted_by(&defined, number), number);
    let long = format!("da ist X{} dabei", "0".repeat(64));
    assert!(!redacted_by(&defined, &long).contains("LONG"));
}

#[test]
fn only_a_checksum_makes_a_finding_speak_against_a_policy() {
    let defined = defined(DEFINING);
    let confidence = |text: &str| {
        let (mut workspace, mut findings) = (Workspace::default(), Vec::new());
        find(Folding::default().see(text), 0, &defined, &mut workspace, &mut findings);
        findings[0].confidence
    };
    assert!(confidence("da ist K-123456 drin") < CONTRADICTION_CONFIDENCE);
    assert!(confidence("da ist B12344 drin") >= CONTRADICTION_CONFIDENCE);
}

/// Bytes looked at in a text of pieces that are all beginnings of values.
fn looks(piece: &str, bytes: usize) -> usize {
    let text = piece.repeat(bytes / piece.len());
    let (mut words, mut candidates) = (Vec::new(), Vec::new());
    let rest = words::split(&text, &mut words);
    let prose = Prose::new(&text, &words, rest);
    let types =
        "info_types: { A: { pattern: '([a-z]-){2,31}[0-9]' }, B: { pattern: '([a-z]-)+[0-9]' } }";
    in_texts(&prose, &defined(types), &mut candidates);
    prose.looks.get()
}

#[test]
fn work_grows_with_the_text_and_no_faster() {
    for piece in ["a-", "a-1 ", "a-a-a-a-a-1", "a-a-a 1-"] {
        let (half, whole) = (looks(piece, 8 << 10), looks(piece, 16 << 10));
        assert!(whole <= 2 * half + half / 8 + 64, "{piece:?}: {half}, then {whole}");
        assert!((16 << 10..=64 * (16 << 10)).contains(&whole), "{piece:?}: {whole}");
    }
}
