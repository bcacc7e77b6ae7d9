//! What a field's name says of its values.
//!
//! It promises to know whole words, phrases and compounds of known words, in four languages, and
//! never a part of a word: `hotel` is no `tel`. It relies on the lexicon; it runs once a collection,
//! not once a record.

mod compound;
mod meaning;
pub(crate) mod words;

use tresor_proto::{DataClass, FieldName, InfoType};

use crate::lexicon::{self, Entry, Kind, Sense};

/// What a field's name says of its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hint {
    /// They are personal.
    Personal { info_type: Option<InfoType>, class: DataClass, word: &'static str },
    /// They are not, if they look as they should.
    Technical { kind: Kind, word: &'static str },
    /// Nothing.
    Nothing,
}

/// Words of the longest phrase: `date of birth` has three, `nom de jeune fille` four.
const PHRASE_WORDS_MAX: usize = 4;

/// Reads a field's name.
pub(crate) fn hint(name: &FieldName) -> Hint {
    let mut segments = segments(name.as_str());
    let Some(last) = segments.next_back() else {
        return Hint::Nothing;
    };
    let mut units = units(last);
    let is_neutral = |unit: &Option<Entry>| {
        unit.is_some_and(|e| matches!(e.sense, Sense::Name | Sense::Number | Sense::Date))
    };
    // `/phones/0/number`: only the parent says what the number is of.
    if units.iter().all(is_neutral)
        && let Some(parent) = segments.next_back()
    {
        units.splice(0..0, self::units(parent));
    }
    meaning::of(&units)
}

/// The words of a name that say what is in the field, as they are written.
pub(crate) fn last_words(name: &FieldName) -> Vec<&str> {
    segments(name.as_str()).next_back().map(words::split).unwrap_or_default()
}

/// The segments of a JSON pointer that are no array indices; any other name is one segment.
fn segments(name: &str) -> impl DoubleEndedIterator<Item = &str> {
    let is_pointer = name.starts_with('/');
    let parts = name.split(move |c| is_pointer && c == '/');
    parts.filter(|part| part.contains(char::is_alphabetic))
}

/// The units of a text: phrases, words and parts of compounds. `None` is an unknown word.
fn units(text: &str) -> Vec<Option<Entry>> {
    let words: Vec<String> = words::split(text).into_iter().map(words::fold_long).collect();
    let mut units = Vec::new();
    let mut rest = words.as_slice();
    while !rest.is_empty() {
        let (found, used) = next_units(rest);
        units.extend(found);
        rest = rest.get(used..).unwrap_or_default();
    }
    units.retain(|unit| unit.is_none_or(|entry| entry.sense != Sense::Filler));
    units
}

/// The units at the start of `words`, and how many words they use: the longest phrase wins.
fn next_units(words: &[String]) -> (Vec<Option<Entry>>, usize) {
    let longest = words.len().min(PHRASE_WORDS_MAX);
    for used in (2..=longest).rev() {
        let phrase = words.get(..used).unwrap_or_default().concat();
        if let Some(entry) = lexicon::lookup(&phrase) {
            return (vec![Some(entry)], used);
        }
    }
    let word = words.first().map_or("", String::as_str);
    (compound::parts(word), 1)
}

#[cfg(test)]
mod tests;
