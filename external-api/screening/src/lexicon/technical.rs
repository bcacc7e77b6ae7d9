//! Technical words of field names, of all languages.
//!
//! It promises words whose values say nothing about a person: they let a value stay clear only when
//! it looks as such values do. It relies on the other tables for everything personal.

use super::{Group, Kind, Sense};

pub(super) const WORDS: &[Group] = &[
    // German
    (
        Sense::Technical(Kind::Enumeration),
        "status zustand typ typen art geräteart gerätetyp gerät kategorie klasse \
         gruppe tarif tarife farbe einheit währung sprache priorität prio phase quelle \
         kanal artikel sparte rolle land stufe modus format \
         variante medium bauart zahlungsart branche",
    ),
    // Dutch
    (
        Sense::Technical(Kind::Enumeration),
        "soort type tarief categorie apparaat kleur taal valuta eenheid groep \
         bron kanaal",
    ),
    // English
    (
        Sense::Technical(Kind::Enumeration),
        "state kind category color colour unit units currency language \
         locale os priority tariff plan mode channel source role country countrycode device \
         sensor item severity timezone class group reason",
    ),
    (
        Sense::Technical(Kind::Brand),
        "modell hersteller marke produkt model merk leverancier brand manufacturer product \
         maker vendor supplier modèle marque produit fabricant lieferant fournisseur",
    ),
    (Sense::Quantity, "anzahl aantal nombre nbre"),
    (Sense::Technical(Kind::Uuid), "uuid guid"),
    // French
    (
        Sense::Technical(Kind::Enumeration),
        "statut état catégorie couleur langue pays devise unité appareil \
         priorité formule",
    ),
    (
        Sense::Technical(Kind::Flag),
        "aktiv gültig verifiziert bestätigt flag actief geldig active enabled disabled \
         verified valid optin consent actif valide archived einwilligung",
    ),
    (
        Sense::Technical(Kind::Identifier),
        "auftrag aufträge auftrags bestellung bestell rechnung ticket vorgang \
         lieferschein charge opdracht bestelling factuur werkbon order orders \
         invoice sku batch shipment commande facture article checksum etag",
    ),
    (
        Sense::Technical(Kind::Version),
        "version versionen firmware revision release build fw sw hw fwversion software \
         hardware versie api",
    ),
    (
        Sense::Technical(Kind::Time),
        "erstellt angelegt geändert aktualisiert gelöscht termin terminfenster \
         zeitfenster zeit uhrzeit zeitstempel zeitpunkt beginn ende start ablauf frist \
         fälligkeit fällig baujahr jahr monat eichjahr geliefert erledigt bezahlt \
         gesendet zuletzt geprüft einbau ausbau aangemaakt gewijzigd bijgewerkt afspraak \
         tijd tijdstip tijdvak begin einde jaar maand created updated modified deleted \
         timestamp time datetime end expires expiry due year month hour scheduled \
         appointment creation modification lastseen lastlogin créé modifié début datefin \
         datedefin échéance rendezvous rdv heure année mois supprimé installed",
    ),
    (
        Sense::Technical(Kind::Reading),
        "verbrauch zählerstand stand messwert messwerte leistung spannung temperatur rssi \
         snr signal signalstärke kwh wh kw dbm menge summe betrag preis kosten \
         prozent länge breite höhe fläche volumen druck frequenz faktor dauer batterie \
         pegel energie verbruik meterstand vermogen bedrag prijs totaal \
         hoeveelheid consumption reading power voltage energy temperature battery level \
         count counter quantity qty amount price cost total sum percent percentage rate \
         score index size length width height weight duration interval latency frequency \
         pressure humidity uptime bytes consommation puissance relevé montant prix \
         quantité durée température strength ms",
    ),
    (
        Sense::Thing,
        "bezeichnung label libellé datei firma unternehmen organisation tabelle feld \
         spalte projekt server raum schule abteilung bestand bestandes gateway modul \
         liefer lieferung installation wartung ablesung ablese bedrijf onderneming tabel \
         veld school levering installatie file host domain table field column company \
         organization business project event job task team department room bank path \
         schema delivery request service system process fichier entreprise \
         urlpath société projet livraison serveur",
    ),
];
