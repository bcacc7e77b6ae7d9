//! Values with a form of their own inside of a text: addresses of the net, accounts, numbers.
//!
//! It promises to walk the automaton of all forms once from each place where one may begin, and no
//! further than a bound, so that time is linear. It relies on the validators: the automaton says where
//! a value may end, they say whether it is one.

use core::ops::RangeInclusive;
use std::sync::OnceLock;

use regex_automata::{
    Anchored,
    dfa::{Automaton as _, dense::DFA},
    util::{primitives::StateID, start, wire::AlignAs},
};

use super::{
    Candidate,
    numbers::{self, Form, Place},
    prose::Prose,
    words,
};

/// Bytes of the longest value but e-mail addresses and URLs: an IBAN in groups.
const SHORT_BYTES_MAX: usize = 63;

/// Bytes of the longest e-mail address or URL.
const LONG_BYTES_MAX: usize = 512;

/// Colons of an address of the net; where there are more, no e-mail address begins behind each.
const COLONS_MAX: usize = 8;

type Shapes = DFA<&'static [u32]>;

/// The automaton that the build made.
fn automaton() -> Option<&'static Shapes> {
    static ALIGNED: &AlignAs<[u8], u32> =
        &AlignAs { _align: [], bytes: *include_bytes!(concat!(env!("OUT_DIR"), "/shapes.dfa")) };
    static AUTOMATON: OnceLock<Option<Shapes>> = OnceLock::new();
    let automaton =
        AUTOMATON.get_or_init(|| DFA::from_bytes(&ALIGNED.bytes).ok().map(|(dfa, _)| dfa));
    automaton.as_ref()
}

/// Where each form that begins at one place may end.
#[derive(Default)]
pub(super) struct Ends {
    /// A bit for each distance from the start.
    short: [u64; numbers::FORMS],
    /// The longest of each.
    long: [usize; numbers::FORMS],
}

impl Ends {
    /// Walks the automaton from `start`.
    fn walk(prose: &Prose<'_>, start: usize, bytes_max: usize) -> Option<Self> {
        let automaton = automaton()?;
        // A bound inside of a character would be an end that is none.
        let end = prose.text().floor_char_boundary(start + bytes_max);
        let text = prose.text().get(start..end)?.as_bytes();
        let mut ends = Self::default();
        let config = start::Config::new().anchored(Anchored::Yes);
        let mut state = automaton.start_state(&config).ok()?;
        // A match is known one byte late.
        for (length, byte) in text.iter().enumerate() {
            state = automaton.next_state(state, *byte);
            prose.look(1);
            if automaton.is_match_state(state) {
                ends.note(automaton, state, length);
            } else if automaton.is_dead_state(state) || automaton.is_quit_state(state) {
                return Some(ends);
            }
        }
        let last = automaton.next_eoi_state(state);
        if automaton.is_match_state(last) {
            ends.note(automaton, last, text.len());
        }
        Some(ends)
    }

    fn note(&mut self, automaton: &Shapes, state: StateID, length: usize) {
        for index in 0..automaton.match_len(state) {
            let form = automaton.match_pattern(state, index).as_usize();
            if let (Some(short), Some(long)) = (self.short.get_mut(form), self.long.get_mut(form)) {
                *short |= 1_u64.checked_shl(u32::try_from(length).unwrap_or(64)).unwrap_or(0);
                *long = length;
            }
        }
    }

    /// The lengths, within a range, at which a form may end, the longest first.
    pub(super) fn lengths(
        &self,
        form: Form,
        range: RangeInclusive<u32>,
    ) -> impl Iterator<Item = usize> {
        let above = u64::MAX.checked_shl(range.end() + 1).unwrap_or(0);
        let below = !u64::MAX.checked_shl(*range.start()).unwrap_or(0);
        let mut bits = self.short.get(form as usize).copied().unwrap_or_default();
        bits &= !(above | below);
        core::iter::from_fn(move || {
            let length = 63_u32.checked_sub(bits.leading_zeros())?;
            bits &= !(1 << length);
            usize::try_from(length).ok()
        })
    }

    /// The length of the longest of a form that has no bound.
    pub(super) fn longest(&self, form: Form) -> Option<usize> {
        self.long.get(form as usize).copied().filter(|length| *length > 0)
    }
}

/// Finds values with a form.
pub(super) fn find(prose: &Prose<'_>, candidates: &mut Vec<Candidate>) {
    let mut done = 0;
    let mut chunk = Chunk::default();
    for (index, word) in prose.words().iter().enumerate() {
        chunk.follow(prose.text(), word.start);
        if word.start < done || !(chunk.is_telling || may_begin(prose, index)) {
            continue;
        }
        let bytes_max = chunk.bytes_max(prose.text(), word.start);
        if let Some(candidate) = at_word(prose, (index, word.start), done, bytes_max) {
            done = candidate.end;
            candidates.push(candidate);
        }
    }
}

/// What begins with a word and the sign before it, or with the word alone: `(030) …`, `(a@x.org)`.
fn at_word(
    prose: &Prose<'_>,
    (index, word): (usize, usize),
    done: usize,
    bytes_max: usize,
) -> Option<Candidate> {
    let signed = with_sign(prose, word).max(done);
    // Only numbers begin with a sign.
    let alone = Some(word).filter(|word| *word != signed && prose.starts_with_letter(index));
    core::iter::once(signed).chain(alone).find_map(|start| {
        let ends = Ends::walk(prose, start, bytes_max)?;
        numbers::decide(&Place { prose, index, start, ends: &ends })
    })
}

/// What stands between two spaces.
#[derive(Default)]
struct Chunk {
    end: usize,
    /// It has a digit, an at sign or two slashes.
    is_telling: bool,
    /// It has an at sign, or one that is written out follows.
    has_sign: bool,
    colons: usize,
}

impl Chunk {
    /// Goes on to the chunk of a place, so that each is looked at once.
    fn follow(&mut self, text: &str, at: usize) {
        if at < self.end {
            return;
        }
        let rest = text.as_bytes().get(at..).unwrap_or_default();
        let length = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
        let chunk = rest.get(..length).unwrap_or_default();
        self.end = at + length;
        self.has_sign = chunk.contains(&b'@')
            || chunk.windows(5).any(is_written_sign)
            || rest.get(length + 1..).is_some_and(is_written_sign);
        self.colons = chunk.iter().filter(|b| **b == b':').count();
        self.is_telling = self.has_sign
            || chunk.iter().any(u8::is_ascii_digit)
            || chunk.starts_with(b"www.")
            || chunk.windows(2).any(|pair| pair == b"//");
    }

    /// Bytes of the longest value that may begin at a place.
    fn bytes_max(&self, text: &str, start: usize) -> usize {
        let bytes = text.as_bytes();
        let begins = |form: &[u8]| {
            bytes.get(start..start + form.len()).is_some_and(|b| b.eq_ignore_ascii_case(form))
        };
        // Inside of what may be an address none begins that is longer than what else there is.
        let before = start.checked_sub(1).and_then(|at| bytes.get(at)).copied();
        let is_inner = match before {
            Some(b':') => self.colons > COLONS_MAX,
            Some(b) => b.is_ascii_punctuation() && !b"\"(),<>[]".contains(&b),
            None => false,
        };
        let is_long = begins(b"http") || begins(b"www.") || (self.has_sign && !is_inner);
        if is_long { LONG_BYTES_MAX } else { SHORT_BYTES_MAX }
    }
}

/// Whether a text begins with `(at)`, as in `anna (at) example.org`, or with `[ät]`.
fn is_written_sign(text: &[u8]) -> bool {
    let Some((b'(' | b'[', rest)) = text.split_first() else {
        return false;
    };
    let letters =
        rest.iter().position(|b| matches!(b, b')' | b']')).and_then(|end| rest.get(..end));
    letters.is_some_and(|letters| letters.eq_ignore_ascii_case(b"at") || letters == "ät".as_bytes())
}

/// Whether a form may begin with a word whose chunk does not tell: `DE 89 3704`, `KI-PX 552`.
fn may_begin(prose: &Prose<'_>, index: usize) -> bool {
    let Some(next) = prose.word(index + 1) else {
        return false;
    };
    let letters = prose.str(index);
    let is_code =
        letters.len() <= 6 && letters.bytes().all(|b| b.is_ascii_uppercase() || b == b'-');
    is_code && matches!(next.form, words::Form::Number | words::Form::Mixed)
}

/// Where a value begins that a word is the first of: a sign may stand before it.
fn with_sign(prose: &Prose<'_>, start: usize) -> usize {
    let before = prose.text().as_bytes().get(..start).unwrap_or_default();
    match before {
        [.., b'(', b'+'] => start - 2,
        [.., b'(' | b'+' | b'-'] => start - 1,
        _ => start,
    }
}
