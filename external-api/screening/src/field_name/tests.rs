use super::*;

fn read(name: &str) -> Hint {
    hint(&FieldName::parse(name).unwrap())
}

fn info_type(name: &str) -> Option<InfoType> {
    match read(name) {
        Hint::Personal { info_type, .. } => info_type,
        Hint::Technical { .. } | Hint::Nothing => None,
    }
}

#[track_caller]
fn assert_types(info_type: InfoType, names: &[&str]) {
    for name in names {
        assert_eq!(self::info_type(name), Some(info_type), "{name}");
    }
}

#[test]
fn words_phrases_and_compounds_are_known_in_four_languages() {
    use InfoType as T;
    assert_types(
        T::PhoneNumber,
        &[
            "telefon",
            "Telefon-Nr.",
            "TELEFONNUMMER",
            "kundenTelefonNummer",
            "kundentelefonnummer",
            "notfalltelefonnummer",
            "telefoonnummer",
            "phone_number",
            "mobilePhone",
            "numéro de téléphone",
            "telefon2",
            "/phones/0",
            "/phones/0/number",
            "kontakt_telefon",
            "tel",
        ],
    );
    assert_types(
        T::EmailAddress,
        &[
            "email",
            "eMail",
            "E-Mail",
            "E-Mail-Adresse",
            "kunden_email",
            "e_mail_adresse",
            "courriel",
            "email_address",
        ],
    );
    assert_types(
        T::PersonName,
        &[
            "name",
            "kunde",
            "klant",
            "Name des Kunden",
            "customer_name",
            "kundenname",
            "naam",
            "nom",
            "/customer/name",
            "ansprechpartner",
            "nom_client",
            "vor- und nachname",
        ],
    );
    assert_types(
        T::FirstName,
        &[
            "vorname",
            "Voornaam",
            "first_name",
            "firstName",
            "prénom",
            "prenom",
            "vor_name",
        ],
    );
    assert_types(
        T::DateOfBirth,
        &[
            "geburtsdatum",
            "Date of Birth",
            "dob",
            "geb.-datum",
            "date_naissance",
            "datum_geburt_geburtsdatum",
            "geboortedatum",
        ],
    );
    assert_types(
        T::StreetAddress,
        &[
            "adresse",
            "Straße und Hausnr.",
            "address_line_1",
            "lieferadresse",
            "plz_ort",
            "strasse_hausnummer",
            "PLZ/Ort",
        ],
    );
    assert_types(
        T::Street,
        &[
            "straße",
            "Strasse",
            "STRAẞE",
            "straat",
            "street",
            "rue",
            "/address/street",
        ],
    );
    assert_types(
        T::City,
        &[
            "ort",
            "plaats",
            "city",
            "ville",
            "wohnort",
            "/address/city",
            "kundenort",
        ],
    );
    assert_types(
        T::IpAddress,
        &["gateway_ip", "ip_adresse", "clientIp", "ipv4"],
    );
    assert_types(
        T::MeterId,
        &[
            "zaehlernummer",
            "Zähler-Nr.",
            "melo_id",
            "MeLo",
            "ean_code",
            "meternummer",
            "MaLo-ID",
        ],
    );
    assert_types(
        T::LicensePlateNumber,
        &[
            "kennzeichen",
            "kenteken",
            "license_plate",
            "amtl_kennzeichen",
        ],
    );
    assert_types(
        T::FreeText,
        &[
            "bemerkung",
            "opmerking",
            "notes",
            "kundenbemerkung",
            "bemerkung_telefon",
        ],
    );
    assert_types(
        T::LocationCoordinates,
        &["geo", "GPSKoordinaten", "lat", "/position/lng"],
    );
    assert_types(T::IbanCode, &["iban", "IBAN-Nr.", "kunden_iban"]);
    assert_types(T::FranceNir, &["numéro de sécurité sociale", "nir"]);
}

#[test]
fn no_part_of_a_word_is_a_word() {
    for name in [
        "erstellt_am",
        "hotel",
        "modell",
        "status",
        "filename",
        "hostname",
        "ort_typ",
        "telegramm",
        "dateiname",
        "produktname",
        "tarif",
        "geraetetyp",
        "fw_version",
        "verbrauch_kwh",
        "zaehlerstand",
        "terminfenster",
        "uuid",
        "rssi",
        "auftrag",
        "report",
        "passage",
        "format",
        "import",
        "messung",
        "antwort",
        "transport",
        "sport",
        "support",
        "tabellenname",
        "email_verified",
        "telefon_status",
    ] {
        assert_eq!(info_type(name), None, "{name}");
    }
}

#[test]
fn technical_names_say_what_their_values_look_like() {
    for (name, expected) in [
        ("erstellt_am", Kind::Time),
        ("created_at", Kind::Time),
        ("einbaudatum", Kind::Time),
        ("date_creation", Kind::Time),
        ("terminfenster", Kind::Time),
        ("status", Kind::Enumeration),
        ("geraetetyp", Kind::Enumeration),
        ("Gerätetyp", Kind::Enumeration),
        ("ort_typ", Kind::Enumeration),
        ("statut_client", Kind::Enumeration),
        ("auftrag", Kind::Identifier),
        ("auftragsnummer", Kind::Identifier),
        ("order_id", Kind::Identifier),
        ("fw_version", Kind::Version),
        ("verbrauch_kwh", Kind::Reading),
        ("rssi", Kind::Reading),
        ("is_active", Kind::Flag),
        ("has_email", Kind::Flag),
    ] {
        let Hint::Technical { kind, .. } = read(name) else {
            panic!("{name}: {:?}", read(name));
        };
        assert_eq!(kind, expected, "{name}");
    }
}

#[test]
fn numbers_given_to_people_are_personal_without_a_type() {
    for name in [
        "kundennummer",
        "customer_id",
        "klantnummer",
        "personalnummer",
        "vertragsnummer",
        "user_id",
        "gehalt",
    ] {
        assert!(
            matches!(
                read(name),
                Hint::Personal {
                    info_type: None,
                    ..
                }
            ),
            "{name}: {:?}",
            read(name)
        );
    }
}

#[test]
fn names_that_say_nothing_give_no_hint() {
    for name in [
        "f1", "42", "xyz", "id", "nummer", "datum", "/a/0", "/", "hotel", "filename",
    ] {
        assert_eq!(read(name), Hint::Nothing, "{name}");
    }
}

#[test]
fn the_longest_name_is_read_quickly() {
    for word in ["tel", "telefon", "artart", "s", "ortsort"] {
        let name = word.repeat(128 / word.len());
        let _ = read(&name);
    }
}
