//! Free text: finds what is personal inside of notes, and says where.
//!
//! It promises time linear in the text, whatever is in it, findings on borders of characters that do
//! not overlap, and no allocation once its workspace has grown. It relies on validators for shapes, on
//! the gazetteer and on a grammar of titles, letters and addresses for names and places; a finding is
//! never proof that nothing else is there.

mod address;
mod births;
mod cues;
mod defined;
mod entities;
mod folding;
mod gate;
mod haste;
mod names;
mod numbers;
mod prose;
mod redaction;
mod repetition;
mod resolution;
mod shapes;
mod words;

use tresor_proto::InfoType;

use crate::{Evidence, Rule, TextFinding, defined::Defined};
use prose::Prose;
use words::Word;

pub(crate) use folding::{Folding, Seen};
pub(crate) use gate::{may_contradict, may_hold_findings};
pub use redaction::redact;

/// What a search needs besides the text; used again for the next one.
#[derive(Clone, Default)]
pub(crate) struct Workspace {
    words: Vec<Word>,
    /// The text with each line's end as a blank.
    flat: String,
    /// The same with capitals in its codes, if it was written in haste.
    codes: String,
    candidates: Vec<Candidate>,
    /// Words of the names that were found: a hash of each, and the candidate it is of.
    known: Vec<(u64, usize)>,
}

impl core::fmt::Debug for Workspace {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Workspace")
    }
}

/// What one rule found, before it is known what the others did.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Candidate {
    start: usize,
    end: usize,
    info_type: InfoType,
    rank: Rank,
    evidence: Evidence,
}

/// How telling a rule is; the higher wins where two found something in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// What was found elsewhere in the text stands here again.
    Repeated,
    /// Names and words together that are rarely anything else.
    Likely,
    /// A rule of how people write.
    Grammar,
    /// A form, perhaps with a word before it that says what it is.
    Form,
    /// A form that nothing else has, or a checksum.
    Sure,
}

impl Rank {
    fn confidence(self) -> f32 {
        match self {
            Self::Repeated => 0.7,
            Self::Likely => 0.75,
            Self::Grammar => 0.85,
            Self::Form => 0.9,
            Self::Sure => 0.98,
        }
    }
}

/// Confidence from which a finding contradicts a policy that declares its field clear.
pub(crate) const CONTRADICTION_CONFIDENCE: f32 = 0.85;

impl Candidate {
    fn new(span: (usize, usize), info_type: InfoType, rank: Rank, rule: &'static str) -> Self {
        let evidence = Evidence::Value { rule: Rule::Named(rule) };
        Self { start: span.0, end: span.1, info_type, rank, evidence }
    }
}

/// Finds what is personal in a text, the value of field `field`, and appends it in order.
pub(crate) fn find(
    seen: Seen<'_>,
    field: usize,
    defined: &Defined,
    workspace: &mut Workspace,
    findings: &mut Vec<TextFinding>,
) {
    let Workspace { words, flat, codes, candidates, known } = workspace;
    words.clear();
    candidates.clear();
    let rest = words::split(seen.read(), words);
    let text = flatten(seen.read(), flat);
    let is_hasty = haste::is_hasty(text, words);
    if is_hasty {
        haste::capitalise(text, words);
        haste::write_codes(text, words, codes);
    }
    let prose = Prose::new(text, words, rest);
    let codes = Prose::new(if is_hasty { codes } else { text }, words, rest);
    search((&prose, &codes), defined, candidates, known);
    findings.extend(candidates.iter().map(|candidate| TextFinding {
        field,
        start: seen.origin(candidate.start),
        end: seen.origin(candidate.end),
        info_type: candidate.info_type,
        confidence: candidate.rank.confidence(),
        evidence: candidate.evidence,
    }));
}

/// A text in which a value that goes on in the next line is one.
fn flatten<'a>(text: &'a str, flat: &'a mut String) -> &'a str {
    if !text.contains('\n') {
        return text;
    }
    flat.clear();
    flat.extend(text.chars().map(|c| if c == '\n' { ' ' } else { c }));
    flat
}

/// Asks every rule, and makes one answer of what they found.
fn search(
    (prose, codes): (&Prose<'_>, &Prose<'_>),
    defined: &Defined,
    candidates: &mut Vec<Candidate>,
    known: &mut Vec<(u64, usize)>,
) {
    defined::find(prose, defined, candidates);
    shapes::find(codes, candidates);
    births::find(prose, candidates);
    address::find(prose, candidates);
    names::find(prose, candidates);
    resolution::resolve(prose, candidates, known);
}

#[cfg(test)]
mod tests;
