//! A text as words: where each is, how it is written, what parts it from the one before it, and
//! what it says to the rules.
//!
//! It promises one pass over the text, and every letter and digit in exactly one word. It relies on
//! the table of cues for what words say.

use super::cues::{self, Cue};
use crate::gazetteer::{self, Entry};

/// A word, or a number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) form: Form,
    pub(super) gap: Gap,
    /// It is the first one of its line.
    pub(super) begins_line: bool,
    pub(super) cue: Option<Cue>,
    /// What the gazetteer knows about it, if it is a capital word that says nothing else.
    pub(super) entry: Entry,
}

/// How a word is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A single capital.
    Initial,
    /// A capital, then others: `Anna`, `ANNA`, `Anna-Lena`, `O'Brien`.
    Capital,
    /// Begins with a small letter, or has no case.
    Small,
    /// Digits only.
    Number,
    /// Letters and digits.
    Mixed,
}

/// What stands between a word and the one before it, as a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gap(u8);

impl Gap {
    pub(super) const NONE: Self = Self(0);
    pub(super) const SPACE: Self = Self(1);
    pub(super) const DOT: Self = Self(2);
    pub(super) const COMMA: Self = Self(4);
    /// Empty lines: a single break is a blank, since a line may be broken anywhere.
    pub(super) const LINE: Self = Self(8);
    pub(super) const DASH: Self = Self(16);
    pub(super) const COLON: Self = Self(32);
    /// `!`, `?`, `;`: the end of a sentence that is not a dot.
    pub(super) const STOP: Self = Self(64);
    /// Anything else: brackets, quotation marks, slashes.
    pub(super) const OTHER: Self = Self(128);

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether there is nothing but these.
    pub(super) fn is_within(self, others: Self) -> bool {
        self.0 & !others.0 == 0
    }

    /// Whether any of these is there.
    pub(super) fn has(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    fn of(c: char) -> Self {
        match c {
            ' ' | '\n' => Self::SPACE,
            '.' => Self::DOT,
            ',' => Self::COMMA,
            '-' => Self::DASH,
            ':' => Self::COLON,
            '!' | '?' | ';' => Self::STOP,
            _ => Self::OTHER,
        }
    }
}

/// Splits a text; gives what stands behind the last word.
pub(super) fn split(text: &str, words: &mut Vec<Word>) -> Gap {
    let mut gap = Gap::NONE;
    let mut begins_line = false;
    let mut at = 0;
    while let Some(c) = char_at(text, at) {
        if !c.is_alphanumeric() {
            let is_empty_line = begins_line && c == '\n';
            gap = gap.and(if is_empty_line { Gap::LINE } else { Gap::of(c) });
            begins_line |= c == '\n';
            at += c.len_utf8();
            continue;
        }
        let (end, form) = extent(text, at, c);
        let letters = text.get(at..end).unwrap_or_default();
        let has_letters = !matches!(form, Form::Number | Form::Mixed);
        let cue = if has_letters { cues::of(letters) } else { None };
        let is_name = form == Form::Capital && cue.is_none();
        let entry = if is_name { gazetteer::look_up(letters) } else { Entry::default() };
        words.push(Word { start: at, end, form, gap, begins_line, cue, entry });
        (gap, begins_line, at) = (Gap::NONE, false, end);
    }
    gap
}

fn char_at(text: &str, at: usize) -> Option<char> {
    match text.as_bytes().get(at)? {
        byte @ 0..=127 => Some(char::from(*byte)),
        _ => text.get(at..)?.chars().next(),
    }
}

/// Where the word that begins with `first` ends, and how it is written.
fn extent(text: &str, start: usize, first: char) -> (usize, Form) {
    let mut end = start + first.len_utf8();
    let (mut digits, mut letters) = (first.is_numeric(), !first.is_numeric());
    while let Some(c) = char_at(text, end) {
        if c.is_alphanumeric() {
            digits |= c.is_numeric();
            letters |= !c.is_numeric();
            end += c.len_utf8();
        } else if !digits && is_joiner(text, end, c) {
            end += c.len_utf8();
        } else {
            break;
        }
    }
    let form = match (digits, letters) {
        (true, false) => Form::Number,
        (true, true) => Form::Mixed,
        _ if !first.is_uppercase() => Form::Small,
        _ if end == start + first.len_utf8() => Form::Initial,
        _ => Form::Capital,
    };
    (end, form)
}

/// `Anna-Lena`, `O'Brien`, `Prof.-Vogt-Weg`: a sign between two letters is of the word.
fn is_joiner(text: &str, at: usize, c: char) -> bool {
    let behind = match c {
        '-' | '\'' => at + 1,
        '.' if text.as_bytes().get(at + 1) == Some(&b'-') => at + 2,
        _ => return false,
    };
    let part = text.get(behind..).unwrap_or_default();
    let mut part = part.chars().take_while(|c| c.is_alphanumeric());
    // A code behind a quotation mark is a word of its own.
    part.next().is_some_and(char::is_alphabetic) && !part.any(char::is_numeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<(&str, Form)> {
        let mut words = Vec::new();
        split(text, &mut words);
        words.iter().map(|word| (&text[word.start..word.end], word.form)).collect()
    }

    #[test]
    fn words_are_told_by_how_they_are_written() {
        use Form::{Capital, Initial, Mixed, Number, Small};
        assert_eq!(
            words("Dr. Ä. O'Brien-Koch, 12a; 1EMH und 08:30 – 東京!"),
            [
                ("Dr", Capital),
                ("Ä", Initial),
                ("O'Brien-Koch", Capital),
                ("12a", Mixed),
                ("1EMH", Mixed),
                ("und", Small),
                ("08", Number),
                ("30", Number),
                ("東京", Small),
            ]
        );
        assert_eq!(
            words("Prof.-Vogt-Weg 9-8"),
            [("Prof.-Vogt-Weg", Capital), ("9", Number), ("8", Number),]
        );
        assert_eq!(words("-' . "), []);
    }

    #[test]
    fn gaps_say_what_parts_words() {
        let mut words = Vec::new();
        let rest = split("a. b,\nc", &mut words);
        let gaps: Vec<Gap> = words.iter().map(|word| word.gap).collect();
        assert_eq!(gaps, [Gap::NONE, Gap::DOT.and(Gap::SPACE), Gap::COMMA.and(Gap::SPACE)]);
        let lines: Vec<bool> = words.iter().map(|word| word.begins_line).collect();
        assert_eq!(lines, [false, false, true]);
        assert_eq!(rest, Gap::NONE);
        assert!(gaps[1].is_within(Gap::DOT.and(Gap::SPACE)) && !gaps[1].has(Gap::COMMA));
        words.clear();
        split("a \n\nb", &mut words);
        assert_eq!(words[1].gap, Gap::SPACE.and(Gap::LINE));
    }
}
