//! Words in lower case and without accents, as the lexicon and the cues have them.
//!
//! It promises to stay on the stack. It relies on words that say something being short and written in
//! Latin letters.

use unicode_normalization::char::decompose_canonical;

/// Bytes of the longest text that is looked up.
const CAPACITY: usize = 32;

/// One or more words, written together.
#[derive(Default)]
pub(in crate::text) struct Fold {
    bytes: [u8; CAPACITY],
    length: usize,
}

impl Fold {
    /// `None` for a word that is too long or not written in Latin letters.
    pub(in crate::text) fn of(word: &str) -> Option<Self> {
        let mut fold = Self::default();
        fold.append(word)?;
        Some(fold)
    }

    /// Writes another word behind it; signs in it are left out.
    pub(in crate::text) fn append(&mut self, word: &str) -> Option<()> {
        if word.len() > 2 * CAPACITY {
            return None;
        }
        if word.is_ascii() {
            return self.append_ascii(word.as_bytes());
        }
        word.chars().try_for_each(|c| match c {
            '-' | '\'' | '.' => Some(()),
            'ß' | 'ẞ' => self.push('s').and_then(|()| self.push('s')),
            'œ' | 'Œ' => self.push('o').and_then(|()| self.push('e')),
            _ => self.push(without_accent(c)),
        })
    }

    fn append_ascii(&mut self, word: &[u8]) -> Option<()> {
        for byte in word.iter().filter(|byte| !matches!(byte, b'-' | b'\'' | b'.')) {
            *self.bytes.get_mut(self.length)? = byte.to_ascii_lowercase();
            self.length += 1;
        }
        Some(())
    }

    pub(in crate::text) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    pub(in crate::text) fn as_str(&self) -> &str {
        core::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    fn push(&mut self, c: char) -> Option<()> {
        let byte = u8::try_from(c).ok().filter(u8::is_ascii)?;
        *self.bytes.get_mut(self.length)? = byte.to_ascii_lowercase();
        self.length += 1;
        Some(())
    }
}

/// The letter under an accent.
pub(in crate::text) fn without_accent(c: char) -> char {
    if c.is_ascii() {
        return c;
    }
    let mut letter = None;
    decompose_canonical(c, |part| letter = letter.or(Some(part)));
    letter.unwrap_or(c)
}
