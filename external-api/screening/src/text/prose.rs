//! A text and its words, as the rules look at it.
//!
//! It promises an answer for any place, also before the first word and behind the last one. It relies
//! on the words having been split from this text.

use super::{
    cues::Cue,
    words::{Form, Gap, Word},
};
use crate::gazetteer::{self, Entry};

/// A text and its words.
pub(super) struct Prose<'a> {
    text: &'a str,
    words: &'a [Word],
    rest: Gap,
    /// How often a rule looked at a word or a piece of the text.
    #[cfg(test)]
    pub(super) looks: core::cell::Cell<usize>,
}

impl<'a> Prose<'a> {
    /// `rest` is what stands behind the last word.
    pub(super) fn new(text: &'a str, words: &'a [Word], rest: Gap) -> Self {
        Self {
            text,
            words,
            rest,
            #[cfg(test)]
            looks: core::cell::Cell::default(),
        }
    }

    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    pub(super) fn words(&self) -> &'a [Word] {
        self.words
    }

    /// Counts what is done, so that a test can tell that it grows with the text and no faster.
    #[cfg(test)]
    pub(super) fn look(&self, bytes: usize) {
        self.looks.set(self.looks.get() + bytes);
    }

    #[cfg(not(test))]
    #[inline]
    pub(super) fn look(&self, _bytes: usize) {}

    /// The words that begin within a span.
    pub(super) fn words_within(&self, start: usize, end: usize) -> &'a [Word] {
        let first = self.words.partition_point(|word| word.start < start);
        let behind = self.words.partition_point(|word| word.start < end);
        self.words.get(first..behind).unwrap_or_default()
    }

    pub(super) fn word(&self, index: usize) -> Option<&'a Word> {
        self.look(1);
        self.words.get(index)
    }

    pub(super) fn before(&self, index: usize) -> Option<&'a Word> {
        self.words.get(index.checked_sub(1)?)
    }

    pub(super) fn cue(&self, index: usize) -> Option<Cue> {
        self.word(index)?.cue
    }

    pub(super) fn form(&self, index: usize) -> Option<Form> {
        Some(self.word(index)?.form)
    }

    /// Whether a word begins with a letter.
    pub(super) fn starts_with_letter(&self, index: usize) -> bool {
        self.str(index).starts_with(char::is_alphabetic)
    }

    /// The letters of a word; nothing beyond the last one.
    pub(super) fn str(&self, index: usize) -> &'a str {
        self.word(index).map_or("", |word| self.slice(word.start, word.end))
    }

    pub(super) fn slice(&self, start: usize, end: usize) -> &'a str {
        self.look(end.saturating_sub(start));
        self.text.get(start..end).unwrap_or_default()
    }

    /// The words from `first` to before `end`, as a span of bytes.
    pub(super) fn span(&self, first: usize, end: usize) -> Option<(usize, usize)> {
        Some((self.word(first)?.start, self.before(end)?.end))
    }

    /// Whether neither a letter nor a digit stands before or behind a span.
    pub(super) fn is_apart(&self, start: usize, end: usize) -> bool {
        let before = self.text.get(..start).and_then(|text| text.chars().next_back());
        let behind = self.text.get(end..).and_then(|text| text.chars().next());
        !before.is_some_and(char::is_alphanumeric) && !behind.is_some_and(char::is_alphanumeric)
    }

    /// What stands behind a word.
    pub(super) fn gap_after(&self, index: usize) -> Gap {
        self.word(index + 1).map_or(self.rest, |next| next.gap)
    }

    /// Whether a word is the last one, or the last of its line, clause or sentence.
    pub(super) fn ends_clause(&self, index: usize) -> bool {
        let stops = Gap::COMMA.and(Gap::LINE).and(Gap::STOP).and(Gap::DOT).and(Gap::DASH);
        let next = self.word(index + 1);
        next.is_none_or(|next| next.begins_line || next.gap.has(stops))
    }

    /// Whether a word is the first one, or the first of its line, clause or sentence.
    pub(super) fn begins_clause(&self, index: usize) -> bool {
        let others = Gap::COMMA.and(Gap::LINE).and(Gap::STOP).and(Gap::DOT).and(Gap::OTHER);
        let is_first = |word: &Word| word.begins_line || word.gap.has(others.and(Gap::COLON));
        index == 0 || self.word(index).is_some_and(is_first)
    }

    /// What the gazetteer knows about a capital word that says nothing else; `None` for others.
    pub(super) fn entry_of_capital(&self, index: usize) -> Option<Entry> {
        let word = self.word(index)?;
        (word.form == Form::Capital && word.cue.is_none()).then_some(word.entry)
    }

    /// What the gazetteer knows about a word.
    pub(super) fn entry(&self, index: usize) -> Entry {
        self.entry_of_capital(index).unwrap_or_else(|| {
            let is_name = matches!(self.form(index), Some(Form::Capital | Form::Small));
            if is_name { gazetteer::look_up(self.str(index)) } else { Entry::default() }
        })
    }
}
