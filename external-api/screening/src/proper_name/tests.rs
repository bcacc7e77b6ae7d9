use super::*;

fn info_type(text: &str) -> Option<InfoType> {
    proper_name(text).map(|finding| finding.info_type)
}

#[test]
fn people_are_told_by_two_signs() {
    for text in [
        "Erika Schmidt",
        "Schmidt, Erika",
        "SCHMIDT, Erika",
        "Hans-Peter Xylander",
        "Anna van der Meer",
        "J. Schmidt",
        "Frau Xylander",
        "Herr Dr. Koch",
        "Schmidt Erika",
        "Xylander, Anna",
        "Mevr. Bakker",
        "Koch, Anna",
        "Schmidt, Xaveria",
        "Jean-Luc Lefèvre",
        "Kees de Groot",
        "Wierik van der Brandmeijer",
        "SIMON Léa",
        "DE LA TOUR Isabelle",
        "Maria Dekker",
    ] {
        assert_eq!(info_type(text), Some(InfoType::PersonName), "{text}");
    }
    for text in ["Herr", "Mevr.", "Mme", "Mr", "Prof. Dr."] {
        assert_eq!(info_type(text), Some(InfoType::Title), "{text}");
    }
    assert_eq!(info_type("Anna"), Some(InfoType::FirstName));
    for text in ["Schmidt", "van Leeuwen", "van der Xyz", "de Groot"] {
        assert_eq!(info_type(text), Some(InfoType::LastName), "{text}");
    }
}

#[test]
fn towns_and_streets_are_told_by_their_words() {
    for text in ["Utrecht", "Bad Homburg vor der Höhe", "Saarbrücken"] {
        assert_eq!(info_type(text), Some(InfoType::City), "{text}");
    }
    for text in [
        "Hauptstraße",
        "Alte Poststr.",
        "Regine-Hauffer-Weg",
        "Kerkstraat",
        "Rue de la Gare",
        "Baker Street",
        "Straße des 17. Juni",
        "Prins Hendrikkade",
    ] {
        let is_dated = text.contains("17");
        assert_eq!(info_type(text), (!is_dated).then_some(InfoType::Street), "{text}");
    }
    for text in [
        "Hauptstraße 5",
        "Lindenhof 12a",
        "12 rue de la Gare",
        "221B Baker Street",
        "Am Markt 3",
        "Unter den Linden 31, 38881 München",
        "Zum Wasserturm 37",
        "Hauptstr. 9-8, 30911 Burg",
        "Phileinehof 98, 8987 PA Buren",
        "30911 Burg",
        "8987 PA Xyzdorp",
        "Kerkstraat 12 bis",
        "3 bis rue Victor Hugo",
        "14 Church Close",
    ] {
        assert_eq!(info_type(text), Some(InfoType::StreetAddress), "{text}");
    }
}

#[test]
fn words_that_name_nobody_are_no_names() {
    for text in [
        "",
        "erledigt",
        "Erledigt",
        "OPEN",
        "Grundversorgung",
        "Basis Tarief",
        "ÖkoStrom Plus",
        "Golf",
        "Siemens",
        "August",
        "Mark",
        "Stern",
        "Koch",
        "Iskra MT176",
        "Landis+Gyr E450",
        "Flash Drive",
        "Köln, Deutschland",
        "Elster Messtechnik GmbH",
        "Parkplatz",
        "Ring 5",
        "Platz 3",
        "A-03405927",
        "Umweg 3",
        "Rot, Blau",
        "Rose Gold",
        "August Winter",
        "de novo",
        "en cours",
        "New York Hotel",
        "Zähler defekt",
        "Nicht angetroffen",
        "Etage 3",
        "Keller links",
        "12",
        "3. OG",
        "Version 4",
        "Phase 3 Plus",
        "Windows Server",
        "Sommer Aktion",
    ] {
        assert_eq!(info_type(text), None, "{text}");
    }
}

#[test]
fn house_numbers_are_short() {
    for text in ["1", "98", "12a", "9-8", "9/7", "1234", "12-14", "7/B"] {
        assert!(is_house_number(text), "{text}");
    }
    for text in ["", "0", "012", "12345", "1.5", "12-", "a", "1-2-3", "8664.5", "-1"] {
        assert!(!is_house_number(text), "{text}");
    }
}
