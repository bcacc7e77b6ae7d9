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

/// Info types and names of theirs, with `;` between names.
const NAMES: &[(InfoType, &str)] = &[
    (
        InfoType::PhoneNumber,
        "telefon; Telefon-Nr.; TELEFONNUMMER; kundenTelefonNummer; kundentelefonnummer; \
         notfalltelefonnummer; telefoonnummer; phone_number; mobilePhone; numéro de \
         téléphone; telefon2; /phones/0; /phones/0/number; kontakt_telefon; tel; Rufnr; Faxnr",
    ),
    (
        InfoType::EmailAddress,
        "email; eMail; E-Mail; E-Mail-Adresse; kunden_email; e_mail_adresse; courriel; \
         email_address",
    ),
    (
        InfoType::PersonName,
        "anzeigename; weergavenaam; Titulaire du compte; account_holder; name; kunde; klant; Name des Kunden; customer_name; kundenname; naam; nom; \
         /customer/name; ansprechpartner; created_by; erstellt_von; nom_client; vor- und nachname",
    ),
    (InfoType::FirstName, "vorname; Voornaam; first_name; firstName; prénom; prenom; vor_name"),
    (
        InfoType::DateOfBirth,
        "geburtsdatum; Date of Birth; dob; geb.-datum; date_naissance; \
         datum_geburt_geburtsdatum; geboortedatum; Jahrgang; yob; Geburt; geburtsmonat",
    ),
    (
        InfoType::StreetAddress,
        "ophaaladres; abholadresse; adresse; Straße und Hausnr.; address_line_1; lieferadresse; plz_ort; Strasse/Nr.; \
         strasse_hausnummer; PLZ/Ort",
    ),
    (InfoType::Street, "straße; Strasse; STRAẞE; straat; street; rue; /address/street"),
    (InfoType::City, "ort; plaats; city; ville; wohnort; /address/city; kundenort"),
    (InfoType::IpAddress, "gateway_ip; ip_adresse; clientIp; ipv4"),
    (InfoType::MeterId, "zaehlernummer; Zähler-Nr.; melo_id; MeLo; ean_code; meternummer; MaLo-ID"),
    (
        InfoType::LicensePlateNumber,
        "Vehicle Reg; reg_no; kennzeichen; kenteken; license_plate; amtl_kennzeichen",
    ),
    (InfoType::FreeText, "bemerkung; opmerking; notes; kundenbemerkung; bemerkung_telefon"),
    (InfoType::LocationCoordinates, "geo; GPSKoordinaten; lat; /position/lng"),
    (InfoType::BankAccount, "Kto; KtoNr; Kto-Nr.; Buchungskonto"),
    (InfoType::GermanySocialSecurity, "Versicherungsnr; Versicherungs-Nr."),
    (InfoType::MedicalTerm, "GdB; BMI; Blutdruck; blood_pressure; heartRate; resting_heart_rate"),
    (InfoType::IbanCode, "iban; IBAN-Nr.; kunden_iban"),
    (InfoType::UkNationalInsuranceNumber, "NI Number; nino"),
    (InfoType::FranceNir, "numéro de sécurité sociale; nir"),
];

#[test]
fn words_phrases_and_compounds_are_known_in_four_languages() {
    for (expected, names) in NAMES {
        for name in names.split("; ") {
            assert_eq!(info_type(name), Some(*expected), "{name}");
        }
    }
}

#[test]
fn no_part_of_a_word_is_a_word() {
    let names = "erstellt_am hotel modell status filename hostname ort_typ telegramm dateiname \
         produktname tarif geraetetyp fw_version verbrauch_kwh zaehlerstand terminfenster \
         uuid rssi auftrag report passage format import messung antwort transport sport \
         support tabellenname email_verified telefon_status nombre_messages aantal_berichten \
         nachrichten_anzahl";
    for name in names.split(' ') {
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
        ("Auftragsnr", Kind::Identifier),
        ("Rechnungsnr", Kind::Identifier),
        ("Vorgangsnr", Kind::Identifier),
        ("Artnr", Kind::Identifier),
        ("snr", Kind::Reading),
        ("signal_snr", Kind::Reading),
        ("pressure", Kind::Reading),
        ("heart_rate_unit", Kind::Enumeration),
        ("lat_ms", Kind::Reading),
        ("mac_os", Kind::Enumeration),
        ("order_id", Kind::Identifier),
        ("fw_version", Kind::Version),
        ("verbrauch_kwh", Kind::Reading),
        ("rssi", Kind::Reading),
        ("Zählerstand alt", Kind::Reading),
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
        "Kd-Nr.",
        "personalnr",
        "kundenid",
        "customer_id",
        "klantnummer",
        "personalnummer",
        "vertragsnummer",
        "user_id",
        "gehalt",
        "Vertragsnr",
        "Mitgliedsnr",
        "account",
        "acct",
        "PersNr",
        "Stammnr",
        "Fallnr",
        "Pat-ID",
        "mrn",
        "Matrikelnr",
        "empno",
        "emp_id",
        "payroll_no",
        "policy_no",
        "polisnr",
        "relatienr",
        "n_client",
        "n° client",
        "matricule",
        "Saldo",
        "Schulden",
        "Kreditlimit",
        "Schufa",
        "Schufa-Score",
        "credit_score",
    ] {
        assert!(
            matches!(read(name), Hint::Personal { info_type: None, .. }),
            "{name}: {:?}",
            read(name)
        );
    }
}

#[test]
fn names_that_say_nothing_give_no_hint() {
    for name in [
        "f1",
        "42",
        "xyz",
        "id",
        "nummer",
        "datum",
        "/a/0",
        "/",
        "hotel",
        "filename",
        "Leistungsnr",
        "url_path",
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
