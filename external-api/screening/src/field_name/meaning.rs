//! From words to a meaning: which of a name's words decides.
//!
//! It promises that the head decides (`telefon_status` is a status, `kunden_telefon` a telephone) and
//! that in doubt the personal reading wins. It relies on words being in the order of the name, with
//! those that say nothing left out.

use tresor_proto::{DataClass, InfoType};

use super::Hint;
use crate::lexicon::{Entry, Kind, Sense};

/// The meaning of a name's units.
pub(super) fn of(units: &[Option<Entry>]) -> Hint {
    let Some(last) = units.last() else {
        return Hint::Nothing;
    };
    if let Some(question) = units.first().copied().flatten()
        && question.sense == Sense::Question
    {
        return technical(Kind::Flag, question);
    }
    if let Some(quantity) = counting(units) {
        return technical(Kind::Reading, quantity);
    }
    if let Some(head) = last
        && let Sense::Technical(kind) = head.sense
    {
        return technical(kind, *head);
    }
    let known = Known(units);
    known
        .note()
        .or_else(|| known.of_type())
        .or_else(|| known.person())
        .or_else(|| known.name())
        .or_else(|| known.technical_qualifier())
        .unwrap_or(Hint::Nothing)
}

/// `anzahl_kunden`, `nombre_messages`, `nachrichten_anzahl`.
fn counting(units: &[Option<Entry>]) -> Option<Entry> {
    let ends = [units.first(), units.last()].into_iter().flatten().flatten();
    ends.copied().find(|entry| entry.sense == Sense::Quantity)
}

fn technical(kind: Kind, entry: Entry) -> Hint {
    let word = entry.word;
    Hint::Technical { kind, word }
}

fn personal(info_type: InfoType, entry: Entry) -> Hint {
    Hint::Personal { info_type: Some(info_type), class: info_type.class(), word: entry.word }
}

fn untyped(class: DataClass, entry: Entry) -> Hint {
    Hint::Personal { info_type: None, class, word: entry.word }
}

/// The units of a name whose head is not technical.
struct Known<'a>(&'a [Option<Entry>]);

impl Known<'_> {
    /// The last unit of a sense.
    fn last(&self, accept: impl Fn(Sense) -> bool) -> Option<Entry> {
        let known = self.0.iter().rev().flatten();
        known.copied().find(|entry| accept(entry.sense))
    }

    fn has(&self, sense: Sense) -> bool {
        self.last(|other| other == sense).is_some()
    }

    fn all(&self, accept: impl Fn(Sense) -> bool) -> bool {
        self.0.iter().all(|unit| unit.is_some_and(|e| accept(e.sense)))
    }

    fn note(&self) -> Option<Hint> {
        let note = self.last(|sense| sense == Sense::Note)?;
        Some(personal(InfoType::FreeText, note))
    }

    fn of_type(&self) -> Option<Hint> {
        if let Some(entry) = self.last(|sense| matches!(sense, Sense::Type(_)))
            && let Sense::Type(info_type) = entry.sense
        {
            return Some(personal(self.combined_type(info_type), entry));
        }
        if let Some(entry) = self.last(|sense| sense == Sense::Address) {
            return Some(personal(InfoType::StreetAddress, entry));
        }
        let entry = self.last(|sense| matches!(sense, Sense::Personal(_)))?;
        let Sense::Personal(class) = entry.sense else {
            return None;
        };
        Some(untyped(class, entry))
    }

    /// Parts of an address make an address, parts of a name a name.
    fn combined_type(&self, info_type: InfoType) -> InfoType {
        use InfoType::{City, FirstName, HouseNumber, LastName, PersonName, Postcode, Street};
        let has = |info_type| self.has(Sense::Type(info_type));
        let places = [Street, HouseNumber, Postcode, City];
        let is_address = places.into_iter().filter(|place| has(*place)).count() > 1;
        if is_address || (info_type == Street && self.has(Sense::Number)) {
            return InfoType::StreetAddress;
        }
        if has(FirstName) && has(LastName) {
            return PersonName;
        }
        info_type
    }

    /// A person with a number is an identifier, alone or with a name a name.
    fn person(&self) -> Option<Hint> {
        let person = self.last(|sense| sense == Sense::Person)?;
        if self.all(|sense| matches!(sense, Sense::Person | Sense::Name | Sense::Thing)) {
            return Some(personal(InfoType::PersonName, person));
        }
        if self.has(Sense::Number) {
            return Some(untyped(DataClass::Identity, person));
        }
        None
    }

    /// A name of nothing that is known to be a thing is a person's.
    fn name(&self) -> Option<Hint> {
        let name = self.last(|sense| sense == Sense::Name)?;
        let is_other = |sense| matches!(sense, Sense::Thing | Sense::Technical(_));
        if self.last(is_other).is_none() {
            return Some(personal(InfoType::PersonName, name));
        }
        let enumerated = Sense::Technical(Kind::Enumeration);
        let entry = self.last(|sense| sense == enumerated)?;
        Some(technical(Kind::Enumeration, entry))
    }

    /// `auftrags_nummer`, `einbau_datum`, `statut_client`: what is known is technical.
    fn technical_qualifier(&self) -> Option<Hint> {
        let is_technical = |sense| {
            matches!(
                sense,
                Sense::Technical(_) | Sense::Thing | Sense::Number | Sense::Date | Sense::Person
            )
        };
        let is_qualifier = |sense| matches!(sense, Sense::Technical(_) | Sense::Thing);
        if !self.all(is_technical) || self.has(Sense::Name) {
            return None;
        }
        let entry = self.last(is_qualifier)?;
        match (self.has(Sense::Date), self.has(Sense::Number), entry.sense) {
            (true, _, _) => Some(technical(Kind::Time, entry)),
            // The number of a reading is not a reading, and may be of whom it is about.
            (_, true, Sense::Technical(Kind::Reading)) => None,
            (_, true, _) => Some(technical(Kind::Identifier, entry)),
            (_, _, Sense::Technical(kind)) => Some(technical(kind, entry)),
            _ => None,
        }
    }
}
