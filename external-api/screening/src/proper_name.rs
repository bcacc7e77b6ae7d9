//! Values that are names of people, towns or streets, told by their words alone.
//!
//! It promises an answer only for a few capitalised words, never for codes, readings or prose, and
//! that a name which is a common word, too, has a second sign beside it. It relies on the list of
//! names and on the words that make streets.

mod address;
mod person;
mod words;

use tresor_proto::InfoType;

use crate::{
    Rule,
    gazetteer::{self, Entry},
    shape::{Certainty, Finding},
};

pub(crate) use address::{is_house_number, is_like_street};
use words::Words;
pub(crate) use words::is_capitalised;

/// Bytes of the longest code that is made of a name, and of the shortest name.
const USER_NAME_BYTES_MAX: usize = 64;
const NAME_BYTES_MIN: usize = 3;

/// What a few words are, if they are a name.
pub(crate) fn proper_name(text: &str) -> Option<Finding> {
    if let Some(title) = title(text) {
        return Some(title);
    }
    let words = Words::of(text)?;
    if let [word] = words.all() {
        return address::street_of(word).or_else(|| single(word));
    }
    address::of(&words).or_else(|| town(text)).or_else(|| person::of(&words))
}

/// A known first and last name as users' names have them: `petra.wolf`, `bart_bos29`.
pub(crate) fn is_user_name(text: &str) -> bool {
    let starts_small = text.starts_with(|c: char| c.is_ascii_lowercase());
    let parts = text.split_once(['.', '_']).filter(|_| starts_small && text.len() <= 40);
    parts.is_some_and(|(first, last)| {
        let last = last.trim_end_matches(|c: char| c.is_ascii_digit());
        gazetteer::look_up(first).is_first_name() && gazetteer::look_up(last).is_last_name()
    })
}

/// Whether parts of a code side by side are a known first and last name: `erika-mustermann-1975`.
pub(crate) fn holds_full_name(text: &str) -> bool {
    if text.len() > USER_NAME_BYTES_MAX {
        return false;
    }
    let mut before = Entry::default();
    text.split(['.', '_', '-']).any(|part| {
        let part = part.trim_end_matches(|c: char| c.is_ascii_digit());
        let is_word = part.len() >= NAME_BYTES_MIN && part.chars().all(char::is_alphabetic);
        let entry = if is_word { gazetteer::look_up(part) } else { Entry::default() };
        let first = core::mem::replace(&mut before, entry);
        let is_pair = |given: Entry, last: Entry| given.is_first_name() && last.is_last_name();
        let are_words = first.is_common_word() && entry.is_common_word();
        (is_pair(first, entry) || is_pair(entry, first)) && !are_words
    })
}

/// Whether a text is an initial and a capitalised word: `E. Mustermann`.
pub(crate) fn is_initialled(text: &str) -> bool {
    let parts = text.split_once(' ').filter(|(first, _)| first.ends_with('.'));
    parts.is_some_and(|(first, last)| words::is_initial(first) && is_capitalised(last))
}

/// Whether a finding has the two signs that a name or an address as a whole has.
pub(crate) fn is_full_name(finding: &Finding) -> bool {
    matches!(finding.info_type, InfoType::PersonName | InfoType::StreetAddress)
}

fn likely(info_type: InfoType, rule: &'static str) -> Option<Finding> {
    Some(Finding { info_type, rule: Rule::Named(rule), certainty: Certainty::Likely })
}

/// A town of several words: `Bad Homburg vor der Höhe`.
fn town(text: &str) -> Option<Finding> {
    let entry = gazetteer::look_up(text);
    let is_town = entry.is_town() && !entry.is_common_word();
    is_town.then(|| likely(InfoType::City, "city: known town")).flatten()
}

/// What stands alone before names: `Herr`, `Mevr.`, `Mme`.
const TITLES: &[&str] = &[
    "Herr",
    "Herrn",
    "Frau",
    "Dhr.",
    "Dhr",
    "Mevr.",
    "Mevr",
    "Mevrouw",
    "Mw.",
    "Mme",
    "Mlle",
    "Monsieur",
    "Madame",
    "M.",
    "Mr",
    "Mr.",
    "Mrs",
    "Mrs.",
    "Ms",
    "Ms.",
    "Miss",
    "Dr.",
    "Prof.",
    "Prof. Dr.",
    "Drs.",
    "De heer",
    "Heer",
    "Dr. med.",
    "Herr Dr.",
    "Frau Dr.",
];

/// A title alone.
fn title(text: &str) -> Option<Finding> {
    let is_short = text.len() <= 9 && text.starts_with(['H', 'F', 'D', 'M', 'P']);
    let is_title = is_short && TITLES.contains(&text);
    is_title.then(|| likely(InfoType::Title, "title: form of address")).flatten()
}

/// One word.
fn single(word: &str) -> Option<Finding> {
    let is_written_as_name = is_capitalised(word) && word.chars().any(char::is_lowercase);
    let entry = is_written_as_name.then(|| gazetteer::look_up(word))?;
    if entry.is_common_word() {
        return None;
    }
    single_type(entry).and_then(|(info_type, rule)| likely(info_type, rule))
}

fn single_type(entry: Entry) -> Option<(InfoType, &'static str)> {
    match () {
        () if entry.is_first_name() => Some((InfoType::FirstName, "name: known first name")),
        () if entry.is_frequent_last_name() => Some((InfoType::LastName, "name: known last name")),
        () if entry.is_town() => Some((InfoType::City, "city: known town")),
        () => None,
    }
}

#[cfg(test)]
mod tests;
