//! The words of a value that may be a name.
//!
//! It promises a few words without the commas between them, on the stack. It relies on names being
//! short and beginning with a capital, a number or a small word.

use crate::word_set::WordSet;

/// Words of the longest name or address.
const WORDS_MAX: usize = 9;

/// Bytes of the longest name or address.
const BYTES_MAX: usize = 80;

/// The words of a value.
pub(super) struct Words<'a> {
    words: [&'a str; WORDS_MAX],
    count: usize,
    /// After how many words the first comma stands; none when it is 0.
    comma: usize,
}

impl<'a> Words<'a> {
    /// Parts a value; `None` when it has signs that names do not have, or too many words.
    pub(super) fn of(text: &'a str) -> Option<Self> {
        let has_first = text.starts_with(|c: char| c.is_alphanumeric() || c == '\'');
        if text.len() > BYTES_MAX
            || !has_first
            || !text.bytes().all(|byte| IS_SIGN[usize::from(byte)])
        {
            return None;
        }
        let mut words = Self { words: [""; WORDS_MAX], count: 0, comma: 0 };
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            words.push(word)?;
        }
        Some(words)
    }

    fn push(&mut self, word: &'a str) -> Option<()> {
        let bare = word.strip_suffix(',').unwrap_or(word);
        if bare.is_empty() || bare.bytes().any(|b| b == b',') {
            return None;
        }
        *self.words.get_mut(self.count)? = bare;
        self.count += 1;
        if bare.len() < word.len() && self.comma == 0 {
            self.comma = self.count;
        }
        Some(())
    }

    pub(super) fn all(&self) -> &[&'a str] {
        self.words.get(..self.count).unwrap_or_default()
    }

    /// The words before and after the first comma.
    pub(super) fn around_comma(&self) -> Option<(&[&'a str], &[&'a str])> {
        let is_inside = self.comma > 0 && self.comma < self.count;
        is_inside.then(|| self.all().split_at_checked(self.comma)).flatten()
    }

    /// The words before the first comma, all of them without one.
    pub(super) fn before_comma(&self) -> &[&'a str] {
        self.around_comma().map_or(self.all(), |(before, _)| before)
    }
}

/// Which bytes names have.
static IS_SIGN: [bool; 256] = signs();

const fn signs() -> [bool; 256] {
    let mut signs = [false; 256];
    let mut byte = 0_u8;
    loop {
        let is_other = matches!(byte, b' ' | b'-' | b'.' | b',' | b'\'' | b'/');
        signs[byte as usize] = byte.is_ascii_alphanumeric() || byte >= 128 || is_other;
        if byte == 255 {
            return signs;
        }
        byte += 1;
    }
}

/// A capital, then letters, hyphens and apostrophes; more than an initial, and no abbreviation.
pub(crate) fn is_capitalised(word: &str) -> bool {
    // Nearly all of them are ASCII, and begin with something else.
    if word.bytes().next().is_none_or(|first| first < 128 && !first.is_ascii_uppercase()) {
        return false;
    }
    let mut letters = word.chars();
    let has_capital = letters.next().is_some_and(char::is_uppercase);
    let is_word =
        has_capital && letters.all(|c| c.is_alphabetic() || matches!(c, '-' | '\'' | '’'));
    let is_code = || word.len() <= 3 && !word.chars().any(char::is_lowercase);
    is_word && word.chars().nth(1).is_some() && !is_code()
}

/// One capital, perhaps with a full stop.
pub(super) fn is_initial(word: &str) -> bool {
    let letters = word.strip_suffix('.').unwrap_or(word);
    letters.split('.').all(|part| part.chars().count() == 1 && part.chars().all(char::is_uppercase))
}

/// Small words inside of names.
static PARTICLES: WordSet = WordSet::new(&[
    "von", "van", "de", "der", "den", "ter", "ten", "te", "'t", "zu", "zum", "zur", "vom", "di",
    "da", "del", "la", "le", "du", "des", "el", "al", "ben", "und", "y", "dos", "af", "in", "auf",
    "het", "am", "an", "im", "unter", "vor", "op", "à", "aux", "les", "sur", "of", "the", "dem",
    "bei",
]);

pub(super) fn is_particle(word: &str) -> bool {
    PARTICLES.contains(word) || word.starts_with("d'") || word.starts_with("l'")
}
