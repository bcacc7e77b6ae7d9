//! The automaton of a pattern, and what its expression tells before any value is seen.
//!
//! It promises to refuse what would not be small. It relies on the expression having been read without
//! Unicode, so that a class is of bytes.

use regex_automata::{
    Anchored, MatchKind,
    dfa::{Automaton as _, StartKind, dense},
    nfa::thompson::{self, WhichCaptures},
    util::{primitives::StateID, start},
};
use regex_syntax::{
    ParserBuilder,
    hir::{Class, Hir, HirKind, Look},
};

use crate::Failure;

/// How deep groups may stand in each other.
const NESTED_MAX: u32 = 32;
/// Bytes of the automaton on its way and in the end.
const NFA_BYTES_MAX: usize = 512 * 1024;
const DETERMINIZE_BYTES_MAX: usize = 1024 * 1024;
const DFA_BYTES_MAX: usize = 64 * 1024;

/// Characters that a value needs at least to be told from others by its form.
const DISTINCT_BYTES_MIN: usize = 4;
/// Bytes of the longest value that is looked for inside of texts.
const IN_TEXT_BYTES_MAX: usize = 64;

/// A pattern, ready to be held against values.
#[derive(Clone)]
pub struct Matcher {
    automaton: dense::DFA<Vec<u32>>,
    start: StateID,
    bytes_max: Option<usize>,
    is_distinct: bool,
}

impl Matcher {
    pub(super) fn compile(pattern: &str) -> Result<Self, Failure> {
        let whole = whole(parse(pattern)?)?;
        check_ascii(&whole)?;
        let bytes_min = whole.properties().minimum_len().unwrap_or_default();
        if bytes_min == 0 {
            return Err(refused("matches the empty text, or nothing at all"));
        }
        let (automaton, start) = automaton(&whole)?;
        let is_distinct = bytes_min >= DISTINCT_BYTES_MIN
            && needs(&whole, |byte| byte.is_ascii_digit())
            && needs(&whole, |byte| !byte.is_ascii_digit());
        let bytes_max = whole.properties().maximum_len();
        Ok(Self { automaton, start, bytes_max, is_distinct })
    }

    /// Whether a value matches as a whole.
    #[must_use]
    pub fn is_match(&self, value: &str) -> bool {
        self.longest(value.bytes(), |end| end == value.len()).is_some()
    }

    /// The longest beginning of a text that matches and may end where it does. No more bytes are taken
    /// from the text than it needs to tell.
    #[must_use]
    pub fn longest(
        &self,
        text: impl Iterator<Item = u8>,
        may_end: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let automaton = &self.automaton;
        let (mut state, mut longest, mut length) = (self.start, None, 0);
        for (at, byte) in text.enumerate() {
            state = automaton.next_state(state, byte);
            length = at + 1;
            // A match is told one byte after its end.
            if automaton.is_match_state(state) && may_end(at) {
                longest = Some(at);
            }
            if automaton.is_dead_state(state) {
                return longest;
            }
        }
        let is_match = automaton.is_match_state(automaton.next_eoi_state(state));
        if is_match && may_end(length) { Some(length) } else { longest }
    }

    /// Whether each value has four characters or more, a digit and something else among them: then
    /// its form tells it from the numbers and words there are everywhere.
    #[must_use]
    pub fn is_distinct(&self) -> bool {
        self.is_distinct
    }

    /// Whether its values are short enough to be looked for at each word of a text.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.bytes_max.is_some_and(|bytes| bytes <= IN_TEXT_BYTES_MAX)
    }
}

fn refused(why: &str) -> Failure {
    Failure::invalid("pattern", why)
}

fn parse(pattern: &str) -> Result<Hir, Failure> {
    let mut parser = ParserBuilder::new();
    let parser = parser.unicode(false).utf8(false).nest_limit(NESTED_MAX);
    #[allow(clippy::wildcard_enum_match_arm, reason = "the library may add errors at any time")]
    parser.build().parse(pattern).map_err(|error| match error {
        regex_syntax::Error::Parse(error) => {
            let at = error.span().start.column;
            refused(&format!("no regular expression: at character {at}, {}", error.kind()))
        }
        _ => refused("no regular expression of ASCII"),
    })
}

/// The expression without what says that it is the whole value, which it is anyway.
fn whole(parsed: Hir) -> Result<Hir, Failure> {
    let whole = match parsed.into_kind() {
        HirKind::Concat(mut parts) => {
            if parts.first().is_some_and(|part| is_look(part, Look::Start)) {
                parts.remove(0);
            }
            if parts.last().is_some_and(|part| is_look(part, Look::End)) {
                parts.pop();
            }
            Hir::concat(parts)
        }
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) => Hir::literal(literal.0),
        HirKind::Class(class) => Hir::class(class),
        HirKind::Look(look) => Hir::look(look),
        HirKind::Repetition(repetition) => Hir::repetition(repetition),
        HirKind::Capture(capture) => Hir::capture(capture),
        HirKind::Alternation(parts) => Hir::alternation(parts),
    };
    if whole.properties().look_set().is_empty() {
        return Ok(whole);
    }
    Err(refused("a pattern stands for the whole value: inside of it there is no ^, $ or \\b"))
}

fn is_look(part: &Hir, look: Look) -> bool {
    matches!(part.kind(), HirKind::Look(other) if *other == look)
}

/// Refuses what stands for bytes that are no ASCII.
fn check_ascii(hir: &Hir) -> Result<(), Failure> {
    let is_ascii = match hir.kind() {
        HirKind::Class(Class::Bytes(class)) => class.is_ascii(),
        HirKind::Class(Class::Unicode(class)) => class.is_ascii(),
        HirKind::Literal(literal) => literal.0.is_ascii(),
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Repetition(repetition) => return check_ascii(&repetition.sub),
        HirKind::Capture(capture) => return check_ascii(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            return parts.iter().try_for_each(check_ascii);
        }
    };
    let why = "it names the ASCII characters of its values: a dot, \\D, \\W, \\S or [^…] stands for \
               any character there is";
    if is_ascii { Ok(()) } else { Err(refused(why)) }
}

/// Whether each match has a byte of a kind.
fn needs(hir: &Hir, kind: fn(u8) -> bool) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => false,
        HirKind::Literal(literal) => literal.0.iter().any(|byte| kind(*byte)),
        HirKind::Class(Class::Bytes(class)) => {
            class.iter().all(|range| (range.start()..=range.end()).all(kind))
        }
        HirKind::Class(Class::Unicode(class)) => {
            let is_of_kind = |c: char| u8::try_from(c).is_ok_and(kind);
            class.iter().all(|range| (range.start()..=range.end()).all(is_of_kind))
        }
        HirKind::Repetition(repetition) => repetition.min > 0 && needs(&repetition.sub, kind),
        HirKind::Capture(capture) => needs(&capture.sub, kind),
        HirKind::Concat(parts) => parts.iter().any(|part| needs(part, kind)),
        HirKind::Alternation(parts) => parts.iter().all(|part| needs(part, kind)),
    }
}

fn automaton(whole: &Hir) -> Result<(dense::DFA<Vec<u32>>, StateID), Failure> {
    let too_large = || {
        refused("needs too large an automaton: use smaller repeat counts and fewer alternatives")
    };
    let config = thompson::Config::new()
        .utf8(false)
        .which_captures(WhichCaptures::None)
        .nfa_size_limit(Some(NFA_BYTES_MAX));
    let nfa = thompson::Compiler::new().configure(config).build_from_hir(whole);
    let nfa = nfa.map_err(|_| too_large())?;
    let config = dense::Config::new()
        .start_kind(StartKind::Anchored)
        .match_kind(MatchKind::All)
        .dfa_size_limit(Some(DFA_BYTES_MAX))
        .determinize_size_limit(Some(DETERMINIZE_BYTES_MAX));
    let automaton = dense::Builder::new().configure(config).build_from_nfa(&nfa);
    let automaton = automaton.map_err(|_| too_large())?;
    let start = automaton.start_state(&start::Config::new().anchored(Anchored::Yes));
    let start = start.map_err(|_| too_large())?;
    Ok((automaton, start))
}
