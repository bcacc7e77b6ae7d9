//! Makes one answer of what all rules found.
//!
//! It promises findings in order that do not overlap: where two do, the one that is surer gives the
//! type, then the longer one, and the place is that of both. It relies on a text in which a name was
//! found using it again without its title.

use std::mem;

use tresor_proto::InfoType;

use super::{Candidate, Rank, prose::Prose, words::Form};

/// How many different findings are looked for again, so that time stays linear.
const REPEATED_MAX: usize = 16;

/// Digits from which a number is the same one wherever it stands.
const NUMBER_DIGITS_MIN: usize = 6;

/// Resolves candidates in place.
pub(super) fn resolve(prose: &Prose<'_>, candidates: &mut Vec<Candidate>) {
    if candidates.is_empty() {
        return;
    }
    settle(candidates);
    let found = candidates.len();
    repeat(prose, candidates, found);
    if candidates.len() > found {
        settle(candidates);
    }
}

/// Sorts, and unites what overlaps.
fn settle(candidates: &mut Vec<Candidate>) {
    candidates.sort_unstable_by_key(|candidate| (candidate.start, candidate.end));
    candidates.dedup_by(|next, kept| {
        let overlaps = next.start < kept.end;
        if overlaps {
            unite(kept, next);
        }
        overlaps
    });
}

/// Takes `other` into `kept`.
fn unite(kept: &mut Candidate, other: &mut Candidate) {
    let weight = |candidate: &Candidate| (candidate.rank, candidate.end - candidate.start);
    if weight(other) > weight(kept) {
        mem::swap(kept, other);
    }
    kept.start = kept.start.min(other.start);
    kept.end = kept.end.max(other.end);
}

/// Looks for what was found wherever else it stands: there, what spoke for it may be missing.
fn repeat(prose: &Prose<'_>, candidates: &mut Vec<Candidate>, found: usize) {
    let mut needles = [""; REPEATED_MAX];
    let mut count = 0;
    for index in 0..found {
        let Some(origin) = candidates.get(index).copied() else {
            return;
        };
        for needle in needles_of(prose, &origin) {
            if needles.iter().take(count).any(|earlier| *earlier == needle) {
                continue;
            }
            let Some(slot) = needles.get_mut(count) else {
                return;
            };
            *slot = needle;
            count += 1;
            find_again(prose, needle, &origin, candidates);
        }
    }
}

/// What to look for: each word of a name that says nothing else, and other findings as a whole.
fn needles_of<'a>(
    prose: &Prose<'a>,
    origin: &Candidate,
) -> impl Iterator<Item = &'a str> + use<'a> {
    let is_name = origin.info_type == InfoType::PersonName;
    let words = if is_name { prose.words_within(origin.start, origin.end) } else { &[] };
    let text = prose.text();
    let words = words.iter().filter(|word| {
        word.form == Form::Capital && word.cue.is_none() && !word.entry.is_common_word()
    });
    let words = words.filter_map(|word| text.get(word.start..word.end));
    let whole = (!is_name).then(|| prose.slice(origin.start, origin.end));
    words.chain(whole).filter(|needle| !needle.is_empty())
}

/// Bytes of the longest needle that is compared wherever its first byte stands.
const COMPARED_BYTES_MAX: usize = 32;

/// Where a needle stands in a text. To prepare a search costs more than to walk a note; only what is
/// long is worth it, and could take long otherwise.
fn places<'a>(text: &'a str, needle: &'a str) -> impl Iterator<Item = usize> + use<'a> {
    let is_compared = needle.len() <= COMPARED_BYTES_MAX;
    let first = needle.chars().next().filter(|_| is_compared);
    let mut done = 0;
    let compared = first.into_iter().flat_map(|first| text.match_indices(first)).filter_map(
        move |(start, _)| {
            let is_found = start >= done
                && text
                    .as_bytes()
                    .get(start..)
                    .is_some_and(|rest| rest.starts_with(needle.as_bytes()));
            done = if is_found { start + needle.len() } else { done };
            is_found.then_some(start)
        },
    );
    let searched = (!is_compared).then(|| text.match_indices(needle)).into_iter().flatten();
    compared.chain(searched.map(|(start, _)| start))
}

/// Appends the places where a needle stands: a word as a whole, a number in whatever it is stuck to.
fn find_again(
    prose: &Prose<'_>,
    needle: &str,
    origin: &Candidate,
    candidates: &mut Vec<Candidate>,
) {
    let is_number = needle.bytes().filter(u8::is_ascii_digit).count() >= NUMBER_DIGITS_MIN;
    prose.look(prose.text().len());
    for start in places(prose.text(), needle) {
        let end = start + needle.len();
        let is_outside = end <= origin.start || start >= origin.end;
        if is_outside && (is_number || prose.is_apart(start, end)) {
            candidates.push(Candidate { start, end, rank: Rank::Repeated, ..*origin });
        }
    }
}
