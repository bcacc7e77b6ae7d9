//! Short lists of words, in whatever case they are written.
//!
//! It promises a few steps for nearly every word that is not in the list: of each first letter it knows
//! the lengths that there are. It relies on words in small letters, of fewer than 32 bytes.

/// A list of words.
pub(crate) struct WordSet {
    words: &'static [&'static str],
    /// By the low bits of the first byte, a bit for each length in bytes.
    lengths: [u32; FIRSTS],
}

/// First bytes that are told apart: a letter is the same in both cases.
const FIRSTS: usize = 32;

impl WordSet {
    pub(crate) const fn new(words: &'static [&'static str]) -> Self {
        let mut lengths = [0; FIRSTS];
        let mut at = 0;
        while at < words.len() {
            let word = words[at].as_bytes();
            lengths[word[0] as usize % FIRSTS] |= 1 << word.len();
            at += 1;
        }
        Self { words, lengths }
    }

    /// Whether a word is in the list.
    pub(crate) fn contains(&self, word: &str) -> bool {
        let Some(first) = word.bytes().next() else {
            return false;
        };
        let lengths = self.lengths.get(usize::from(first) % FIRSTS).copied().unwrap_or_default();
        let has_length = u32::try_from(word.len()).is_ok_and(|length| {
            lengths.checked_shr(length).is_some_and(|lengths| lengths & 1 == 1)
        });
        has_length && self.words.iter().any(|known| known.eq_ignore_ascii_case(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SET: WordSet = WordSet::new(&["gmbh", "ag", "dr.", "'t"]);

    #[test]
    fn words_of_the_list_are_known_in_any_case_and_no_others() {
        for word in ["gmbh", "GmbH", "AG", "Dr.", "'T"] {
            assert!(SET.contains(word), "{word}");
        }
        let long = "g".repeat(36);
        for word in ["", "gmb", "GMBX", "a", "dr", "\u{e4}g", "Gm\u{fc}", &long, "\u{7}t", "a\0"] {
            assert!(!SET.contains(word), "{word}");
        }
    }
}
