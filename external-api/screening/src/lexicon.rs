//! What the words of field names mean, in German, Dutch, English and French.
//!
//! It promises that a word has one meaning whichever way its umlauts were written (`zähler`,
//! `zaehler`, `zahler`). It relies on the tables of the languages, which hold whole words only;
//! phrases (`date of birth`) stand there written together.

mod dutch;
mod english;
mod french;
mod german;
mod technical;

use std::sync::OnceLock;

use fnv::FnvHashMap;
use tresor_proto::{DataClass, InfoType};

use crate::field_name::words::{fold_long, fold_short};

/// What a word of a field name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sense {
    /// Personal data of a type: `vorname`, `iban`.
    Type(InfoType),
    /// Personal data without a type of its own: `gehalt`, `vertrag`.
    Personal(DataClass),
    /// Somebody: `kunde`. A name when alone, an identifier with a number.
    Person,
    /// An address of any sort: `adresse`; another word may say which.
    Address,
    /// A name of anything: `name`; another word may say of what.
    Name,
    /// A number, a code or a value: another word says of what.
    Number,
    /// A date: another word says of what.
    Date,
    /// Free text: `bemerkung`.
    Note,
    /// What no person is, and whose values follow from it.
    Technical(Kind),
    /// What no person is, but whose names may be anything: `datei`, `firma`.
    Thing,
    /// Says that the field is a yes or a no: `is`, `has`.
    Question,
    /// Says that the field counts what follows: `nombre`, `anzahl`.
    Quantity,
    /// Says nothing: `der`, `of`.
    Filler,
}

/// What the values of a technical field are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One of a few short texts: status, tariff, device type.
    Enumeration,
    /// The name of a thing, which may be that of a person, too: maker, model.
    Brand,
    /// A technical identifier: order number.
    Identifier,
    /// A UUID or a digest.
    Uuid,
    /// A version of hardware or software.
    Version,
    /// A moment or a time window that is no birth.
    Time,
    /// A number, perhaps with a unit.
    Reading,
    /// Yes or no.
    Flag,
}

/// Words of one meaning, with spaces between them.
type Group = (Sense, &'static str);

/// A word of the lexicon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) sense: Sense,
    pub(crate) word: &'static str,
}

/// Heads of compounds so long and so telling that whatever stands before them does not matter:
/// `notfall|telefonnummer`.
const HEADS: &str = "telefon telefonnummer handynummer rufnummer straße adresse anschrift \
     postleitzahl vorname nachname geburtsdatum kennzeichen bemerkung kontonummer ausweisnummer \
     adres telefoon telefoonnummer straat voornaam achternaam geboortedatum kenteken opmerking \
     rekeningnummer";

/// Letters of the shortest modifier before a head.
const MODIFIER_LETTERS_MIN: usize = 3;

/// Every word of every table.
fn entries() -> impl Iterator<Item = Entry> {
    let languages = [german::WORDS, dutch::WORDS, english::WORDS, french::WORDS, technical::WORDS];
    languages.into_iter().flatten().flat_map(|(sense, words)| {
        let words = words.split_whitespace();
        words.map(|word| Entry { sense: *sense, word })
    })
}

/// The words that mean somebody: the German ones, and those of languages with small nouns.
pub(crate) fn persons() -> [impl Iterator<Item = &'static str>; 2] {
    let of = |languages: [&'static [Group]; 3]| {
        let groups = languages.into_iter().flatten();
        let persons = groups.filter(|(sense, _)| *sense == Sense::Person);
        persons.flat_map(|(_, words)| words.split_whitespace())
    };
    [of([german::WORDS, &[], &[]]), of([dutch::WORDS, english::WORDS, french::WORDS])]
}

/// All words; the keys are its own, so that a plain hash is enough.
fn index() -> &'static FnvHashMap<String, Entry> {
    static INDEX: OnceLock<FnvHashMap<String, Entry>> = OnceLock::new();
    INDEX.get_or_init(|| {
        let mut index = FnvHashMap::default();
        for entry in entries() {
            index.entry(fold_long(entry.word)).or_insert(entry);
        }
        // The short spelling of a word never hides the long one of another.
        for entry in entries() {
            index.entry(fold_short(entry.word)).or_insert(entry);
        }
        index
    })
}

/// Looks a folded word up as a whole.
pub(crate) fn lookup(folded: &str) -> Option<Entry> {
    index().get(folded).copied()
}

/// Finds the head of a compound with an unknown modifier.
pub(crate) fn lookup_head(folded: &str) -> Option<Entry> {
    let is_head = |(head, _): &&(String, Entry)| {
        let modifier = folded.strip_suffix(head.as_str());
        modifier.is_some_and(|modifier| modifier.len() >= MODIFIER_LETTERS_MIN)
    };
    let heads = heads().iter().filter(is_head);
    let longest = heads.max_by_key(|(head, _)| head.len());
    longest.map(|(_, entry)| *entry)
}

/// The heads, folded both ways.
fn heads() -> &'static [(String, Entry)] {
    static FOLDED: OnceLock<Vec<(String, Entry)>> = OnceLock::new();
    FOLDED.get_or_init(|| {
        let heads = HEADS.split_whitespace();
        let folded = heads.flat_map(|head| [fold_long(head), fold_short(head)]);
        let known = folded.filter_map(|head| lookup(&head).map(|entry| (head, entry)));
        known.collect()
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn no_word_has_two_meanings() {
        let mut seen: HashMap<String, Entry> = HashMap::new();
        for entry in entries() {
            let earlier = seen.insert(fold_long(entry.word), entry);
            assert!(earlier.is_none_or(|e| e.sense == entry.sense), "{earlier:?} {entry:?}");
        }
    }

    #[test]
    fn words_are_found_however_their_umlauts_were_written() {
        for spelling in ["zaehlernummer", "zahlernummer"] {
            assert_eq!(lookup(spelling).map(|e| e.sense), Some(Sense::Type(InfoType::MeterId)));
        }
    }

    #[test]
    fn every_head_is_a_word() {
        for head in HEADS.split_whitespace() {
            assert!(lookup(&fold_long(head)).is_some(), "{head}");
        }
    }
}
