//! Dutch words of field names.
//!
//! It promises whole words in their usual spelling, grouped by meaning; words Dutch shares with
//! German stand there. It relies on the lexicon for the other spellings.

use tresor_proto::{DataClass, InfoType};

use super::{Group, Sense};

pub(super) const WORDS: &[Group] = &[
    (
        Sense::Type(InfoType::FirstName),
        "voornaam voornamen roepnaam voorletters initialen voorletter",
    ),
    (
        Sense::Type(InfoType::LastName),
        "achternaam familienaam geslachtsnaam meisjesnaam tussenvoegsel",
    ),
    (Sense::Type(InfoType::PersonName), "volledigenaam weergavenaam rekeninghouder tenaamstelling"),
    (Sense::Type(InfoType::Title), "aanhef"),
    (Sense::Type(InfoType::Gender), "geslacht"),
    (Sense::Type(InfoType::DateOfBirth), "geboortedatum geboortejaar geboortedag geboren"),
    (Sense::Type(InfoType::Age), "leeftijd"),
    (Sense::Type(InfoType::Nationality), "nationaliteit"),
    (Sense::Type(InfoType::EmailAddress), "emailadres mailadres"),
    (
        Sense::Type(InfoType::PhoneNumber),
        "telefoon telefoonnummer telefoonnr mobiel mobielnummer gsm gsmnummer",
    ),
    (Sense::Type(InfoType::StreetAddress), "woonadres postadres adresregel"),
    (Sense::Type(InfoType::Street), "straat straatnaam"),
    (Sense::Type(InfoType::HouseNumber), "huisnummer huisnr toevoeging huisnummertoevoeging"),
    (Sense::Type(InfoType::Postcode), "postcode postcodes"),
    (Sense::Type(InfoType::City), "plaats woonplaats plaatsnaam stad gemeente geboorteplaats"),
    (Sense::Type(InfoType::LocationCoordinates), "coördinaten breedtegraad lengtegraad"),
    (
        Sense::Type(InfoType::BankAccount),
        "rekening rekeningnummer bankrekening bankrekeningnummer rekeningnr",
    ),
    (Sense::Type(InfoType::CreditCardNumber), "kaartnummer creditcardnummer"),
    (Sense::Type(InfoType::NetherlandsBsnNumber), "bsn bsnnummer burgerservicenummer sofinummer"),
    (Sense::Type(InfoType::Passport), "paspoort paspoortnummer"),
    (
        Sense::Personal(DataClass::GovernmentId),
        "rijbewijs rijbewijsnummer identiteitskaart identiteitsbewijs",
    ),
    (
        Sense::Type(InfoType::MedicalTerm),
        "ziekte ziekten medicijn medicijnen medicatie bloedgroep aandoening",
    ),
    (Sense::Type(InfoType::IpAddress), "ipadres"),
    (Sense::Type(InfoType::MacAddress), "macadres"),
    (Sense::Type(InfoType::Username), "gebruikersnaam inlognaam"),
    (Sense::Type(InfoType::DeviceId), "serienummer apparaatid apparaatnummer"),
    (
        Sense::Type(InfoType::MeterId),
        "ean eancode eannummer meternummer meternr meterid aansluitcode",
    ),
    (Sense::Type(InfoType::LicensePlateNumber), "kenteken kentekennummer"),
    (
        Sense::Type(InfoType::VehicleIdentificationNumber),
        "chassisnummer chassisnr voertuigidentificatienummer",
    ),
    (
        Sense::Note,
        "opmerking opmerkingen notitie notities toelichting commentaar omschrijving \
         bericht onderwerp beschrijving aantekening aantekeningen",
    ),
    (
        Sense::Person,
        "klant klanten bewoner huurder eigenaar contactpersoon contact patiënt gebruiker \
         gebruikers medewerker persoon personen verzekerde aangemaaktdoor gewijzigddoor \
         ontvanger afzender verhuurder bestuurder aanvrager opdrachtgever werknemer \
         deelnemer lid leerling huisarts partner personeels",
    ),
    (
        Sense::Personal(DataClass::Identity),
        "dossiernummer dossiernr polisnummer polisnr relatienummer relatienr handtekening geloof beroep burgerlijkestaat",
    ),
    (Sense::Personal(DataClass::Financial), "salaris inkomen"),
    (Sense::Personal(DataClass::OnlineId), "wachtwoord pincode"),
    (Sense::Address, "adres adressen"),
    (Sense::Name, "naam namen"),
    (Sense::Number, "nummer kenmerk waarde sleutel"),
    (Sense::Date, "datum dag"),
    (
        Sense::Filler,
        "de het een en of van voor op om te bij met in door oud oude nieuw nieuwe huidig \
         huidige",
    ),
    (Sense::Question, "heeft"),
];
