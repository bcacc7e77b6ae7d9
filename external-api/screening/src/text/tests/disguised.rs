use super::*;

#[test]
fn what_is_hidden_is_found_where_it_stands() {
    for (note, expected) in [
        ("IBAN D\u{200b}E89 3704 0044 0532\u{ad} 0130 00 ok", "IBAN [IBAN_CODE] ok"),
        ("Konto ＤＥ８９３７０４００４４０５３２０１３０００", "Konto [IBAN_CODE]"),
        ("mail аnnа＠ехаmрlе.org bitte", "mail [EMAIL_ADDRESS] bitte"),
        ("ruf \u{202e}0431\u{202c}\u{a0}556677 an", "ruf \u{202e}[PHONE_NUMBER] an"),
        ("tel ٠٤٣١ ٥٥٦٦٧٧ bitte", "tel [PHONE_NUMBER] bitte"),
        ("Frau Mu\u{308}ller kommt", "Frau [PERSON_NAME] kommt"),
        ("anna.kern (at) example.org schreibt", "[EMAIL_ADDRESS] schreibt"),
        ("karte 4111\u{7} 1111\u{7} 1111\u{7} 1111 da", "karte [CREDIT_CARD_NUMBER] da"),
    ] {
        assert_eq!(redacted(note), expected, "{note:?} {:?}", found(note));
    }
}

#[test]
fn a_value_is_found_wherever_its_line_is_broken() {
    assert_redacted(&[
        ("Frau Erika\nMustermann rief an", "Frau [PERSON_NAME] rief an"),
        (
            "Anruf von Herrn\r\nDr. Petersen, bitte melden",
            "Anruf von Herrn\r\nDr. [PERSON_NAME], bitte melden",
        ),
        ("IBAN DE89 3704 0044\n0532 0130 00 bitte", "IBAN [IBAN_CODE] bitte"),
        ("IBAN DE89 3704\r\n0044 0532 0130 00", "IBAN [IBAN_CODE]"),
        ("Tel. 07835\t39405 und 0431\n556677", "Tel. [PHONE_NUMBER] und [PHONE_NUMBER]"),
        ("in die Alte Dorfstraße\n3, 24103\nKiel ziehen", "in die [STREET_ADDRESS] ziehen"),
        ("geboren am 3. Mai\n1961", "geboren am [DATE_OF_BIRTH]"),
        ("Kennzeichen KI-PX\n552 parkt", "Kennzeichen [LICENSE_PLATE_NUMBER] parkt"),
        ("Herr\tLehmann ruft an", "Herr\t[PERSON_NAME] ruft an"),
        ("Steuer-ID\n86 095 742 719", "Steuer-ID\n[GERMANY_TAXPAYER_IDENTIFICATION_NUMBER]"),
        // A line of its own is none that goes on.
        ("Viele Grüße\nUwe Petersen\nVertrieb Nord", "Viele Grüße\n[PERSON_NAME]\nVertrieb Nord"),
        ("Herr Petersen\n\nKrause", "Herr [PERSON_NAME]\n\nKrause"),
        ("siehe Auftrag\n01712345678", "siehe Auftrag\n[PHONE_NUMBER]"),
    ]);
}

#[test]
fn a_number_found_once_is_found_in_whatever_it_is_stuck_to() {
    let note =
        "Tel. +49 431 556677, alt+49 431 556677er; DE89370400440532013000 xDE89370400440532013000y";
    let expected = "Tel. [PHONE_NUMBER], alt[PHONE_NUMBER]er; [IBAN_CODE] x[IBAN_CODE]y";
    assert_eq!(redacted(note), expected, "{:?}", found(note));
}

#[test]
fn a_name_found_once_is_found_in_any_case_and_genitive() {
    assert_redacted(&[
        (
            "Frau Mustermann rief an. mustermann meint, MUSTERMANNS Zähler sei Mustermann's.",
            "Frau [PERSON_NAME] rief an. [PERSON_NAME] meint, [PERSON_NAME] Zähler sei [PERSON_NAME].",
        ),
        (
            "Herr Yılmaz war da. Yılmazs Zähler und Yilmaz-Keller.",
            "Herr [PERSON_NAME] war da. [PERSON_NAME] Zähler und [PERSON_NAME]-Keller.",
        ),
        (
            "Herr Jürgen Müller rief an, Mueller kommt morgen",
            "Herr [PERSON_NAME] rief an, [PERSON_NAME] kommt morgen",
        ),
        (
            "Frau Wöhrmann-Kötting; später war Kötting da.",
            "Frau [PERSON_NAME]; später war [PERSON_NAME] da.",
        ),
        ("Dr. med. Xiaoling Nguyen hat angerufen", "Dr. med. [PERSON_NAME] hat angerufen"),
    ]);
}

#[test]
fn whatever_was_found_is_found_again_however_much_it_is() {
    let names: Vec<String> = ('a'..='z').map(|c| format!("Qu{c}xolt")).collect();
    let ids: Vec<String> = (0..40).map(|n| format!("7{n:02}41X")).collect();
    let first: String = names.iter().map(|name| format!("Frau {name} kam. ")).collect();
    let then: String = ids.iter().map(|id| format!("geb. am 12.03.19{}; ", &id[1..3])).collect();
    let again: String = names.iter().map(|name| format!("und {name} ging, ")).collect();
    let births: String = ids.iter().map(|id| format!("wie 12.03.19{} hier, ", &id[1..3])).collect();
    let copy = redacted(&format!("{first}{then}{again}{births}"));
    assert!(!copy.contains("xolt") && !copy.contains("12.03."), "{copy}");
}

#[test]
fn signs_that_are_written_out_hide_nothing() {
    assert_redacted(&[
        ("mail anna.kern&#64;example.org bitte", "mail [EMAIL_ADDRESS] bitte"),
        ("Frau M&uuml;ller kommt", "Frau [PERSON_NAME] kommt"),
        ("an e.kern (at) example (punkt) org", "an [EMAIL_ADDRESS]"),
        ("an e.kern[at]example[dot]org", "an [EMAIL_ADDRESS]"),
        ("geb. 12. März 75", "geb. [DATE_OF_BIRTH]"),
        ("Geburtsdatum: 12 03 1975", "Geburtsdatum: [DATE_OF_BIRTH]"),
    ]);
}

#[test]
fn a_value_that_is_cut_at_its_bound_ends_with_a_character() {
    for length in 40..64 {
        let note = format!("Dr.www.example.org/7{}👩👩👩👩", "a".repeat(length));
        let [url] = found(&note)[..] else { panic!("{note:?} {:?}", found(&note)) };
        assert!(url.start == 3 && note[3..url.end].starts_with("www."), "{note:?} {url:?}");
    }
}

#[test]
fn notes_without_capitals_are_read() {
    assert_redacted(&[
        ("kunde erika mustermann will kündigen", "kunde [PERSON_NAME] will kündigen"),
        ("frau schlippenbeck rief an", "frau [PERSON_NAME] rief an"),
        (
            "mieterin anna kern, gartenstr. 12, 24103 kiel",
            "mieterin [PERSON_NAME], [STREET_ADDRESS]",
        ),
        ("wohnt jetzt alte dorfstraße 3 in köln", "wohnt jetzt [STREET_ADDRESS] in [CITY]"),
        (
            "wagen k-ab 1234 parkt vor ma-s-779",
            "wagen [LICENSE_PLATE_NUMBER] parkt vor [LICENSE_PLATE_NUMBER]",
        ),
        ("mevrouw visser woont kerkstraat 5", "mevrouw [PERSON_NAME] woont [STREET_ADDRESS]"),
    ]);
    for note in [
        "zähler 2019 getauscht, stand 48231 kwh, verplombung in ordnung",
        "der keller ist verschlossen, bitte hausverwaltung informieren",
        "kunde nicht erreichbar, neuer termin am 12.05.2026",
        "signal schwach, antenne montieren, 3 m kabel, nr12 und usb-c 3",
        "meter vervangen op 3 maart 2026, sleutel bij de deur",
        "the meter was read at 10:15, please call again next week",
        "compteur relevé le 12 mars 2026, rien à signaler",
    ] {
        assert_eq!(redacted(note), note, "{:?}", found(note));
    }
}
