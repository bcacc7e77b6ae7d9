//! Names of people and of towns, of Germany, the Netherlands, England, France and their neighbours.
//!
//! It promises an answer for one word or one town's name in time linear in its length, without
//! allocating, whichever way umlauts, accents and hyphens were written. It relies on a list that
//! `tools/gazetteer.py` makes and the build compiles; it is one of many signs, and never proof.

mod folded;
#[path = "../build/layout.rs"]
mod layout;

use folded::Folded;
use layout::{EMPTY, OFFSET_BITS, Place, SLOTS};

/// The table that the build made.
static TABLE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/gazetteer.table"));

/// What a word may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry(u8);

impl Entry {
    const FIRST_NAME: u8 = 1;
    const LAST_NAME: u8 = 2;
    const RARE_LAST_NAME: u8 = 4;
    const TOWN: u8 = 8;
    const COMMON_WORD: u8 = 16;

    fn has(self, flags: u8) -> bool {
        self.0 & flags != 0
    }

    /// A first name.
    pub(crate) fn is_first_name(self) -> bool {
        self.has(Self::FIRST_NAME)
    }

    /// A last name, rare ones included.
    pub(crate) fn is_last_name(self) -> bool {
        self.has(Self::LAST_NAME | Self::RARE_LAST_NAME)
    }

    /// A last name that many people have.
    pub(crate) fn is_frequent_last_name(self) -> bool {
        self.has(Self::LAST_NAME)
    }

    /// A town.
    pub(crate) fn is_town(self) -> bool {
        self.has(Self::TOWN)
    }

    /// A word, a brand or a month, too: `Mark`, `Stern`, `August`, `Siemens`. It needs a second sign.
    pub(crate) fn is_common_word(self) -> bool {
        self.has(Self::COMMON_WORD)
    }
}

/// What a word, or the whole name of a town (`Bad Homburg`), may be. The parts of a double name
/// (`Hans-Peter`, `Müller-Lüdenscheidt`) are looked up one by one.
pub(crate) fn look_up(text: &str) -> Entry {
    let Some(folded) = Folded::of(text) else {
        return Entry::default();
    };
    let whole = look_up_folded(folded.as_bytes());
    if whole == Entry::default() && text.contains('-') {
        return double_name(&folded);
    }
    whole
}

/// What all the parts of a double name are; one unknown part more is fine in a last name.
fn double_name(folded: &Folded) -> Entry {
    let mut parts = folded.as_bytes().split(|b| *b == b' ').map(look_up_folded);
    let names = Entry::FIRST_NAME | Entry::LAST_NAME | Entry::RARE_LAST_NAME;
    let first = parts.next().unwrap_or_default();
    let common = parts.fold(first.0 & names, |common, part| common & part.0);
    Entry(common)
}

fn look_up_folded(folded: &[u8]) -> Entry {
    let place = Place::of(folded);
    let words = place.slots().map(slot).take_while(|slot| *slot != EMPTY);
    let offsets = words.filter_map(|slot| (slot & TAG == place.tag).then_some(slot & !TAG));
    let mut found = offsets.filter_map(|offset| flags_at(offset, folded));
    Entry(found.next().unwrap_or_default())
}

/// The bits of a slot that are its tag.
const TAG: u32 = u32::MAX << OFFSET_BITS;

fn slot(index: usize) -> u32 {
    let bytes = TABLE.get(index * size_of::<u32>()..).and_then(|rest| rest.first_chunk());
    bytes.map_or(EMPTY, |bytes| u32::from_le_bytes(*bytes))
}

/// The flags of the entry at an offset, if it is that of the word.
fn flags_at(offset: u32, word: &[u8]) -> Option<u8> {
    let at = SLOTS * size_of::<u32>() + usize::try_from(offset).ok()?;
    let [flags, length, rest @ ..] = TABLE.get(at..)? else {
        return None;
    };
    (rest.get(..usize::from(*length))? == word).then_some(*flags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_towns_are_known_however_they_are_written() {
        for name in ["Anna", "ANNA", "Jürgen", "Juergen", "Zoë", "Hans-Peter", "Mevlüt"] {
            assert!(look_up(name).is_first_name(), "{name}");
        }
        for name in ["Müller", "Mueller", "MÜLLER", "O'Brien", "Lefèvre", "Visser", "Groß"] {
            assert!(look_up(name).is_last_name(), "{name}");
        }
        for name in ["Köln", "Koeln", "Bad Homburg vor der Höhe", "'s-Hertogenbosch", "Lyon"] {
            assert!(look_up(name).is_town(), "{name}");
        }
    }

    #[test]
    fn names_that_are_words_too_say_so() {
        for name in ["Mark", "August", "Stern", "Essen", "Siemens", "Koch", "Rose"] {
            assert!(look_up(name).is_common_word(), "{name}");
        }
        for name in ["Anna", "Thomas", "Utrecht", "Schmidt"] {
            assert!(!look_up(name).is_common_word(), "{name}");
        }
    }

    #[test]
    fn every_word_of_the_list_is_found_and_no_other() {
        let list = include_str!("../gazetteer/words.txt");
        let letters = ["f", "l", "r", "t", "w"];
        let mut words = 0;
        for (word, flags) in list.lines().filter_map(|line| line.split_once('\t')) {
            let expected = (0..letters.len()).filter(|at| flags.contains(letters[*at]));
            let expected = expected.map(|at| 1 << at).sum();
            assert_eq!(look_up_folded(word.as_bytes()), Entry(expected), "{word}");
            let other = format!("{word}qx");
            assert_eq!(look_up_folded(other.as_bytes()), Entry::default(), "{other}");
            words += 1;
        }
        assert!(words > 100_000);
    }

    #[test]
    fn other_words_are_unknown() {
        for word in ["", "-", "erledigt", "Zählerstand", "A-03405927", "\u{200b}", "Анна"] {
            assert_eq!(look_up(word), Entry::default(), "{word}");
        }
        assert_eq!(look_up(&"Anna-".repeat(10_000)), Entry::default());
        assert!(!look_up("Anna-Zähler").is_first_name());
    }
}
