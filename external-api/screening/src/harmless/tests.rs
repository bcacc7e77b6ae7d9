use super::*;

fn harmless(text: &str) -> Option<&'static str> {
    super::harmless(&Shape::of(text))
}

#[test]
fn harmless_values_are_recognised() {
    for text in [
        "8664.5",
        "1087,4",
        "-105 dBm",
        "12,5%",
        "548632",
        "0",
        "-3",
        "1e5",
        "1.234.567,89",
        "4.2.1",
        "2.0.0-rc1",
        "ja",
        "TRUE",
        "1f3c42b2-e2cb-4b93-9981-45593a9afa39",
        "2026-05-03T09:31:07Z",
        "03.05.2026 08:00-10:00",
        "09:31",
        "2026-05-03",
        "230 V",
        "21.5 °C",
        "12 m³",
        "0012345.678",
        "1234567.89",
        "1.5e9",
    ] {
        assert!(harmless(text).is_some(), "{text}");
    }
}

#[test]
fn what_may_be_a_persons_is_not_harmless() {
    for text in [
        "12345678",
        "00526",
        "0171 1234567",
        "Anna",
        "A-03405927",
        "1.9.33",
        "5 Müller",
        "m",
        "Jena",
        "192.168.1.1.5",
        "",
        "-",
        ".",
        "e5",
        "12345678 V",
        "1,2,3,4",
        "48213 kWh Anna",
        "--5",
        "8987 MW",
        "14.07.1998",
        "491712345678.0",
        "1712345678.0",
        "491711234567,0",
        "0171.2345678",
        "86095742719.0",
        "1.712345678e9",
        "1712345678.5",
        "12345678.5 V",
    ] {
        assert_eq!(harmless(text), None, "{text}");
    }
}

#[test]
fn technical_values_look_as_their_field_says() {
    for (kind, text) in [
        (Kind::Enumeration, "Landis+Gyr E450"),
        (Kind::Enumeration, "ÖkoStrom Plus"),
        (Kind::Identifier, "A-03405927"),
        (Kind::Version, "1.09.33"),
        (Kind::Time, "1998-07-14"),
        (Kind::Reading, "000548632"),
        (Kind::Reading, "0123456.7"),
        (Kind::Reading, "123456789,5 kWh"),
        (Kind::Flag, "1"),
    ] {
        assert!(technical(kind, text).is_some(), "{text}");
    }
    for (kind, text) in [
        (Kind::Enumeration, "war bei Frau Thies im Keller"),
        (Kind::Enumeration, "0170 1234567"),
        (Kind::Identifier, "Hans Meier"),
        (Kind::Identifier, "Meier"),
        (Kind::Time, "Dienstag bei Meier"),
        (Kind::Reading, "Meier 12"),
        (Kind::Reading, "491712345678.0"),
        (Kind::Version, "491712345678.0"),
        (Kind::Flag, "Meier"),
    ] {
        assert_eq!(technical(kind, text), None, "{text}");
    }
}

#[test]
fn prose_has_two_words_and_a_small_one() {
    for text in ["kd knappe nicht da, zettel eingeworfen", "Frau Thies ist da", "siehe Keller"] {
        assert!(is_prose(text), "{text}");
    }
    for text in ["", "Keller", "Iskra MT176", "keller", "12 13", "- -", "Anna Müller"] {
        assert!(!is_prose(text), "{text}");
    }
}
