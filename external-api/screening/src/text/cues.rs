//! What single words say about what stands beside them, in German, Dutch, English and French.
//!
//! It promises one meaning a word, in whichever case and with or without its accents. It relies on
//! its table, and on the lexicon of field names for words that mean somebody: the word before a name
//! is to a note what a field's name is to a record.

mod fold;
mod table;

use std::sync::OnceLock;

use fnv::FnvHashMap;

use crate::lexicon;

pub(super) use fold::{Fold, without_accent};

/// What a word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cue {
    /// A title of a language whose nouns are capitalised: `Herr`.
    GermanTitle,
    /// A title of another: `Mevr`, `Mrs`, `Mme`.
    Title,
    /// Behind a title only: `med.`.
    Degree,
    /// A title only with its dot: `Fr.`, `M.`.
    ShortTitle,
    /// Begins a letter: `Dear`.
    Salutation,
    /// Ends a letter: `Cordialement`.
    Closing,
    /// Somebody, in a language whose nouns are capitalised: `Mieter`.
    GermanPerson,
    /// Somebody, in another: `huurder`.
    Person,
    /// A part of names: `van`.
    Particle,
    /// A birth: `geboren`.
    Birth,
    /// A month, from 1.
    Month(u8),
    /// What streets without a kind begin with: `Am`, `Unter`.
    StreetBeginning,
    /// Before somebody: `bei`.
    GermanBeside,
    /// The same in a language whose nouns are small: `with`.
    Beside,
    /// Before a place: `in`, `nach`.
    Within,
    /// Before a place where somebody lives: `wohnhaft`.
    Residence,
    /// What people do: `wünscht`.
    Verb,
    /// A unit of what is counted, which a house number is not: `Uhr`.
    Unit,
    /// Says nothing and is nobody's name, however it is written: `Der`, `Termin`.
    Plain,
}

/// What a word says.
pub(super) fn of(word: &str) -> Option<Cue> {
    let folded = Fold::of(word)?;
    index().get(folded.as_bytes()).copied()
}

/// The words of the table; its keys are its own, so that a plain hash is enough.
fn index() -> &'static FnvHashMap<Box<[u8]>, Cue> {
    static INDEX: OnceLock<FnvHashMap<Box<[u8]>, Cue>> = OnceLock::new();
    INDEX.get_or_init(|| {
        let mut index = FnvHashMap::default();
        let own = table::WORDS.iter().flat_map(|(cue, words)| {
            let words = words.split_whitespace();
            words.map(|word| (*cue, word))
        });
        let [german, others] = lexicon::persons();
        let german = german.map(|word| (Cue::GermanPerson, word));
        let others = others.map(|word| (Cue::Person, word));
        for (cue, word) in own.chain(german).chain(others) {
            if let Some(folded) = Fold::of(word) {
                index.entry(folded.as_bytes().into()).or_insert(cue);
            }
        }
        index
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn no_word_says_two_things() {
        let mut seen: HashMap<String, Cue> = HashMap::new();
        for (cue, words) in table::WORDS {
            for word in words.split_whitespace() {
                let folded = Fold::of(word).unwrap().as_str().to_owned();
                let earlier = seen.insert(folded, *cue);
                assert!(
                    earlier.is_none_or(|earlier| earlier == *cue),
                    "{word}: {earlier:?} {cue:?}"
                );
            }
        }
    }

    #[test]
    fn words_are_known_in_any_case_and_without_accents() {
        for word in ["Grüße", "GRUSSE", "grüsse"] {
            assert_eq!(of(word), Some(Cue::Closing), "{word}");
        }
        assert_eq!(of("Février"), Some(Cue::Month(2)));
        assert_eq!(of("Mieterin"), Some(Cue::GermanPerson));
        assert_eq!(of("huurder"), Some(Cue::Person));
        assert_eq!(of("Donaudampfschifffahrtsgesellschaft"), None);
        assert_eq!(of("東京"), None);
    }
}
