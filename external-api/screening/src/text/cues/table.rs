//! The words that say something.
//!
//! It promises whole words in their usual spelling, each once. It relies on the cues for folding.

use super::Cue;

pub(super) const WORDS: &[(Cue, &str)] = &[
    (
        Cue::GermanTitle,
        "herr herrn frau fräulein familie fam eheleute ehepaar dr prof professor doktor hr",
    ),
    (
        Cue::Title,
        "dhr mevr mevrouw meneer mw heer mej mejuffrouw drs mr mrs ms mx miss mister missus sir lady \
         mme mlle monsieur madame mademoiselle famille mmes messrs",
    ),
    (Cue::Degree, "med jur rer habil dent oec iur dipl dipling"),
    (Cue::ShortTitle, "fr m"),
    (
        Cue::Salutation,
        "geehrte geehrter liebe lieber hallo hi hey moin servus dear hello geachte beste lieve hoi \
         dag bonjour bonsoir salut cher chère chers chères",
    ),
    (
        Cue::Closing,
        "gruß grüße grüßen gruss mfg lg vg groet groeten groetjes mvg regards sincerely faithfully \
         cheers cordialement salutations amicalement respectueusement hochachtungsvoll hoogachtend",
    ),
    (
        Cue::GermanPerson,
        "hausmeister hausmeisterin nachbarin untermieter vormieter nachmieter hausverwalter \
         schwester bruder mutter vater sohn tochter ehemann ehefrau lebensgefährte schwiegersohn \
         kollege kollegin eigentümerin besitzerin",
    ),
    (
        Cue::Person,
        "huurder verhuurder bewoner buurman buurvrouw eigenaar eigenares klant conciërge \
         huismeester contactpersoon collega dochter zoon tenant landlord landlady neighbour \
         neighbor owner caretaker janitor colleague husband wife daughter son brother sister \
         locataire propriétaire voisin voisine gardien gardienne collègue mari épouse fils fille \
         frère sœur",
    ),
    (
        Cue::Particle,
        "von vom van de den der ten ter le la du des di da del della dos zu zum zur el al bin ibn",
    ),
    (
        Cue::Birth,
        "geboren geb gebdat geburtsdatum geburtstag geboortedatum geborene né née naissance born dob birth birthdate",
    ),
    (Cue::Month(1), "januar jänner january januari janvier jan"),
    (Cue::Month(2), "februar february februari février feb févr"),
    (Cue::Month(3), "märz march maart mars mrz mar"),
    (Cue::Month(4), "april avril apr avr"),
    (Cue::Month(5), "mai may mei"),
    (Cue::Month(6), "juni june juin jun"),
    (Cue::Month(7), "juli july juillet jul juil"),
    (Cue::Month(8), "august augustus août aug"),
    (Cue::Month(9), "september septembre sep sept"),
    (Cue::Month(10), "oktober october octobre okt oct"),
    (Cue::Month(11), "november novembre nov"),
    (Cue::Month(12), "dezember december décembre dez dec déc"),
    (
        Cue::StreetBeginning,
        "am im an auf unter hinter vor beim alte alter altes neue neuer neues große großer \
         kleine kleiner obere oberer untere unterer hintere vordere innere äußere hohe hoher lange langer sankt bad",
    ),
    (
        Cue::Residence,
        "wohnt wohnhaft wohnen wohne woont woonachtig lives living habite demeurant domicilié \
         verzogen umgezogen verhuisd",
    ),
    (Cue::GermanBeside, "mit bei für durch"),
    (Cue::Beside, "with by via met bij door voor avec chez par pour"),
    (Cue::Within, "in nach aus uit te naar from to at à depuis vers"),
    (
        Cue::Verb,
        "hat ist war wünscht möchte will bittet sagt ruft rief kommt kam meldet fragt wartet \
         heeft is was wil wenst vraagt belt belde komt zegt has wants asked asks called calls \
         says said will souhaite demande veut appelle rappelle",
    ),
    (
        Cue::Unit,
        "uhr uur std stunde stunden tag tage dagen jahr jahre jaar minuten min sek stück stuks km \
         meter cm mm kg kw kwh mwh volt ampere watt euro eur chf prozent procent personen mal \
         wochen monate weken maanden hours days years minutes pcs heures jours ans fois",
    ),
    (Cue::Plain, GERMAN),
    (Cue::Plain, DUTCH),
    (Cue::Plain, ENGLISH),
    (Cue::Plain, FRENCH),
];

const GERMAN: &str = "die das ein eine einen einem einer und oder aber sind haben wird wurde werden kann bitte \
     danke nicht kein keine nur noch schon seit ohne um ab bis über auch sehr ihr ihre ihrem \
     ihren ihnen sie er es wir ich mein meine unser unsere sein seine dieser diese dieses \
     alle alles jeder wenn weil dass ob wie wer wo wann dort hier heute morgen gestern jetzt \
     später montag dienstag mittwoch donnerstag freitag samstag sonntag termin termine \
     rückruf anruf zähler zählers stromzähler gaszähler wasserzähler zählerstand ablesung \
     schlüssel wohnung haus keller tür tor eingang hof etage stock stockwerk geschoss \
     erdgeschoss obergeschoss dachgeschoss strom gas wasser heizung anschluss gerät geräte \
     gateway einbau ausbau wechsel tausch umbau montage techniker auftrag rechnung vertrag \
     tarif nummer telefon handy mobil email mail adresse anschrift straße ort name vorname \
     nachname kundennummer konto iban zahlung mahnung betrag frist hinweis achtung info notiz \
     bemerkung anfrage antwort beschwerde problem störung defekt fehler prüfung kontrolle \
     zugang vorsicht hund hunde absprache vereinbarung bestätigung erinnerung einladung \
     unterlagen foto fotos bild firma gmbh verwaltung hausverwaltung büro abteilung team \
     leitung stadtwerke netz netzbetreiber damen herren kollegen zusammen eltern nachbarn \
     vormittag nachmittag abend mittag uhrzeit woche monat bisher leider gerne evtl ggf lt \
     laut siehe wegen dank viele vielen freundlichen freundliche besten guten gutes guter \
     schöne herzliche allerseits interessent abschlag guthaben einzug auszug umzug schaden \
     garten garage auto wagen fahrzeug kfz arzt praxis krankenhaus mieterwechsel";

const DUTCH: &str = "het een en of maar niet geen wel ook nog graag bellen afspraak meterstand sleutel woning \
     huis kelder deur zonder om tot over maandag dinsdag woensdag donderdag vrijdag zaterdag \
     zondag vandaag morgen gisteren factuur rekening klantnummer telefoon adres gelieve svp \
     vriendelijke dank u uw je jouw mijn zijn haar hun deze dit dat die wij zij ik hij wordt \
     kan moet hartelijke allen iedereen collega's";

const ENGLISH: &str = "the and or but not no yes please thanks thank call appointment reading key flat house \
     without for on of had would can could must should this that these those he she it we \
     they you your our their his her my i monday tuesday wednesday thursday friday saturday \
     sunday today tomorrow yesterday invoice account email phone mobile number address kind \
     best warm yours truly wishes all everyone everybody team customers madam sirs ladies \
     gentlemen re ref note update there again";

const FRENCH: &str = "les un une et ou mais pas plus très bien sans sur sous dans en est été sera peut doit il \
     elle nous vous ils elles je tu sa ses notre votre leur ce cette ces lundi mardi mercredi \
     jeudi vendredi samedi dimanche aujourd'hui demain hier merci compteur relevé clé maison \
     appartement porte rendez-vous facture compte numéro téléphone adresse tous toutes \
     messieurs mesdames équipe au aux";
