//! Compounds: `kundentelefonnummer` is `kunden|telefon|nummer`.
//!
//! It promises that a word is taken apart only if nothing of it is left over, apart from the letters
//! that join parts, so that no part is ever a mere substring. It relies on the lexicon for the parts.

use crate::lexicon::{self, Entry, Sense};

/// Letters between two parts, German and Dutch.
const LINKS: &[&str] = &["", "s", "n", "en", "es", "er", "e"];

/// Bytes of the shortest and the longest word that may be a compound; a name is a stranger's text,
/// and taking it apart costs its length times that of a part.
const COMPOUND_BYTES: core::ops::RangeInclusive<usize> = 5..=48;

/// Bytes of the shortest and the longest part.
const PART_BYTES: core::ops::RangeInclusive<usize> = 3..=24;

/// Words that are no parts: `vertrag|snr` would be a signal's, which is `vertrags|nr`.
const NO_PARTS: &[&str] = &["snr"];

/// Shorter parts that only end a word: `personalnr`.
const LAST_PARTS: &[&str] = &["nr", "id"];

/// The parts of a folded word; the word itself when it is known, one unknown when it is not.
pub(super) fn parts(word: &str) -> Vec<Option<Entry>> {
    if let Some(entry) = lexicon::lookup(word) {
        return vec![Some(entry)];
    }
    let parts =
        if COMPOUND_BYTES.contains(&word.len()) && word.is_ascii() { segment(word) } else { None };
    parts.unwrap_or_else(|| vec![lexicon::lookup_head(word)])
}

/// Takes a word apart, fewest parts first; `None` when something would be left over.
fn segment(word: &str) -> Option<Vec<Option<Entry>>> {
    // best[i]: the parts of word[i..], found from the end, so each position is solved once.
    let mut best: Vec<Option<Vec<Entry>>> = vec![None; word.len() + 1];
    if let Some(end) = best.last_mut() {
        *end = Some(Vec::new());
    }
    for start in (0..word.len()).rev() {
        let solution = PART_BYTES
            .filter_map(|length| with_first_part(word, start, length, &best))
            .min_by_key(Vec::len);
        let solution = solution.or_else(|| last_part(word, start));
        if let Some(slot) = best.get_mut(start) {
            *slot = solution;
        }
    }
    let parts = best.into_iter().next().flatten()?;
    Some(parts.into_iter().map(Some).collect())
}

/// A short part at the very end.
fn last_part(word: &str, start: usize) -> Option<Vec<Entry>> {
    let tail = word.get(start..).filter(|tail| LAST_PARTS.contains(tail))?;
    lexicon::lookup(tail).map(|entry| vec![entry])
}

/// The parts of `word[start..]` when the first one has this length.
fn with_first_part(
    word: &str,
    start: usize,
    length: usize,
    best: &[Option<Vec<Entry>>],
) -> Option<Vec<Entry>> {
    let end = start + length;
    let part = word.get(start..end).filter(|part| !NO_PARTS.contains(part))?;
    let entry = lexicon::lookup(part)?;
    if matches!(entry.sense, Sense::Filler | Sense::Question) {
        return None;
    }
    let rest = rest_after(word, end, best)?;
    let mut parts = Vec::with_capacity(rest.len() + 1);
    parts.push(entry);
    parts.extend_from_slice(rest);
    Some(parts)
}

/// The shortest solution after a part that ends at `end`, with or without joining letters.
fn rest_after<'a>(
    word: &str,
    end: usize,
    best: &'a [Option<Vec<Entry>>],
) -> Option<&'a Vec<Entry>> {
    let tail = word.get(end..)?;
    let links = LINKS.iter().filter(|link| tail.starts_with(**link));
    let starts = links.map(|link| end + link.len());
    // Joining letters join: nothing is joined to the end of a word.
    let starts = starts.filter(|at| *at == end || *at < word.len());
    starts.filter_map(|at| best.get(at)?.as_ref()).min_by_key(|parts| parts.len())
}
