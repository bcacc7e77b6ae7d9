mod defined;

use super::*;
use crate::policy_document;

fn screen(policy: &Policy, name: &str, value: Value<'_>) -> Verdict {
    let plan = Plan::compile(policy, &[FieldName::parse(name).unwrap()]);
    plan.screen(&[value]).remove(0)
}

fn undeclared(name: &str, text: &str) -> Verdict {
    screen(&Policy::default(), name, Value::Text(text))
}

fn declared(yaml: &str, name: &str, text: &str) -> Verdict {
    screen(&policy_document::parse(yaml).unwrap(), name, Value::Text(text))
}

#[test]
fn a_personal_name_makes_a_value_personal_even_when_it_fails_its_rule() {
    for (name, value, info_type) in [
        ("iban", "DE00000000000000000000", InfoType::IbanCode),
        ("kennzeichen", "keins", InfoType::LicensePlateNumber),
        ("telefon", "unbekannt", InfoType::PhoneNumber),
        ("geburtsdatum", "31.02.2000", InfoType::DateOfBirth),
    ] {
        let verdict = undeclared(name, value);
        assert_eq!(verdict.info_type, Some(info_type), "{name}");
        assert_eq!(verdict.action, Action::Seal, "{name}");
        assert!(verdict.evidence.to_string().starts_with("field name: "), "{name}");
    }
}

#[test]
fn evidence_names_rule_and_word_never_the_value() {
    let verdict = undeclared("IBAN", "DE89 3704 0044 0532 0130 00");
    assert_eq!(verdict.evidence.to_string(), "field name: iban; iban: mod-97 ok, length DE 22");
    assert_eq!(verdict.class, Some(DataClass::Financial));
    let verdict = undeclared("x", "DE89370400440532013000");
    assert_eq!(verdict.evidence.to_string(), "iban: mod-97 ok, length DE 22");
    assert_eq!(verdict.source, Source::Value);
}

#[test]
fn values_are_recognised_without_a_telling_name() {
    for (value, info_type) in [
        ("zoe56@example.net", InfoType::EmailAddress),
        ("NL91ABNA0417164300", InfoType::IbanCode),
        ("192.168.148.122", InfoType::IpAddress),
        ("e306:f0c4:85f1:84e0:b464:c555:f675:299b", InfoType::IpAddress),
        ("e2:34:db:f0:48:f6", InfoType::MacAddress),
        ("00-11-22-33-44-55", InfoType::MacAddress),
        ("51.982263,7.512949", InfoType::LocationCoordinates),
        ("DE8813993091190952PAFHSG2A5UNZQWW", InfoType::MeterId),
        ("1EMH0056366902", InfoType::MeterId),
        ("WVWB0064328H4982T", InfoType::VehicleIdentificationNumber),
        ("MA-S-779", InfoType::LicensePlateNumber),
        ("MA-S-7791", InfoType::LicensePlateNumber),
        ("+49 30 1234567", InfoType::PhoneNumber),
        ("4111 1111 1111 1111", InfoType::CreditCardNumber),
        ("14.07.1998", InfoType::DateOfBirth),
        ("https://example.com/anna", InfoType::Url),
    ] {
        let verdict = undeclared("f1", value);
        assert_eq!(verdict.info_type, Some(info_type), "{value}");
        assert_eq!(verdict.class, Some(info_type.class()), "{value}");
        assert_eq!(verdict.action, Action::Seal, "{value}");
    }
}

#[test]
fn weak_rules_need_a_hint() {
    for value in [
        "4111111111111111",
        "123456782",
        "86095742719",
        "9434765919",
        "41373559241",
        "ELEKTROM",
        "871687110000000005",
    ] {
        let verdict = undeclared("f1", value);
        assert_eq!(verdict.info_type, None, "{value}");
        assert_eq!(verdict.action, Action::Seal, "{value}");
    }
    for (name, value) in [
        ("kreditkarte", "4111111111111111"),
        ("bsn", "123456782"),
        ("steuer_id", "86095742719"),
        ("nhs_number", "9434765919"),
        ("malo_id", "41373559241"),
        ("bic", "DEUTDEFF"),
        ("ean_code", "871687110000000005"),
    ] {
        assert!(undeclared(name, value).confidence > 0.95, "{name}");
    }
}

#[test]
fn harmless_columns_stay_clear() {
    for (name, value) in [
        ("auftrag", "A-03405927"),
        ("auftragsnummer", "4111111111111111"),
        ("order_id", "79927398713"),
        ("status", "erledigt"),
        ("geraetetyp", "Landis+Gyr E450"),
        ("fw_version", "1.09.33"),
        ("fw_version", "2.0.0-rc1"),
        ("fw_version", "10.20.30.40"),
        ("verbrauch_kwh", "8664.5"),
        ("zaehlerstand", "548632"),
        ("terminfenster", "03.05.2026 08:00-10:00"),
        ("erstellt_am", "2026-05-03T09:31:07Z"),
        ("erstellt_am", "1998-07-14"),
        ("timestamp", "1700000000"),
        ("timestamp", "1700000000123"),
        ("order_id", "A-0171-17"),
        ("fw_version", "0.12.345678"),
        ("tarif", "ÖkoStrom Plus"),
        ("uuid", "1f3c42b2-e2cb-4b93-9981-45593a9afa39"),
        ("rssi", "-105 dBm"),
        ("f1", "-105 dBm"),
        ("modell", "Golf"),
        ("ort_typ", "Stadt"),
        ("hotel", "3"),
        ("x", "ja"),
        ("is_active", "1"),
        ("f1", "1f3c42b2-e2cb-4b93-9981-45593a9afa39"),
        ("f1", "2026-05-03T09:31:07Z"),
        ("f1", "4.2.1"),
    ] {
        let verdict = undeclared(name, value);
        assert_eq!(
            (verdict.action, verdict.class, verdict.info_type),
            (Action::Clear, None, None),
            "{name}: {}",
            verdict.evidence
        );
    }
}

#[test]
fn a_trap_has_no_type_but_its_unknown_text_is_sealed() {
    for (name, value) in [
        ("hotel", "Adlon"),
        ("filename", "report.pdf"),
        ("hostname", "srv-berlin"),
        ("telegramm", "68AEAE6800"),
    ] {
        let verdict = undeclared(name, value);
        assert_eq!((verdict.action, verdict.info_type), (Action::Seal, None), "{name}");
        assert_eq!(verdict.class, Some(DataClass::Other), "{name}");
    }
}

#[test]
fn a_personal_value_in_a_technical_field_is_sealed() {
    for (name, value) in [
        ("status", "zoe56@example.net"),
        ("auftrag", "NL91ABNA0417164300"),
        ("tarif", "war bei Frau Thies im Keller"),
        ("auftrag", "Hans Meier"),
        ("erstellt_am", "von Meier"),
    ] {
        assert_eq!(undeclared(name, value).action, Action::Seal, "{name}");
    }
}

#[test]
fn an_address_is_found_whatever_touches_it() {
    let clear = "fields:\n  a: { action: clear }\n  telefon: { action: clear }\n";
    for value in [
        "a@x.org;b@x.org",
        "a@x.org,b@x.org",
        "a@x.org|b@x.org",
        "<a@x.org>",
        "\"a@x.org\"",
        "(a@x.org)",
        "{\"email\":\"erika@example.org\"}",
        "Mail: Erika@Gmx.de",
        "(https://example.org/erika)",
    ] {
        for name in ["status", "rolle", "land", "modell"] {
            let verdict = undeclared(name, value);
            assert_eq!(verdict.action, Action::Seal, "{name} {value}");
            assert!(verdict.info_type.is_some(), "{name} {value}");
        }
        for name in ["a", "telefon"] {
            assert_eq!(declared(clear, name, value).action, Action::Seal, "{name} {value}");
        }
    }
    for value in ["{offen}", "\"Wolf\"", "<Wolf>", "erika(at)example.org", "erika%40example.org"] {
        assert_eq!(undeclared("status", value).action, Action::Seal, "{value}");
    }
}

#[test]
fn telegrams_in_a_field_declared_clear_are_searched() {
    let telegrams = [
        "Herr Müller, Tel. 0221 2146088",
        "IBAN: DE89 3704 0044 0532 0130 00 BIC COBADEFF",
        "Kunde Müller IBAN DE89 3704 0044 0532 0130 00 Tel 0221 2146088 Mail E.Mustermann@Gmx.de",
        "erika@gmx.de, 0171 2345678",
        "Steuer-ID 86 095 742 719",
    ];
    let names = ["Notiz", "a", "ort"];
    let fields = names.map(|name| format!("  {name}: {{ action: clear }}\n")).concat();
    for (word, action) in [("seal", Action::Seal), ("flag", Action::Clear)] {
        let yaml = format!("fields:\n{fields}declared_clear_but_personal: {word}\n");
        for (name, text) in names.iter().flat_map(|name| telegrams.map(|text| (name, text))) {
            let verdict = declared(&yaml, name, text);
            assert_eq!(verdict.action, action, "{name} {text}");
            assert!(matches!(verdict.evidence, Evidence::DeclaredClear { .. }), "{name} {text}");
        }
        let note = declared(&yaml, "Notiz", "Herr Müller");
        assert!(matches!(note.evidence, Evidence::DeclaredClear { .. }), "a note by its name");
        for (name, text) in [("ort", "50667 Köln"), ("a", "548632"), ("a", "12 kWh")] {
            assert_eq!(declared(&yaml, name, text).source, Source::Declared, "{name} {text}");
        }
    }
}

#[test]
fn a_technical_name_does_not_outweigh_what_nothing_else_looks_like() {
    for (name, value) in [
        ("geraetetyp", "Petra Schmidt"),
        ("tarif", "ZW-DJ-282"),
        ("merk_model", "WVWCWBLHWH8233552"),
        ("tariff_name", "CE831540B"),
        ("fw_version", "2001:db8:daae:5e45::1"),
        ("auftrag", "1EMH0056366902"),
        ("auftrag", "29.09.1974"),
        ("zuletzt_geaendert", "1937-06-26"),
        ("message_count", "+447911587251"),
        ("order_id", "IBAN:DE89370400440532013000"),
        ("order_id", "DE89.3704.0044.0532.0130.00"),
        ("fw_version", "DE89_3704_0044_0532_0130_00"),
        ("order_id", "tel:01712345678"),
        ("fw_version", "Tel=0171-2345678"),
        ("erstellt_am", "12/03/1975 00:00:00"),
    ] {
        assert!(undeclared(name, value).info_type.is_some(), "{name} {value}");
    }
    for (name, value) in [
        ("status", "Schmidt"),
        ("ableseart", "Utrecht"),
        ("auftrag", "05141/610288"),
        ("zaehlerstand", "871693116664065429"),
        ("tariff_name", "B20 1AQ"),
        ("uuid", "352099001761481"),
        ("app_version", "352099001761481"),
        ("geraetetyp", "Petra Xylander"),
        ("locale", "petra.schmidt"),
        ("order_id", "0171-2345678"),
        ("order_id", "0171_2345678"),
        ("order_id", "01712345678"),
        ("order_id", "4111-1111-1111-1111"),
        ("order_id", "65170839J003"),
        ("order_id", "petra-schmidt-1975-03-12"),
        ("fw_version", "Petra_Schmidt_1975"),
        ("status", "P. Xylander"),
    ] {
        let verdict = undeclared(name, value);
        assert_eq!((verdict.info_type, verdict.action), (None, Action::Seal), "{name} {value}");
    }
    for (name, value) in [("hersteller", "Schmidt"), ("status", "Offen"), ("auftrag", "17-AB-33")] {
        assert_eq!(undeclared(name, value).action, Action::Clear, "{name} {value}");
    }
}

#[test]
fn a_checked_value_corrects_the_type_its_name_gives() {
    assert_eq!(undeclared("telefon", "a@example.org").info_type, Some(InfoType::EmailAddress));
    assert_eq!(
        undeclared("bankverbindung", "NL91ABNA0417164300").info_type,
        Some(InfoType::IbanCode)
    );
    assert_eq!(undeclared("bemerkung", "a@example.org").info_type, Some(InfoType::FreeText));
}

#[test]
fn prose_is_free_text_and_other_text_is_other() {
    let verdict = undeclared("f1", "kd knappe nicht da, zettel eingeworfen");
    assert_eq!(
        (verdict.info_type, verdict.class),
        (Some(InfoType::FreeText), Some(DataClass::FreeText))
    );
    let verdict = undeclared("f1", "Kellerwohnung");
    assert_eq!((verdict.info_type, verdict.class), (None, Some(DataClass::Other)));
}

#[test]
fn json_literals_and_bytes_are_screened_too() {
    let policy = Policy::default();
    let json = |name, literal| screen(&policy, name, Value::Json(literal));
    assert_eq!(json("aktiv", "true").action, Action::Clear);
    assert_eq!(json("x", "12.5").action, Action::Clear);
    assert_eq!(json("x", "null").action, Action::Clear);
    assert_eq!(json("x", "123456782").action, Action::Seal);
    assert_eq!(json("alter", "42").info_type, Some(InfoType::Age));
    assert_eq!(json("email", "null").class, Some(DataClass::Contact));
    assert_eq!(json("x", "\"a@example.org\"").info_type, Some(InfoType::EmailAddress));
    let bytes = screen(&policy, "anlage", Value::Binary(b"\xff\xd8"));
    assert_eq!((bytes.action, bytes.class), (Action::Seal, Some(DataClass::Other)));
}

#[test]
fn what_is_declared_wins_towards_more_protection() {
    let yaml = "fields:\n  a: { info_type: CITY, class: identity }\n  b: { action: reject }\n  c: { action: drop }\n";
    let verdict = declared(yaml, "a", "12");
    assert_eq!(
        (verdict.info_type, verdict.class),
        (Some(InfoType::City), Some(DataClass::Identity))
    );
    assert_eq!((verdict.action, verdict.source), (Action::Seal, Source::Declared));
    assert_eq!(declared(yaml, "b", "12").action, Action::Reject);
    assert_eq!(declared(yaml, "c", "12").action, Action::Drop);
}

#[test]
fn between_equals_the_taxonomy_decides() {
    let types = "info_types: {IBX: {pattern: '[A-Z]{2}[0-9]{2}[0-9A-Z]{11,30}', checksum: iban}}";
    for policy in [types.to_owned(), format!("{types}\nfields: {{wert: {{action: clear}}}}")] {
        let verdict = declared(&policy, "wert", "DE89370400440532013000");
        assert_eq!(verdict.info_type, Some(InfoType::IbanCode));
        assert_eq!(verdict.class, Some(DataClass::Financial));
    }
}

#[test]
fn a_declaration_holds_for_what_lies_below_it() {
    let yaml =
        "fields: {tel: {info_type: PHONE_NUMBER}, weg: {action: drop}, nie: {action: reject}}";
    let nested = |name: &str, text: &str| declared(yaml, name, text);
    let verdict = nested("/tel/0", "1234567");
    assert_eq!((verdict.action, verdict.info_type), (Action::Seal, Some(InfoType::PhoneNumber)));
    assert_eq!(nested("/weg/a/0", "1234567").action, Action::Drop);
    assert_eq!(nested("/nie/status", "aktiv").action, Action::Reject);
    assert_eq!(nested("/nie/status", " ").action, Action::Drop);
    assert_eq!(nested("/other/0", "1234567").source, Source::Value);
}

#[test]
fn a_field_declared_clear_is_sealed_refused_or_flagged_when_its_value_is_personal() {
    let yaml = |word: &str| {
        format!(
            "fields:\n  a: {{ action: clear }}\n  ort: {{ action: clear }}\n  bsn: {{ action: clear }}\ndeclared_clear_but_personal: {word}\n"
        )
    };
    for (word, action) in
        [("seal", Action::Seal), ("reject", Action::Reject), ("flag", Action::Clear)]
    {
        let verdict = declared(&yaml(word), "a", "zoe56@example.net");
        assert_eq!(verdict.action, action);
        assert_eq!(verdict.info_type, Some(InfoType::EmailAddress));
        assert_eq!(verdict.class, (action != Action::Clear).then_some(DataClass::Contact));
    }
    assert_eq!(declared(&yaml("seal"), "bsn", "123456782").action, Action::Seal);
    assert_eq!(declared(&yaml("seal"), "ort", "Jena").action, Action::Clear);
    assert_eq!(declared(&yaml("seal"), "a", "Anna").source, Source::Declared);
}

#[test]
fn what_nobody_declared_may_be_dropped_or_refused() {
    let yaml = "undeclared: { personal: reject, unknown_text: drop, not_personal: seal }";
    assert_eq!(declared(yaml, "email", "a@example.org").action, Action::Reject);
    assert_eq!(declared(yaml, "f1", "Kellerwohnung").action, Action::Drop);
    assert_eq!(declared(yaml, "f1", "12").action, Action::Seal);
    assert_eq!(declared(yaml, "f1", "12").class, Some(DataClass::Other));
}

#[test]
fn a_field_without_a_value_is_no_reason_to_refuse_a_record() {
    let yaml = "undeclared: { personal: reject, not_personal: reject }";
    assert_eq!(declared(yaml, "email", " ").action, Action::Seal);
    assert_eq!(declared(yaml, "f1", "").action, Action::Seal);
    let yaml = "only_declared: true\nundeclared: { not_personal: reject }";
    assert_eq!(declared(yaml, "f1", "").action, Action::Drop);
    assert_eq!(declared(yaml, "f1", "17").action, Action::Reject);
}

#[test]
fn every_value_gets_a_verdict_even_without_a_name() {
    let plan = Plan::compile(&Policy::default(), &[]);
    let verdicts = plan.screen(&[Value::Text("Anna"), Value::Text("1")]);
    assert_eq!(verdicts.len(), 2);
    assert_eq!(verdicts[0].action, Action::Seal);
}

#[test]
fn a_disguise_hides_no_value() {
    for (value, info_type) in [
        ("DE89\u{200b}3704\u{ad}0044 0532 0130 00", InfoType::IbanCode),
        ("\u{ff24}\u{ff25}89370400440532013000", InfoType::IbanCode),
        ("\u{202e}DE89370400440532013000\u{202c}", InfoType::IbanCode),
        ("\u{430}nn\u{430}@example.org", InfoType::EmailAddress),
        ("anna\u{ff20}example.org", InfoType::EmailAddress),
        ("192.168.148\u{7}.122", InfoType::IpAddress),
        ("+49 30 \u{ff11}\u{ff12}\u{ff13}4567", InfoType::PhoneNumber),
    ] {
        let verdict = undeclared("f1", value);
        assert_eq!(verdict.info_type, Some(info_type), "{value:?}");
        let yaml = "fields:\n  a: { action: clear }\n";
        assert_eq!(declared(yaml, "a", value).action, Action::Seal, "{value:?}");
    }
    let verdict = undeclared("bsn", "1234\u{200b}56782");
    assert!(verdict.confidence > 0.95, "{}", verdict.evidence);
}

#[test]
fn what_is_disguised_is_protected_as_what_it_reads_or_more() {
    let verdict = undeclared("status", "\u{ff14}\u{ff11}\u{ff11}\u{ff11}".repeat(4).as_str());
    assert_eq!(verdict.action, Action::Seal, "sixteen digits are no status");
    assert_eq!(undeclared("f1", "12\u{200b}3").action, Action::Seal, "nobody writes numbers so");
}
