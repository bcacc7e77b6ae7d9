//! German words of field names.
//!
//! It promises whole words in their usual spelling, grouped by meaning; compounds of them are found
//! without being listed. It relies on the lexicon for the other spellings.

use tresor_proto::{DataClass, InfoType};

use super::{Group, Sense};

pub(super) const WORDS: &[Group] = &[
    (Sense::Type(InfoType::FirstName), "vorname vornamen rufname"),
    (Sense::Type(InfoType::LastName), "nachname familienname zuname geburtsname mädchenname"),
    (
        Sense::Type(InfoType::PersonName),
        "vollname vollständigername anzeigename kontoinhaber kontoinhabername vornachname vorundnachname spitzname \
         vorundzuname klingel klingelname",
    ),
    (Sense::Type(InfoType::Title), "anrede titel akademischergrad"),
    (Sense::Type(InfoType::Gender), "geschlecht"),
    (
        Sense::Type(InfoType::DateOfBirth),
        "geburtsdatum geburtstag gebdatum gebdat geb geburtsjahr geboren \
         geburt geburtsmonat geburtszeit geburtsstunde jahrgang",
    ),
    (Sense::Type(InfoType::Age), "alter lebensalter"),
    (
        Sense::Type(InfoType::Nationality),
        "staatsangehörigkeit staatsbürgerschaft nationalität geburtsland",
    ),
    (
        Sense::Type(InfoType::EmailAddress),
        "email emails mail mailadresse emailadresse mailanschrift",
    ),
    (
        Sense::Type(InfoType::PhoneNumber),
        "telefon telefone tel telnr telefonnr telefonnummer rufnummer handy handynummer \
         rufnr faxnr mobil mobilnummer mobilfunk mobilfunknummer festnetz fax faxnummer telefax \
         durchwahl fon",
    ),
    (Sense::Type(InfoType::Url), "webseite website homepage internetseite webadresse url"),
    (
        Sense::Type(InfoType::StreetAddress),
        "anschrift lieferanschrift wohnanschrift lieferadresse wohnadresse adresszeile",
    ),
    (Sense::Type(InfoType::Street), "straße straßen str straßenname"),
    (
        Sense::Type(InfoType::HouseNumber),
        "hausnummer hausnr hnr hsnr hausnummernzusatz hausnummerzusatz wohnung \
         wohnungsnummer",
    ),
    (Sense::Type(InfoType::Postcode), "plz postleitzahl"),
    (
        Sense::Type(InfoType::City),
        "ort stadt wohnort geburtsort ortsteil ortsname gemeinde ortschaft",
    ),
    (
        Sense::Type(InfoType::LocationCoordinates),
        "koordinaten koordinate gps geo geoposition breitengrad längengrad",
    ),
    (Sense::Type(InfoType::IbanCode), "iban"),
    (Sense::Type(InfoType::SwiftCode), "bic swift"),
    (
        Sense::Type(InfoType::BankAccount),
        "konto kontonummer kontonr kto ktonr buchungskonto girokonto bankkonto bankverbindung blz bankleitzahl",
    ),
    (
        Sense::Type(InfoType::CreditCardNumber),
        "kreditkarte kreditkartennummer kartennummer kartennr",
    ),
    (
        Sense::Type(InfoType::GermanyTaxpayerIdentificationNumber),
        "steuerid steueridnr steueridentifikationsnummer steuernummer steuernr \
         steueridentnummer idnr",
    ),
    (
        Sense::Type(InfoType::GermanySocialSecurity),
        "sozialversicherungsnummer sozialversicherungsnr svnr svnummer rvnr \
         rentenversicherungsnummer versicherungsnummer versicherungsnr",
    ),
    (
        Sense::Type(InfoType::GermanyIdentityCardNumber),
        "personalausweis personalausweisnummer ausweis ausweisnummer ausweisnr perso",
    ),
    (Sense::Type(InfoType::GermanyPassport), "reisepass reisepassnummer passnummer passnr"),
    (
        Sense::Type(InfoType::GermanyDriversLicenseNumber),
        "führerschein führerscheinnummer führerscheinnr",
    ),
    (
        Sense::Type(InfoType::GermanyHealthInsurance),
        "krankenversichertennummer krankenversicherungsnummer krankenkassennummer \
         versichertennummer kvnr krankenversicherung",
    ),
    (
        Sense::Type(InfoType::MedicalTerm),
        "diagnose diagnosen befund krankheit medikament medikamente medikation allergie \
         allergien blutgruppe behinderung pflegegrad gdb bmi blutdruck blutzucker herzfrequenz \
         körpergröße körpergewicht",
    ),
    (Sense::Type(InfoType::IpAddress), "ip ipadresse ipv"),
    (Sense::Type(InfoType::MacAddress), "mac macadresse"),
    (Sense::Type(InfoType::Username), "benutzername nutzername anmeldename login"),
    (
        Sense::Type(InfoType::DeviceId),
        "seriennummer seriennr geräteid gerätenummer gerätenr imei imsi iccid",
    ),
    (
        Sense::Type(InfoType::MeterId),
        "zähler zählernummer zählernr zählerid melo meloid malo maloid messlokation \
         marktlokation zählpunkt zählpunktbezeichnung zählpunktnummer marktlokations \
         messlokations",
    ),
    (
        Sense::Type(InfoType::LicensePlateNumber),
        "kennzeichen kfzkennzeichen autokennzeichen nummernschild",
    ),
    (
        Sense::Type(InfoType::VehicleIdentificationNumber),
        "fin fahrgestellnummer fahrgestellnr fahrzeugidentifikationsnummer \
         fahrzeugidentnummer vin",
    ),
    (
        Sense::Note,
        "bemerkung bemerkungen notiz notizen kommentar kommentare anmerkung anmerkungen \
         hinweis hinweise freitext beschreibung text nachricht mitteilung betreff \
         zusatzinfo info infos memo",
    ),
    (
        Sense::Person,
        "kunde kunden kundin mieter mieterin eigentümer eigentümerin bewohner \
         ansprechpartner ansprechpartnerin kontakt kontaktperson patient patienten \
         patientin versicherter versicherte mitarbeiter mitarbeiterin person personen \
         nutzer benutzer absender empfänger techniker monteur vermieter besitzer halter \
         fahrer inhaber antragsteller auftraggeber sachbearbeiter bearbeiter verwalter \
         nachbar lehrer schüler arzt ehepartner teilnehmer mitglied mitglieder \
         anschlussnehmer betreuer vertreter personal debitor kreditor erstelltvon \
         geändertvon bearbeitetvon erledigtvon zugewiesenan rechnungsempfänger kd",
    ),
    (
        Sense::Personal(DataClass::Identity),
        "vertrag vertrags vertragskonto akte aktenzeichen matrikelnummer matrikelnr stammnummer stammnr fallnummer fallnr \
         persnr pernr patid patnr religion \
         konfession familienstand unterschrift beruf foto bild",
    ),
    (
        Sense::Personal(DataClass::Financial),
        "gehalt lohn einkommen kontostand mandat mandatsreferenz steuerklasse saldo schulden schuldenstand kreditlimit \
         kreditrahmen schufa schufascore bonität bonitätsscore",
    ),
    (Sense::Personal(DataClass::OnlineId), "passwort kennwort pin puk"),
    (Sense::Address, "adresse adressen adress"),
    (Sense::Name, "name namen"),
    (Sense::Number, "nummer nummern nr id code kennung kürzel schlüssel wert werte"),
    (Sense::Date, "datum tag"),
    (
        Sense::Filler,
        "der die das des dem den ein eine und oder am um im in an auf zu zum zur von vom \
         für mit bei ab bis alt neu alte neue aktuell aktuelle privat",
    ),
    (Sense::Question, "ist hat"),
    (Sense::Personal(DataClass::Health), "krankenkasse"),
];
