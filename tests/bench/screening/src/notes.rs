//! Notes as people write them about customers, with what stands where in them.
//!
//! It promises spans that hold just the personal part. It relies on signs in brackets for what is put
//! in: `[N]` name, `[L]` last name, `[l]` last name in lower case, `[A]` address, `[S]` street line,
//! `[T]` telephone, `[E]` e-mail, `[I]` IBAN, `[K]` plate, `[B]` birth, `[D]` another day, `[#]` a
//! reading.

use tresor_proto::InfoType;

use crate::{identifiers, names::Language, people::Person, random::Random, sample::Span};

const GERMAN: &[&str] = &[
    "Kundin [N] angerufen, meldet sich unter [T] wieder.",
    "Herr [L] bittet um Rückruf wegen der Abschlagsrechnung.",
    "Frau [L] ist umgezogen, jetzt [A].",
    "Vollmacht liegt vor für [N], geboren am [B].",
    "bitte an [E] mailen, nicht per post",
    "Erstattung [#] EUR auf [I] veranlasst.",
    "Fahrzeug [K] stand vor dem Hausanschluss.",
    "Sehr geehrter Herr [L],\nvielen Dank für Ihre Nachricht vom [D].\nMit freundlichen Grüßen\n[N]",
    "Übergabe am [D] in der [S], Schlüsselkasten rechts.",
    "nachbar [l] hat den schlüssel",
    "Fr. [L] nicht erreicht, Mailbox besprochen.",
    "Leser war am [D] da, Stand [#] kWh, kein Zutritt zum Keller.",
    "Ladesäule meldet Fehler 17, Neustart half nicht.",
    "Abo auf Monatskarte umgestellt, Rechnung folgt.",
    "Kunde wünscht Rechnung künftig digital.",
];

const DUTCH: &[&str] = &[
    "Gebeld met [N], terugbellen op [T].",
    "Dhr. [L] vraagt om een nieuwe factuur.",
    "Mevr. [L] is verhuisd naar [A].",
    "Gemachtigde is [N], geboren op [B].",
    "graag mailen naar [E], niet per post",
    "Teruggave [#] euro op [I].",
    "Auto met kenteken [K] blokkeert de meterkast.",
    "Geachte heer [L],\nbedankt voor uw bericht van [D].\nMet vriendelijke groet,\n[N]",
    "Oplevering op [D] aan de [S], sleutel bij de receptie.",
    "buurman [l] heeft de sleutel",
    "Mw. [L] niet bereikt, voicemail ingesproken.",
    "Opname [#] kWh op [D], geen toegang tot de kelder.",
    "Laadpaal geeft storing 17, herstart hielp niet.",
    "Abonnement omgezet naar maandkaart.",
];

const FRENCH: &[&str] = &[
    "Appel de [N], à rappeler au [T].",
    "M. [L] demande une nouvelle facture.",
    "Mme [L] a déménagé au [A].",
    "Procuration pour [N], né le [B].",
    "merci d'écrire à [E], pas de courrier",
    "Remboursement de [#] euros sur [I].",
    "Véhicule [K] garé devant le compteur.",
    "Bonjour Madame [L],\nmerci pour votre message du [D].\nCordialement,\n[N]",
    "Rendez-vous le [D] au [S], clé chez le gardien.",
    "le voisin [l] a la clé",
    "Monsieur [L] absent, message laissé.",
    "Relevé de [#] kWh le [D], pas d'accès à la cave.",
    "La borne signale l'erreur 17, redémarrage sans effet.",
    "Abonnement passé en formule mensuelle.",
];

const ENGLISH: &[&str] = &[
    "Spoke to [N], call back on [T].",
    "Mr [L] asked for a new invoice.",
    "Mrs [L] has moved to [A].",
    "Authorised contact is [N], born on [B].",
    "please write to [E], no letters",
    "Refund of [#] GBP to [I] issued.",
    "Car [K] was parked in front of the meter box.",
    "Dear Mr [L],\nthank you for your message of [D].\nKind regards,\n[N]",
    "Handover on [D] at [S], key with the porter.",
    "neighbour [l] has the key",
    "Ms [L] not reached, left a voicemail.",
    "Reading [#] kWh on [D], no access to the basement.",
    "Charger reports error 17, restart did not help.",
    "Plan changed to monthly pass.",
];

/// A note of a language about somebody.
pub(crate) fn note(person: &Person, random: &mut Random) -> (String, Vec<Span>) {
    let templates = match person.language {
        Language::German => GERMAN,
        Language::Dutch => DUTCH,
        Language::French => FRENCH,
        Language::English => ENGLISH,
    };
    let template = *random.pick(templates);
    fill(template, person, random)
}

/// Puts values in the place of signs.
fn fill(template: &str, person: &Person, random: &mut Random) -> (String, Vec<Span>) {
    let (mut text, mut spans) = (String::new(), Vec::new());
    let mut parts = template.split('[');
    text.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (sign, rest) = part.split_once(']').expect("a sign");
        let (value, info_type) = value(sign, person, random);
        let start = text.len();
        text.push_str(&value);
        spans.extend(info_type.map(|info_type| Span { start, end: text.len(), info_type }));
        text.push_str(rest);
    }
    (text, spans)
}

fn value(sign: &str, person: &Person, random: &mut Random) -> (String, Option<InfoType>) {
    use InfoType as T;
    let (value, info_type) = match sign {
        "N" => (person.name(), T::PersonName),
        "L" => (person.last.clone(), T::PersonName),
        "l" => (person.last.to_lowercase(), T::PersonName),
        "A" => (person.address(), T::StreetAddress),
        "S" => (person.street_line(), T::StreetAddress),
        "T" => (person.phone.clone(), T::PhoneNumber),
        "E" => (person.email.clone(), T::EmailAddress),
        "I" => (person.iban.clone(), T::IbanCode),
        "K" => (person.plate.clone(), T::LicensePlateNumber),
        "B" => (person.birth.clone(), T::DateOfBirth),
        "D" => return (identifiers::date(person.language, 2024 + random.below(4), random), None),
        "#" => return (random.below(90_000).to_string(), None),
        sign => panic!("no such sign: {sign}"),
    };
    (value, Some(info_type))
}
