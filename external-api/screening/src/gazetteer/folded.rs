//! A short text in the spelling of the list: small letters without accents, hyphens as spaces.
//!
//! It promises to stay on the stack. It relies on what is listed being short, and on the list having
//! been folded the same way by `tools/gazetteer.py`.

use unicode_normalization::char::{decompose_canonical, is_combining_mark};

/// Bytes of the longest entry of the list.
const CAPACITY: usize = 40;

/// A folded text.
pub(super) struct Folded {
    bytes: [u8; CAPACITY],
    length: usize,
}

impl Folded {
    /// Folds a text; `None` when it is too long or has signs that names do not have.
    pub(super) fn of(text: &str) -> Option<Self> {
        let mut folded = Self { bytes: [0; CAPACITY], length: 0 };
        if text.len() > 2 * CAPACITY {
            return None;
        }
        if text.is_ascii() {
            text.bytes().try_for_each(|byte| folded.push_ascii(byte))?;
        } else {
            text.chars().try_for_each(|c| folded.push(c))?;
        }
        Some(folded)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    fn push_ascii(&mut self, byte: u8) -> Option<()> {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => self.push_byte(byte.to_ascii_lowercase()),
            b'-' | b'/' | b' ' => self.push_space(),
            b'\'' | b'`' | b'.' => Some(()),
            _ => None,
        }
    }

    fn push(&mut self, c: char) -> Option<()> {
        match c {
            _ if c.is_ascii() => self.push_ascii(u8::try_from(c).ok()?),
            '’' => Some(()),
            'ß' | 'ẞ' => self.push_all(b"ss"),
            'æ' | 'Æ' => self.push_all(b"ae"),
            'œ' | 'Œ' => self.push_all(b"oe"),
            'ø' | 'Ø' => self.push_byte(b'o'),
            'ł' | 'Ł' => self.push_byte(b'l'),
            'đ' | 'Đ' | 'ð' | 'Ð' => self.push_byte(b'd'),
            'ı' => self.push_byte(b'i'),
            'þ' | 'Þ' => self.push_all(b"th"),
            _ => self.push_base(c),
        }
    }

    /// The letter below an accent.
    fn push_base(&mut self, c: char) -> Option<()> {
        let mut base = None;
        decompose_canonical(c, |part| {
            base = base.or((!is_combining_mark(part)).then_some(part));
        });
        match base {
            Some(letter) if letter.is_ascii_alphabetic() => self.push(letter),
            Some(_) => None,
            None => Some(()),
        }
    }

    fn push_space(&mut self) -> Option<()> {
        if self.as_bytes().last().is_none_or(|last| *last == b' ') {
            return Some(());
        }
        self.push_byte(b' ')
    }

    fn push_all(&mut self, letters: &[u8]) -> Option<()> {
        letters.iter().try_for_each(|letter| self.push_byte(*letter))
    }

    fn push_byte(&mut self, byte: u8) -> Option<()> {
        *self.bytes.get_mut(self.length)? = byte;
        self.length += 1;
        Some(())
    }
}
