mod defined;

use super::*;

mod disguised;

fn found(text: &str) -> Vec<TextFinding> {
    let mut findings = Vec::new();
    let mut folding = Folding::default();
    find(folding.see(text), 0, &Defined::default(), &mut Workspace::default(), &mut findings);
    findings
}

fn redacted(text: &str) -> String {
    redact(text, &found(text))
}

/// Notes, with what was found in brackets in their redacted copies.
fn assert_redacted(notes: &[(&str, &str)]) {
    for (note, expected) in notes {
        assert_eq!(redacted(note), *expected, "{:?}", found(note));
    }
}

#[test]
fn german_notes_are_read() {
    assert_redacted(&[
        (
            "Schlüssel liegt bei Frau Dr. Öztürk, 2. OG, Tel. 0431 / 55 66 77 8.",
            "Schlüssel liegt bei Frau Dr. [PERSON_NAME], 2. OG, Tel. [PHONE_NUMBER].",
        ),
        (
            "Herr von der Heyden bittet um Rückruf unter +49 (0) 431 987654",
            "Herr [PERSON_NAME] bittet um Rückruf unter [PHONE_NUMBER]",
        ),
        ("Bitte an Erlenkamp 17b, 24103 Kiel schicken", "Bitte an [STREET_ADDRESS] schicken"),
        ("Umgezogen in die Alte Dorfstraße 3.", "Umgezogen in die [STREET_ADDRESS]."),
        ("Zugang über Am Deich 9, 27568 Bremerhaven.", "Zugang über [STREET_ADDRESS]."),
        (
            "Liebe Sabine, anbei die Fotos. Viele Grüße\nUwe Petersen",
            "Liebe [PERSON_NAME], anbei die Fotos. Viele Grüße\n[PERSON_NAME]",
        ),
        (
            "Patientin geb. am 3. Mai 1961, Steuer-ID 86 095 742 719",
            "Patientin geb. am [DATE_OF_BIRTH], Steuer-ID [GERMANY_TAXPAYER_IDENTIFICATION_NUMBER]",
        ),
        (
            "Konto DE89 3704 0044 0532 0130 00, Kennzeichen KI-PX 552",
            "Konto [IBAN_CODE], Kennzeichen [LICENSE_PLATE_NUMBER]",
        ),
        (
            "Nachbarin Hansen hat den Schlüssel, Hansen ist ab 17 Uhr da.",
            "Nachbarin [PERSON_NAME] hat den Schlüssel, [PERSON_NAME] ist ab 17 Uhr da.",
        ),
        ("herr petersen war nicht da", "herr [PERSON_NAME] war nicht da"),
    ]);
}

#[test]
fn dutch_notes_are_read() {
    assert_redacted(&[
        (
            "Geachte heer De Wit, uw meter wordt vervangen.",
            "Geachte heer [PERSON_NAME], uw meter wordt vervangen.",
        ),
        (
            "Mevr. J. van der Meulen belt terug op 06-12345678",
            "Mevr. [PERSON_NAME] belt terug op [PHONE_NUMBER]",
        ),
        (
            "Sleutel ligt op Laan van Meerdervoort 70, 2517 AN Den Haag.",
            "Sleutel ligt op [STREET_ADDRESS].",
        ),
        ("Huurder Bakker, BSN 123456782", "Huurder [PERSON_NAME], BSN [NETHERLANDS_BSN_NUMBER]"),
        ("Met vriendelijke groet,\nSanne Visser", "Met vriendelijke groet,\n[PERSON_NAME]"),
        ("geboren op 14-07-1958 te Zwolle", "geboren op [DATE_OF_BIRTH] te [CITY]"),
    ]);
}

#[test]
fn english_notes_are_read() {
    assert_redacted(&[
        (
            "Spoke with Mrs Eleanor Whitfield, she moved to 14 Church Lane, London NW1 6XE.",
            "Spoke with Mrs [PERSON_NAME], she moved to [STREET_ADDRESS].",
        ),
        ("Dear Oliver, thanks for calling.", "Dear [PERSON_NAME], thanks for calling."),
        (
            "Tenant born 3 March 1971, NI number AB 12 34 56 C",
            "Tenant born [DATE_OF_BIRTH], NI number [UK_NATIONAL_INSURANCE_NUMBER]",
        ),
        (
            "Mail j.doe+meter@mail.example.co.uk or see https://example.org/u/jdoe.",
            "Mail [EMAIL_ADDRESS] or see [URL].",
        ),
        (
            "Card 4111 1111 1111 1111 declined, last seen at 203.0.113.77",
            "Card [CREDIT_CARD_NUMBER] declined, last seen at [IP_ADDRESS]",
        ),
        ("Kind regards,\nThomas Baker", "Kind regards,\n[PERSON_NAME]"),
    ]);
}

#[test]
fn french_notes_are_read() {
    assert_redacted(&[
        (
            "Appeler Mme Lefèvre au 06 12 34 56 78 après 18 h.",
            "Appeler Mme [PERSON_NAME] au [PHONE_NUMBER] après 18 h.",
        ),
        ("Déménage au 12 bis, rue de la Gare, 69003 Lyon.", "Déménage au [STREET_ADDRESS]."),
        ("Bonjour Camille, merci.", "Bonjour [PERSON_NAME], merci."),
        ("M. Dubois, né le 12 février 1949", "M. [PERSON_NAME], né le [DATE_OF_BIRTH]"),
        ("Bien cordialement,\nÉlodie Moreau", "Bien cordialement,\n[PERSON_NAME]"),
    ]);
}

#[test]
fn notes_about_things_hold_nothing() {
    for note in [
        "Zähler 2019 getauscht, Stand 48231 kWh, Verplombung in Ordnung.",
        "Termin am 12.05.2026 um 08:30 Uhr bestätigt, Monteur kommt zu zweit.",
        "Gateway offline seit 03.02.2026 14:05:11, Firmware 4.2.1.10 einspielen.",
        "Auftrag A-03405927 storniert, siehe Auftrag 0123456789.",
        "Der Keller ist verschlossen. Bitte Hausverwaltung informieren!",
        "Signal -105 dBm, Antenne an der Decke montieren, 3 m Kabel, 230 V / 16 A.",
        "Hallo zusammen, bitte alle Zähler bis Freitag ablesen. Viele Grüße",
        "Liebe Kollegen, danke! Mit freundlichen Grüßen Ihr Team",
        "Beste Grüße und einen schönen August.",
        "Meter vervangen op 3 maart 2026, stand 10234, 1500 KW aangesloten.",
        "Dear Sir or Madam, the meter was read at 10:15. Kind regards",
        "Replace router, 12 V supply, 192 units left, ticket 20260314-77.",
        "Compteur relevé le 12 mars 2026, 3 fois 16 A, version 2.0.0-rc1.",
        "Parkplatz 12 ist frei, Raum 30911 und 20000 Stück Lager.",
        "USB-C 3 Kabel, DIN-A 4, Profil LTE-M 2",
        "",
        "-",
        "Ende.",
    ] {
        assert_eq!(redacted(note), note, "{:?}", found(note));
    }
}

#[test]
fn findings_say_why_and_never_what() {
    let [iban, id] = found("DE89370400440532013000, Steuer-ID 86095742719")[..] else {
        panic!("two findings");
    };
    assert_eq!(iban.evidence.to_string(), "iban: mod-97 ok, length DE 22");
    let why = "word before it: steuerid; tax id: ISO 7064 mod 11,10 ok";
    assert_eq!(id.evidence.to_string(), why);
    assert!(iban.confidence > id.confidence);
}

/// How much the rules look at in `bytes` bytes of repeated pieces.
fn looks(piece: &str, bytes: usize) -> usize {
    let text = piece.repeat(bytes / piece.len());
    let mut words = Vec::new();
    let rest = words::split(&text, &mut words);
    let prose = Prose::new(&text, &words, rest);
    search((&prose, &prose), &Defined::default(), &mut Vec::new(), &mut Vec::new());
    prose.looks.get()
}

#[test]
fn work_grows_with_the_text_and_no_faster() {
    // Looks for each byte of the text, whatever it is.
    const LOOKS_MAX: usize = 800;
    for piece in [
        "a",
        "0",
        "@",
        ".",
        ":",
        "-",
        "+",
        "(",
        "a ",
        "A ",
        "1 ",
        "1.",
        "1-",
        "12.3.",
        "a@",
        "a@b.",
        "a.",
        "0431 ",
        "DE89 ",
        "1111 ",
        "A1 ",
        "A-1 ",
        "Anna ",
        "Anna, ",
        "Herr ",
        "von ",
        "J. ",
        "Frau Anna ",
        "Mieter ",
        "Grüße ",
        "geboren ",
        "* 1 ",
        "rue ",
        "rue de ",
        "Am ",
        "Straße 5 ",
        "Straße 5, ",
        "12 High ",
        "30911 ",
        "8987 PA ",
        "SW1A 1AA ",
        "in Burg ",
        "https://",
        "www.",
        "::",
        "1:",
        "a/",
        "a+",
        "1:1@",
        "anna (at) ",
        "Steuer-ID ",
        "Konto 12345 ",
        "Müller-",
        "O'",
    ] {
        let (half, whole) = (looks(piece, 8 << 10), looks(piece, 16 << 10));
        assert!(whole <= 2 * half + half / 8 + 4_096, "{piece:?}: {half}, then {whole}");
        assert!(whole <= LOOKS_MAX * (16 << 10), "{piece:?}: {}", whole >> 14);
    }
}
